--
-- Trigger functions of facts and of small tables
--
-- Which triggers a funnel has is written in src/funnel/trigger_rows.c.
--
CREATE FUNCTION _stamp_deal() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_stamp_deal'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	home text;
BEGIN
	-- a client that writes whole rows has NULL where it says nothing
	IF TG_OP = 'INSERT' THEN
		NEW.status := coalesce(NEW.status, 'open');
		NEW.opened_at := coalesce(NEW.opened_at, @extschema@.funnel_now());
	END IF;
	IF @extschema@._importing() THEN
		RETURN NEW;
	END IF;

	IF NEW.status = 'open' THEN
		NEW.closed_at := NULL;
	ELSIF NEW.closed_at IS NULL THEN
		NEW.closed_at := @extschema@.funnel_now();
	END IF;

	-- where nothing is to be exchanged, home_amount follows the amount; what
	-- followed it is no exchange when the currency turns out to be another
	IF NEW.home_amount IS NULL OR
	   (NEW.home_amount = OLD.home_amount AND OLD.home_amount = OLD.amount) THEN
		EXECUTE format('SELECT currency FROM %I.setting', TG_TABLE_SCHEMA)
			INTO home;
		IF NEW.currency IS NULL OR NEW.currency = home THEN
			NEW.home_amount := coalesce(NEW.amount, NEW.home_amount);
		ELSIF OLD.currency IS NULL OR OLD.currency = home THEN
			NEW.home_amount := NULL;
		END IF;
	END IF;

	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _stamp_deal() IS
'trigger on deal: keeps closed_at in step with status, and home_amount where no exchange is needed';

--
-- What is in use cannot be removed, and an element or a side keeps its name.
-- There is no foreign key from
-- the busy tables to these small ones: it would lock one row from every
-- transaction.
--

CREATE FUNCTION _users_of(funnel text, relation text, content jsonb) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	uses text[];
BEGIN
	EXECUTE format('SELECT array_agg(u.used_by ORDER BY u.used_by) FROM (' || CASE relation
		WHEN 'stage' THEN $query$
			SELECT format('%%s of "%%s"', n, of_table)
			FROM (SELECT 'lead', count(*) FROM %1$I.lead WHERE stage = $1 ->> 'stage'
				  UNION ALL
				  SELECT 'reason', count(*) FROM %1$I.reason WHERE applies_to = $1 ->> 'stage'
				  UNION ALL
				  SELECT 'stage_history', count(*) FROM %1$I.stage_history WHERE $1 ->> 'stage' IN (to_stage, from_stage)
				  UNION ALL
				  SELECT 'transition', count(*) FROM %1$I.transition WHERE $1 ->> 'stage' IN (to_stage, from_stage)
				 ) AS use (of_table, n)
			WHERE n > 0 $query$
		WHEN 'element' THEN $query$
			SELECT format('%%s of "answer"', count(*)) FROM %1$I.answer
			WHERE framework = $1 ->> 'framework' AND element = $1 ->> 'element' HAVING count(*) > 0
			UNION ALL
			SELECT format('column "%%s" of the leads', f) FROM unnest(@extschema@._frameworks()) AS f
			WHERE f = $1 ->> 'framework' $query$
		-- the log may be long: one is enough
		WHEN 'kind' THEN $query$
			SELECT format('rule "%%s" of definition "%%s"', name, definition) FROM %1$I.rule WHERE kind = $1 ->> 'kind'
			UNION ALL
			SELECT 'activities' WHERE EXISTS (SELECT FROM %1$I.activity WHERE kind = $1 ->> 'kind') $query$
		WHEN 'reason' THEN $query$
			SELECT format('the transition %%sto "%%s" of definition "%%s"', 'from "' || from_stage || '" ', to_stage, definition)
			FROM %1$I.transition WHERE to_stage = $1 ->> 'applies_to' AND reason = $1 ->> 'reason' $query$
		WHEN 'side' THEN $query$
			SELECT format('%%s of "%%s"', n, of_table)
			FROM (SELECT 'transition', count(*) FROM %1$I.transition WHERE $1 ->> 'side' = ANY (sides)
				  UNION ALL
				  SELECT 'definition', count(*) FROM %1$I.definition WHERE $1 ->> 'side' = ANY (sides)
				  UNION ALL
				  SELECT 'signature', count(*) FROM %1$I.signature WHERE side = $1 ->> 'side') AS use (of_table, n)
			WHERE n > 0 $query$
		END || ') AS u (used_by)', funnel)
		INTO uses USING content;
	RETURN uses;
END
$body$;

COMMENT ON FUNCTION _users_of(text, text, jsonb) IS
'what names a row of a small table of a funnel: leads, facts, rules, transitions; NULL: nothing';

CREATE FUNCTION _protect_used() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_protect_used'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	content jsonb;
	uses text[];
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		IF @extschema@._importing() THEN
			RETURN NULL;
		END IF;
		FOR content IN EXECUTE format('SELECT to_jsonb(t) FROM %I.%I AS t', TG_TABLE_SCHEMA, TG_TABLE_NAME) LOOP
			uses := @extschema@._users_of(TG_TABLE_SCHEMA::text, TG_TABLE_NAME::text, content);
			EXIT WHEN uses IS NOT NULL;
		END LOOP;
	ELSE
		content := to_jsonb(OLD);
		IF TG_OP = 'UPDATE' THEN
			IF @extschema@._policy_key(TG_TABLE_NAME::text, content) = @extschema@._policy_key(TG_TABLE_NAME::text, to_jsonb(NEW)) THEN
				RETURN NEW;
			END IF;
			-- what names these follows their new name
			IF TG_TABLE_NAME IN ('stage', 'kind') OR
			   (TG_TABLE_NAME = 'reason' AND content ->> 'applies_to' = to_jsonb(NEW) ->> 'applies_to') THEN
				RETURN NEW;
			END IF;
		END IF;
		uses := @extschema@._users_of(TG_TABLE_SCHEMA::text, TG_TABLE_NAME::text, content);
	END IF;

	IF uses IS NOT NULL THEN
		RAISE EXCEPTION '% "%" is in use', TG_TABLE_NAME,
			concat(content ->> 'framework' || '.', content ->> TG_TABLE_NAME)
			USING ERRCODE = 'dependent_objects_still_exist',
				  DETAIL = format('It is named by %s.', array_to_string(uses, ', ')),
				  HINT = CASE TG_TABLE_NAME
					WHEN 'stage' THEN 'A stage that no transition leads to stays empty: remove the transitions and keep the stage.'
					WHEN 'element' THEN 'Its label, weight and position may be changed.'
					WHEN 'kind' THEN 'Its party, touch, conversation and description may be changed.'
					WHEN 'reason' THEN 'Give the transition another reason first, or change its label and position only.'
					ELSE 'Its role and description may be changed.' END,
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;
	RETURN coalesce(NEW, OLD);
END
$body$;

COMMENT ON FUNCTION _protect_used() IS
'trigger on stage, element, kind, reason and side: BEFORE UPDATE, DELETE or TRUNCATE: what is named elsewhere is not removed; a stage, kind or reason may be renamed, an element or a side not';

-- A deadline in working time needs working time.
CREATE FUNCTION _check_working_time() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_check_working_time'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	never boolean;
	stages text[];
BEGIN
	IF @extschema@._importing() THEN
		RETURN NULL;
	END IF;

	EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I.calendar)', TG_TABLE_SCHEMA)
		INTO never;
	IF NOT never THEN
		RETURN NULL;
	END IF;
	EXECUTE format('SELECT array_agg(format(''"%%s"'', stage) ORDER BY position) FROM %I.stage '
				   'WHERE working_time AND sla IS NOT NULL', TG_TABLE_SCHEMA)
		INTO stages;
	IF stages IS NOT NULL THEN
		RAISE EXCEPTION 'the calendar of funnel "%" has no working time', TG_TABLE_SCHEMA
			USING ERRCODE = 'check_violation',
				  DETAIL = format('The deadline of %s counts working time.', array_to_string(stages, ', ')),
				  HINT = format('Insert hours into %I.calendar first, or set working_time of the stage to false.',
								TG_TABLE_SCHEMA),
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;
	RETURN NULL;
END
$body$;

COMMENT ON FUNCTION _check_working_time() IS
'trigger on stage and calendar: refuses a deadline in working time while the calendar never opens';

-- The constraints of the table say the same to those who write at once, but
-- not in words.
CREATE FUNCTION _check_hours() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_check_hours'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	weekday constant text := ('{Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday}'::text[])[NEW.weekday];
	other text;
BEGIN
	IF @extschema@._importing() THEN
		RETURN NEW;
	END IF;
	IF NEW.opens >= NEW.closes THEN
		RAISE EXCEPTION 'hours of % close before they open', weekday
			USING ERRCODE = 'check_violation',
				  DETAIL = format('They are %s to %s.', NEW.opens, NEW.closes),
				  HINT = 'Hours past midnight are two rows: up to 24:00, and from 00:00 of the next day.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;
	EXECUTE format('SELECT format(''%%s to %%s'', opens, closes) FROM %I.calendar '
				   'WHERE weekday = $1 AND opens < $3 AND closes > $2 AND NOT (weekday, opens) = ($4, $5) '
				   'ORDER BY opens LIMIT 1', TG_TABLE_SCHEMA)
		INTO other USING NEW.weekday, NEW.opens, NEW.closes,
						 CASE TG_OP WHEN 'UPDATE' THEN OLD.weekday ELSE 0 END,
						 CASE TG_OP WHEN 'UPDATE' THEN OLD.opens ELSE '00:00' END;
	IF other IS NOT NULL THEN
		RAISE EXCEPTION 'hours of % overlap', weekday
			USING ERRCODE = 'exclusion_violation',
				  DETAIL = format('%s to %s has time in common with %s.', NEW.opens, NEW.closes, other),
				  HINT = 'Change the hours that are there, or begin where they end.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'calendar_overlap';
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _check_hours() IS
'trigger on calendar: refuses hours that close before they open, or that overlap';

-- The one row of settings stays, and what it says of the funnel's make is ours.
-- TimeZone is set, so that what is tried here ends with the function.
CREATE FUNCTION _keep_setting() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_keep_setting'::text, TG_RELID, TG_WHEN, TG_LEVEL, TG_OP);
BEGIN
	IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
		IF @extschema@._importing() THEN
			RETURN OLD;
		END IF;
		RAISE EXCEPTION 'the settings of funnel "%" cannot be deleted', TG_TABLE_SCHEMA
			USING ERRCODE = 'restrict_violation',
				  DETAIL = 'A funnel has exactly one row of settings.',
				  HINT = 'Update it; drop_funnel() drops the funnel.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;

	-- one that cannot be computed with would refuse every fact
	IF TG_OP = 'INSERT' OR NEW.time_zone <> OLD.time_zone THEN
		BEGIN
			PERFORM timezone(NEW.time_zone, now()), set_config('TimeZone', NEW.time_zone, true);
		EXCEPTION
			WHEN data_exception THEN
				RAISE EXCEPTION 'time zone "%" not recognized', NEW.time_zone
					USING ERRCODE = 'invalid_parameter_value',
						  HINT = 'View pg_timezone_names lists those that are known.',
						  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'time_zone';
		END;
	END IF;

	-- to change what was signed is not for those to allow who would change it
	IF TG_OP = 'UPDATE' AND NEW.edit_signed IS DISTINCT FROM OLD.edit_signed AND NOT @extschema@._owns_table(TG_RELID::oid) THEN
		RAISE EXCEPTION 'permission denied to change edit_signed'
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('Only members of role "%s", which owns the funnel, may.',
								  (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)),
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'edit_signed';
	END IF;

	IF TG_OP = 'UPDATE' AND NOT @extschema@._importing() THEN
		NEW.template_version := OLD.template_version;
		NEW.lead_table := OLD.lead_table;
		NEW.lead_key := OLD.lead_key;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _keep_setting() IS
'trigger on setting: its row stays, the time zone is one that is known, edit_signed is the owner''s; keeps template_version, lead_table and lead_key';
