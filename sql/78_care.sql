--
-- Care of data: what grows old, comes twice or must go
--

-- The setting spares the leads what deletions would bring: no score changes.
CREATE FUNCTION archive_activities(funnel text, before timestamptz) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
SET lead_qual.import = on;

COMMENT ON FUNCTION archive_activities(text, timestamptz) IS
'folds activities from before an instant into baselines and deletes them, leaving scores as they are; returns how many. What rules gave for them stays as earned; views that read the log itself no longer see them, and one that is sent again counts again';

CREATE FUNCTION _join_baselines(scorecard, scorecard) RETURNS scorecard
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _join_baselines(scorecard, scorecard) IS
'the baselines of two leads as one; of two open windows of a frequency limit, the later goes on';
