--
-- Attribution: which touches are credited with what was won
--
-- Views of users' funnels call these: their signatures are frozen.
--
CREATE FUNCTION _attribution_models() RETURNS text[]
AS 'MODULE_PATHNAME', 'attribution_models' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _attribution_models() IS
'the models by which an amount is attributed to touches';

CREATE FUNCTION attribute_amount(amount numeric, touched_at timestamptz[], closed_at timestamptz, model text,
								 half_life interval DEFAULT '7 days', direct boolean[] DEFAULT NULL,
								 mql_at timestamptz DEFAULT NULL, opportunity_at timestamptz DEFAULT NULL,
								 first_share numeric DEFAULT 0.40, last_share numeric DEFAULT 0.40,
								 anchor_share numeric DEFAULT 0.30)
RETURNS numeric[]
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION attribute_amount(numeric, timestamptz[], timestamptz, text, interval, boolean[], timestamptz, timestamptz, numeric, numeric, numeric) IS
'what each touch is credited with of an amount, in the order in which the touches are given; in cents that add up to the amount (largest remainder, the earliest of equals first). Touches after closed_at and those without a date get 0; where no touch is left, NULLs. Models: first; last; last_non_direct: the last that is not direct, the last where all are; linear: alike; u: first_share to the first, last_share to the last, the rest alike to the others; w: anchor_share each to the first, to the last at or before mql_at and to the last at or before opportunity_at, the rest alike to the others; decay: 2 ^ (-age / half_life), a month of it 30 days. In u and w shares of one touch add up, and whoever is missing leaves the share to the others, pro rata. NULL for an unknown amount';
