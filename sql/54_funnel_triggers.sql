--
-- Trigger functions of facts and of small tables
--
-- Which triggers a funnel has is written in src/funnel/trigger_rows.c.
--
CREATE FUNCTION stamp_deal() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('stamp_deal'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	home text;
BEGIN
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

COMMENT ON FUNCTION stamp_deal() IS
'trigger on deal: keeps closed_at in step with status, and home_amount where no exchange is needed';

--
-- What is in use cannot be renamed or removed.  There is no foreign key from
-- the busy tables to these small ones: it would lock one row from every
-- transaction.
--
CREATE FUNCTION _refuse_in_use(what text, named text, uses text[], advice text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RAISE EXCEPTION '% "%" is in use', what, named
		USING ERRCODE = 'dependent_objects_still_exist',
			  DETAIL = format('It is named by %s.', array_to_string(uses, ', ')),
			  HINT = advice;
END
$body$;

COMMENT ON FUNCTION _refuse_in_use(text, text, text[], text) IS
'raises the error of the protect_*() triggers';

CREATE FUNCTION protect_stage() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('protect_stage'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	uses text[];
BEGIN
	IF TG_OP = 'UPDATE' AND NEW.stage = OLD.stage THEN
		RETURN NEW;
	END IF;

	EXECUTE format($query$
		SELECT array_agg(format('%%s of "%%s"', n, used_by) ORDER BY used_by)
		FROM (SELECT 'lead', count(*) FROM %1$I.lead WHERE stage = $1
			  UNION ALL
			  SELECT 'reason', count(*) FROM %1$I.reason WHERE applies_to = $1
			  UNION ALL
			  SELECT 'stage_history', count(*) FROM %1$I.stage_history
			  WHERE to_stage = $1 OR from_stage = $1
			  UNION ALL
			  SELECT 'transition', count(*) FROM %1$I.transition
			  WHERE to_stage = $1 OR from_stage = $1) AS use (used_by, n)
		WHERE n > 0 $query$, TG_TABLE_SCHEMA)
		INTO uses USING OLD.stage;

	IF uses IS NOT NULL THEN
		PERFORM @extschema@._refuse_in_use('stage'::text, OLD.stage::text, uses,
			'A stage that no transition leads to stays empty: remove the transitions and keep the stage.'::text);
	END IF;

	IF TG_OP = 'DELETE' THEN
		RETURN OLD;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION protect_stage() IS
'trigger on stage: refuses to rename or remove a stage that leads, history, transitions or reasons name';

CREATE FUNCTION protect_element() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('protect_element'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	n bigint;
BEGIN
	IF TG_OP = 'UPDATE' AND NEW.framework = OLD.framework AND
	   NEW.element = OLD.element THEN
		RETURN NEW;
	END IF;

	EXECUTE format('SELECT count(*) FROM %I.answer WHERE framework = $1 AND element = $2',
				   TG_TABLE_SCHEMA)
		INTO n USING OLD.framework, OLD.element;

	IF n > 0 THEN
		PERFORM @extschema@._refuse_in_use('element'::text, format('%s.%s', OLD.framework, OLD.element),
			ARRAY[format('%s of "answer"', n)],
			'Its label, weight and position may be changed.'::text);
	END IF;

	IF TG_OP = 'DELETE' THEN
		RETURN OLD;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION protect_element() IS
'trigger on element: refuses to rename or remove an element that answers name';

CREATE FUNCTION protect_kind() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('protect_kind'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	uses text[];
	used boolean;
BEGIN
	IF TG_OP = 'UPDATE' AND NEW.kind = OLD.kind THEN
		RETURN NEW;
	END IF;

	EXECUTE format($query$
		SELECT array_agg(format('rule "%%s" of definition "%%s"', name, definition)
						 ORDER BY definition, name)
		FROM %I.rule WHERE kind = $1 $query$, TG_TABLE_SCHEMA)
		INTO uses USING OLD.kind;

	-- the log may be long: one is enough
	EXECUTE format('SELECT EXISTS (SELECT FROM %I.activity WHERE kind = $1)',
				   TG_TABLE_SCHEMA)
		INTO used USING OLD.kind;
	IF used THEN
		uses := uses || text 'activities';
	END IF;

	IF uses IS NOT NULL THEN
		PERFORM @extschema@._refuse_in_use('kind'::text, OLD.kind::text, uses,
			'Its party, touch, conversation and description may be changed.'::text);
	END IF;

	IF TG_OP = 'DELETE' THEN
		RETURN OLD;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION protect_kind() IS
'trigger on kind: refuses to rename or remove a kind that rules or activities name';

-- A deadline in working time needs working time.
CREATE FUNCTION check_working_time() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('check_working_time'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
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

COMMENT ON FUNCTION check_working_time() IS
'trigger on stage and calendar: refuses a deadline in working time while the calendar never opens';

-- The constraints of the table say the same to those who write at once, but
-- not in words.
CREATE FUNCTION check_hours() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('check_hours'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
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

COMMENT ON FUNCTION check_hours() IS
'trigger on calendar: refuses hours that close before they open, or that overlap';

-- The one row of settings stays, and what it says of the funnel's make is ours.
-- TimeZone is set, so that what is tried here ends with the function.
CREATE FUNCTION keep_setting() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('keep_setting'::text, TG_RELID, TG_WHEN, TG_LEVEL, TG_OP);
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

	IF TG_OP = 'UPDATE' AND NOT @extschema@._importing() THEN
		NEW.template_version := OLD.template_version;
		NEW.lead_table := OLD.lead_table;
		NEW.lead_key := OLD.lead_key;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION keep_setting() IS
'trigger on setting: its row stays, the time zone is one that is known; keeps template_version, lead_table and lead_key';
