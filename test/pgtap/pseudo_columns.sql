-- Every pseudo-column is described once: where it may be used, and what it is of a lead.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(3);
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
CREATE TEMP TABLE pseudo AS
SELECT replace(replace(replace(replace(replace(name, '<name>', 'target_countries'), '<rule>', 'webinar'),
			   'account.<column>', 'account.domain'), 'kind.<column>', 'kind.party'), 'account.<framework>', 'account.meddic') AS name,
	   targets
FROM _pseudo_columns();
CREATE FUNCTION pg_temp.allowed(name text, target text) RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
	RETURN check_condition('crm', target, format('%s IS NOT NULL', name), 'default') || '';
EXCEPTION WHEN undefined_column THEN
	RETURN NULL;
END
$$;

SELECT is_empty($$ SELECT name, target FROM pseudo CROSS JOIN unnest(ARRAY['fit', 'activity', 'transition']) AS target
	WHERE target = ANY (targets) IS DISTINCT FROM (pg_temp.allowed(name, target) IS NOT NULL) $$,
	'each may be used where it is said to be, and nowhere else');

-- of a lead: no part holds, and each says what the lead has
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (1);
UPDATE transition SET condition = (SELECT string_agg(format('(%1$s IS NULL) = (%1$s IS NOT NULL)', name), ' AND ' ORDER BY name)
	FROM pseudo WHERE 'transition' = ANY (targets) AND name !~ '^list\.')
WHERE from_stage = 'lead' AND to_stage = 'sal' AND condition IS NOT NULL;
SELECT set_eq($$ SELECT regexp_replace(needs, ' is .*', '') FROM why_not('crm', 1, 'sal') WHERE state = 'unmet' $$,
	$$ SELECT name FROM pseudo WHERE 'transition' = ANY (targets) AND name !~ '^list\.' $$,
	'what it is of a lead is told for each');
SELECT is_empty($$ SELECT finding, detail FROM check_funnel('crm') WHERE finding = 'condition_raises' $$, '... and reading it raises nothing');
SELECT * FROM finish();
ROLLBACK;
