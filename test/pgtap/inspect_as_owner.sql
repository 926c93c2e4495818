-- To inspect a funnel must not run its owner's code as the one who looks.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(18);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_other;
GRANT regress_lq_owner TO regress_lq_other;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;
SET LOCAL ROLE regress_lq_owner;
SELECT create_funnel('crm', 'UTC');
CREATE SCHEMA own;
GRANT USAGE ON SCHEMA own TO PUBLIC;
-- what a sequence counts stays counted after an error
CREATE SEQUENCE own.by_owner;
CREATE SEQUENCE own.by_others;
GRANT ALL ON ALL SEQUENCES IN SCHEMA own TO PUBLIC;
CREATE FUNCTION own.look(anyelement) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	PERFORM nextval(CASE current_user WHEN 'regress_lq_owner' THEN 'own.by_owner' ELSE 'own.by_others' END::regclass);
	RETURN true;
END $$;
CREATE DOMAIN own.word AS text CHECK (own.look(VALUE));
CREATE DOMAIN own.words AS text[] CHECK (own.look(VALUE));
CREATE DOMAIN own.listed AS own.word[];
CREATE DOMAIN own.number AS integer CHECK (own.look(VALUE));
CREATE TYPE own.pair AS (a own.word, b integer);
CREATE TYPE own.span AS RANGE (subtype = own.number);
ALTER TABLE crm.lead ADD word own.word, ADD array_ own.word[], ADD listed own.listed, ADD words own.words,
	ADD pair own.pair, ADD pairs own.pair[], ADD span own.span, ADD plain text[];
ALTER TABLE crm.account ADD array_ own.word[];
RESET ROLE;
CREATE FUNCTION pg_temp.runs() RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN is_called THEN 'as ' || current_user ELSE 'no' END FROM own.by_others $$;
CREATE FUNCTION pg_temp.code(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

-- what is refused before a literal is read
SELECT is(pg_temp.code('postgres', format('SELECT check_condition(''crm'', ''fit'', %L, NULL)', condition)), '0A000', 'S4: ' || condition)
FROM (VALUES ('array_ = ''{a}'''), ('''{a}'' = array_'), ('listed = ''{a}'''), ('coalesce(array_, ''{a}'') IS NULL'), ('array_ IN (''{a}'', ''{b}'')'),
			 ('CASE array_ WHEN ''{a}'' THEN true END'), ('array_[1] = ''a'''), ('pair = ''(a,1)'''), ('pairs = ''{"(a,1)"}'''), ('span = ''[1,2]'''),
			 ('account.array_ = ''{a}'''), ('array_ IS DISTINCT FROM ''{a}''')) AS c (condition);
-- what needs no value of such a type
SELECT is(pg_temp.code('postgres', format('SELECT check_condition(''crm'', ''fit'', %L, NULL)', condition)), 'done', 'S4: ' || condition)
FROM (VALUES ('word = ''a'''), ('words = ''{a}'''), ('array_::text[] = ''{a}'''), ('pair IS NULL')) AS c (condition);
SELECT is(pg_temp.runs(), 'no', 'S4: none of it ran as the one who asked');

-- one that came in past the triggers
SET LOCAL session_replication_role = replica;
UPDATE crm.rule SET condition = 'array_ = ''{a}''', condition_sql = 'lead.array_ = ''{a}''::own.word[]' WHERE name = (SELECT min(name) FROM crm.rule WHERE axis = 'fit' AND definition = 'default');
SET LOCAL session_replication_role = origin;
SELECT pg_temp.code(role, statement)
FROM (VALUES ('postgres'), ('regress_lq_other')) AS r (role),
	 (VALUES ('SELECT * FROM check_definition(''crm'', ''default'')'), ('SELECT copy_definition(''crm'', ''default'', ''copy'')'),
			 ('SELECT * FROM check_funnel(''crm'')'), ('SELECT rescore_funnel(''crm'')')) AS s (statement);
SELECT is(pg_temp.runs(), 'no', 'S4: nor do check_definition, copy_definition, check_funnel or rescore_funnel run it');

SELECT * FROM finish();
ROLLBACK;
