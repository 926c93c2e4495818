-- Each framework that is a type has its column, and whatever one of them can, all can.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(4 + 13 * cardinality(_frameworks()));

CREATE ROLE regress_lq_sales;
SELECT create_funnel('crm', 'UTC');
SELECT grant_funnel('crm', 'regress_lq_sales', 'sales');
SET LOCAL search_path = crm, public, pg_temp;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO account (account_id, name) VALUES (1, 'Acme');

-- what a query that names a framework says: %1$s the framework, %2$s and %3$s two of its elements
CREATE TEMP TABLE element_of AS
SELECT f.framework, f.n AS n, (array_agg(e.element ORDER BY e.position))[1] AS one, (array_agg(e.element ORDER BY e.position))[2] AS two
	FROM unnest(_frameworks()) WITH ORDINALITY AS f (framework, n) LEFT JOIN element AS e ON e.framework = f.framework
	GROUP BY f.framework, f.n;
GRANT SELECT ON element_of TO PUBLIC;
CREATE FUNCTION pg_temp.said(framework text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE (SELECT format(query, e.framework, e.one, e.two) FROM element_of AS e WHERE e.framework = said.framework) INTO result;
	RETURN result;
END $$;

SELECT is(_frameworks(), '{bant,meddic,meddpicc}', 'S6.6 the frameworks with a column');
SELECT set_eq($$ SELECT t.typname::text FROM pg_type AS t JOIN pg_proc AS p ON p.proname = 'verdict' AND p.proargtypes[0] = t.oid $$,
	$$ SELECT unnest(_frameworks()) $$, 'S6.6 every type of a framework has one');
SELECT is_empty($$ SELECT framework FROM element_of WHERE two IS NULL $$, 'and its elements are in the policy');
SELECT is(_each_framework('%1$I', ','), array_to_string(_frameworks(), ','), 'what is written for each is in their order');

SELECT is(pg_temp.said(framework, $$ SELECT format_type(atttypid, -1) || attnotnull FROM pg_attribute WHERE attrelid = 'lead'::regclass AND attname = '%1$s' $$),
	framework || 'true', format('S6.6 %s: the column is of that type', framework)) FROM element_of ORDER BY n;

-- into the log and the column
INSERT INTO lead (lead_id, email, source, account_id) SELECT n, n || '@example.com', 'outbound', 1 FROM element_of;
INSERT INTO answer (lead_id, framework, element, level) SELECT n, framework, one, 'yes' FROM element_of;
SELECT is(pg_temp.said(framework, 'SELECT (%1$s -> ''%2$s'')::text || answers::text FROM lead WHERE lead_id = ' || n), 'yes{}',
	format('S6.6 %s: an answer goes to the column, and nowhere else', framework)) FROM element_of ORDER BY n;
SET LOCAL ROLE regress_lq_sales;
RESET lead_qual.clock;
SELECT lives_ok(format('UPDATE crm.lead SET %1$s = set_level(%1$s, %2$L, ''partial'') WHERE lead_id = %3$s', framework, two, n),
	format('S6.6 %s: sales may write the column', framework)) FROM element_of ORDER BY n;
RESET ROLE;
SET LOCAL lead_qual.clock = '2100-01-04 09:00Z';
SELECT is((SELECT via || answered_by || level FROM answer AS a WHERE lead_id = n AND framework = o.framework AND element = two),
	'leadregress_lq_salespartial', format('S6.6 %s: what is written there is logged', framework)) FROM element_of AS o ORDER BY n;
SELECT is(pg_temp.said(framework, 'SELECT string_agg(element || '' '' || level, '','' ORDER BY level DESC) FROM framework_levels(''crm'', ' || n ||
	'::bigint, ''%1$s'') WHERE level <> ''unknown'''), one || ' yes,' || two || ' partial',
	format('S6.6 %s: framework_levels() reads it', framework)) FROM element_of ORDER BY n;

-- views
SELECT is(pg_temp.said(framework, 'SELECT concat_ws(''/'', %1$s_met, %1$s_known, %1$s_refuted) FROM account_qualification'), '1/2/0',
	format('S6.6 %s: the account knows it', framework)) FROM element_of ORDER BY n;
INSERT INTO verdict (lead_id, side, qualified) SELECT n, side, side = 'sales' FROM element_of, unnest('{marketing,sales}'::text[]) AS side;
SELECT is(pg_temp.said(framework, 'SELECT concat_ws(''/'', %1$s_met, %1$s_refuted, %1$s_gaps LIKE ''%%%3$s%%'') FROM disputed_lead WHERE lead_id = ' || n), '1/0/t',
	format('S6.6 %s: and who disputes', framework)) FROM element_of ORDER BY n;
INSERT INTO question (framework, element, text) SELECT framework, e, 'well?' FROM element_of, unnest(ARRAY[one, two]) AS e;
UPDATE stage SET owner_role = 'marketing';
SELECT is((SELECT count(*) FROM open_question AS q WHERE q.lead_id = o.n AND q.framework = o.framework AND element IN (one, two)), 0::bigint,
	format('S6.6 %s: what is known is not asked', framework)) FROM element_of AS o ORDER BY n;

-- reasons
UPDATE transition SET condition = (SELECT string_agg(format('met(%s) >= 2', framework), ' AND ') FROM element_of)
	WHERE definition = 'default' AND from_stage = 'lead' AND to_stage = 'mql';
SELECT is((SELECT DISTINCT state || (needs LIKE '%' || two || ': partial%')::text FROM why_not('crm', n, 'mql') WHERE part LIKE '%' || o.framework || ')%'),
	'unknowntrue', format('S6.6 %s: why_not() tells what is open', framework)) FROM element_of AS o ORDER BY n;

-- the log rules
SET LOCAL lead_qual.import = on;
SELECT lives_ok(format('UPDATE lead SET %s = DEFAULT', framework), 'S6.6 ' || framework || ': emptied') FROM element_of ORDER BY n;
SET LOCAL lead_qual.import = off;
SELECT matches((SELECT detail FROM check_funnel('crm') WHERE finding = 'answers_differ'),
	framework || '.* or answers', format('S6.6 %s: check_funnel() finds it', framework)) FROM element_of ORDER BY n;
SELECT rebuild_history('crm');
SELECT is(pg_temp.said(framework, 'SELECT concat_ws(''/'', %1$s -> ''%2$s'', %1$s -> ''%3$s'') FROM lead WHERE lead_id = ' || n), 'yes/partial',
	format('S6.6 %s: rebuild_history() fills it', framework)) FROM element_of ORDER BY n;
SELECT merge_leads('crm', '1', n::text) FROM element_of WHERE n > 1;
SELECT is(pg_temp.said(framework, 'SELECT concat_ws(''/'', %1$s -> ''%2$s'', %1$s -> ''%3$s'') FROM lead'), 'yes/partial',
	format('S6.6 %s: merged leads know both', framework)) FROM element_of ORDER BY n;

SELECT * FROM finish();
ROLLBACK;
