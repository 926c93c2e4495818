--
-- Triggers: the rows that say which a funnel has, the proof that one was fired
-- as they say, and the trigger functions.
--
CREATE FUNCTION _template_triggers(OUT relation name, OUT trigger name, OUT function regproc,
								   OUT timing text, OUT events text, OUT level text,
								   OUT old_rows boolean, OUT new_rows boolean, OUT is_deferrable boolean,
								   OUT enabled "char", OUT type smallint,
								   OUT since integer, OUT until integer)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION _template_triggers() IS
'the triggers that funnels have, of which templates (since 0: of all, until NULL: of those to come); type and enabled as in pg_trigger';

-- Its arguments are of the types that PL/pgSQL's variables have.
CREATE FUNCTION _prove_trigger(function text, relid oid, tg_when text, tg_level text, tg_op text) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _prove_trigger(text, oid, text, text, text) IS
'the first act of a trigger function: raises unless it was fired as _template_triggers() says, on a table of a funnel';

CREATE FUNCTION _qualify_lead() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _qualify_lead() IS
'BEFORE INSERT OR UPDATE ON lead FOR EACH ROW: fit, the stage asked for or earned, deadlines';

CREATE FUNCTION _record_lead() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _record_lead() IS
'AFTER INSERT OR UPDATE ON lead FOR EACH ROW: writes moves to stage_history and answers to their log';

CREATE FUNCTION _forget_lead() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _forget_lead() IS
'AFTER DELETE ON lead FOR EACH ROW: its aliases, activities, answers, verdicts and baseline go with it';

CREATE FUNCTION _guard_alias() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _guard_alias() IS
'BEFORE INSERT OR UPDATE ON lead_alias FOR EACH ROW: refuses what is another lead''s own; since is the clock''s';

CREATE FUNCTION _require_lead() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _require_lead() IS
'AFTER INSERT or UPDATE ON baseline, lead_alias, verdict, signature or stage_history FOR EACH STATEMENT: a row names a lead that is there';

CREATE FUNCTION _stamp_activity() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _stamp_activity() IS
'BEFORE INSERT OR UPDATE ON activity FOR EACH ROW: recorded_at is the clock''s';

CREATE FUNCTION _ingest_activity() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _ingest_activity() IS
'AFTER INSERT, UPDATE or DELETE ON activity FOR EACH STATEMENT: scores the leads it is about';

CREATE FUNCTION _stamp_answer() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _stamp_answer() IS
'BEFORE INSERT OR UPDATE ON answer FOR EACH ROW: puts down who answered';

CREATE FUNCTION _ingest_answer() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _ingest_answer() IS
'AFTER INSERT, UPDATE or DELETE ON answer FOR EACH STATEMENT: the lead holds the latest answers';

CREATE FUNCTION _ingest_deal() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _ingest_deal() IS
'AFTER INSERT, UPDATE or DELETE ON deal FOR EACH STATEMENT: the leads of a deal count it';

CREATE FUNCTION _ingest_deal_contact() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _ingest_deal_contact() IS
'AFTER INSERT, UPDATE or DELETE ON deal_contact FOR EACH STATEMENT: the leads count their deals';

CREATE FUNCTION _refit_account_leads() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _refit_account_leads() IS
'AFTER UPDATE ON account FOR EACH STATEMENT: leads are judged anew where conditions read what changed';

CREATE FUNCTION _guard_verdict() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _guard_verdict() IS
'BEFORE INSERT OR UPDATE ON verdict FOR EACH ROW: members of the side''s role judge; puts down who judged, and when';

CREATE FUNCTION _policy_changed() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _policy_changed() IS
'AFTER INSERT OR UPDATE OR DELETE (row) and TRUNCATE on policy tables: every session reads them anew';

CREATE FUNCTION _list_changed() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _list_changed() IS
'AFTER UPDATE ON list FOR EACH STATEMENT: conditions follow a list whose values all got the same new name';

CREATE FUNCTION _guard_id() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _guard_id() IS
'BEFORE INSERT OR UPDATE on tables with an id FOR EACH ROW: it is one that the sequence gave, unless the owner writes';

CREATE FUNCTION _version_used(funnel text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION _version_used(text) IS
'somebody goes by the definitions of a funnel as they are now: what this transaction changes next is another version';

CREATE FUNCTION _append_only_history() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _append_only_history() IS
'BEFORE INSERT OR UPDATE OR DELETE ON stage_history FOR EACH ROW: its rows are written by triggers; a move may be voided, nothing else';

CREATE FUNCTION _refuse_change() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _refuse_change() IS
'BEFORE ROW and BEFORE TRUNCATE on signature, definition_log, baseline and departure: they are append-only, or written by other triggers alone';

CREATE FUNCTION _refuse_write() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _refuse_write() IS
'BEFORE INSERT, UPDATE, DELETE OR TRUNCATE ON journey FOR EACH STATEMENT: it follows from other tables, and other triggers alone write it';

CREATE FUNCTION _follow_stage() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _follow_stage() IS
'AFTER INSERT, UPDATE or DELETE ON stage FOR EACH STATEMENT: units of leads have the milestones of their stages';

CREATE FUNCTION _follow_kind() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _follow_kind() IS
'AFTER INSERT, UPDATE or DELETE ON kind FOR EACH STATEMENT: units of leads have what sales did with them';

CREATE FUNCTION _follow_history() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _follow_history() IS
'AFTER UPDATE ON stage_history FOR EACH STATEMENT: units of leads go without a move that was voided by hand';

CREATE FUNCTION _refuse_truncate() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _refuse_truncate() IS
'BEFORE TRUNCATE FOR EACH STATEMENT: leads could not follow';
