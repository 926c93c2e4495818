--
-- Views of a funnel: what is known of leads and accounts, and who agrees
--
CREATE FUNCTION _create_qualification_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	name text;
	of_frameworks text := '';
BEGIN
	EXECUTE format($view$CREATE OR REPLACE VIEW open_question WITH (security_invoker = true) AS
	SELECT l.lead_id AS lead_id,
		   l.stage AS stage,
		   q.framework AS framework,
		   q.element AS element,
		   e.label AS label,
		   q.question_id AS question_id,
		   q.text AS question,
		   q.position::bigint AS position,
		   CASE WHEN a.ran_out OR a.expired THEN 'ran out'
				WHEN a.level IS NULL THEN 'never answered'
				ELSE 'unknown' END AS state,
		   a.answered_at AS answered_at
	FROM lead l
	JOIN stage st ON st.stage = l.stage
	CROSS JOIN question q
	JOIN element e ON e.framework = q.framework AND e.element = q.element
	CROSS JOIN setting s
	LEFT JOIN LATERAL (
		SELECT w.level::text AS level, w.answered_at AS answered_at,
			   coalesce((w.answered_at AT TIME ZONE s.time_zone + e.valid_for)
						AT TIME ZONE s.time_zone <= funnel_now(), false)
				   AS ran_out,
			   coalesce(w.via, '') = 'expired' AS expired,
			   -- asked in this cycle, and not known: not taken back
			   w.level = 'unknown' AND coalesce(w.via, '') NOT IN ('expired', 'lead')
				   AND w.answered_at >= l.cycle_started_at AS asked
		FROM answer w
		WHERE w.lead_id = l.lead_id AND w.framework = q.framework
			  AND w.element = q.element
		ORDER BY %1$s
		LIMIT 1) a ON true
	WHERE st.owner_role <> 'none'
		  AND (coalesce(a.ran_out, false)
			   OR NOT coalesce(a.asked, false) AND coalesce(CASE q.framework %2$s ELSE a.level END, 'unknown') = 'unknown')
	ORDER BY l.lead_id, q.position, q.question_id$view$,
		_latest_first(), _each_framework('WHEN %1$L THEN l.%1$I::jsonb ->> q.element'::text, ' '::text));

	PERFORM @extschema@._comment_view('open_question'::text, '
What may still be asked: one row per lead in a stage that marketing or sales works on and question whose element is not known of the lead, in the order of the questions. Known is what the lead holds in the column of the framework, and where there is none the latest answer; an answer older than the element''s valid_for has run out and is asked for again. Who was asked and does not know (the latest answer, inserted into answer, is unknown) is not asked again before the next cycle.
lead_id: lead
stage: stage that it is in
framework: framework of the element
element: element that an answer would settle
label: name of the element that people see
question_id: question
question: what to ask
position: order of asking (question.position)
state: never answered; unknown: it is so said, in an earlier cycle, or it was taken back in the lead; or ran out
answered_at: when the latest answer was given
'::text);

	FOREACH name IN ARRAY _frameworks() LOOP
		of_frameworks := of_frameworks || format($columns$,
		   t.%1$I::text AS %1$I,
		   coalesce(met(t.%1$I), 0)::bigint AS "%1$s_met",
		   coalesce(known(t.%1$I), 0)::bigint AS "%1$s_known",
		   coalesce(refuted(t.%1$I), 0)::bigint AS "%1$s_refuted",
		   array_to_string(gaps(t.%1$I), ', ') AS "%1$s_gaps"$columns$, name) ||
			-- each element of this one has a column
			CASE WHEN name = 'bant' THEN $columns$,
		   who.budget AS budget_by,
		   who.authority AS authority_by,
		   who.need AS need_by,
		   who.timeline AS timeline_by$columns$
				 ELSE format(', who.%1$I AS "%1$s_by"', name) END;
	END LOOP;
	EXECUTE format($view$CREATE OR REPLACE VIEW account_qualification WITH (security_invoker = true) AS
	WITH said AS (
		SELECT l.account_id, l.lead_id, f.framework, x.element,
			   x.level::answer_level AS level,
			   coalesce(l.job_title::text || ' ', '') || '(' || l.lead_id::text || ')'
				   AS who
		FROM lead l
		CROSS JOIN LATERAL (VALUES %1$s) f (framework, levels)
		CROSS JOIN LATERAL jsonb_each_text(f.levels) x (element, level)
		WHERE l.account_id IS NOT NULL AND x.level <> 'unknown'
	), by_level AS (
		SELECT d.account_id, d.framework, d.element, d.level,
			   string_agg(d.who, ', ' ORDER BY d.lead_id) AS who
		FROM said d
		GROUP BY d.account_id, d.framework, d.element, d.level
	), by_element AS (
		SELECT b.account_id, b.framework, b.element,
			   string_agg(b.level::text || ': ' || b.who, '; '
						  ORDER BY b.level DESC) AS who
		FROM by_level b
		GROUP BY b.account_id, b.framework, b.element
	), together AS (
		SELECT l.account_id, count(*) AS leads,
			   %2$s
		FROM lead l
		WHERE l.account_id IS NOT NULL
		GROUP BY l.account_id
	)
	SELECT a.account_id AS account_id,
		   a.name AS name,
		   coalesce(t.leads, 0) AS leads%3$s
	FROM account a
	LEFT JOIN together t ON t.account_id = a.account_id
	LEFT JOIN (
		SELECT b.account_id,
			   max(b.who) FILTER (WHERE b.framework = 'bant' AND b.element = 'budget') AS budget,
			   max(b.who) FILTER (WHERE b.framework = 'bant' AND b.element = 'authority') AS authority,
			   max(b.who) FILTER (WHERE b.framework = 'bant' AND b.element = 'need') AS need,
			   max(b.who) FILTER (WHERE b.framework = 'bant' AND b.element = 'timeline') AS timeline,
			   %4$s
		FROM by_element b
		GROUP BY b.account_id) who ON who.account_id = a.account_id$view$,
		_each_framework('(%1$L, l.%1$I::jsonb)'::text, ', '::text),
		_each_framework('best(l.%1$I) AS %1$I'::text, ', '::text),
		of_frameworks,
		_each_framework('string_agg(b.element || '' '' || b.who, '' | '' ORDER BY b.element) '
						'FILTER (WHERE b.framework = %1$L) AS %1$I'::text, ', '::text));

	PERFORM @extschema@._comment_view('account_qualification'::text, concat('
One row per account: what all its leads together answered.
account_id: account
name: its name
leads: leads of the account
', _each_framework('%1$s: of each element of %1$s the highest level that any of its leads knows (yes, partial, no, else unknown), as best() has it
%1$s_met: elements met (yes)
%1$s_known: elements known
%1$s_refuted: elements refuted (no)
%1$s_gaps: elements not met
'::text, ''::text),
		(SELECT string_agg(format(E'%s: which lead said what of %s, by job title and key, highest level first\n', a.attname, left(a.attname, -3)), '')
		 FROM pg_attribute AS a
		 WHERE a.attrelid = 'account_qualification'::regclass AND right(a.attname, 3) = '_by')));

	CREATE OR REPLACE VIEW verdict_pair WITH (security_invoker = true) AS
	WITH judged AS (
		SELECT DISTINCT ON (v.lead_id, c.cycle, v.side)
			   v.lead_id, c.cycle, v.side, v.verdict_id, v.qualified, v.judged_at
		FROM verdict v
		CROSS JOIN LATERAL (
			-- who is judged before it came is judged as it came
			SELECT coalesce(max(u.cycle) FILTER (WHERE u.started_at <= v.judged_at),
							min(u.cycle), 1)::bigint AS cycle
			FROM journey u
			WHERE u.lead_id = v.lead_id AND u.gone_at IS NULL) c
		ORDER BY v.lead_id, c.cycle, v.side, v.judged_at DESC, v.verdict_id DESC
	), unit AS (
		SELECT j.lead_id, j.cycle,
			   max(j.verdict_id) FILTER (WHERE j.side = 'marketing') AS marketing_id,
			   max(j.verdict_id) FILTER (WHERE j.side = 'sales') AS sales_id,
			   bool_or(j.qualified) FILTER (WHERE j.side = 'marketing') AS marketing,
			   bool_or(j.qualified) FILTER (WHERE j.side = 'sales') AS sales,
			   max(j.judged_at) AS judged_at
		FROM judged j
		GROUP BY j.lead_id, j.cycle
	)
	SELECT u.lead_id AS lead_id,
		   u.cycle AS cycle,
		   coalesce(l.source, '(none)') AS source,
		   u.marketing_id AS marketing_verdict_id,
		   u.marketing AS marketing_qualified,
		   u.sales_id AS sales_verdict_id,
		   u.sales AS sales_qualified,
		   u.marketing = u.sales AS agreed,
		   u.judged_at AS judged_at
	FROM unit u
	JOIN lead l ON l.lead_id = u.lead_id;

	PERFORM @extschema@._comment_view('verdict_pair'::text, '
One row per unit (lead and cycle) that a side has judged: the latest verdict of each side in that cycle.
lead_id: lead
cycle: which time it was in the funnel: with the lead the unit
source: source of the lead; (none) where it is missing
marketing_verdict_id: latest verdict of marketing; NULL where it has not judged
marketing_qualified: whether that holds the lead qualified
sales_verdict_id: latest verdict of sales; NULL where it has not judged
sales_qualified: whether that holds the lead qualified
agreed: both say the same; NULL where one has not judged
judged_at: the later of the two
'::text);

	CREATE OR REPLACE VIEW verdict_agreement WITH (security_invoker = true) AS
	WITH cell AS (
		SELECT CASE WHEN grouping(d.month) = 0 THEN 'month'
					WHEN grouping(d.source) = 0 THEN 'source'
					ELSE 'all' END AS scope,
			   d.month AS month,
			   d.source AS source,
			   count(*) AS judged,
			   count(*) FILTER (WHERE d.agreed IS NOT NULL) AS both_judged,
			   count(*) FILTER (WHERE d.agreed) AS agreed,
			   count(*) FILTER (WHERE d.marketing AND d.sales) AS both_yes,
			   count(*) FILTER (WHERE d.marketing AND NOT d.sales) AS marketing_only,
			   count(*) FILTER (WHERE NOT d.marketing AND d.sales) AS sales_only,
			   count(*) FILTER (WHERE NOT d.marketing AND NOT d.sales) AS both_no
		FROM (SELECT _month_of(p.judged_at, s.time_zone) AS month,
					 p.source AS source, p.agreed AS agreed,
					 p.marketing_qualified AS marketing,
					 p.sales_qualified AS sales
			  FROM verdict_pair p
			  CROSS JOIN setting s) d
		GROUP BY GROUPING SETS ((), (d.month), (d.source))
	), every AS (
		SELECT c.* FROM cell c
		UNION ALL
		SELECT 'month' AS scope, g.month, NULL AS source, 0 AS judged, 0 AS both_judged, 0 AS agreed,
			   0 AS both_yes, 0 AS marketing_only, 0 AS sales_only, 0 AS both_no
		FROM (SELECT min(c.month) AS month FROM cell c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		WHERE NOT EXISTS (SELECT FROM cell c WHERE c.scope = 'month' AND c.month = g.month)
	), chance AS (
		SELECT c.*,
			   c.both_judged::numeric * c.both_judged AS square,
			   (c.both_yes + c.marketing_only)::numeric * (c.both_yes + c.sales_only)
			   + (c.both_no + c.sales_only)::numeric * (c.both_no + c.marketing_only)
				   AS expected
		FROM every c
	)
	SELECT h.scope AS scope,
		   h.month AS month,
		   h.source AS source,
		   h.judged AS judged,
		   h.both_judged AS both_judged,
		   h.agreed AS agreed,
		   h.both_yes AS both_qualified,
		   h.marketing_only AS marketing_only,
		   h.sales_only AS sales_only,
		   h.both_no AS both_not_qualified,
		   _ratio(h.agreed::numeric, h.both_judged::numeric) AS agreement_rate,
		   _ratio(h.agreed::numeric * h.both_judged - h.expected,
				  h.square - h.expected) AS kappa
	FROM chance h
	ORDER BY h.scope, h.month, h.source;

	PERFORM @extschema@._comment_view('verdict_agreement'::text, '
Do marketing and sales judge the same leads alike? One row for all units (scope all), one per month of the later verdict (scope month), every month from the first to the present one, and one per source (scope source). Rates are fractions.
scope: all, month or source
month: first day of the month, in the funnel''s time zone, of scope month
source: source of scope source; (none) where leads have none
judged: units (lead and cycle) that either side judged
both_judged: units that both judged
agreed: units that both judged alike
both_qualified: units that both hold qualified
marketing_only: units that only marketing holds qualified
sales_only: units that only sales holds qualified
both_not_qualified: units that neither holds qualified
agreement_rate: agreed / both_judged
kappa: Cohen''s kappa, agreement beyond chance: (observed - expected) / (1 - expected); 1 is full agreement, 0 what chance gives; NULL where chance alone gives all
'::text);

	EXECUTE format($view$CREATE OR REPLACE VIEW disputed_lead WITH (security_invoker = true) AS
	SELECT l.lead_id AS lead_id,
		   p.cycle AS cycle,
		   l.stage AS stage,
		   p.source AS source,
		   p.marketing_qualified AS marketing_qualified,
		   m.judged_by AS marketing_by,
		   m.note AS marketing_note,
		   p.sales_qualified AS sales_qualified,
		   s.judged_by AS sales_by,
		   s.note AS sales_note,
		   p.judged_at AS disputed_since,
		   fit(l.scorecard, greatest(funnel_now(), as_of(l.scorecard))) AS fit,
		   engagement(l.scorecard, greatest(funnel_now(), as_of(l.scorecard)))
			   AS engagement,
		   score(l.scorecard, greatest(funnel_now(), as_of(l.scorecard)))
			   AS score,
		   (SELECT string_agg(r.name || CASE WHEN x.points > 0 THEN ' +' ELSE ' ' END || x.points,
							  ', ' ORDER BY abs(x.points) DESC, r.rule_id)
			FROM explain_score(l.scorecard,
							   greatest(funnel_now(), as_of(l.scorecard))) x
			JOIN rule r ON r.rule_id = x.rule_id
			WHERE x.points <> 0) AS rules,
		   l.answers::text AS answers,
		   %s
	FROM verdict_pair p
	JOIN lead l ON l.lead_id = p.lead_id AND l.cycle = p.cycle
	LEFT JOIN verdict m ON m.verdict_id = p.marketing_verdict_id
	LEFT JOIN verdict s ON s.verdict_id = p.sales_verdict_id
	WHERE NOT p.agreed
	ORDER BY p.judged_at DESC, l.lead_id$view$,
		_each_framework('l.%1$I::text AS %1$I, met(l.%1$I)::bigint AS "%1$s_met", '
						'refuted(l.%1$I)::bigint AS "%1$s_refuted", '
						'array_to_string(gaps(l.%1$I), '', '') AS "%1$s_gaps"'::text, ', '::text));

	PERFORM @extschema@._comment_view('disputed_lead'::text, concat('
Leads that one side holds qualified and the other does not, in their present cycle, latest dispute first, with the criteria as they are now.
lead_id: lead
cycle: which time it is in the funnel
stage: stage that it is in
source: source of the lead; (none) where it is missing
marketing_qualified: whether marketing holds it qualified
marketing_by: who of marketing judged
marketing_note: what was noted with that
sales_qualified: whether sales holds it qualified
sales_by: who of sales judged
sales_note: what was noted with that
disputed_since: the later of the two verdicts
fit: points for who it is, now
engagement: points for what it did, now
score: score now, in points
rules: rules that give or take points now, largest first
answers: answers to frameworks that are no type, as JSON
', _each_framework('%1$s: what is known of the elements of %1$s
%1$s_met: elements met (yes)
%1$s_refuted: elements refuted (no)
%1$s_gaps: elements not met
'::text, ''::text)));
END
$template$;

COMMENT ON FUNCTION _create_qualification_views() IS
'creates the views of a funnel on what is known and agreed; called by _create_funnel_views()';
