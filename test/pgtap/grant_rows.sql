-- The rows from which profiles are granted name what a funnel has, and leave
-- nothing out unsaid.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(4);

SELECT create_funnel('crm', 'UTC');

CREATE TEMP VIEW granted AS
SELECT g.since, p.profile, g.privileges, r.relation, g.columns
FROM _funnel_grants() AS g, unnest(g.profiles) AS p (profile), unnest(g.relations) AS r (relation);

SELECT is_empty($$ SELECT DISTINCT relation FROM granted
	WHERE relation <> '*' AND to_regclass(format('crm.%I', relation)) IS NULL $$,
	'every relation that a grant names exists');

SELECT is_empty($$ SELECT relation, c FROM granted, unnest(columns) AS c
	WHERE NOT EXISTS (SELECT FROM pg_attribute AS a
		WHERE a.attrelid = format('crm.%I', relation)::regclass AND a.attname = c AND a.attnum > 0) $$,
	'so does every column');

SELECT is_empty($$ SELECT * FROM granted WHERE since NOT BETWEEN 1 AND (SELECT template_version FROM crm.setting) $$,
	'and no grant is of a template to come');

-- what an analyst does not read of a table, and why: names, addresses, what
-- people wrote, and what only tells where somebody is known
SELECT set_eq($$ SELECT c.relname || '.' || a.attname
	FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
	AND NOT EXISTS (SELECT FROM granted AS g WHERE g.profile = 'analyst' AND g.relation = c.relname
					AND (g.columns IS NULL OR a.attname = ANY (g.columns))) $$,
	$$ SELECT unnest('{lead.external_id,lead.email,lead.full_name,lead.properties,lead.note,
		account.external_id,account.properties,activity.properties,activity.external_id,
		lead_alias.alias_id,lead_alias.lead_id,lead_alias.external_id,lead_alias.email,lead_alias.former_key,lead_alias.since,answer.note,verdict.note,signature.note,stage_history.note,stage_history.voided_why,
		baseline.lead_id,baseline.scorecard,baseline.archived_before,baseline.n}'::text[]) $$,
	'what is kept from analysts is this and nothing else');

SELECT * FROM finish();
ROLLBACK;
