-- Funnel crm, and pg_temp.random_operations(n, seed): n operations of all kinds
-- on it, the same for a seed; what is refused is left undone.  Returns of each
-- kind how many were done and how many refused.  Leads have keys 1 to 120,
-- which are used again when theirs are gone.
SELECT create_funnel('crm', 'Europe/Berlin');
SET LOCAL search_path = crm, public, pg_temp;
SET LOCAL lead_qual.clock = '2026-01-05 08:00Z';
INSERT INTO account (name) SELECT 'Company ' || i FROM generate_series(1, 9) AS i;
INSERT INTO stage (stage, position, milestone, owner_role) VALUES ('talk', 4, 'sal', 'sales');
INSERT INTO transition (definition, position, from_stage, to_stage)
	SELECT d.definition, 900 + t.n, t.from_stage, t.to_stage
	FROM definition AS d,
		 (VALUES (1, 'mql', 'talk'), (2, 'sal', 'talk'), (3, 'talk', 'sql'), (4, 'talk', 'nurture'), (5, 'talk', 'mql')) AS t (n, from_stage, to_stage)
	WHERE d.status = 'active';
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, after)
	SELECT definition, 906, 'mql', 'nurture', true, '25 days' FROM definition WHERE status = 'active';
INSERT INTO spend (department, source, starts_on, ends_on, amount)
	SELECT 'marketing', s, '2026-01-20', '2026-05-03', 1000.01 FROM unnest('{event,social,NULL}'::text[]) AS s;
CREATE TEMP TABLE operation (name text PRIMARY KEY, share int, statement text);
-- :lead, :other: keys; :at: an instant of the last 60 days; :now: the clock
INSERT INTO operation VALUES
	('insert', 120, $$INSERT INTO lead (lead_id, email, source, campaign, owner, account_id, country, job_title)
		VALUES (:lead, 'l:lead-:n@example.com', NULLIF((ARRAY['event', 'social', 'email', ''])[:a % 4 + 1], ''), 'c' || :b % 3,
				NULLIF('o' || :b % 5, 'o0'), NULLIF(:a % 9, 0), 'DE', 'Head of IT')$$),
	('insert further on', 10, $$INSERT INTO lead (lead_id, stage, owner, source) VALUES (:lead, 'sal', 'o1', 'outbound')$$),
	('activity', 170, $$INSERT INTO activity (lead_id, kind, source) SELECT :lead, k, 'event'
		FROM unnest((ARRAY['{website_visit}', '{demo_request,webinar}', '{pricing_page_view,contact_form}', '{free_trial,demo_request,case_study_download}'])
					[:a % 4 + 1]::text[]) AS k$$),
	('late activity', 40, $$INSERT INTO activity (lead_id, kind, occurred_at) VALUES (:lead, 'demo_request', :at)$$),
	('touch', 110, $$INSERT INTO activity (lead_id, kind, external_id) VALUES (:lead, (ARRAY['sales_call', 'sales_email', 'discovery_call'])[:a % 3 + 1],
		'x:b') ON CONFLICT (lead_id, external_id) DO NOTHING$$),
	('late touch', 30, $$INSERT INTO activity (lead_id, kind, occurred_at) VALUES (:lead, (ARRAY['sales_call', 'call_attempt'])[:a % 2 + 1], :at)$$),
	('planned touch', 15, $$INSERT INTO activity (lead_id, kind, occurred_at) VALUES (:lead, 'meeting', :now + interval '3 days')$$),
	('many touches', 5, $$INSERT INTO activity (lead_id, kind, occurred_at)
		SELECT lead_id, 'sales_email', :at FROM lead WHERE lead_id % 7 = :a % 7$$),
	('move an activity', 20, $$UPDATE activity SET occurred_at = :at WHERE activity_id IN (SELECT activity_id FROM activity WHERE lead_id = :lead LIMIT 1)$$),
	('held a plan', 5, $$UPDATE activity SET actor = 'ben' WHERE lead_id IN (:lead, :other) AND kind = 'meeting'$$),
	('another kind', 15, $$UPDATE activity SET kind = 'sales_call' WHERE activity_id IN (SELECT min(activity_id) FROM activity WHERE lead_id = :lead)$$),
	('delete an activity', 15, $$DELETE FROM activity WHERE activity_id IN (SELECT max(activity_id) FROM activity WHERE lead_id = :lead)$$),
	('answers', 60, $$INSERT INTO answer (lead_id, framework, element, level)
		SELECT :lead, 'bant', e, CAST((ARRAY['yes', 'yes', 'partial', 'no'])[:a % 4 + 1] AS answer_level) FROM unnest('{budget,need,timeline}'::text[]) AS e$$),
	('sal', 35, $$UPDATE lead SET stage = 'sal', owner = 'o' || :a % 5 WHERE lead_id IN (SELECT lead_id FROM lead WHERE stage = 'mql' AND lead_id % 5 = :b % 5 LIMIT 1)$$),
	('qualify', 60, $$INSERT INTO activity (lead_id, kind) SELECT lead_id, 'discovery_call' FROM lead WHERE stage IN ('mql', 'sal', 'talk') AND lead_id % 3 = :b % 3 LIMIT 2;
		INSERT INTO answer (lead_id, framework, element, level) SELECT lead_id, 'bant', e, 'yes'
			FROM lead, unnest('{budget,need,timeline}'::text[]) AS e WHERE stage IN ('mql', 'sal', 'talk') AND lead_id % 3 = :b % 3;
		UPDATE lead SET stage = 'sql' WHERE lead_id IN (SELECT min(lead_id) FROM lead WHERE stage IN ('sal', 'talk') AND lead_id % 3 = :b % 3)$$),
	('sql', 40, $$UPDATE lead SET stage = 'sql' WHERE lead_id IN (SELECT lead_id FROM lead WHERE stage = 'sal' AND lead_id % 3 = :b % 3 LIMIT 2)$$),
	('move', 60, $$UPDATE lead SET stage = (SELECT s.stage FROM stage AS s ORDER BY s.position LIMIT 1 OFFSET :a % 9),
		reason = (SELECT min(r.reason) FROM reason AS r
				  WHERE r.applies_to = (SELECT s.stage FROM stage AS s ORDER BY s.position LIMIT 1 OFFSET :a % 9)) WHERE lead_id = :lead$$),
	('out', 20, $$UPDATE lead SET stage = (ARRAY['nurture', 'disqualified'])[:a % 2 + 1],
		reason = (SELECT min(r.reason) FROM reason AS r WHERE r.applies_to = (ARRAY['nurture', 'disqualified'])[:a % 2 + 1])
		WHERE lead_id IN (SELECT lead_id FROM lead WHERE stage IN ('mql', 'sal', 'sql', 'lost') AND lead_id % 3 = :b % 3 LIMIT 1)$$),
	('deal', 40, $$WITH d AS (INSERT INTO deal (amount, currency, account_id) VALUES (:a * 10, (ARRAY['EUR', 'EUR', 'USD', NULL])[:b % 4 + 1], NULL) RETURNING deal_id)
		INSERT INTO deal_contact (deal_id, lead_id) SELECT d.deal_id, l.lead_id FROM d, lead AS l
		WHERE l.lead_id = :other OR l.lead_id IN (SELECT max(lead_id) FROM lead WHERE stage = 'sql')$$),
	('close a deal', 50, $$UPDATE deal SET status = (ARRAY['won', 'won', 'lost', 'open'])[:a % 4 + 1],
		closed_at = CASE :a % 4 WHEN 3 THEN NULL ELSE CASE :b % 5 WHEN 0 THEN :at WHEN 1 THEN NULL ELSE :now END END
		WHERE deal_id IN (SELECT deal_id FROM deal ORDER BY deal_id DESC LIMIT 1 OFFSET :a % 8)$$),
	('delete a deal', 4, $$DELETE FROM deal WHERE deal_id IN (SELECT min(deal_id) FROM deal)$$),
	('change a lead', 40, $$UPDATE lead SET owner = NULLIF('o' || :a % 6, 'o0'), account_id = NULLIF(:b % 9, 0), source = coalesce(source, 'social') WHERE lead_id = :lead$$),
	('judge', 20, $$INSERT INTO verdict (lead_id, side, qualified, judged_at)
		VALUES (:lead, (ARRAY['marketing', 'sales'])[:a % 2 + 1], :b % 3 > 0, CASE :b % 4 WHEN 0 THEN :at ELSE :now END)$$),
	('delete', 16, $$DELETE FROM lead WHERE lead_id = :lead$$),
	('delete many', 1, $$DELETE FROM lead WHERE lead_id % 20 = :a % 20$$),
	('erase', 12, $$SELECT erase_lead('crm', ':lead')$$),
	('merge', 12, $$SELECT merge_leads('crm', ':lead', ':other')$$),
	('forget', 2, $$SELECT forget_leads('crm', ARRAY[':lead'])$$),
	('void', 20, $$SELECT void_moves('crm', ARRAY(SELECT history_id FROM stage_history WHERE lead_id = :lead AND voided_at IS NULL
		ORDER BY history_id DESC LIMIT 1), 'a mistake')$$),
	('import', 2, $$WITH a AS (SELECT set_config('lead_qual.import', 'on', true)), l AS (
		INSERT INTO lead (lead_id, stage, source, owner) SELECT k, 'lead', 'event', 'o2' FROM a, generate_series(:lead, :lead + 3) AS k
		ON CONFLICT DO NOTHING RETURNING lead_id)
		INSERT INTO stage_history (lead_id, to_stage, entered_at, source, reason)
		SELECT l.lead_id, m.stage, :at + m.n * interval '1 day', 'event', m.reason
		FROM l, (VALUES ('lead', 0, NULL), ('mql', 1, NULL), ('nurture', 2, 'no_budget'), ('mql', 4, NULL), ('sal', 4, NULL), ('sql', 5, NULL)) AS m (stage, n, reason)
		WHERE m.n <= :a % 7; SELECT set_config('lead_qual.import', 'off', true), rebuild_history('crm')$$),
	('archive', 2, $$SELECT archive_activities('crm', :at)$$),
	('sweep', 10, $$SELECT sweep_funnel('crm', 1000)$$),
	('a stage is another milestone', 1, $$UPDATE stage SET milestone = (ARRAY['sal', 'mql'])[:a % 2 + 1] WHERE stage = 'talk'$$),
	('into that stage', 15, $$UPDATE lead SET stage = 'talk' WHERE lead_id IN (SELECT lead_id FROM lead WHERE stage IN ('mql', 'sal') AND lead_id % 3 = :b % 3 LIMIT 1)$$),
	('a kind is another''s', 2, $$UPDATE kind SET party = (ARRAY['sales', 'marketing'])[:a % 2 + 1] WHERE kind = 'call_attempt'$$),
	('a kind is a talk', 2, $$UPDATE kind SET conversation = :a % 2 = 0 WHERE kind = 'sales_email'$$);

CREATE FUNCTION pg_temp.random_operations(n int, seed float8) RETURNS TABLE (name text, done bigint, refused bigint)
LANGUAGE plpgsql AS $$
DECLARE
	op operation;
	clock timestamptz := '2026-01-05 08:00Z';
	statement text;
	undone boolean;
	dice int;
BEGIN
	PERFORM setseed(seed);
	CREATE TEMP TABLE attempt (name text, how text) ON COMMIT DROP;
	FOR i IN 1 .. n LOOP
		clock := clock + random() * interval '90 minutes';
		PERFORM set_config('lead_qual.clock', clock::text, true);
		dice := floor(random() * (SELECT sum(o.share) FROM operation AS o));
		SELECT o.name, o.share, o.statement INTO op
		FROM (SELECT *, sum(share) OVER (ORDER BY operation.name COLLATE "C") AS upto FROM operation) AS o
		WHERE o.upto > dice ORDER BY o.upto LIMIT 1;
		statement := replace(replace(replace(replace(replace(replace(replace(op.statement,
			':lead', (1 + floor(random() * 120)::int)::text), ':other', (1 + floor(random() * 120)::int)::text),
			':at', format('timestamptz %L', clock - random() * interval '60 days')), ':now', format('timestamptz %L', clock)),
			':a', floor(random() * 1000)::int::text), ':b', floor(random() * 1000)::int::text), ':n', i::text);
		undone := random() < 0.03;
		BEGIN
			EXECUTE statement;
			IF undone THEN
				RAISE EXCEPTION USING ERRCODE = 'LQ001';
			END IF;
			INSERT INTO attempt VALUES (op.name, 'done');
		EXCEPTION
			WHEN SQLSTATE 'LQ001' THEN
				NULL;
			-- whatever the rules say: a fault of ours is no refusal
			WHEN check_violation OR unique_violation OR foreign_key_violation OR no_data_found OR raise_exception
				OR invalid_parameter_value OR object_not_in_prerequisite_state OR feature_not_supported OR restrict_violation THEN
				INSERT INTO attempt VALUES (op.name, 'refused');
		END;
		PERFORM set_config('lead_qual.import', 'off', true);
	END LOOP;
	RETURN QUERY SELECT t.name, count(*) FILTER (WHERE t.how = 'done'), count(*) FILTER (WHERE t.how = 'refused')
		FROM attempt AS t GROUP BY t.name ORDER BY t.name COLLATE "C";
END $$;
