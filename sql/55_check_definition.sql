--
-- What keeps a definition from being activated
--

-- Automatic moves that lead back to where they began, at once: without a
-- condition, or under one and the same that the moves do not change.  Any move
-- changes the stay, and uses up note and reason; one that begins a cycle
-- changes what is known of the cycle, too.  What a condition reads is seen in
-- its compiled form, where columns are qualified: its literals may say anything.
CREATE FUNCTION _automatic_circle(funnel text, definition text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	circle text;
BEGIN
	EXECUTE format($query$
		WITH RECURSIVE edge AS (
			SELECT DISTINCT s.stage AS a, t.to_stage AS b, coalesce(t.condition_sql, 'true') AS c,
				   @extschema@._begins_cycle(s.milestone::text, z.milestone::text) AS renews
			FROM %1$I.transition AS t
			JOIN %1$I.stage AS s ON t.from_stage IN (s.stage, '*')
			JOIN %1$I.stage AS z ON z.stage = t.to_stage
			WHERE t.definition = $1 AND t.automatic AND t.after IS NULL AND s.stage <> t.to_stage
			AND coalesce(t.condition_sql, '') !~
				'\m(now\.days_in_stage|lead\.(stage|stage_entered_at|due_at|note|reason))\M'
		), walk AS (
			SELECT held.c, e.a AS start, e.b AS at, ARRAY[e.a, e.b] AS path, e.renews
			FROM (SELECT DISTINCT c FROM edge) AS held
			JOIN edge AS e ON e.c IN ('true', held.c)
			UNION ALL
			SELECT w.c, w.start, e.b, w.path || e.b, w.renews OR e.renews
			FROM walk AS w
			JOIN edge AS e ON e.a = w.at AND e.c IN ('true', w.c)
			WHERE w.at <> w.start AND (e.b = w.start OR e.b <> ALL (w.path))
		)
		SELECT '"' || array_to_string(path, '" -> "') || '"'
		FROM walk WHERE at = start
		AND NOT (renews AND c ~
				 '\mlead\.(cycle|cycle_started_at|accepted_at|accepted_by|resume_at|deals_won|deals_lost)\M')
		ORDER BY cardinality(path), path LIMIT 1 $query$, funnel)
		INTO circle USING definition;
	RETURN circle;
END
$body$;

COMMENT ON FUNCTION _automatic_circle(text, text) IS
'the shortest circle of automatic transitions of a definition that hold at once, or NULL';

-- Guards that ask for more points than the caps of the definition let a lead
-- have.  Under a cap on one axis the other gives what its rules add up to.
CREATE FUNCTION _out_of_reach(funnel text, definition text)
RETURNS TABLE (transition text, quantity text, threshold numeric, most numeric)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
	part record;
	fit numeric;
	engagement numeric;
BEGIN
	EXECUTE format($query$
		SELECT CASE WHEN capped THEN least(max_fit, coalesce(fit, 0), 'Infinity') ELSE 'Infinity' END,
			   CASE WHEN capped THEN least(max_engagement, coalesce(engagement, 0), 'Infinity') ELSE 'Infinity' END
		FROM (SELECT d.max_fit, d.max_engagement, coalesce(d.max_fit, d.max_engagement) IS NOT NULL,
					 sum(least(r.points, r.max_points)) FILTER (WHERE r.axis = 'fit'),
					 sum(coalesce(r.max_points, r.points * CASE WHEN r.per IS NULL THEN r.max_hits END, 'Infinity'))
						 FILTER (WHERE r.axis = 'engagement')
			  FROM %1$I.definition AS d
			  LEFT JOIN %1$I.rule AS r ON r.definition = d.definition AND r.enabled AND r.points > 0
			  WHERE d.definition = $1
			  GROUP BY d.definition) AS c (max_fit, max_engagement, capped, fit, engagement)
		$query$, funnel)
		INTO fit, engagement USING definition;

	FOR part IN EXECUTE format($query$
		SELECT format('%%s to "%%s"', coalesce('from "' || t.from_stage || '"', 'that creates,'), t.to_stage) AS transition,
			   t.condition
		FROM %1$I.transition AS t
		WHERE t.definition = $1 AND t.condition IS NOT NULL
		ORDER BY t.position, t.transition_id $query$, funnel) USING definition
	LOOP
		BEGIN
			FOR quantity, threshold, most IN EXECUTE format($query$
				SELECT CASE q.quantity WHEN 'points' THEN format('points.%%s', r.name) ELSE q.quantity END, q.threshold,
					   CASE q.quantity WHEN 'fit' THEN $3 WHEN 'engagement' THEN $4 WHEN 'score' THEN $3 + $4
									   ELSE coalesce(r.max_points, 'Infinity') END
				FROM @extschema@._condition_thresholds($5, $1, $2) AS q
				LEFT JOIN %1$I.rule AS r ON r.rule_id = q.rule_id $query$, funnel)
				USING part.condition, definition, fit, engagement, funnel::name
			LOOP
				transition := part.transition;
				CONTINUE WHEN threshold <= most;
				RETURN NEXT;
			END LOOP;
		EXCEPTION
			WHEN query_canceled OR insufficient_privilege THEN
				RAISE;
			-- that it does not compile is told elsewhere
			WHEN OTHERS THEN
				NULL;
		END;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _out_of_reach(text, text) IS
'guards of a definition that ask for more points than its caps let a lead have';

-- The rows of a definition are checked as they are written, but what they
-- name may have changed since: columns, functions, lists, other rows.
CREATE FUNCTION check_definition(funnel text, definition text)
RETURNS TABLE (problem text, hint text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
	def record;
	part record;
	n bigint;
	signers text[];
	named name;
BEGIN
	PERFORM @extschema@._funnel_schema(funnel);
	EXECUTE format('SELECT d.* FROM %I.definition AS d WHERE d.definition = $1', funnel)
		INTO def USING definition;
	IF def.definition IS NULL THEN
		RAISE EXCEPTION 'definition "%" does not exist in funnel "%"', @extschema@._clip(definition::text), funnel
			USING ERRCODE = 'undefined_object',
				  HINT = 'See table "definition"; copy_definition() makes one from another.';
	END IF;

	EXECUTE format('SELECT count(*) FROM %I.transition AS t WHERE t.definition = $1 AND t.from_stage IS NULL', funnel)
		INTO n USING definition;
	IF n = 0 THEN
		problem := 'No transition creates a lead: none has from_stage NULL.';
		hint := 'Add one to the stage where leads begin.';
		RETURN NEXT;
	END IF;

	FOR part IN EXECUTE format($query$
		SELECT 1 AS rank, r.rule_id AS id, format('rule "%%s"', r.name) AS what, r.condition,
			   CASE r.axis WHEN 'fit' THEN 'fit' ELSE 'activity' END AS target
		FROM %1$I.rule AS r
		WHERE r.definition = $1 AND r.enabled AND r.condition IS NOT NULL
		UNION ALL
		SELECT 2, t.transition_id,
			   format('transition %%s to "%%s"', coalesce('from "' || t.from_stage || '"', 'that creates, '), t.to_stage),
			   t.condition, 'transition'
		FROM %1$I.transition AS t
		WHERE t.definition = $1 AND t.condition IS NOT NULL
		ORDER BY 1, 2 $query$, funnel) USING definition
	LOOP
		BEGIN
			PERFORM @extschema@.check_condition(funnel::name, part.target::text, part.condition::text, definition);
		EXCEPTION
			WHEN query_canceled OR insufficient_privilege THEN
				RAISE;
			WHEN OTHERS THEN
				problem := format('The condition of %s does not compile: %s.', part.what, SQLERRM);
				hint := 'Correct it; check_condition() shows where.';
				RETURN NEXT;
		END;
	END LOOP;

	FOR part IN EXECUTE format($query$
		SELECT t.transition_id, named.stage
		FROM %1$I.transition AS t
		CROSS JOIN LATERAL (VALUES (t.from_stage), (t.to_stage)) AS named (stage)
		WHERE t.definition = $1 AND named.stage <> '*'
		AND NOT EXISTS (SELECT FROM %1$I.stage AS s WHERE s.stage = named.stage)
		ORDER BY 1, 2 $query$, funnel) USING definition
	LOOP
		problem := format('Transition %s names stage "%s", which does not exist.', part.transition_id, part.stage);
		hint := 'Add it to table "stage", or remove the transition.';
		RETURN NEXT;
	END LOOP;

	problem := @extschema@._automatic_circle(funnel, definition);
	IF problem IS NOT NULL THEN
		problem := format('Automatic transitions lead in a circle: %s.', problem);
		hint := 'Give one of them a condition that the others exclude, or let people ask for it.';
		RETURN NEXT;
	END IF;

	FOR part IN SELECT * FROM @extschema@._out_of_reach(funnel, definition) LOOP
		problem := format('The transition %s asks for %s >= %s, and the caps let nobody have more than %s.',
						  part.transition, part.quantity, part.threshold, part.most);
		hint := 'Raise or remove the caps (max_fit, max_engagement of the definition, max_points of rules), or lower the threshold.';
		RETURN NEXT;
	END LOOP;

	IF cardinality(def.sides) > 0 THEN
		SELECT array_agg(DISTINCT s.signed_by) INTO signers
		FROM @extschema@._signers(funnel, definition) AS s WHERE s.side = ANY (def.sides);
		FOR part IN
			SELECT asked.side FROM unnest(def.sides) WITH ORDINALITY AS asked (side, position)
			WHERE NOT EXISTS (SELECT FROM @extschema@._signers(funnel, definition) AS s WHERE s.side = asked.side)
			ORDER BY asked.position
		LOOP
			problem := format('Side "%s" has not signed it as it is now.', part.side);
			named := @extschema@._role_of_side(funnel, part.side::text);
			hint := CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = named)
					THEN format('A member of role "%s" calls sign_definition().', named)
					ELSE format('Role "%s" does not exist: name another one in table "side".', named) END;
			RETURN NEXT;
		END LOOP;
		IF signers = ARRAY[@extschema@._actor()] THEN
			problem := format('Nobody but "%s", who activates it, has signed it.', signers[1]);
			hint := 'Four eyes see more than two: let somebody else sign or activate it.';
			RETURN NEXT;
		END IF;
	END IF;
END
$body$;

COMMENT ON FUNCTION check_definition(text, text) IS
'what keeps a definition from being activated by the caller, a row a problem; none: nothing';
