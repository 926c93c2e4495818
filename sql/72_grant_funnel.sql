--
-- Privileges on a funnel, by profile
--
-- Plain GRANTs, which the function returns: whoever wants others edits them.
-- Triggers work on the tables as their owner, so that recording a fact needs
-- no right on what follows from it.
--
-- app        records leads and activities
-- analyst    reads the views and what they need, but no names and addresses
-- sales      reads all; asks for moves; writes answers, accounts and deals
-- marketing  reads all; asks for moves; edits the policy and records spend,
--            but neither says who must sign a definition nor activates one
-- admin      reads and writes all
--
CREATE FUNCTION _funnel_grants(funnel text, profile text) RETURNS SETOF text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	policy constant text :=
		'kind, source, list, element, question, stage, calendar, holiday, transition, rule, reason, message, content';
	-- what people may set; the rest of the lead is kept by triggers
	writable constant text :=
		'external_id, email, full_name, job_title, department, seniority, years_in_industry, '
		'company, account_id, industry, company_size, annual_revenue, country, source, campaign, '
		'unsubscribed, attributes, owner, resume_at, reason, note, bant, meddic, stage';
BEGIN
	IF profile = 'admin' THEN
		RETURN QUERY VALUES
			('SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %1$I'),
			('USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA %1$I');
		RETURN;
	END IF;

	IF profile IN ('app', 'sales', 'marketing') THEN
		RETURN QUERY VALUES
			('INSERT ON %1$I.lead, %1$I.activity'),
			-- to find a lead, and for ON CONFLICT and RETURNING
			('SELECT (lead_id, external_id, email) ON %1$I.lead'),
			('SELECT (lead_id, external_id) ON %1$I.activity'),
			('SELECT ON %1$I.kind, %1$I.source');
	END IF;

	IF profile IN ('sales', 'marketing') THEN
		RETURN QUERY VALUES
			('SELECT ON ALL TABLES IN SCHEMA %1$I'),
			('UPDATE (' || writable || ') ON %1$I.lead'),
			('INSERT, UPDATE ON %1$I.account, %1$I.answer'),
			('INSERT ON %1$I.verdict'),
			('INSERT (lead_id, to_stage, definition, side, note) ON %1$I.signature'),
			-- triggers keep these: whatever is written there is who signed
			('UPDATE (agreed_by_marketing, agreed_by_sales, agreed_at) ON %1$I.definition');
	END IF;

	IF profile = 'sales' THEN
		RETURN QUERY VALUES
			('INSERT, UPDATE ON %1$I.deal'),
			('INSERT, UPDATE, DELETE ON %1$I.deal_contact');
	ELSIF profile = 'marketing' THEN
		RETURN NEXT 'INSERT, UPDATE, DELETE ON %1$I.'
			|| replace(policy, ', ', ', %1$I.') || ', %1$I.spend';
		-- the rest of it says what the funnel consists of
		RETURN NEXT 'UPDATE (time_zone, currency, maturity_days, worth_rate, sales_capacity, '
			'attribution_first, attribution_last, attribution_anchor, attribution_half_life) ON %1$I.setting';
		-- to remove or rename one would make room for another, which asks for
		-- no signatures
		RETURN NEXT 'INSERT, UPDATE (review_by, max_fit, max_engagement, floor, note) ON %1$I.definition';
	ELSIF profile = 'analyst' THEN
		RETURN QUERY VALUES
			('SELECT ON %1$I.setting, %1$I.' || replace(policy, ', ', ', %1$I.')
			 || ', %1$I.definition, %1$I.side, %1$I.definition_log, %1$I.deal, %1$I.deal_contact, %1$I.spend'),
			('SELECT (signature_id, lead_id, to_stage, cycle, definition, version, side, '
			 'signed_by, signed_at) ON %1$I.signature'),
			-- without external_id, email, full_name, attributes and note
			('SELECT (lead_id, job_title, department, seniority, years_in_industry, '
			 'company, account_id, industry, company_size, annual_revenue, country, '
			 'source, campaign, unsubscribed, owner, resume_at, reason, bant, meddic, '
			 'answers, stage, stage_entered_at, cycle, cycle_started_at, accepted_by, '
			 'accepted_at, scorecard, deals_open, deals_won, deals_lost, won_amount, '
			 'due_at, review_at, created_at) ON %1$I.lead'),
			('SELECT (account_id, name, domain) ON %1$I.account'),
			-- without properties, external_id and notes, which may tell who it is
			('SELECT (lead_id, occurred_at, activity_id, kind, source, campaign, '
			 'actor, recorded_at) ON %1$I.activity'),
			('SELECT (lead_id, answer_id, framework, element, level, via, '
			 'answered_by, answered_at) ON %1$I.answer'),
			('SELECT (verdict_id, lead_id, side, qualified, judged_by, judged_at) '
			 'ON %1$I.verdict'),
			('SELECT (history_id, lead_id, from_stage, to_stage, entered_at, cycle, '
			 'actor, automatic, exception, reason, score, definition, version, source, '
			 'campaign, owner, account_id, due_at, voided_at, voided_by) ON %1$I.stage_history');
	END IF;
END
$body$;

COMMENT ON FUNCTION _funnel_grants(text, text) IS
'what a profile of grant_funnel() is granted, as formats that take the name of the funnel';

-- The same on the table of leads that a funnel is attached to: a view reads it
-- with the rights of whoever queries.  None where the grant is not on leads.
CREATE FUNCTION _lead_table_grants(funnel text, grants text[]) RETURNS SETOF text
LANGUAGE sql STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format('%s%s ON %s', g.words[1],
				  (SELECT '(' || string_agg(quote_ident(n), ', ') || ')'
				   FROM unnest(_lead_column_names(funnel, string_to_array(g.words[2], ', '))) AS n),
				  t.relation)
	FROM unnest(grants) WITH ORDINALITY AS a (grant_text, position)
	CROSS JOIN regexp_match(a.grant_text, '^([A-Z, ]+)(?:\(([a-z_, ]+)\))? ON (?:ALL TABLES|.*%1\$I\.lead\M)') AS g (words)
	CROSS JOIN (SELECT DISTINCT relation FROM _lead_columns(funnel)) AS t
	WHERE g.words IS NOT NULL
	ORDER BY a.position;
END;

COMMENT ON FUNCTION _lead_table_grants(text, text[]) IS
'what a profile of grant_funnel() is granted on a table of leads of the user''s';

CREATE FUNCTION grant_funnel(funnel text, grantee regrole, profile text) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	schema oid := @extschema@._funnel_schema(funnel);
	lead_table regclass := @extschema@._lead_table(schema);
	lead_schema oid;
	grants text[];
	granted text;
	viewed record;
BEGIN
	IF grantee IS NULL OR grantee = 0 THEN
		RAISE EXCEPTION 'a role to grant to must be given'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF profile IS NULL OR
	   profile NOT IN ('app', 'sales', 'marketing', 'analyst', 'admin') THEN
		RAISE EXCEPTION 'unknown profile: "%"', profile
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'Profiles are app, sales, marketing, analyst and admin.';
	END IF;
	-- else GRANT itself would only warn that nothing was granted
	IF NOT pg_has_role((SELECT nspowner FROM pg_namespace WHERE oid = schema),
					   'USAGE') THEN
		RAISE EXCEPTION 'must be owner of schema %', funnel
			USING ERRCODE = 'insufficient_privilege';
	END IF;

	granted := format('GRANT USAGE ON SCHEMA %I TO %s', funnel, grantee);
	EXECUTE granted;
	RETURN NEXT granted;

	grants := ARRAY(SELECT @extschema@._funnel_grants(funnel, profile));
	SELECT relnamespace INTO STRICT lead_schema FROM pg_class WHERE oid = lead_table;
	IF lead_schema <> schema THEN
		IF NOT has_schema_privilege(grantee, lead_schema, 'USAGE') THEN
			grants := grants || replace(format('USAGE ON SCHEMA %s', lead_schema::regnamespace), '%', '%%');
		END IF;
		grants := grants || ARRAY(SELECT replace(g, '%', '%%')
								  FROM @extschema@._lead_table_grants(funnel, grants) AS g);
	END IF;
	FOREACH granted IN ARRAY grants LOOP
		granted := format('GRANT ' || granted || ' TO %2$s', funnel, grantee);
		EXECUTE granted;
		RETURN NEXT granted;
	END LOOP;

	IF profile <> 'analyst' THEN
		RETURN;
	END IF;

	-- The views that read nothing else than what was granted.  A view comes
	-- after those that it reads.
	FOR viewed IN
		SELECT c.oid, c.relname FROM pg_class AS c
		WHERE c.relnamespace = schema AND c.relkind = 'v'
		AND c.relname = ANY (@extschema@._funnel_relations())
		ORDER BY c.oid
	LOOP
		IF NOT EXISTS (
			SELECT
			FROM pg_rewrite AS r
			JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
			WHERE r.ev_class = viewed.oid
			AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> viewed.oid
			AND d.refobjsubid > 0
			AND NOT has_column_privilege(grantee, d.refobjid, d.refobjsubid::smallint, 'SELECT'))
		THEN
			granted := format('GRANT SELECT ON %I.%I TO %s', funnel, viewed.relname, grantee);
			EXECUTE granted;
			RETURN NEXT granted;
		END IF;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION grant_funnel(text, regrole, text) IS
'grants a role the privileges of a profile on a funnel, and returns the statements: app, analyst, sales, marketing or admin';
