# A funnel on a streaming standby, and one that logical replication fills:
# the same rows, no trigger fired twice, and rules known where they arrive.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadQualTest;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 'logical', extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$primary->append_conf('postgresql.conf', "client_encoding = 'UTF8'");
$primary->start;
$primary->safe_psql('postgres', "SET client_min_messages = warning; CREATE EXTENSION lead_qual; SELECT create_funnel('crm', 'UTC');" . fill_funnel('crm'));

#
# Streaming: everything that reads works
#
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->safe_psql('postgres', "SET lead_qual.clock = '2026-03-05 12:00+00'; INSERT INTO crm.activity (lead_id, kind) VALUES (3, 'demo_request')");
$primary->wait_for_catchup($standby);
is_deeply(differences(rows($primary, 'postgres'), rows($standby, 'postgres')), [], 'standby: identical rows');
my @views = split /\n/, $primary->safe_psql('postgres', "SELECT oid::regclass FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'v' ORDER BY 1");
cmp_ok(scalar @views, '>', 10, 'there are views');
my @broken = grep { ($standby->psql('postgres', "SET lead_qual.clock = '2026-03-06'; TABLE $_"))[0] != 0 } @views;
is_deeply(\@broken, [], 'standby: every view is readable');
foreach my $call ("explain_score('crm', 3)", "why_not('crm', 3, 'sql')", "next_stages('crm', 3)", "score_at('crm', 3, '2026-02-20')")
{
	my $sql = "SET lead_qual.clock = '2026-03-06'; SELECT * FROM $call";

	is($standby->safe_psql('postgres', $sql), $primary->safe_psql('postgres', $sql), "standby: $call");
}
my ($ret, $out, $err) = $standby->psql('postgres', "INSERT INTO crm.activity (lead_id, kind) VALUES (3, 'demo_request')");
like($err, qr/read-only transaction/, 'standby: no writing');
# a session there goes by rules that change on the primary
my $reader = $standby->background_psql('postgres');
$reader->query_safe("SET lead_qual.clock = '2026-03-06'");
$reader->query_safe("SELECT count(*) FROM next_stages('crm', 3)");
$primary->safe_psql('postgres', "UPDATE crm.transition SET description = 'changed' WHERE from_stage = 'mql' AND to_stage = 'sal'");
$primary->wait_for_catchup($standby);
is($reader->query_safe("SELECT description FROM next_stages('crm', 3) WHERE stage = 'sal'"), 'changed', 'standby: an open session learns of a changed rule');
$reader->quit;

#
# Logical
#
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$subscriber->start;
# the schema as it is dumped, without data
my $dir = PostgreSQL::Test::Utils::tempdir();
$primary->command_ok([ 'pg_dump', '--schema-only', '-f', "$dir/schema.sql", $primary->connstr('postgres') ], 'pg_dump --schema-only');
$subscriber->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $subscriber->connstr('postgres'), '-f', "$dir/schema.sql" ], 'psql');
$primary->safe_psql('postgres', 'CREATE PUBLICATION p FOR TABLES IN SCHEMA crm');
my $connstr = $primary->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION s CONNECTION '$connstr' PUBLICATION p WITH (binary = true)");
$subscriber->wait_for_subscription_sync($primary, 's');

sub in_step
{
	my ($name) = @_;

	$primary->wait_for_catchup('s');
	# a materialized view is not replicated
	$_->safe_psql('postgres', 'REFRESH MATERIALIZED VIEW crm.summary') foreach $primary, $subscriber;
	is_deeply(differences(rows($primary, 'postgres'), rows($subscriber, 'postgres')), [], "logical: $name");
}
in_step('identical rows after the initial copy');

# a session there that knows the rules
my $session = $subscriber->background_psql('postgres');
$session->query_safe("SET lead_qual.clock = '2026-03-07'");
$session->query_safe("SELECT count(*) FROM next_stages('crm', 3)");

$primary->safe_psql('postgres', <<'SQL');
SET lead_qual.clock = '2026-03-07 12:00+00';
INSERT INTO crm.lead (email, bant) VALUES ('late@example.org', 'B+ N+');
INSERT INTO crm.activity (lead_id, kind) SELECT lead_id, 'demo_request' FROM crm.lead;
UPDATE crm.lead SET stage = 'sal' WHERE stage = 'mql' AND lead_id < 10;
INSERT INTO crm.answer (lead_id, framework, element, level) VALUES (5, 'bant', 'need', 'yes');
UPDATE crm.deal SET status = 'won' WHERE deal_id = 1;
DELETE FROM crm.activity WHERE lead_id = 7 AND kind = 'webinar';
DELETE FROM crm.lead WHERE lead_id = 8;
UPDATE crm.rule SET points = 31 WHERE name = 'webinar';
SQL
in_step('identical rows after changes: no trigger fired there');
# and it can take over, when its sequences are put forward
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION s DISABLE');
$session->query_safe($_) foreach split /\n/, $subscriber->safe_psql('postgres', <<'SQL');
SELECT format('SELECT setval(%L, 1000000)', schemaname || '.' || sequencename) FROM pg_sequences WHERE schemaname = 'crm'
SQL
$session->query_safe("INSERT INTO crm.lead (email) VALUES ('after\@example.org')");
$session->query_safe("INSERT INTO crm.activity (lead_id, kind) SELECT lead_id, 'webinar' FROM crm.lead WHERE email = 'after\@example.org'");
is($session->query_safe("SELECT hits, points FROM crm.lead, explain_score('crm', lead_id) WHERE email = 'after\@example.org' AND rule = 'webinar'"),
	'1|31', 'logical: a session that was open scores by the rule that arrived');
$session->quit;

unlike(slurp_file($_->logfile), qr/does not compile|PANIC|TRAP|XX000/, $_->name . ': nothing strange in the log') foreach $primary, $standby, $subscriber;

done_testing();
