--
-- What one lead's score is made of, and where it may go
--
CREATE FUNCTION explain_score(
	funnel text,
	lead text,
	at timestamptz DEFAULT NULL,
	OUT rule text,
	OUT axis text,
	OUT hits bigint,
	OUT last_hit timestamptz,
	OUT points numeric,
	OUT description text
) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'explain_lead_score' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION explain_score(text, text, timestamptz) IS
'what a lead''s score is made of at an instant (funnel_now()): a row a rule; the points add up to the score';

CREATE FUNCTION explain_score(
	funnel text,
	lead anyelement,
	at timestamptz DEFAULT NULL,
	OUT rule text,
	OUT axis text,
	OUT hits bigint,
	OUT last_hit timestamptz,
	OUT points numeric,
	OUT description text
) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'explain_lead_score' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION explain_score(text, anyelement, timestamptz) IS
'what a lead''s score is made of at an instant (funnel_now()): a row a rule; the points add up to the score';

CREATE FUNCTION score_at(
	funnel text,
	lead text,
	at timestamptz
) RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION score_at(text, text, timestamptz) IS
'a lead''s score at any instant, the past included, by the active definition and today''s fit';

CREATE FUNCTION score_at(
	funnel text,
	lead anyelement,
	at timestamptz
) RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION score_at(text, anyelement, timestamptz) IS
'a lead''s score at any instant, the past included, by the active definition and today''s fit';

CREATE FUNCTION why_not(
	funnel text,
	lead text,
	stage text,
	OUT step integer,
	OUT transition_id bigint,
	OUT from_stage text,
	OUT to_stage text,
	OUT part text,
	OUT state text,
	OUT needs text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION why_not(text, text, text) IS
'what keeps a lead from a stage: each part of the guards on the way, met, unmet or unknown; no row means it may go there';

CREATE FUNCTION why_not(
	funnel text,
	lead anyelement,
	stage text,
	OUT step integer,
	OUT transition_id bigint,
	OUT from_stage text,
	OUT to_stage text,
	OUT part text,
	OUT state text,
	OUT needs text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION why_not(text, anyelement, text) IS
'what keeps a lead from a stage: each part of the guards on the way, met, unmet or unknown; no row means it may go there';

CREATE FUNCTION next_stages(
	funnel text,
	lead text,
	OUT stage text,
	OUT transition_id bigint,
	OUT automatic boolean,
	OUT exception boolean,
	OUT allowed boolean,
	OUT needs text,
	OUT description text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION next_stages(text, text) IS
'the transitions that lead on from where a lead is, and whether each may be taken now';

CREATE FUNCTION next_stages(
	funnel text,
	lead anyelement,
	OUT stage text,
	OUT transition_id bigint,
	OUT automatic boolean,
	OUT exception boolean,
	OUT allowed boolean,
	OUT needs text,
	OUT description text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION next_stages(text, anyelement) IS
'the transitions that lead on from where a lead is, and whether each may be taken now';
