# R2: many clients write facts of one lead.  They take turns, as for any one
# row: with more of them the rate holds, and nobody makes a multixact.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = 3;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nsynchronous_commit = off\nautovacuum = off\nlog_statement = none\nmax_connections = 40");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION lead_qual;
SELECT create_funnel('crm', 'UTC');
INSERT INTO crm.lead (email) VALUES ('ann@example.com');
CREATE TABLE bare (id int PRIMARY KEY, n int) WITH (fillfactor = 70);
INSERT INTO bare VALUES (1, 0);
SQL

my %scripts = (
	bare => "UPDATE bare SET n = n + 1 WHERE id = 1;\n",
	activity => "INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar');\n",
	all => <<'SQL',
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'email_open');
INSERT INTO crm.answer (lead_id, framework, element, level) VALUES (1, 'bant', 'need', 'yes');
INSERT INTO crm.verdict (lead_id, side, qualified) VALUES (1, 'sales', true);
BEGIN;
UPDATE crm.lead SET job_title = 'VP' WHERE lead_id = 1;
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar');
INSERT INTO crm.signature (lead_id, to_stage, side) VALUES (1, 'sql', 'sales');
COMMIT;
SQL
);

sub run_clients
{
	my ($script, $clients, @how) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$script.sql";

	append_to_file($file, $scripts{$script}) unless -e $file;
	my ($out, $err) = run_command([ 'pgbench', '-n', '-M', 'prepared', '-c', $clients, '-j', 2, @how, '-f', $file,
			'-h', $node->host, '-p', $node->port, 'postgres' ]);
	my ($rate) = $out =~ /^tps = ([\d.]+)/m;
	BAIL_OUT("pgbench of $script: $out $err") unless defined $rate;
	unlike($err, qr/ERROR/, "$clients clients, $script: no errors");
	return $rate;
}

sub next_multixact
{
	$node->safe_psql('postgres', 'CHECKPOINT');
	return $node->safe_psql('postgres', 'SELECT next_multixact_id FROM pg_control_checkpoint()');
}

my $before = next_multixact();
run_clients('all', 16, '-t', 20);
is($node->safe_psql('postgres', 'SELECT count(*) FROM crm.activity'), 640, 'all has been written');
is(next_multixact(), $before, 'R2: not one multixact was made');

# beside the same machine's own loss: a bare update of one row
my %kept;
foreach my $script ('bare', 'activity')
{
	my $two = run_clients($script, 2, '-T', $seconds);
	my $sixteen = run_clients($script, 16, '-T', $seconds);

	$kept{$script} = $sixteen / $two;
	note(sprintf('%s: %.0f tps with 2 clients, %.0f with 16: %.2f', $script, $two, $sixteen, $kept{$script}));
}
my $least = 0.5 * ($kept{bare} < 1 ? $kept{bare} : 1);
cmp_ok($kept{activity}, '>=', $least, 'R2: 16 clients on one lead keep their rate (0.8 in peace, half of that of a bare update at least)');
is(next_multixact(), $before, 'R2: nor was one made now');
is($node->safe_psql('postgres', q{SELECT count(*) FROM check_funnel('crm') WHERE severity = 'error'}), 0, 'all is well');

$node->stop;
done_testing();
