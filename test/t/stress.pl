# Several clients do everything at once.  Afterwards the cards are what the
# logs give, the leads are where their history left them, and nothing went
# wrong on the way.  LQ_STRESS_SECONDS: how long (default 30).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{LQ_STRESS_SECONDS} || 30;
my $leads = 100;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nlog_statement = none\ndeadlock_timeout = '200ms'");
$node->start;
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION lead_qual;
SELECT create_funnel('crm', 'UTC');
UPDATE crm.rule SET max_hits = 3, per = '1 day' WHERE name IN ('ebook_download', 'email_open');
UPDATE crm.rule SET max_hits = 1, per = '1 hour' WHERE name = 'webinar';
INSERT INTO crm.lead (email, job_title, company_size)
	SELECT 'p' || n || '\@example.com', 'VP', n * 10 FROM generate_series(1, $leads) AS n;
SQL

# A refused move is an answer, not an error.
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION public.try(statement text, number bigint) RETURNS void LANGUAGE plpgsql AS
$$ BEGIN EXECUTE format(statement, number); EXCEPTION WHEN check_violation THEN NULL; END $$;
SQL
sub try
{
	my ($statement, $from, $to) = @_;
	return sprintf("\\set number random(%s, %s)\nSELECT public.try(\$q\$%s\$q\$, :number);\n",
		$from // 1, $to // ':leads', $statement);
}

# What clients do, and how often.
my %scripts = (
	activity => [ 30, <<'SQL' ],
\set lead random(1, :leads)
\set kind random(1, 7)
\set minutes random(0, 20000)
INSERT INTO crm.activity (lead_id, kind, occurred_at)
	VALUES (:lead, (ARRAY['webinar', 'ebook_download', 'email_open', 'demo_request', 'sales_call', 'unsubscribe', 'website_visit'])[:kind],
			now() - :minutes * interval '1 minute');
SQL
	several => [ 8, <<'SQL' ],
INSERT INTO crm.activity (lead_id, kind)
	SELECT 1 + floor(random() * :leads), 'ebook_download' FROM generate_series(1, 10);
SQL
	correct => [ 5, <<'SQL' ],
\set lead random(1, :leads)
UPDATE crm.activity SET kind = 'webinar' WHERE (lead_id, activity_id) IN
	(SELECT lead_id, activity_id FROM crm.activity WHERE lead_id = :lead ORDER BY activity_id LIMIT 1);
DELETE FROM crm.activity WHERE (lead_id, activity_id) IN
	(SELECT lead_id, activity_id FROM crm.activity WHERE lead_id = :lead AND kind = 'email_open' ORDER BY activity_id LIMIT 1);
SQL
	accept => [ 10, try("UPDATE crm.lead SET stage = 'sal' WHERE lead_id = %s AND stage = 'mql'") ],
	give_back => [ 6, try("UPDATE crm.lead SET stage = 'nurture', reason = 'too_early' WHERE lead_id = %s") ],
	begin_anew => [ 6, try("UPDATE crm.lead SET stage = 'lead' WHERE lead_id = %s") ],
	qualify => [ 6, try("UPDATE crm.lead SET bant = 'B+ A+ N+ T+', stage = 'sql' WHERE lead_id = %s") ],
	answer => [ 6, <<'SQL' ],
\set lead random(1, :leads)
\set element random(1, 4)
\set level random(1, 4)
INSERT INTO crm.answer (lead_id, framework, element, level)
	VALUES (:lead, 'bant', (ARRAY['budget', 'authority', 'need', 'timeline'])[:element], (ARRAY['no', 'unknown', 'partial', 'yes'])[:level]::answer_level);
SQL
	deal => [ 4, <<'SQL' ],
\set lead random(1, :leads)
\set status random(1, 3)
BEGIN;
INSERT INTO crm.deal (amount) VALUES (:lead) RETURNING deal_id AS deal \gset
INSERT INTO crm.deal_contact (deal_id, lead_id) VALUES (:deal, :lead);
END;
UPDATE crm.deal SET status = (ARRAY['open', 'won', 'lost'])[:status] WHERE deal_id = :deal;
SQL
	rule => [ 2, <<'SQL' ],
\set points random(1, 50)
UPDATE crm.rule SET points = :points WHERE definition = 'default' AND name = 'webinar';
SQL
	guard => [ 1, try("UPDATE crm.transition SET condition = 'score >= %s' WHERE position = 40 AND from_stage = 'lead'", 50, 150) ],
	sweep => [ 1, "SELECT * FROM sweep_funnel('crm', 20);\n" ],
	profile => [ 4, <<'SQL' ],
\set lead random(1, :leads)
\set size random(1, 5000)
UPDATE crm.lead SET company_size = :size WHERE lead_id = :lead;
SQL
);

my $dir = PostgreSQL::Test::Utils::tempdir();
my @files;
foreach my $name (sort keys %scripts)
{
	my ($weight, $text) = @{ $scripts{$name} };

	append_to_file("$dir/$name.sql", $text);
	push @files, '-f', "$dir/$name.sql\@$weight";
}

my ($out, $err) = run_command([ 'pgbench', '-n', '-c', 8, '-j', 2, '-T', $seconds, '-D', "leads=$leads",
		'--max-tries=10', @files, $node->connstr('postgres') ]);
like($out, qr/number of failed transactions: 0 /, 'no client failed');
unlike($err, qr/aborted|ERROR/, 'no client stopped');
note($out =~ /(number of transactions actually processed.*)/ ? $1 : $out);
diag($err) if $err =~ /aborted|ERROR/;

cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM crm.activity'), '>', 100, 'there was something to do');

#
# Every card is what the log gives
#
my $cards = <<'SQL';
SELECT l.lead_id, e.rule, e.hits, e.last_hit, e.points
FROM crm.lead AS l, explain_score('crm', l.lead_id, (SELECT greatest(now(), max(occurred_at), max(recorded_at)) FROM crm.activity)) AS e
SQL
# (cards of leads that nobody touched since are of an older version)
$node->safe_psql('postgres', "SELECT sweep_funnel('crm', 1000)");
my $stale = $node->safe_psql('postgres', "SELECT * FROM sweep_funnel('crm', 1000)");
is($stale, '0|0|0', 'a sweep leaves nothing to do');
$node->safe_psql('postgres', <<"SQL");
BEGIN;
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
CREATE TABLE public.before AS $cards;
SELECT rescore_funnel('crm');
CREATE TABLE public.after AS $cards;
COMMIT;
SQL
is($node->safe_psql('postgres', <<'SQL'), '', 'hits are exactly those of the log, points to a millionth');
SELECT lead_id, rule, b.hits, a.hits, b.last_hit, a.last_hit, b.points, a.points
FROM public.before AS b FULL JOIN public.after AS a USING (lead_id, rule)
WHERE b.hits IS DISTINCT FROM a.hits OR b.last_hit IS DISTINCT FROM a.last_hit
OR abs(b.points - a.points) > 0.000001 OR (b.points IS NULL) <> (a.points IS NULL)
ORDER BY 1, 2 LIMIT 5
SQL

#
# Stages and history
#
is($node->safe_psql('postgres', <<'SQL'), '', 'every lead is where its history left it');
SELECT l.lead_id, l.stage, h.to_stage, l.cycle, h.cycle FROM crm.lead AS l
LEFT JOIN LATERAL (SELECT * FROM crm.stage_history AS h WHERE h.lead_id = l.lead_id ORDER BY history_id DESC LIMIT 1) AS h ON true
WHERE h.to_stage IS DISTINCT FROM l.stage OR h.cycle IS DISTINCT FROM l.cycle OR h.entered_at IS DISTINCT FROM l.stage_entered_at LIMIT 5
SQL
is($node->safe_psql('postgres', <<'SQL'), '', 'every move starts where the one before ended, and not earlier');
SELECT * FROM (
	SELECT history_id, lead_id, from_stage, lag(to_stage) OVER w AS before, entered_at < lag(entered_at) OVER w AS earlier
	FROM crm.stage_history WINDOW w AS (PARTITION BY lead_id ORDER BY history_id)) AS h
WHERE from_stage IS DISTINCT FROM before OR earlier LIMIT 5
SQL
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM crm.stage_history'), '>', $leads, 'leads have moved');
is($node->safe_psql('postgres', <<'SQL'), '', 'leads count their deals');
SELECT l.lead_id, deals_open, n FROM crm.lead AS l,
	LATERAL (SELECT count(*) FROM crm.deal_contact AS c JOIN crm.deal AS d USING (deal_id) WHERE c.lead_id = l.lead_id AND d.status = 'open') AS d (n)
WHERE deals_open <> n LIMIT 5
SQL
is($node->safe_psql('postgres', <<'SQL'), '', 'leads hold the latest answers');
SELECT l.lead_id, l.bant, a.* FROM crm.lead AS l,
	LATERAL (SELECT DISTINCT ON (element) element, level FROM crm.answer AS a WHERE a.lead_id = l.lead_id AND framework = 'bant'
			 ORDER BY element, answered_at DESC, answer_id DESC) AS a
WHERE l.bant -> a.element <> a.level LIMIT 5
SQL

my $log = slurp_file($node->logfile);
my @errors = $log =~ /^.*(?:ERROR|PANIC|TRAP|WARNING).*$/mg;
diag($log =~ /^(.*deadlock detected.*\n(?:.*\n){1,14})/mg) if $log =~ /deadlock/;
is_deeply([ @errors[0 .. ($#errors > 4 ? 4 : $#errors)] ], [], 'no error in the log');

done_testing();
