# CREATE EXTENSION where somebody else was first, or is still at it: it stops,
# or nothing of theirs gets in.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE regress_lq_evil; CREATE ROLE regress_lq_owner');

my $n = 0;

# install after an attacker's statements; the error, or nothing
sub install
{
	my ($evil, $options) = @_;
	my $db = 'db' . ++$n;

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "GRANT CREATE ON SCHEMA public TO regress_lq_evil; GRANT CREATE ON DATABASE $db TO regress_lq_evil, regress_lq_owner;"
		  . "SET ROLE regress_lq_evil; $evil");
	my ($ret, $out, $err) = $node->psql($db, 'CREATE EXTENSION lead_qual ' . ($options // ''));
	return ($db, $err);
}

# an object of our name is never adopted
foreach my $evil ("CREATE FUNCTION public.create_funnel(text, text, text, regclass, name, jsonb, text, name, jsonb) RETURNS void LANGUAGE sql AS 'SELECT'",
	"CREATE FUNCTION public.funnel_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
	"CREATE FUNCTION public._qualify_lead() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
	"CREATE TYPE public.bant AS ENUM ('x')", "CREATE TYPE public.scorecard AS (a int)", "CREATE DOMAIN public.answer_level AS text")
{
	my ($db, $err) = install($evil);

	like($err, qr/already exists/, "refused: $evil");
	is($node->safe_psql($db, "SELECT count(*) FROM pg_extension WHERE extname = 'lead_qual'"), '0', '... and nothing is left behind');
}

# names that fit better than the server's own, in the schema it goes to
my $trap = "CREATE FUNCTION public.trap(%s) RETURNS %s LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''planted''; END';";
my $plants = join('', map { sprintf("CREATE FUNCTION public.%s LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''planted''; END';", $_) }
	  'array_agg(name) RETURNS name[]', 'array_agg(numeric) RETURNS numeric[]', 'starts_with(name, text) RETURNS boolean',
	'round(numeric, bigint) RETURNS numeric', 'format(text, text) RETURNS text', 'format(text, name) RETURNS text', 'lower(varchar) RETURNS text', 'unnest(numeric[]) RETURNS SETOF numeric')
  . sprintf($trap, 'oid, regclass', 'boolean') . 'CREATE OPERATOR public.= (leftarg = oid, rightarg = regclass, function = public.trap);'
  . sprintf($trap, 'bigint, interval', 'interval') . 'CREATE OPERATOR public.* (leftarg = bigint, rightarg = interval, function = public.trap);';
my ($db, $err) = install($plants);
like($err, qr/stands in the way/, 'what would be taken for the server\'s own is named');

# the same in a schema on the path, while the extension goes elsewhere
($db, $err) = install($plants, 'SCHEMA safe');
like($err, qr/schema "safe" does not exist/, 'a schema must be there');
$node->safe_psql($db, "ALTER DATABASE $db SET search_path = public, safe");
$node->safe_psql($db, 'CREATE SCHEMA safe; GRANT USAGE ON SCHEMA safe TO PUBLIC; CREATE EXTENSION lead_qual SCHEMA safe');
is($node->safe_psql($db, <<'SQL'), '', 'in a schema of its own nothing gets in');
SELECT pg_describe_object(d.classid, d.objid, 0), pg_describe_object(d.refclassid, d.refobjid, 0)
FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_depend AS e ON e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e'
WHERE d.refclassid::oid OPERATOR(pg_catalog.=) ANY (ARRAY['pg_proc'::regclass::oid, 'pg_operator'::regclass::oid]) AND NOT EXISTS
	(SELECT FROM pg_catalog.pg_depend AS m WHERE m.classid = d.refclassid AND m.objid = d.refobjid AND m.deptype = 'e')
SQL
is($node->safe_psql($db, <<'SQL'), '1|mql', 'and a funnel works under that path');
SET client_min_messages = warning;
SET ROLE regress_lq_owner;
DO $$ BEGIN PERFORM safe.create_funnel('crm', 'UTC'); END $$;
INSERT INTO crm.lead (email, country) VALUES ('ann@example.com', 'DE');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'demo_request');
SELECT hits, stage FROM crm.lead, safe.explain_score('crm', lead_id) WHERE rule = 'demo_request';
SQL

is($node->safe_psql($db, <<'SQL'), "1|f\nt\n1", 'and so do the look-ups of leads');
SET ROLE regress_lq_owner;
SELECT * FROM safe.find_or_create_lead('crm', 'ANN@example.com', 'x1', '{"company": "Acme"}');
SELECT safe.record_activity('crm', 'x1', 'webinar');
SELECT count(*) FROM crm.lead, safe.explain_score('crm', external_id) WHERE rule = 'webinar';
SQL

# temporary objects of the installer's session
$node->safe_psql('postgres', 'CREATE DATABASE temporary');
$node->safe_psql('temporary', <<'SQL');
CREATE TEMP TABLE pg_proc (a int);
CREATE TEMP TABLE pg_extension (a int);
CREATE DOMAIN pg_temp.bant AS text;
CREATE DOMAIN pg_temp.text AS int;
SET search_path = pg_temp, public;
CREATE EXTENSION lead_qual SCHEMA public;
SQL
is($node->safe_psql('temporary', "SELECT count(*) FROM _funnel_relations(_template_version()) AS r WHERE 'lead' = ANY (r)"), '1', 'temporary objects do not get in');

# dropped and created again in one session
is($node->safe_psql('temporary', <<'SQL'), 'mql', 'a session goes on after the extension was dropped and created again');
SET client_min_messages = error;
DO $$ BEGIN PERFORM create_funnel('crm', 'UTC'); END $$;
INSERT INTO crm.lead (email) VALUES ('a');
DROP EXTENSION lead_qual CASCADE;
DROP SCHEMA crm CASCADE;
CREATE EXTENSION lead_qual;
DO $$ BEGIN PERFORM create_funnel('crm', 'UTC'); END $$;
INSERT INTO crm.lead (email) VALUES ('a');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'demo_request');
SELECT stage FROM crm.lead;
SQL

done_testing();
