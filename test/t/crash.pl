# The server is killed in the middle of everything.  What was committed is
# there, what was not is not, and the card is what the log says.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'restart_after_crash = off');
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION lead_qual;
SELECT create_funnel('crm', 'UTC');
INSERT INTO crm.lead (email) SELECT n || '@example.com' FROM generate_series(1, 20) AS n;
CHECKPOINT;
INSERT INTO crm.activity (lead_id, kind) SELECT 1 + n % 20, 'ebook_download' FROM generate_series(1, 100) AS n;
UPDATE crm.rule SET points = 33 WHERE name = 'webinar';
SQL

# one transaction is open, others go on
my $open = $node->background_psql('postgres');
$open->query_safe('BEGIN; INSERT INTO crm.activity (lead_id, kind) VALUES (1, \'demo_request\'), (2, \'webinar\'); UPDATE crm.rule SET points = 44 WHERE name = \'webinar\'');
my ($in, $out, $err) = ('', '', '');
my $busy = IPC::Run::start(
	[ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-c',
		"DO \$\$ BEGIN FOR i IN 1..100000 LOOP INSERT INTO crm.activity (lead_id, kind) VALUES (3 + i % 17, 'webinar'); COMMIT; END LOOP; END \$\$" ],
	'<', \$in, '>', \$out, '2>', \$err);
$node->poll_query_until('postgres', "SELECT count(*) > 200 FROM crm.activity WHERE kind = 'webinar'") or die 'nothing happens';
$node->kill9;
$busy->finish;
eval { $open->quit };
$node->stop('immediate', fail_ok => 1);
# where nobody reaps the dead (a container without an init), its number looks
# taken; a survivor would still be found by its shared memory
unlink $node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock';
$node->start;

is($node->safe_psql('postgres', "SELECT count(*) FROM crm.activity WHERE kind = 'demo_request' OR lead_id = 2 AND kind = 'webinar'"), '0', 'what was not committed is gone');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM crm.activity WHERE kind = 'webinar'"), '>=', 200, 'what was is there');
is($node->safe_psql('postgres', "SELECT points FROM crm.rule WHERE name = 'webinar'"), '33', 'as is the rule');
is($node->safe_psql('postgres', <<'SQL'), '', 'every card counts what is in the log');
SELECT l.lead_id, a.kind, a.n, e.hits FROM crm.lead AS l
CROSS JOIN LATERAL (SELECT kind, count(*) AS n FROM crm.activity AS a WHERE a.lead_id = l.lead_id GROUP BY kind) AS a
LEFT JOIN LATERAL explain_score('crm', l.lead_id) AS e ON e.rule = a.kind WHERE e.hits IS DISTINCT FROM a.n
SQL
$node->safe_psql('postgres', "INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar')");
is($node->safe_psql('postgres', "SELECT hits, points FROM explain_score('crm', 1) WHERE rule = 'webinar'"), '1|33', 'and it goes on');

done_testing();
