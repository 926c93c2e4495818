# A funnel that is attached to a table of the user's, through pg_dump: whole,
# schema first and data after, and the table by itself before and after.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('attached');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;

sub query { return $node->safe_psql($_[0], $_[1]); }

sub dump_to
{
	my ($db, $file, @options) = @_;
	command_ok([ 'pg_dump', @options, '-f', $file, $node->connstr($db) ], "pg_dump @options");
	return;
}

sub restore
{
	my ($db, $file) = @_;
	command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-f', $file, $node->connstr($db) ], "$file goes into $db");
	return;
}

# what a table is, as pg_dump tells it
sub table_dump
{
	my ($db) = @_;
	my ($out, $err) = run_command([ 'pg_dump', '-s', '-t', 'app.contact*', $node->connstr($db) ]);

	# a key of the dump's own, in newer minor versions
	$out =~ s/^\\(un)?restrict .*$//mg;
	return $out;
}

my $dir = PostgreSQL::Test::Utils::tempdir;

query('postgres', 'CREATE DATABASE crm');
query('crm', q{
	CREATE EXTENSION lead_qual;
	CREATE SCHEMA app;
	CREATE TABLE app.contact (id text, mail text, land text NOT NULL, PRIMARY KEY (id, land)) PARTITION BY LIST (land);
	CREATE TABLE app.contact_de PARTITION OF app.contact FOR VALUES IN ('DE');
	CREATE TABLE app.contact_rest PARTITION OF app.contact DEFAULT;
	CREATE TABLE app.person (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), mail varchar(100), name text);
	INSERT INTO app.contact SELECT 'c' || i, 'c' || i || '@example.com', (ARRAY['DE', 'FR'])[1 + i % 2] FROM generate_series(1, 20) AS i;
	INSERT INTO app.person (mail, name) SELECT 'p' || i || '@example.com', 'P ' || i FROM generate_series(1, 20) AS i;
});
my $table_before = table_dump('crm');
query('crm', q{
	SELECT create_funnel('crm', 'UTC', lead_table => 'app.contact', lead_key => 'id', columns => '{"email": "mail", "country": "land"}');
	SELECT create_funnel('b2c', 'UTC', lead_table => 'app.person', lead_key => 'id', columns => '{"email": "mail", "full_name": "name"}', prefix => 'lq_');
	SELECT rescore_funnel('crm'), rescore_funnel('b2c');
	SELECT record_activity('crm', mail, 'demo_request') FROM app.contact WHERE id < 'c2';
	SELECT record_activity('b2c', mail, k.kind) FROM app.person, (VALUES ('webinar'), ('demo_request')) AS k (kind);
	UPDATE app.contact SET land = 'US', bant = 'B+ N+' WHERE id IN ('c1', 'c5');
	UPDATE app.contact SET stage = 'sal' WHERE stage = 'mql' AND land = 'US';
	UPDATE app.person SET lq_stage = 'nurture', lq_reason = 'too_early' WHERE mail = 'p3@example.com';
});

my $content = q{
	SELECT id, mail, land, stage, cycle, bant, scorecard, due_at, tableoid::regclass FROM app.contact ORDER BY id;
	SELECT mail, name, lq_stage, lq_scorecard FROM app.person ORDER BY mail;
	SELECT lead_id, stage, round(score) FROM crm.lead_now ORDER BY lead_id;
	SELECT lead_id, from_stage, to_stage, entered_at, actor, reason FROM b2c.stage_history ORDER BY history_id;
	SELECT lead_table, lead_key FROM crm.setting;
	SELECT t.tgrelid::regclass, t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger AS t
	 WHERE NOT tgisinternal AND tgrelid::regclass::text IN ('app.contact', 'app.contact_de', 'app.person') ORDER BY 1, 2;
	SELECT * FROM crm.funnel;
};
my $before = query('crm', $content);
is(query('crm', q{SELECT finding, object FROM check_funnel('crm') UNION ALL SELECT finding, object FROM check_funnel('b2c')}),
	'', 'two attached funnels in which nothing is wrong');

# whole
dump_to('crm', "$dir/whole.sql");
query('postgres', 'CREATE DATABASE whole');
restore('whole', "$dir/whole.sql");
is(query('whole', $content), $before, 'a restored database has all that was dumped');
is(query('whole', q{SELECT finding, object FROM check_funnel('crm') UNION ALL SELECT finding, object FROM check_funnel('b2c')}),
	'', 'and nothing is wrong with it');

# schema first, then the data with the triggers in place
dump_to('crm', "$dir/schema.sql", '-s');
dump_to('crm', "$dir/data.sql", '-a', '--disable-triggers');
query('postgres', 'CREATE DATABASE parts');
restore('parts', "$dir/schema.sql");
restore('parts', "$dir/data.sql");
is(query('parts', $content), $before, 'schema first and data after, without triggers, give the same');
# pg_dump enables them again as ordinary ones
query('parts', q{SELECT repair_funnel('crm'), repair_funnel('b2c')});
is(query('parts', q{SELECT finding FROM check_funnel('crm') UNION ALL SELECT finding FROM check_funnel('b2c')}), '', 'but for what repair_funnel() repairs');

# it works on there
is(query('whole', q{
	UPDATE app.contact SET land = 'DE', stage = 'nurture', reason = 'too_early' WHERE id = 'c1';
	SELECT record_activity('b2c', 'p4@example.com', 'meeting');
	DELETE FROM app.contact WHERE id = 'c5';
	SELECT stage, tableoid::regclass FROM app.contact WHERE id = 'c1';
	SELECT count(*) FROM crm.activity WHERE lead_id = 'c5';
	SELECT finding FROM check_funnel('crm') UNION ALL SELECT finding FROM check_funnel('b2c')}),
	"t\nnurture|app.contact_de\n0", 'the restored funnels go on');
my ($ret, $out, $err) = $node->psql('whole', q{UPDATE app.contact SET stage = 'customer' WHERE id = 'c2'});
like($err, qr/cannot move lead from stage "lead" to "customer"/, 'their guards hold');
($ret, $out, $err) = $node->psql('whole', 'DROP EXTENSION lead_qual');
like($err, qr/cannot drop extension lead_qual because other objects depend on it/, 'the extension cannot be dropped under them');
($ret, $out, $err) = $node->psql('whole', 'DROP TABLE app.contact');
like($err, qr/view crm.lead depends on table app.contact/, 'nor the table');

# and the table by itself
query('whole', q{SELECT detach_funnel('crm')});
query('crm', q{SELECT drop_funnel('crm', true)});
is(table_dump('crm'), $table_before, 'after drop_funnel() pg_dump writes the table as before create_funnel()');
is(table_dump('whole'), $table_before, 'and so it does after detach_funnel() in the restored database');
is(query('crm', 'SELECT count(*) FROM app.contact'), 20, 'with all its rows');

# killed in the midst of moves between partitions
my $session = $node->background_psql('parts');
$session->query_safe(q{BEGIN; UPDATE app.contact SET land = 'IT', stage = 'disqualified', reason = 'outside_audience' WHERE stage = 'lead'});
my $stages = query('parts', 'SELECT stage, count(*) FROM app.contact GROUP BY 1 ORDER BY 1');
$node->stop('immediate');
eval { $session->quit };
$node->start;
is(query('parts', 'SELECT stage, count(*) FROM app.contact GROUP BY 1 ORDER BY 1'), $stages, 'a crash in the midst of moves leaves none half done');
is(query('parts', q{SELECT finding FROM check_funnel('crm')}), '', 'and nothing wrong');

$node->stop;
done_testing();
