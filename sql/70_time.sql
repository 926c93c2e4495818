--
-- Scores and time
--
CREATE FUNCTION rescore_funnel(funnel text, move boolean DEFAULT false) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION rescore_funnel(text, boolean) IS
'scores all leads anew from their logs by the active definition; they stay in their stages unless move is true; returns how many';

CREATE FUNCTION sweep_funnel(funnel text, max integer DEFAULT 1000,
							 OUT reviewed bigint, OUT rescored bigint, OUT failed bigint)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION sweep_funnel(text, integer) IS
'looks again at leads that time may have moved, and rescores those scored under an older version of the definition; to be called every few minutes';
