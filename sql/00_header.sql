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

-- Until the library is loaded, whoever set it may have spelled it as he likes.
CREATE FUNCTION _importing() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN coalesce(NULLIF(current_setting('lead_qual.import', true), '')::boolean, false);

COMMENT ON FUNCTION _importing() IS
'is lead_qual.import on? whether it may be is for the triggers in C to tell';
