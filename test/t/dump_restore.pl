# A database with funnels is dumped and restored: the same rows, no trigger
# fired, the same objects, and the funnels go on working.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadQualTest;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "fsync = off\nclient_encoding = 'UTF8'");
$node->start;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $odd = "Crm \x{c3}\x{a9}";	# as UTF-8 bytes
my @funnels = ('crm', $odd);

sub build
{
	my ($db, $setup, $path) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, $setup);
	$node->safe_psql($db, "GRANT CREATE ON DATABASE $db TO regress_lq_owner");
	$node->safe_psql($db, "ALTER DATABASE $db SET search_path = $path") if $path;
	foreach my $funnel (@funnels)
	{
		my $who = $funnel eq 'crm' ? 'postgres' : 'regress_lq_owner';

		$who = 'CURRENT_USER' if $who eq 'postgres';
		$node->safe_psql($db, ($who eq 'CURRENT_USER' ? '' : "SET ROLE $who;")
			  . "SET client_min_messages = warning;"
			  . "SELECT create_funnel('$funnel', 'Europe/Vienna');"
			  . "SELECT grant_funnel('$funnel', 'regress_lq_app', 'app');"
			  . fill_funnel($funnel)
			  # a condition that names a list without values
			  . qq{INSERT INTO "$funnel".list VALUES ('gone', 'DE');}
			  . qq{INSERT INTO "$funnel".rule (definition, name, axis, condition, points) VALUES ('default', 'gone', 'fit', 'country = ANY (list.gone)', 3);}
			  . qq{DELETE FROM "$funnel".list WHERE list = 'gone';});
	}
}

# the funnel of that name in a restored database still scores and moves
sub works
{
	my ($db, $name) = @_;

	foreach my $funnel (@funnels)
	{
		my $who = $funnel eq 'crm' ? '' : 'SET LOCAL ROLE regress_lq_owner;';
		my ($ret, $out, $err) = $node->psql($db, <<"SQL", on_error_stop => 1);
\\set QUIET on
SET lead_qual.clock = '2026-03-05 12:00+00';
BEGIN;
$who
INSERT INTO "$funnel".lead (email, company_size, bant, country) VALUES ('new\@example.org', 50, 'B+ N+', 'DE') RETURNING stage;
INSERT INTO "$funnel".activity (lead_id, kind, properties) SELECT max(lead_id), 'webinar', '{"topic": "pricing"}' FROM "$funnel".lead;
INSERT INTO "$funnel".activity (lead_id, kind) SELECT max(lead_id), 'demo_request' FROM "$funnel".lead;
SELECT rule, hits, points FROM "$funnel".lead, explain_score('$funnel', lead_id)
	WHERE email = 'new\@example.org' AND rule IN ('own_bant', 'own_list', 'own_property', 'demo_request') ORDER BY rule;
SELECT stage, (SELECT count(*) FROM "$funnel".stage_history AS h WHERE h.lead_id = l.lead_id) FROM "$funnel".lead AS l WHERE email = 'new\@example.org';
SELECT count(*) FROM copy_definition('$funnel', 'default', 'a copy');
ROLLBACK;
SQL
		is("$ret $out $err",
			"0 lead\ndemo_request|1|120\nown_bant|1|7\nown_list|1|3\nown_property|1|5\nmql|2\n1 ",
			"$name: funnel $funnel works and compiles all conditions");
	}
}

sub same_as
{
	my ($db, $from, $name) = @_;

	is_deeply(differences(rows($node, $from), rows($node, $db)), [], "$name: identical rows in every table");
	is_deeply(differences(objects($node, $from), objects($node, $db)), [], "$name: identical objects");
	works($db, $name);
}

$node->safe_psql('postgres', 'CREATE ROLE regress_lq_owner; CREATE ROLE regress_lq_app;');
build('source', 'CREATE EXTENSION lead_qual');
cmp_ok($node->safe_psql('source', 'SELECT count(*) FROM crm.stage_history'), '>', 30, 'there is history to lose');
works('source', 'source');

#
# Whole dumps
#
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/c", $node->connstr('source') ], 'pg_dump -Fc');
$node->safe_psql('postgres', 'CREATE DATABASE from_custom');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('from_custom'), "$dir/c" ], 'pg_restore');
same_as('from_custom', 'source', 'custom format');

$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", $node->connstr('source') ], 'pg_dump, plain');
$node->safe_psql('postgres', 'CREATE DATABASE from_plain');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('from_plain'), '-f', "$dir/plain.sql" ], 'psql');
# a dump of a dump is the same dump
$node->command_ok([ 'pg_dump', '-f', "$dir/again.sql", $node->connstr('from_plain') ], 'pg_dump again');
# (pg_dump guards its output with a random word)
my @dumps = map { s/^\\(un)?restrict .*//mgr } slurp_file("$dir/plain.sql"), slurp_file("$dir/again.sql");
is_deeply(differences(@dumps), [], 'a dump of what was restored is the same dump');
same_as('from_plain', 'source', 'plain');

#
# The schema first, then the data: triggers are there and must hold still
#
$node->safe_psql('postgres', 'CREATE DATABASE in_two');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--schema-only', '-d', $node->connstr('in_two'), "$dir/c" ], 'schema only');
# (data of a dump of all come without regard to foreign keys, and those of facts
# do not know of any to the lead)
$node->command_ok([ 'pg_dump', '-Fc', '--data-only', '-f', "$dir/data", $node->connstr('source') ], 'pg_dump of the data');
{
	local $ENV{PGOPTIONS} = '-c lead_qual.import=on';
	my ($list) = run_command([ 'pg_restore', '-l', "$dir/data" ]);
	my @entries = split /^/, $list;
	my @leads = grep { / TABLE DATA .+ (account|lead) \S+$/ } @entries;
	my @rest = grep { !/ TABLE DATA .+ (account|lead) \S+$/ } @entries;

	$node->command_fails([ 'pg_restore', '--exit-on-error', '--data-only', '-d', $node->connstr('in_two'), "$dir/data" ],
		'R2: data of facts before their leads are refused, with lead_qual.import too');
	$node->safe_psql('postgres', 'DROP DATABASE in_two');
	$node->safe_psql('postgres', 'CREATE DATABASE in_two');
	$node->command_ok([ 'pg_restore', '--exit-on-error', '--schema-only', '-d', $node->connstr('in_two'), "$dir/c" ], 'schema only again');
	append_to_file("$dir/list", join '', @leads, @rest);
	$node->command_ok([ 'pg_restore', '--exit-on-error', '--data-only', '-L', "$dir/list", '-d', $node->connstr('in_two'), "$dir/data" ],
		'R2: leads first, with lead_qual.import');
}
$node->safe_psql('in_two', qq(REFRESH MATERIALIZED VIEW "$_".summary)) foreach @funnels;
same_as('in_two', 'source', 'schema, then data');
$node->safe_psql('postgres', 'CREATE DATABASE in_any_order');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--schema-only', '-d', $node->connstr('in_any_order'), "$dir/c" ], 'schema only once more');
{
	# (--disable-triggers would leave no trigger that fires on a replica)
	local $ENV{PGOPTIONS} = '-c session_replication_role=replica';

	$node->command_ok([ 'pg_restore', '--exit-on-error', '--data-only', '-d', $node->connstr('in_any_order'), "$dir/data" ],
		'R2: in any order as a replica');
}
$node->safe_psql('in_any_order', qq(REFRESH MATERIALIZED VIEW "$_".summary)) foreach @funnels;
same_as('in_any_order', 'source', 'schema, then data as a replica');

#
# The extension in a schema of its own
#
build('source_ext', 'CREATE SCHEMA ext; GRANT USAGE ON SCHEMA ext TO PUBLIC; CREATE EXTENSION lead_qual SCHEMA ext', '"$user", public, ext');
works('source_ext', 'extension in its own schema');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/ext", $node->connstr('source_ext') ], 'pg_dump of it');
$node->safe_psql('postgres', 'CREATE DATABASE from_ext');
$node->safe_psql('postgres', 'ALTER DATABASE from_ext SET search_path = "$user", public, ext');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('from_ext'), "$dir/ext" ], 'pg_restore of it');
same_as('from_ext', 'source_ext', 'extension in its own schema');

unlike(slurp_file($node->logfile), qr/WARNING:.*does not compile|PANIC|TRAP|XX000/, 'nothing strange in the log');

done_testing();
