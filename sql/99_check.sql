--
-- The last of the script: what it created uses nothing that others planted
--
SELECT @extschema@._refuse_planted(NULL::oid, '{}'::text[]);
