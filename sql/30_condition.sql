--
-- Conditions of rules and transitions
--
CREATE FUNCTION check_condition(funnel name, target text, condition text,
	definition text DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;

COMMENT ON FUNCTION check_condition(name, text, text, text) IS
'checks the condition of a rule or transition (target: fit, activity, transition) and returns it with all names qualified; raises if it is not one';

CREATE FUNCTION _condition_thresholds(funnel name, condition text, definition text,
	OUT quantity text, OUT rule_id bigint, OUT threshold numeric)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _condition_thresholds(name, text, text) IS
'the points that a transition''s condition asks for in parts that are only that: of score, fit, engagement or one rule (points)';

CREATE FUNCTION _pseudo_columns(OUT name text, OUT targets text[])
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION _pseudo_columns() IS
'the names that conditions know besides the columns of their row, and what a condition must be for to use them';

CREATE FUNCTION _check_rule() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION _check_rule() IS
'BEFORE INSERT OR UPDATE ON rule FOR EACH ROW: checks its condition and numbers and fills condition_sql';

CREATE FUNCTION _check_transition() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION _check_transition() IS
'BEFORE INSERT OR UPDATE ON transition FOR EACH ROW: checks its condition and stages and fills condition_sql';

CREATE FUNCTION _protect_rule() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION _protect_rule() IS
'BEFORE UPDATE OR DELETE ON rule FOR EACH ROW: refuses to rename or remove a rule that conditions name';
