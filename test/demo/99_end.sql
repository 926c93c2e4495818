--
-- To whoever keeps the server: how to look around
--
\getenv keep KEEP
\if :{?keep}
SELECT :'keep' NOT IN ('', '0') AS kept \gset
\if :kept
\echo
\echo 'The funnel is in schema crm; for new sessions the clock stands at 31 December'
\echo '2025, 20:00.  To let it run: ALTER DATABASE postgres RESET lead_qual.clock;'
\endif
\endif
