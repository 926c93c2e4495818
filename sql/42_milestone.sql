--
-- Milestones, and when a cycle begins
--
-- Funnels have them in views and constraints: signatures are frozen.
--
CREATE FUNCTION _milestones() RETURNS text[]
AS 'MODULE_PATHNAME', 'milestones' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _milestones() IS
'what a stage may be, in the order of the way: the path, customer, exits';

CREATE FUNCTION _is_on_path(milestone text) RETURNS boolean
AS 'MODULE_PATHNAME', 'is_on_path' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _is_on_path(text) IS
'whether it is a step towards a customer: lead ... opportunity';

CREATE FUNCTION _is_exit(milestone text) RETURNS boolean
AS 'MODULE_PATHNAME', 'is_exit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _is_exit(text) IS
'whether a lead there has left the path: nurture, disqualified, lost';

CREATE FUNCTION _has_reached(milestone text, other text) RETURNS boolean
AS 'MODULE_PATHNAME', 'has_reached' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _has_reached(text, text) IS
'whether a lead there has come as far as another milestone of the path, or to customer; off the path it has not';

CREATE FUNCTION _begins_cycle(left_milestone text, entered_milestone text) RETURNS boolean
AS 'MODULE_PATHNAME', 'begins_cycle' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _begins_cycle(text, text) IS
'whether a move begins a new cycle: it leaves nurture, disqualified, lost or customer for the path';
