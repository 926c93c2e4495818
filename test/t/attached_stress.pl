# Several clients write leads of a partitioned table of the user's, which go
# from one partition to another all the while.  Afterwards the cards are what
# the logs give, the history is whole, and no lead is lost or there twice.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = 8;
my $leads = 100;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nlog_statement = none\ndeadlock_timeout = '200ms'");
$node->start;
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION lead_qual;
CREATE TABLE contact (id text, mail text, land text NOT NULL, PRIMARY KEY (id, land)) PARTITION BY LIST (land);
CREATE TABLE contact_de PARTITION OF contact FOR VALUES IN ('DE');
CREATE TABLE contact_fr PARTITION OF contact FOR VALUES IN ('FR');
CREATE TABLE contact_rest PARTITION OF contact DEFAULT;
INSERT INTO contact SELECT 'c' || n, 'c' || n || '\@example.com', 'DE' FROM generate_series(1, $leads) AS n;
SELECT create_funnel('crm', 'UTC', lead_table => 'contact', lead_key => 'id', columns => '{"email": "mail", "country": "land"}');
UPDATE crm.rule SET max_hits = 3, per = '1 day' WHERE name = 'ebook_download';
SELECT rescore_funnel('crm');
SQL

my %scripts = (
	activity => [ 6, <<'SQL' ],
\set lead random(1, :leads)
\set kind random(1, 6)
\set minutes random(0, 20000)
INSERT INTO crm.activity (lead_id, kind, occurred_at) VALUES ('c' || :lead,
	(ARRAY['webinar', 'ebook_download', 'email_open', 'demo_request', 'meeting', 'unsubscribe'])[:kind], now() - :minutes * interval '1 minute');
SQL
	elsewhere => [ 3, <<'SQL' ],
\set lead random(1, :leads)
\set land random(1, 3)
UPDATE contact SET land = (ARRAY['DE', 'FR', 'IT'])[:land] WHERE id = 'c' || :lead;
SQL
	both => [ 2, <<'SQL' ],
\set lead random(1, :leads)
\set land random(1, 3)
UPDATE contact SET land = (ARRAY['DE', 'FR', 'IT'])[:land], stage = 'sal' WHERE id = 'c' || :lead AND stage = 'mql';
SQL
	return => [ 2, <<'SQL' ],
\set lead random(1, :leads)
SELECT moved FROM move_leads('crm', ARRAY['c' || :lead], 'nurture', 'too_early');
SQL
	answer => [ 1, <<'SQL' ],
\set lead random(1, :leads)
INSERT INTO crm.answer (lead_id, framework, element, level) VALUES ('c' || :lead, 'bant', 'need', 'yes');
SQL
	sweep => [ 1, "SELECT * FROM sweep_funnel('crm', 20);\n" ],
);
my @files;
foreach my $name (sort keys %scripts)
{
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$name.sql";

	append_to_file($file, $scripts{$name}[1]);
	push @files, '-f', "$file\@$scripts{$name}[0]";
}

# who waited for the row that a lead left has to try again
my ($out, $err) = run_command([ 'pgbench', '-n', '-c', 8, '-j', 2, '-T', $seconds, '--max-tries', 50, '-D', "leads=$leads",
	@files, '-h', $node->host, '-p', $node->port, 'postgres' ]);
like($out, qr/number of failed transactions: 0 /, 'every transaction succeeds, some after another try');
unlike($err, qr/aborted/, 'and no client gives up');
note($out);

is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT id) FROM contact'), "$leads|$leads", 'no lead is lost or there twice');
is($node->safe_psql('postgres', q{SELECT finding, n, detail FROM check_funnel('crm')}), '', 'nothing is wrong with the funnel');
is($node->safe_psql('postgres', <<'SQL'), '', 'every lead was created once and has gone from stage to stage');
SELECT lead_id, count(*) FILTER (WHERE from_stage IS NULL) FROM crm.stage_history GROUP BY lead_id HAVING count(*) FILTER (WHERE from_stage IS NULL) <> 1
UNION ALL
SELECT lead_id, history_id FROM (SELECT *, lag(to_stage) OVER (PARTITION BY lead_id ORDER BY entered_at, history_id) AS before FROM crm.stage_history) AS h
WHERE from_stage <> before
SQL
my $log = slurp_file($node->logfile);
my @errors = grep { /ERROR|PANIC|FATAL/ && !/already moved to another partition|deadlock detected/ } split /\n/, $log;
is_deeply(\@errors, [], 'no other error is in the log');

$node->stop;
done_testing();
