--
-- Views of a funnel: the leads as they are now
--
-- Columns of the lead may be of the user's own types in an attached table:
-- they are shown as text.
--
CREATE FUNCTION _create_work_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	CREATE OR REPLACE VIEW lead_now WITH (security_invoker = true) AS
	SELECT l.lead_id AS lead_id,
		   l.stage AS stage,
		   st.position::bigint AS position,
		   st.milestone AS milestone,
		   st.owner_role AS owner_role,
		   l.owner::text AS owner,
		   fit(l.scorecard, greatest(funnel_now(), as_of(l.scorecard))) AS fit,
		   engagement(l.scorecard, greatest(funnel_now(), as_of(l.scorecard)))
			   AS engagement,
		   CASE WHEN l.scorecard IS NOT NULL THEN
			   (SELECT coalesce(sum(x.points), 0)
				FROM explain_score(l.scorecard,
								   greatest(funnel_now(), as_of(l.scorecard))) x
				JOIN rule r ON r.rule_id = x.rule_id
				WHERE r.category = 'intent')
		   END AS intent,
		   score(l.scorecard, greatest(funnel_now(), as_of(l.scorecard)))
			   AS score,
		   coalesce(scored_version(l.scorecard)
					<> (SELECT d.version FROM definition d
						WHERE d.status = 'active'), true) AS stale,
		   last_activity(l.scorecard) AS last_activity,
		   _days(greatest(_microseconds_between(l.stage_entered_at, funnel_now()), 0)::numeric)
			   AS days_in_stage,
		   l.cycle::bigint AS cycle,
		   l.due_at AS due_at,
		   coalesce(l.due_at < funnel_now(), false) AS overdue
	FROM lead l
	LEFT JOIN stage st ON st.stage = l.stage;

	PERFORM @extschema@._comment_view('lead_now'::text, '
One row per lead, at funnel_now(). Points are those of the scorecard then, or at the card''s own instant where that is later; NULL without a card.
lead_id: lead
stage: stage that it is in
position: order of the stage (stage.position)
milestone: milestone of the stage
owner_role: who works on leads in it: marketing, sales or none
owner: who has the lead
fit: points for who it is
engagement: points for what it did
intent: points of the rules of category intent
score: fit and engagement together, with caps and floor
stale: scored under another version than the active definition''s, or not at all
last_activity: when it last did something
days_in_stage: days since stage_entered_at
cycle: which time it is in the funnel
due_at: when the next move is due; NULL: never
overdue: whether due_at has passed
'::text);

	CREATE OR REPLACE VIEW inbox WITH (security_invoker = true) AS
	SELECT l.lead_id AS lead_id,
		   l.full_name::text AS full_name,
		   l.company::text AS company,
		   l.stage AS stage,
		   l.owner::text AS owner,
		   score(l.scorecard, greatest(funnel_now(), as_of(l.scorecard)))
			   AS score,
		   coalesce(l.due_at < funnel_now(), false) AS past_due,
		   l.due_at AS due_at,
		   (SELECT string_agg(b.name || ' +' || b.points, ', '
							  ORDER BY b.points DESC, b.rule_id)
			FROM (SELECT r.rule_id, r.name, x.points
				  FROM explain_score(l.scorecard,
									 greatest(funnel_now(), as_of(l.scorecard))) x
				  JOIN rule r ON r.rule_id = x.rule_id
				  WHERE x.points > 0
				  ORDER BY x.points DESC, r.rule_id
				  LIMIT 3) b) AS reasons,
		   (SELECT q.question
			FROM open_question q
			WHERE q.lead_id = l.lead_id
			ORDER BY q.position, q.question_id
			LIMIT 1) AS next_question,
		   l.owner IS NULL AS unowned
	FROM lead l
	JOIN stage st ON st.stage = l.stage
	WHERE st.owner_role = 'sales'
		  OR (st.milestone = 'mql'
			  AND (l.accepted_at IS NULL
				   OR l.accepted_at < l.cycle_started_at))
	-- what is past due comes first by its date, and an index knows the dates
	ORDER BY due_at, score DESC NULLS LAST, lead_id;

	PERFORM @extschema@._comment_view('inbox'::text, '
What sales has to work on: one row per lead in a stage whose owner_role is sales, or in milestone mql and not accepted in this cycle; past due first, then by due_at, then the highest score. Shows personal data.
lead_id: lead
full_name: its name
company: its company
stage: stage that it is in
owner: who has the lead
score: score now, in points
past_due: whether due_at has passed
due_at: when the next move is due; NULL: never
reasons: the three rules that give most points now
next_question: the first of the lead''s open_question
unowned: whether nobody has it, so that nobody will keep the deadline
'::text);
END
$template$;

COMMENT ON FUNCTION _create_work_views() IS
'creates the views of a funnel on its leads as they are now; called by _create_funnel_views()';

CREATE FUNCTION _create_funnel_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	PERFORM @extschema@._create_journey_views();
	PERFORM @extschema@._create_conversion_views();
	PERFORM @extschema@._create_money_views();
	PERFORM @extschema@._create_attribution_views();
	PERFORM @extschema@._create_worth_views();
	PERFORM @extschema@._create_pace_views();
	PERFORM @extschema@._create_qualification_views();
	PERFORM @extschema@._create_work_views();
	PERFORM @extschema@._create_hand_over_views();
	PERFORM @extschema@._create_agreement_view();
	PERFORM @extschema@._create_diagnosis_views();
	PERFORM @extschema@._create_profile_views();
	PERFORM @extschema@._create_step_views();
	PERFORM @extschema@._create_readiness_view();
END
$template$;

COMMENT ON FUNCTION _create_funnel_views() IS
'creates the analytical views of a funnel in the first schema of the search path, or replaces those that are there';
