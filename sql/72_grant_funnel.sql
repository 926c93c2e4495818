--
-- Privileges on a funnel, by profile
--
-- Plain GRANTs, which the function returns: whoever wants others edits them.
-- Triggers work on the tables as their owner, so that recording a fact needs
-- no right on what follows from it.
--
-- app        records leads and activities, and what it learns of a lead again
-- analyst    reads the views and what they need, but no names and addresses
-- sales      reads all; asks for moves; writes answers, accounts and deals
-- marketing  reads all; asks for moves; edits the policy and records spend,
--            but neither says who must sign a definition nor activates one
-- admin      reads and writes all
--
-- Each row is a GRANT; one whose relations are * is on all of them.  What
-- people may write of a lead, and what an analyst may read, is said column by
-- column: the rest is the user's own, or tells who somebody is.
CREATE FUNCTION _funnel_grants()
RETURNS TABLE (since integer, profiles text[], privileges text, relations name[], columns name[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	VALUES
		(1, '{admin}'::text[], 'SELECT, INSERT, UPDATE, DELETE', '{*}'::name[], NULL::name[]),

		(1, '{app,sales,marketing}', 'INSERT', '{lead,activity}', NULL),
		-- to find a lead, and for ON CONFLICT and RETURNING: who writes what
		-- EXCLUDED has must be allowed to read it
		(1, '{app,sales,marketing}', 'SELECT', '{lead}',
		 '{lead_id,external_id,email,full_name,job_title,department,seniority,years_in_industry,
		   company,account_id,industry,company_size,annual_revenue,country,source,campaign,
		   unsubscribed,properties}'),
		(1, '{app,sales,marketing}', 'UPDATE', '{lead}',
		 '{external_id,email,full_name,job_title,department,seniority,years_in_industry,
		   company,account_id,industry,company_size,annual_revenue,country,source,campaign,
		   unsubscribed,properties}'),
		(1, '{app,sales,marketing}', 'SELECT', '{lead_alias}', '{lead_id,external_id,email,former_key}'),
		(1, '{app,sales,marketing}', 'INSERT', '{lead_alias}', '{lead_id,external_id,email}'),
		(1, '{app,sales,marketing}', 'SELECT', '{activity}', '{lead_id,occurred_at,activity_id,external_id}'),
		(1, '{app,sales,marketing}', 'SELECT', '{kind,source}', NULL),

		(1, '{sales,marketing}', 'SELECT', '{*}', NULL),
		-- whole rows: what triggers keep they keep from whoever writes it
		(1, '{sales,marketing}', 'UPDATE', '{lead}',
		 '{lead_id,owner,resume_at,reason,note,answers,stage,stage_entered_at,
		   cycle,cycle_started_at,accepted_by,accepted_at,scorecard,deals_open,deals_won,
		   deals_lost,won_amount,due_at,review_at,state_version,created_at}'::name[] || _frameworks()::name[]),
		(1, '{sales,marketing}', 'INSERT, UPDATE', '{account,answer}', NULL),
		(1, '{sales,marketing}', 'UPDATE', '{activity}', NULL),
		(1, '{sales,marketing}', 'DELETE', '{lead_alias}', NULL),
		(1, '{sales,marketing}', 'INSERT', '{verdict}', NULL),
		(1, '{sales,marketing}', 'INSERT', '{signature}', '{lead_id,to_stage,definition,side,note}'),
		-- triggers keep these: whatever is written there is who signed
		(1, '{sales,marketing}', 'UPDATE', '{definition}',
		 '{agreed_by_marketing,agreed_by_sales,agreed_at}'),

		(1, '{sales}', 'INSERT, UPDATE', '{deal}', NULL),
		(1, '{sales}', 'INSERT, UPDATE, DELETE', '{deal_contact}', NULL),

		(1, '{marketing}', 'INSERT, UPDATE, DELETE',
		 '{kind,source,list,element,stage,calendar,holiday,transition,rule,reason,message,spend}', NULL),
		-- their ids come from the sequence, or a later row would be refused
		(1, '{marketing}', 'DELETE', '{question,content}', NULL),
		(1, '{marketing}', 'INSERT', '{question}', '{framework,element,text,position}'),
		(1, '{marketing}', 'UPDATE', '{question}', '{framework,element,text,position}'),
		(1, '{marketing}', 'INSERT', '{content}', '{title,url,milestones,stages,topic,position}'),
		(1, '{marketing}', 'UPDATE', '{content}', '{title,url,milestones,stages,topic,position}'),
		(2, '{marketing}', 'DELETE', '{target}', NULL),
		(2, '{marketing}', 'INSERT', '{target}', '{metric,starts_on,ends_on,source,owner,value}'),
		(2, '{marketing}', 'UPDATE', '{target}', '{metric,starts_on,ends_on,source,owner,value}'),
		(2, '{marketing}', 'UPDATE', '{setting}', '{attribution_window}'),
		-- the rest of it says what the funnel consists of
		(1, '{marketing}', 'UPDATE', '{setting}',
		 '{time_zone,currency,maturity_days,worth_rate,sales_capacity,attribution_first,
		   attribution_last,attribution_anchor,attribution_half_life}'),
		-- to remove or rename one would make room for another, which asks for
		-- no signatures
		(1, '{marketing}', 'INSERT', '{definition}', NULL),
		(1, '{marketing}', 'UPDATE', '{definition}', '{review_by,max_fit,max_engagement,floor,note}'),

		(1, '{analyst}', 'SELECT',
		 '{setting,kind,source,list,element,question,stage,calendar,holiday,transition,rule,
		   reason,message,content,definition,side,definition_log,deal,deal_contact,spend}', NULL),
		(2, '{analyst}', 'SELECT', '{target}', NULL),
		(1, '{analyst}', 'SELECT', '{signature}',
		 '{signature_id,lead_id,to_stage,cycle,definition,version,side,signed_by,signed_at}'),
		(1, '{analyst}', 'SELECT', '{lead}',
		 '{lead_id,job_title,department,seniority,years_in_industry,company,account_id,
		   industry,company_size,annual_revenue,country,source,campaign,unsubscribed,owner,
		   resume_at,reason,answers,stage,stage_entered_at,cycle,cycle_started_at,
		   accepted_by,accepted_at,scorecard,deals_open,deals_won,deals_lost,won_amount,
		   due_at,review_at,state_version,created_at}'::name[] || _frameworks()::name[]),
		(1, '{analyst}', 'SELECT', '{journey,departure}', NULL),
		(1, '{analyst}', 'SELECT', '{account}', '{account_id,name,domain}'),
		(1, '{analyst}', 'SELECT', '{activity}',
		 '{lead_id,occurred_at,activity_id,kind,source,campaign,actor,recorded_at}'),
		(1, '{analyst}', 'SELECT', '{answer}',
		 '{lead_id,answer_id,framework,element,level,via,answered_by,answered_at}'),
		(1, '{analyst}', 'SELECT', '{verdict}',
		 '{verdict_id,lead_id,side,qualified,judged_by,judged_at}'),
		(1, '{analyst}', 'SELECT', '{stage_history}',
		 '{history_id,lead_id,from_stage,to_stage,entered_at,cycle,actor,automatic,exception,
		   reason,score,definition,version,source,campaign,owner,account_id,due_at,ordinal,
		   scorecard,first_touch_at,first_conversation_at,touches,voided_at,voided_by}');
END;

COMMENT ON FUNCTION _funnel_grants() IS
'what the profiles of grant_funnel() are granted, a row a GRANT, since which template of a funnel';

-- Where leads are in a table of the user's, a view reads it with the rights of
-- whoever queries: so what is granted on "lead" is granted on the table, too.
CREATE FUNCTION _grant_statements(funnel text, profile text, template integer, only_ours boolean) RETURNS SETOF text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	lead_table constant regclass := @extschema@._lead_table(schema);
	lead_schema constant oid := (SELECT relnamespace FROM pg_class WHERE oid = lead_table);
	all_tables text := format('ALL TABLES IN SCHEMA %I', funnel);
	all_sequences text := format('ALL SEQUENCES IN SCHEMA %I', funnel);
	row_of record;
BEGIN
	IF only_ours THEN
		SELECT string_agg(DISTINCT c.oid::regclass::text, ', '),
			   'SEQUENCE ' || string_agg(DISTINCT s.oid::regclass::text, ', ')
			INTO all_tables, all_sequences
		FROM pg_class AS c
		LEFT JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
			AND d.refobjid = c.oid AND d.deptype IN ('a', 'i')
		LEFT JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
		WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v')
		AND c.relname = ANY (@extschema@._funnel_relations(template));
	END IF;
	FOR row_of IN
		SELECT g.privileges, g.columns, g.relations = '{*}' AS all_of_them, 'lead' = ANY (g.relations) AS of_leads,
			   (SELECT string_agg(format('%I.%I', funnel, r.name), ', ' ORDER BY r.position)
				FROM unnest(g.relations) WITH ORDINALITY AS r (name, position)) AS relations,
			   (SELECT ' (' || string_agg(quote_ident(c), ', ') || ')' FROM unnest(g.columns) AS c) AS of_columns
		FROM @extschema@._funnel_grants() AS g
		WHERE profile = ANY (g.profiles) AND g.since <= template
	LOOP
		RETURN NEXT format('%s%s ON %s', row_of.privileges, row_of.of_columns,
						   CASE WHEN row_of.all_of_them THEN all_tables
								ELSE row_of.relations END);
		IF lead_schema <> schema AND (row_of.all_of_them OR row_of.of_leads) THEN
			RETURN NEXT format('%s%s ON %s', row_of.privileges,
							   (SELECT ' (' || string_agg(quote_ident(c), ', ') || ')'
								FROM unnest(@extschema@._lead_column_names(funnel, row_of.columns::text[])) AS c),
							   lead_table);
		END IF;
	END LOOP;
	IF profile = 'admin' THEN
		-- to set one back would have it give ids again
		RETURN NEXT format('USAGE, SELECT ON %s', all_sequences);
	END IF;
END
$body$;

COMMENT ON FUNCTION _grant_statements(text, text, integer, boolean) IS
'the GRANTs of a profile on a funnel of that template, without their first word and their role; on all tables in its schema, or on ours only';

CREATE FUNCTION _grant_profile(funnel text, grantee regrole, profile text, only_ours boolean) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema oid := @extschema@._funnel_schema(funnel);
	template constant integer := @extschema@._funnel_template(schema);
	lead_schema constant oid := (SELECT relnamespace FROM pg_class WHERE oid = @extschema@._lead_table(schema));
	what text;
	granted text;
	viewed record;
BEGIN
	granted := format('GRANT USAGE ON SCHEMA %I TO %s', funnel, grantee);
	EXECUTE granted;
	RETURN NEXT granted;

	IF lead_schema <> schema AND NOT has_schema_privilege(grantee, lead_schema, 'USAGE') THEN
		granted := format('GRANT USAGE ON SCHEMA %s TO %s', lead_schema::regnamespace, grantee);
		EXECUTE granted;
		RETURN NEXT granted;
	END IF;
	FOR what IN SELECT * FROM @extschema@._grant_statements(funnel, profile, template, only_ours) LOOP
		granted := format('GRANT %s TO %s', what, grantee);
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
		AND c.relname = ANY (@extschema@._funnel_relations(template))
		ORDER BY c.oid
	LOOP
		IF NOT EXISTS (
			SELECT
			FROM pg_rewrite AS r
			JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
			-- what is no row type of a function's result
			JOIN pg_class AS t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid AND t.relkind <> 'c'
			WHERE r.ev_class = viewed.oid AND d.refobjid <> viewed.oid
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

COMMENT ON FUNCTION _grant_profile(text, regrole, text, boolean) IS
'grants a role what a profile has on a funnel, and returns the statements';

CREATE FUNCTION grant_funnel(funnel text, grantee regrole, profile text) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
BEGIN
	IF grantee IS NULL OR grantee = 0 THEN
		RAISE EXCEPTION 'a role to grant to must be given'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF profile IS NULL OR
	   NOT EXISTS (SELECT FROM @extschema@._funnel_grants() AS g WHERE profile = ANY (g.profiles)) THEN
		RAISE EXCEPTION 'unknown profile: "%"', @extschema@._clip(profile::text)
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'Profiles are app, sales, marketing, analyst and admin.';
	END IF;
	-- else GRANT itself would only warn that nothing was granted
	PERFORM @extschema@._require_funnel_owner(schema, 'grant_funnel'::text);

	RETURN QUERY SELECT * FROM @extschema@._grant_profile(funnel, grantee, profile, false);
END
$body$;

COMMENT ON FUNCTION grant_funnel(text, regrole, text) IS
'grants a role the privileges of a profile on a funnel, and returns the statements: app, analyst, sales, marketing or admin';
