
--
-- scorecard: the score of one lead as a function of time
--
CREATE TYPE scorecard;

CREATE FUNCTION scorecard_in(cstring) RETURNS scorecard
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_in(cstring) IS 'I/O';

CREATE FUNCTION scorecard_out(scorecard) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_out(scorecard) IS 'I/O';

CREATE FUNCTION scorecard_recv(internal) RETURNS scorecard
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_recv(internal) IS 'I/O';

CREATE FUNCTION scorecard_send(scorecard) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_send(scorecard) IS 'I/O';

CREATE TYPE scorecard (
	INPUT = scorecard_in,
	OUTPUT = scorecard_out,
	RECEIVE = scorecard_recv,
	SEND = scorecard_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = main
);
COMMENT ON TYPE scorecard IS
'what a lead has earned, by rule, as of one instant: {v1 as_of=2026-01-31T09:00:00Z version=1 | 12 engagement hits=1 last=2026-01-31T09:00:00Z points=10 half_life=30d}';

--
-- Reading a card
--
CREATE FUNCTION score(card scorecard, at timestamptz DEFAULT funnel_now())
RETURNS numeric
AS 'MODULE_PATHNAME', 'scorecard_score'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score(scorecard, timestamptz) IS
'the score at an instant, not before the card is as of: fit plus engagement, and the floor; rounded to two decimals, as all points that are shown or compared';

CREATE FUNCTION fit(card scorecard, at timestamptz DEFAULT funnel_now())
RETURNS numeric
AS 'MODULE_PATHNAME', 'scorecard_fit'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION fit(scorecard, timestamptz) IS
'the points for who the lead is, limited to max_fit';

CREATE FUNCTION engagement(card scorecard, at timestamptz DEFAULT funnel_now())
RETURNS numeric
AS 'MODULE_PATHNAME', 'scorecard_engagement'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION engagement(scorecard, timestamptz) IS
'the points for what the lead does, limited to max_engagement';

CREATE FUNCTION points(card scorecard, rule_id bigint,
	at timestamptz DEFAULT funnel_now())
RETURNS numeric
AS 'MODULE_PATHNAME', 'scorecard_points'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION points(scorecard, bigint, timestamptz) IS
'the points of one rule at an instant, rounded to two decimals; 0 if it never held';

CREATE FUNCTION hits(card scorecard, rule_id bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'scorecard_hits'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hits(scorecard, bigint) IS
'how often one rule counted';

CREATE FUNCTION as_of(card scorecard) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'scorecard_as_of'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION as_of(scorecard) IS
'the instant of the latest hit that counted; NULL if there is none';

CREATE FUNCTION last_activity(card scorecard) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'scorecard_last_activity'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION last_activity(scorecard) IS
'the instant of the latest thing that the lead did, scored or not; NULL if there is none';

CREATE FUNCTION scored_version(card scorecard) RETURNS integer
AS 'MODULE_PATHNAME', 'scorecard_version'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scored_version(scorecard) IS
'the version of the definition that the card was scored under';

CREATE FUNCTION explain_score(card scorecard,
	at timestamptz DEFAULT funnel_now(),
	OUT part text, OUT rule_id bigint, OUT axis text, OUT hits bigint,
	OUT last_hit timestamptz, OUT points numeric, OUT half_life interval,
	OUT capped boolean)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'scorecard_explain'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION explain_score(scorecard, timestamptz) IS
'a row for each rule, for max_fit, max_engagement and floor where they bite, and for what rounding each part by itself leaves out: the points add up to the score';

-- Views of users' funnels call it: its signature is frozen.
CREATE FUNCTION _best_rules(card scorecard, at timestamptz) RETURNS bigint[]
AS 'MODULE_PATHNAME', 'scorecard_best_rules'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _best_rules(scorecard, timestamptz) IS
'the three rules that give most points at that instant, or as of the card where that is later: the best first, of equals the first by rule_id; none without points above zero';

CREATE FUNCTION falls_below(card scorecard, threshold numeric,
	at timestamptz DEFAULT funnel_now())
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'scorecard_falls_below'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION falls_below(scorecard, numeric, timestamptz) IS
'the first instant from then on at which the score is below the threshold if nothing happens: NULL if it is already, infinity if it never will be';

CREATE FUNCTION reaches(card scorecard, threshold numeric,
	at timestamptz DEFAULT funnel_now())
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'scorecard_reaches'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION reaches(scorecard, numeric, timestamptz) IS
'the first instant from then on at which the score is at the threshold or above if nothing happens, as negative points fade: NULL if it is already, infinity if it never will be';

CREATE FUNCTION heat(card scorecard) RETURNS double precision
AS 'MODULE_PATHNAME', 'scorecard_heat'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION heat(scorecard) IS
'a number that orders cards by uncapped engagement and stays the same while nothing happens, for an index; needs one half-life for all';

--
-- Making and joining cards
--
CREATE FUNCTION add_hit(card scorecard, rule_id bigint,
	points double precision, at timestamptz,
	half_life interval DEFAULT NULL, max_points double precision DEFAULT NULL,
	axis text DEFAULT 'engagement', max_hits integer DEFAULT NULL,
	per interval DEFAULT NULL)
RETURNS scorecard
AS 'MODULE_PATHNAME', 'scorecard_add_hit'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION add_hit(scorecard, bigint, double precision, timestamptz, interval, double precision, text, integer, interval) IS
'the card with one more hit of a rule; a NULL card is an empty one';

CREATE FUNCTION merge(scorecard, scorecard) RETURNS scorecard
AS 'MODULE_PATHNAME', 'scorecard_merge'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION merge(scorecard, scorecard) IS
'both cards together, by rule, as of the later instant; refused where a frequency limit is in play';

CREATE AGGREGATE merge(scorecard) (
	SFUNC = merge,
	STYPE = scorecard,
	COMBINEFUNC = merge,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE merge(scorecard) IS
'all cards together; refused where a frequency limit is in play';

CREATE FUNCTION scorecard_to_jsonb(scorecard) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_to_jsonb(scorecard) IS 'the cast to jsonb';

CREATE CAST (scorecard AS jsonb) WITH FUNCTION scorecard_to_jsonb(scorecard);
COMMENT ON CAST (scorecard AS jsonb) IS
'the card as an object; what there is none of is null, durations are in seconds; of each rule, points as everything shows and compares them at the instant the card is as of, and earned as it is kept, not capped and not rounded';
