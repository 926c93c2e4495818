-- funnel_at(): the funnel as it was, held against what was seen then.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(13);
\ir helper/random_funnel.sql

-- what is there now, row by row: units of leads that have not gone
CREATE FUNCTION pg_temp.seen() RETURNS TABLE (milestone text, reached bigint, leads bigint, accounts bigint, in_it bigint, from_lead bigint)
LANGUAGE sql STABLE SET enable_nestloop = off AS $$
	WITH m AS MATERIALIZED (
		SELECT h.*, st.milestone AS place FROM crm.stage_history AS h JOIN crm.stage AS st ON st.stage = h.to_stage
		WHERE h.voided_at IS NULL AND h.history_id > coalesce((SELECT max(d.last_move) FROM crm.departure AS d WHERE d.lead_id = h.lead_id), 0)
	), e AS (
		SELECT DISTINCT ON (m.lead_id, m.cycle, m.place) m.*, (SELECT min(o.entered_at) FROM m AS o WHERE o.lead_id = m.lead_id AND o.cycle = m.cycle AND o.place = 'lead') AS lead_at
		FROM m ORDER BY m.lead_id, m.cycle, m.place, m.entered_at, m.ordinal, m.history_id
	)
	SELECT p.milestone, count(e.place), count(DISTINCT e.lead_id), count(DISTINCT e.account_id),
		   (SELECT count(*) FROM crm.lead AS l JOIN crm.stage AS st ON st.stage = l.stage WHERE st.milestone = p.milestone),
		   count(*) FILTER (WHERE e.entered_at >= e.lead_at)
	FROM unnest('{lead,mql,sal,sql,opportunity,customer}'::text[]) AS p (milestone) LEFT JOIN e ON e.place = p.milestone
	GROUP BY p.milestone $$;
CREATE TEMP TABLE snapshot (at timestamptz, milestone text, reached bigint, leads bigint, accounts bigint, in_it bigint, from_lead bigint);
-- what was loaded later for then was not seen; merging joins pasts, forgetting takes them
DELETE FROM operation WHERE name IN ('import', 'merge', 'forget', 'a stage is another milestone');
INSERT INTO operation VALUES ('look', 12, 'INSERT INTO snapshot SELECT :now, s.* FROM pg_temp.seen() AS s');
CREATE TEMP TABLE tally AS SELECT * FROM pg_temp.random_operations(3000, 0.9);
SELECT cmp_ok(count(DISTINCT at), '>=', 10::bigint, 'looked at often') FROM snapshot;
SELECT ok(bool_and(done > 0), 'while moves were voided, leads deleted and erased') FROM tally WHERE name IN ('void', 'delete', 'erase');

SELECT is_empty($$ WITH shown AS (SELECT s.at, f.milestone, f.reached, f.leads, f.accounts, f.in_it_then, coalesce(f.from_first, 0)
		FROM (SELECT DISTINCT at FROM snapshot) AS s, funnel_at('crm', s.at) AS f)
	(TABLE shown EXCEPT ALL TABLE snapshot) UNION ALL (TABLE snapshot EXCEPT ALL TABLE shown) $$, 'D17: at each instant it is what was seen then');
SELECT isnt_empty($$ SELECT FROM snapshot AS s WHERE s.reached <> (SELECT count(*) FROM milestone_entry AS e WHERE e.milestone = s.milestone AND e.entered_at <= s.at) $$,
	'which is not what today''s history shows');
SELECT is_empty($$ SELECT f.milestone FROM funnel_at('crm', funnel_now()) AS f, pg_temp.seen() AS s
	WHERE s.milestone = f.milestone AND (s.reached, s.in_it) IS DISTINCT FROM (f.reached, f.in_it_then) $$, 'D17: and now it is what is there');
SELECT results_eq($$ SELECT milestone, reached, in_it_then FROM funnel_at('crm', '2000-01-01Z') $$,
	$$ VALUES ('lead', 0::bigint, 0::bigint), ('mql', 0, 0), ('sal', 0, 0), ('sql', 0, 0), ('opportunity', 0, 0), ('customer', 0, 0) $$, 'before there was anything');

-- where nobody went it is the view
SELECT create_funnel('f', 'America/St_Johns');
SET LOCAL search_path = f, public, pg_temp;
SET LOCAL lead_qual.clock = '2026-03-08 05:00Z';
INSERT INTO lead (lead_id) SELECT generate_series(1, 9);
UPDATE lead SET stage = 'disqualified', reason = (SELECT min(reason) FROM reason WHERE applies_to = 'disqualified') WHERE lead_id < 3;
SELECT results_eq($$ SELECT * FROM funnel_at('f', funnel_now()) $$, 'SELECT position, milestone, reached, leads, accounts, in_it_now, previous_milestone, previous_reached, from_previous, rate_from_previous, first_milestone, first_reached,
	from_first, rate_from_first, skipped, unused, bar FROM funnel', 'D17: as view funnel');
SET LOCAL lead_qual.clock = '2026-03-09 05:00Z';
SELECT void_moves('f', ARRAY(SELECT max(history_id) FROM stage_history WHERE lead_id = 1), 'a mistake');
DELETE FROM lead WHERE lead_id = 9;
SELECT results_eq($$ SELECT at, in_it_then FROM unnest('{2026-03-08 05:00Z,2026-03-09 04:59Z,2026-03-09 05:00Z}'::timestamptz[]) AS at, funnel_at('f', at) WHERE milestone = 'lead' $$,
	$$ VALUES (timestamptz '2026-03-08 05:00Z', 7::bigint), ('2026-03-09 04:59Z', 7), ('2026-03-09 05:00Z', 7) $$, 'D17: a void and a departure count from when they were');
SELECT results_eq($$ SELECT reached FROM unnest('{2026-03-09 04:59Z,2026-03-09 05:00Z}'::timestamptz[]) AS at, funnel_at('f', at) WHERE milestone = 'lead' $$,
	$$ VALUES (9::bigint), (8) $$, 'D17: leads that had gone are not counted');

-- bad input, and who may
SELECT throws_ok($$ SELECT * FROM funnel_at('f', NULL) $$, '22004', 'the instant must not be null', 'no instant');
SELECT throws_ok($$ SELECT * FROM funnel_at('g', now()) $$, '3F000', 'schema "g" does not exist', 'no funnel');
CREATE ROLE regress_lq_analyst;
SELECT grant_funnel('f', 'regress_lq_analyst', 'analyst');
SET LOCAL ROLE regress_lq_analyst;
SELECT lives_ok($$ SELECT * FROM funnel_at('f', now()) $$, 'an analyst may');
SELECT lives_ok($$ SELECT * FROM velocity('f', 'lead', 'mql', 'source') $$, 'an analyst may');

SELECT * FROM finish();
ROLLBACK;
