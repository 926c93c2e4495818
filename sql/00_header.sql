/* lead_qual: sales lead qualification inside PostgreSQL */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION lead_qual" to load this file. \quit

--
-- The clock
--
CREATE FUNCTION funnel_now() RETURNS timestamptz
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION funnel_now() IS
'the instant that scores, stages and views go by: now(), or the setting lead_qual.clock';
