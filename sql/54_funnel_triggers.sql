--
-- The triggers of a funnel
--
-- Names begin with zz: triggers fire in the order of their names, and ours
-- see what the user's own BEFORE triggers left.  The exception is aa_record: a
-- move is in the history before an AFTER trigger of the user's makes another.
--
CREATE FUNCTION stamp_deal() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
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

	-- where nothing is to be exchanged, home_amount follows the amount
	IF NEW.amount IS NOT NULL AND
	   (NEW.home_amount IS NULL OR
		(NEW.home_amount = OLD.home_amount AND OLD.home_amount = OLD.amount)) THEN
		EXECUTE format('SELECT currency FROM %I.setting', TG_TABLE_SCHEMA)
			INTO home;
		IF NEW.currency IS NULL OR NEW.currency = home THEN
			NEW.home_amount := NEW.amount;
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

CREATE FUNCTION _create_lead_triggers(has_keys boolean) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	-- lint: search_path, because create_funnel() has set it
	CREATE TRIGGER zz_qualify BEFORE INSERT OR UPDATE ON lead
		FOR EACH ROW EXECUTE FUNCTION qualify_lead();
	CREATE TRIGGER aa_record AFTER INSERT OR UPDATE ON lead
		FOR EACH ROW EXECUTE FUNCTION record_lead();
	CREATE TRIGGER zz_no_truncate BEFORE TRUNCATE ON lead
		FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
	-- in the place of foreign keys to a table that cannot have them
	IF NOT has_keys THEN
		CREATE TRIGGER zz_forget AFTER DELETE ON lead
			FOR EACH ROW EXECUTE FUNCTION forget_lead();
	END IF;
END
$template$;

COMMENT ON FUNCTION _create_lead_triggers(boolean) IS
'creates the triggers of table "lead" of a funnel, whose facts have foreign keys to it or not; called by create_funnel()';

CREATE FUNCTION _create_funnel_triggers() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	-- lint: search_path, because create_funnel() has set it
	CREATE TRIGGER zz_append_only BEFORE UPDATE OR DELETE ON stage_history
		FOR EACH ROW EXECUTE FUNCTION append_only_history();
	CREATE TRIGGER zz_no_truncate BEFORE TRUNCATE ON stage_history
		FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

	--
	-- Facts
	--
	CREATE TRIGGER zz_stamp BEFORE INSERT OR UPDATE ON activity
		FOR EACH ROW EXECUTE FUNCTION stamp_activity();
	CREATE TRIGGER zz_insert AFTER INSERT ON activity
		REFERENCING NEW TABLE AS new_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_activity();
	CREATE TRIGGER zz_update AFTER UPDATE ON activity
		REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_activity();
	CREATE TRIGGER zz_delete AFTER DELETE ON activity
		REFERENCING OLD TABLE AS old_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_activity();
	CREATE TRIGGER zz_no_truncate BEFORE TRUNCATE ON activity
		FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

	CREATE TRIGGER zz_insert AFTER INSERT ON answer
		REFERENCING NEW TABLE AS new_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_answer();
	CREATE TRIGGER zz_update AFTER UPDATE ON answer
		REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_answer();
	CREATE TRIGGER zz_delete AFTER DELETE ON answer
		REFERENCING OLD TABLE AS old_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_answer();
	CREATE TRIGGER zz_no_truncate BEFORE TRUNCATE ON answer
		FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

	CREATE TRIGGER zz_update AFTER UPDATE ON account
		REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
		FOR EACH STATEMENT EXECUTE FUNCTION refit_account_leads();

	CREATE TRIGGER zz_stamp BEFORE INSERT OR UPDATE ON deal
		FOR EACH ROW EXECUTE FUNCTION stamp_deal();
	CREATE TRIGGER zz_insert AFTER INSERT ON deal
		REFERENCING NEW TABLE AS new_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_deal();
	CREATE TRIGGER zz_update AFTER UPDATE ON deal
		REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_deal();
	CREATE TRIGGER zz_delete AFTER DELETE ON deal
		REFERENCING OLD TABLE AS old_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_deal();
	CREATE TRIGGER zz_no_truncate BEFORE TRUNCATE ON deal
		FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

	CREATE TRIGGER zz_insert AFTER INSERT ON deal_contact
		REFERENCING NEW TABLE AS new_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_deal_contact();
	CREATE TRIGGER zz_update AFTER UPDATE ON deal_contact
		REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_deal_contact();
	CREATE TRIGGER zz_delete AFTER DELETE ON deal_contact
		REFERENCING OLD TABLE AS old_rows
		FOR EACH STATEMENT EXECUTE FUNCTION ingest_deal_contact();
	CREATE TRIGGER zz_no_truncate BEFORE TRUNCATE ON deal_contact
		FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

	--
	-- Policy: checked as it is written
	--
	CREATE TRIGGER zz_check BEFORE INSERT OR UPDATE ON rule
		FOR EACH ROW EXECUTE FUNCTION check_rule();
	CREATE TRIGGER zz_protect BEFORE UPDATE OR DELETE ON rule
		FOR EACH ROW EXECUTE FUNCTION protect_rule();
	CREATE TRIGGER zz_check BEFORE INSERT OR UPDATE ON transition
		FOR EACH ROW EXECUTE FUNCTION check_transition();
	CREATE TRIGGER zz_protect BEFORE UPDATE OR DELETE ON stage
		FOR EACH ROW EXECUTE FUNCTION protect_stage();
	CREATE TRIGGER zz_protect BEFORE UPDATE OR DELETE ON element
		FOR EACH ROW EXECUTE FUNCTION protect_element();
	CREATE TRIGGER zz_protect BEFORE UPDATE OR DELETE ON kind
		FOR EACH ROW EXECUTE FUNCTION protect_kind();

	CREATE TRIGGER zz_open AFTER INSERT OR UPDATE ON stage
		FOR EACH STATEMENT EXECUTE FUNCTION check_working_time();
	CREATE TRIGGER zz_hours BEFORE INSERT OR UPDATE ON calendar
		FOR EACH ROW EXECUTE FUNCTION check_hours();
	CREATE TRIGGER zz_open AFTER DELETE OR TRUNCATE ON calendar
		FOR EACH STATEMENT EXECUTE FUNCTION check_working_time();
	CREATE TRIGGER zz_circle AFTER INSERT OR UPDATE ON transition
		FOR EACH ROW EXECUTE FUNCTION refuse_circle();
	CREATE TRIGGER zz_sides BEFORE INSERT OR UPDATE ON transition
		FOR EACH ROW EXECUTE FUNCTION check_sides();
	CREATE TRIGGER zz_sides BEFORE INSERT OR UPDATE ON definition
		FOR EACH ROW EXECUTE FUNCTION check_sides();
	CREATE TRIGGER zz_guard BEFORE INSERT OR UPDATE ON definition
		FOR EACH ROW EXECUTE FUNCTION guard_definition();
	CREATE CONSTRAINT TRIGGER zz_one_active AFTER UPDATE OR DELETE ON definition
		DEFERRABLE INITIALLY IMMEDIATE
		FOR EACH ROW EXECUTE FUNCTION keep_one_active();
	CREATE TRIGGER zz_protect BEFORE UPDATE OR DELETE ON side
		FOR EACH ROW EXECUTE FUNCTION protect_side();

	CREATE TRIGGER zz_guard BEFORE INSERT OR UPDATE ON verdict
		FOR EACH ROW EXECUTE FUNCTION guard_verdict();
	CREATE TRIGGER zz_stamp BEFORE INSERT ON signature
		FOR EACH ROW EXECUTE FUNCTION stamp_signature();
	CREATE TRIGGER zz_append_only BEFORE UPDATE OR DELETE ON signature
		FOR EACH ROW EXECUTE FUNCTION refuse_change();
	CREATE TRIGGER zz_no_truncate BEFORE TRUNCATE ON signature
		FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
	CREATE TRIGGER zz_append_only BEFORE UPDATE OR DELETE ON definition_log
		FOR EACH ROW EXECUTE FUNCTION refuse_change();
	CREATE TRIGGER zz_no_truncate BEFORE TRUNCATE ON definition_log
		FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

	--
	-- Policy: every session hears of a change, also of one that replication
	-- or session_replication_role = replica brings
	--
	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON setting
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON setting
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE setting ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE setting ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON kind
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON kind
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE kind ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE kind ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON source
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON source
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE source ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE source ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON list
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON list
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE list ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE list ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON element
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON element
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE element ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE element ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON stage
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON stage
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE stage ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE stage ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON calendar
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON calendar
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE calendar ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE calendar ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON holiday
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON holiday
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE holiday ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE holiday ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON definition
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON definition
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE definition ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE definition ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON transition
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON transition
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE transition ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE transition ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON rule
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON rule
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE rule ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE rule ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON side
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON side
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE side ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE side ENABLE ALWAYS TRIGGER zz_emptied;

	CREATE TRIGGER zz_changed AFTER INSERT OR UPDATE OR DELETE ON reason
		FOR EACH ROW EXECUTE FUNCTION policy_changed();
	CREATE TRIGGER zz_emptied AFTER TRUNCATE ON reason
		FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
	ALTER TABLE reason ENABLE ALWAYS TRIGGER zz_changed;
	ALTER TABLE reason ENABLE ALWAYS TRIGGER zz_emptied;
END
$template$;

COMMENT ON FUNCTION _create_funnel_triggers() IS
'creates the triggers of a funnel; called by create_funnel()';
