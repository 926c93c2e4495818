-- Whatever happens to leads, in whatever order, these hold.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(9);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SELECT setseed(0.2026);
UPDATE rule SET max_hits = 2, per = '5 days' WHERE name IN ('webinar', 'email_reply', 'demo_request');
UPDATE transition SET automatic = true WHERE (from_stage, to_stage) IN (('sal', 'sql'), ('customer', 'opportunity'), ('lost', 'opportunity')) AND NOT exception;
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, after, condition) VALUES
	('default', 300, 'sal', 'nurture', true, '20 days', NULL), ('default', 301, 'lead', 'nurture', true, NULL, 'idle_days > 30');

CREATE FUNCTION pg_temp.one_of(VARIADIC of text[]) RETURNS text LANGUAGE sql AS 'SELECT $1[1 + floor(random() * cardinality($1))]';
CREATE TABLE pg_temp.tally (done int, refused int, codes text[]);
-- ninety days of a small funnel, some of it refused
CREATE FUNCTION pg_temp.live(OUT done int, OUT refused int, OUT codes text[]) LANGUAGE plpgsql AS $$
DECLARE
	stages text[] := ARRAY(SELECT stage FROM stage);
	kinds text[] := ARRAY(SELECT kind FROM kind) || text 'unheard_of';
	at timestamptz := '2026-01-01Z';
	id bigint;
BEGIN
	done := 0; refused := 0; codes := '{}';
	FOR i IN 1 .. 1500 LOOP
		at := at + random() * interval '3 hours';
		PERFORM set_config('lead_qual.clock', at::text, true);
		id := 1 + floor(random() * 40);
		BEGIN
			CASE floor(random() * 14)
			WHEN 0 THEN INSERT INTO lead (lead_id, email, company_size, source, stage) OVERRIDING SYSTEM VALUE
				VALUES (id, pg_temp.one_of('a@rival.example', NULL, NULL, NULL, NULL), floor(random() * 100), pg_temp.one_of('partner', 'event', NULL), pg_temp.one_of('sal', NULL, NULL, 'lead'))
				ON CONFLICT (lead_id) DO UPDATE SET company_size = excluded.company_size, source = coalesce(lead.source, excluded.source);
			WHEN 1, 2 THEN INSERT INTO activity (lead_id, kind, occurred_at, source) SELECT l, pg_temp.one_of(VARIADIC kinds), at - random() * interval '20 days', pg_temp.one_of('event', NULL)
				FROM (SELECT lead_id FROM lead ORDER BY random() LIMIT 10) AS l (l);
			WHEN 3, 4 THEN INSERT INTO activity (lead_id, kind) VALUES (id, pg_temp.one_of(VARIADIC kinds)), (id, pg_temp.one_of('sales_call', 'demo_request', 'email_reply'));
			WHEN 5 THEN UPDATE lead SET stage = pg_temp.one_of(VARIADIC stages), reason = pg_temp.one_of('no_need', 'no_budget', 'things_changed', NULL), note = i::text WHERE lead_id = id;
			WHEN 6 THEN UPDATE lead SET stage = pg_temp.one_of('sal', 'nurture', 'sql'), reason = 'no_need', resume_at = at + random() * interval '30 days' WHERE lead_id = id;
			WHEN 7 THEN UPDATE lead SET bant = bant || pg_temp.one_of('B+', 'A+', 'N+', 'T+', 'T~', 'B-', 'B+A+N+T+')::bant, cycle = 99, scorecard = NULL WHERE lead_id = id;
			WHEN 8 THEN INSERT INTO answer (lead_id, framework, element, level, answered_at)
				SELECT id, framework, element, pg_temp.one_of('no', 'unknown', 'partial', 'yes')::answer_level, at - random() * interval '5 days' FROM element ORDER BY random() LIMIT 3;
			WHEN 9 THEN WITH d AS (INSERT INTO deal (amount, status, reason) VALUES (i, pg_temp.one_of('open', 'won', 'lost'), 'price') RETURNING deal_id)
				INSERT INTO deal_contact SELECT deal_id, lead_id FROM d, (SELECT lead_id FROM lead ORDER BY random() LIMIT 2) AS l;
			WHEN 10 THEN UPDATE deal SET status = pg_temp.one_of('open', 'won', 'lost') WHERE deal_id IN (SELECT deal_id FROM deal ORDER BY random() LIMIT 2);
			WHEN 11 THEN UPDATE activity SET kind = pg_temp.one_of(VARIADIC kinds), occurred_at = occurred_at - random() * interval '1 day' WHERE lead_id = id AND random() < 0.2;
			WHEN 12 THEN DELETE FROM activity WHERE random() < 0.02; DELETE FROM answer WHERE random() < 0.02; DELETE FROM deal WHERE random() < 0.02; DELETE FROM lead WHERE random() < 0.005;
				DELETE FROM deal_contact WHERE lead_id NOT IN (SELECT lead_id FROM lead);
			ELSE PERFORM sweep_funnel('crm');
			END CASE;
			done := done + 1;
		EXCEPTION WHEN check_violation OR foreign_key_violation OR unique_violation THEN
			refused := refused + 1;
			IF SQLSTATE <> ALL (codes) THEN codes := codes || SQLSTATE; END IF;
		END;
	END LOOP;
END $$;
SELECT lives_ok('INSERT INTO pg_temp.tally SELECT * FROM pg_temp.live()', 'ninety days pass without an error but refusals');
SELECT cmp_ok(done, '>', 1000, 'most of what was asked was done') FROM tally;

CREATE TEMP VIEW latest AS SELECT DISTINCT ON (lead_id) * FROM stage_history ORDER BY lead_id, entered_at DESC, ordinal DESC, history_id DESC;
SELECT is_empty($$ SELECT l.lead_id, l.stage, h.to_stage, l.stage_entered_at, h.entered_at, l.cycle, h.cycle FROM lead AS l LEFT JOIN latest AS h USING (lead_id)
	WHERE (l.stage, l.stage_entered_at, l.cycle) IS DISTINCT FROM (h.to_stage, h.entered_at, h.cycle) $$, 'a lead is where its history ends');
SELECT is_empty($$ SELECT * FROM (SELECT *, lag(to_stage) OVER w AS came_from, lag(cycle) OVER w AS was_cycle FROM stage_history
	WINDOW w AS (PARTITION BY lead_id ORDER BY entered_at, history_id)) AS h
	WHERE from_stage IS NOT NULL AND (from_stage IS DISTINCT FROM came_from OR cycle - was_cycle <>
		(CASE WHEN from_stage IN ('nurture', 'disqualified', 'lost', 'customer') AND to_stage NOT IN ('nurture', 'disqualified', 'lost', 'customer') THEN 1 ELSE 0 END)) $$,
	'D2 each move begins where the last ended, and a cycle where it must');
SELECT is_empty($$ SELECT h.* FROM stage_history AS h WHERE NOT EXISTS (SELECT FROM transition AS t
	WHERE t.to_stage = h.to_stage AND (t.from_stage = h.from_stage OR t.from_stage = '*' OR (t.from_stage IS NULL AND h.from_stage IS NULL))
	AND (t.automatic OR NOT h.automatic) AND (h.reason IS NOT NULL OR NOT t.needs_reason)) $$, 'no move without a transition');
SELECT is_empty($$ SELECT lead_id, bant, meddic FROM lead AS l WHERE EXISTS (SELECT FROM
	(SELECT DISTINCT ON (framework, element) framework, element, level FROM answer AS a WHERE a.lead_id = l.lead_id ORDER BY framework, element, answered_at DESC, answer_id DESC) AS a
	WHERE level <> CASE framework WHEN 'bant' THEN bant -> element WHEN 'meddic' THEN meddic -> element ELSE (answers -> framework ->> element)::answer_level END) $$,
	'R004-15 a lead says what its latest answers say');
SELECT is_empty($$ SELECT lead_id FROM lead AS l LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE status = 'open') AS open, coalesce(sum(home_amount) FILTER (WHERE status = 'won'), 0) AS won
	FROM deal_contact AS c JOIN deal USING (deal_id) WHERE c.lead_id = l.lead_id) AS d ON true WHERE (deals_open, won_amount) <> (d.open, d.won) $$, 'deals are counted right');
CREATE TEMP TABLE before AS SELECT lead_id, stage, scorecard::text AS card, score(scorecard, funnel_now()) AS s,
	(SELECT array_agg((rule, hits, last_hit)::text ORDER BY rule) FROM explain_score('crm', lead_id)) AS hits FROM lead;
SELECT rescore_funnel('crm');
SELECT is_empty($$ SELECT lead_id, b.card, l.scorecard::text FROM before AS b JOIN lead AS l USING (lead_id)
	WHERE abs(s - score(l.scorecard, funnel_now())) > 1e-6 OR l.stage <> b.stage
	OR hits IS DISTINCT FROM (SELECT array_agg((rule, hits, last_hit)::text ORDER BY rule) FROM explain_score('crm', lead_id)) $$, 'a card is what a replay of the log gives');
SELECT is_empty($$ SELECT lead_id FROM lead, LATERAL (SELECT sum(points) AS s FROM explain_score('crm', lead_id)) AS e WHERE s <> score(scorecard, funnel_now()) $$, 'and adds up');

SELECT * FROM finish();
ROLLBACK;
