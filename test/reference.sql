--
-- The catalogue's part of doc/reference.md, as Markdown: what the extension
-- has, and the tables and views of a funnel, in the words of their comments
--
-- Run by test/reference in a database of its own.  Names follow the search
-- path, so that types of ours stand without a schema.
--
\set QUIET on
\set ON_ERROR_STOP on
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION lead_qual;
LOAD 'lead_qual';
SELECT create_funnel('crm') \g /dev/null

CREATE FUNCTION pg_temp.words(said text) RETURNS text
LANGUAGE sql AS $$ SELECT regexp_replace(regexp_replace(coalesce(said, ''), '[*<|]', '\\\&', 'g'), '\s+', ' ', 'g') $$;

CREATE FUNCTION pg_temp.code(said text) RETURNS text
LANGUAGE sql AS $$ SELECT '`' || regexp_replace(replace(said, '|', '\|'), '\s+', ' ', 'g') || '`' $$;

-- a table of Markdown from its head and its rows
CREATE FUNCTION pg_temp.sheet(head text[], VARIADIC body text[]) RETURNS text
LANGUAGE sql AS $$
	SELECT format(E'| %s |\n|%s\n%s', array_to_string(head, ' | '), repeat('---|', cardinality(head)), array_to_string(body, E'\n'))
$$;

CREATE FUNCTION pg_temp.line(VARIADIC cells text[]) RETURNS text
LANGUAGE sql AS $$ SELECT format('| %s |', array_to_string(cells, ' | ')) $$;

CREATE TEMPORARY VIEW member AS
SELECT d.classid, d.objid
FROM pg_depend AS d
JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
WHERE e.extname = 'lead_qual' AND d.deptype = 'e';

-- what stands behind a type, an operator, a cast, an operator class or an
-- aggregate, and is called by that
CREATE TEMPORARY VIEW plumbing AS
SELECT p.oid
FROM pg_proc AS p
JOIN member AS m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
WHERE EXISTS (SELECT FROM pg_type AS t
			  JOIN member AS of_type ON of_type.classid = 'pg_type'::regclass AND of_type.objid = t.oid
			  WHERE starts_with(p.proname, t.typname || '_'))
  AND (EXISTS (SELECT FROM pg_type WHERE p.oid IN (typinput, typoutput, typreceive, typsend))
	   OR EXISTS (SELECT FROM pg_operator WHERE oprcode = p.oid)
	   OR EXISTS (SELECT FROM pg_cast WHERE castfunc = p.oid)
	   OR EXISTS (SELECT FROM pg_amproc WHERE amproc = p.oid)
	   OR EXISTS (SELECT FROM pg_aggregate WHERE p.oid IN (aggtransfn, aggcombinefn)));

-- as a reader writes it
CREATE FUNCTION pg_temp.plain(said text) RETURNS text
LANGUAGE sql AS $$
	SELECT regexp_replace(replace(said, 'timestamp with time zone', 'timestamptz'), '::[a-z_ ]+(\[\])?', '', 'g')
$$;

-- arguments of a function: of those that go in what may be left out, with its
-- default
CREATE FUNCTION pg_temp.arguments(function pg_proc, modes text) RETURNS text
LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', CASE a.mode WHEN 'v' THEN 'VARIADIC' END, a.name, format_type(a.type, NULL))
			|| CASE WHEN a.n > function.pronargs - function.pronargdefaults AND a.n <= function.pronargs
					THEN ' = ' || pg_get_function_arg_default(function.oid, a.n::integer) ELSE '' END, ', ' ORDER BY a.n)
	FROM unnest(coalesce(function.proallargtypes, function.proargtypes::oid[]), function.proargnames, function.proargmodes)
		WITH ORDINALITY AS a (type, name, mode, n)
	WHERE strpos(modes, coalesce(a.mode::text, 'i')) > 0
$$;

-- functions by what they are about, told by their arguments
CREATE TEMPORARY VIEW function AS
SELECT p.oid, p.proname, p.prokind, p.proargtypes,
	   pg_temp.plain(format('%s(%s)', p.proname, pg_temp.arguments(p, 'iv'))) AS signature,
	   pg_temp.plain(coalesce(CASE WHEN p.proretset THEN 'SETOF ' ELSE '' END || '(' || pg_temp.arguments(p, 'ot') || ')',
			pg_get_function_result(p.oid))) AS result,
	   CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility,
	   obj_description(p.oid, 'pg_proc') AS said,
	   CASE
		   WHEN p.oid IN (SELECT oid FROM plumbing) THEN 'Behind types and operators'
		   WHEN p.prokind = 'a' THEN 'Aggregates'
		   WHEN 'scorecard'::regtype = ANY (p.proargtypes::oid[]) THEN 'Scorecards'
		   WHEN p.proargnames[1] = 'funnel' AND p.proargnames[2] IN ('lead', 'leads', 'keep', 'email', 'history_ids')
			   THEN 'Leads'
		   WHEN p.proargnames[1] = 'funnel' AND ('definition' = ANY (p.proargnames) OR p.proname ~ 'definition')
			   THEN 'Definitions and conditions'
		   WHEN p.proname ~ 'funnel' OR p.proargnames[1] = 'funnel' THEN 'Funnels'
		   ELSE 'Answers'
	   END AS topic
FROM pg_proc AS p
JOIN member AS m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
WHERE p.proname !~ '^_' AND p.prorettype <> 'trigger'::regtype;

\qecho '## Types'
\qecho
SELECT pg_temp.sheet('{type,holds}', VARIADIC array_agg(pg_temp.line(
	pg_temp.code(format_type(t.oid, NULL)), pg_temp.words(obj_description(t.oid, 'pg_type'))) ORDER BY t.typname COLLATE "C"))
FROM pg_type AS t
JOIN member AS m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
WHERE t.typcategory <> 'A' AND t.typname !~ '^_';
\qecho
\qecho '## Operators'
\qecho
SELECT pg_temp.sheet('{operator,gives,meaning}', VARIADIC array_agg(pg_temp.line(
	pg_temp.code(format('%s %s %s', format_type(o.oprleft, NULL), o.oprname, format_type(o.oprright, NULL))),
	pg_temp.code(format_type(o.oprresult, NULL)), pg_temp.words(obj_description(o.oid, 'pg_operator')))
	ORDER BY o.oprname COLLATE "C", format_type(o.oprleft, NULL) COLLATE "C"))
FROM pg_operator AS o
JOIN member AS m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid;
\qecho
\qecho '## Casts'
\qecho
SELECT pg_temp.sheet('{from,to,"applied",meaning}', VARIADIC array_agg(pg_temp.line(
	pg_temp.code(format_type(c.castsource, NULL)), pg_temp.code(format_type(c.casttarget, NULL)),
	CASE c.castcontext WHEN 'i' THEN 'wherever it is needed' WHEN 'a' THEN 'when assigned, too' ELSE 'when asked for' END,
	pg_temp.words(obj_description(c.oid, 'pg_cast')))
	ORDER BY format_type(c.castsource, NULL) COLLATE "C", format_type(c.casttarget, NULL) COLLATE "C"))
FROM pg_cast AS c
JOIN member AS m ON m.classid = 'pg_cast'::regclass AND m.objid = c.oid;
\qecho
\qecho '## Operator classes'
\qecho
SELECT pg_temp.sheet('{"operator class",index,meaning}', VARIADIC array_agg(pg_temp.line(
	pg_temp.code(c.opcname), am.amname, pg_temp.words(obj_description(c.oid, 'pg_opclass')))
	ORDER BY c.opcname COLLATE "C", am.amname COLLATE "C"))
FROM pg_opclass AS c
JOIN member AS m ON m.classid = 'pg_opclass'::regclass AND m.objid = c.oid
JOIN pg_am AS am ON am.oid = c.opcmethod;
\qecho
\qecho '## Functions'
\qecho
\qecho 'Arguments with a default may be left out. Functions that are immutable may stand in a [condition](conditions.md). A function of a lead takes it as text (key, external id, address or alias), or its key as a value of another type (`anyelement`).'
SELECT format(E'\n### %s\n\n%s', f.topic, pg_temp.sheet('{function,gives,is,meaning}', VARIADIC array_agg(pg_temp.line(
	pg_temp.code(f.signature), pg_temp.code(f.result), f.volatility, pg_temp.words(f.said)) ORDER BY f.signature COLLATE "C")))
FROM function AS f
GROUP BY f.topic
ORDER BY array_position('{Funnels,Leads,"Definitions and conditions",Answers,Scorecards,Aggregates}', f.topic), f.topic;
\qecho
\qecho '## Settings'
\qecho
SELECT pg_temp.sheet('{setting,type,default,"set by",meaning}', VARIADIC array_agg(pg_temp.line(
	pg_temp.code(s.name), s.vartype, CASE WHEN s.boot_val <> '' THEN pg_temp.code(s.boot_val) ELSE '' END,
	CASE s.context WHEN 'user' THEN 'anybody' ELSE s.context END,
	pg_temp.words(concat_ws(' ', s.short_desc, s.extra_desc))) ORDER BY s.name COLLATE "C"))
FROM pg_settings AS s
WHERE s.name LIKE 'lead\_qual.%';

CREATE TEMPORARY VIEW relation AS
SELECT c.oid, c.relname, c.relkind = 'v' AS is_view, obj_description(c.oid, 'pg_class') AS said,
	   (SELECT string_agg(format('(%s)', array_to_string(ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, true)
				FROM generate_series(1, i.indnkeyatts) AS n), ', ')), ', '
				ORDER BY i.indisprimary DESC, i.indexrelid::regclass::text COLLATE "C")
		FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL) AS keys,
	   (SELECT string_agg(format('- %s: %s', pg_temp.code(k.conname), pg_temp.code(pg_temp.plain(
				regexp_replace(pg_get_constraintdef(k.oid), '^CHECK \((.*)\)$', '\1')))), E'\n' ORDER BY k.conname COLLATE "C")
		FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'c') AS checks
FROM pg_class AS c
WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind IN ('r', 'p', 'v');

CREATE TEMPORARY VIEW relation_column AS
SELECT a.attrelid, a.attnum, a.attname, a.attnotnull,
	   pg_temp.plain(format_type(a.atttypid, a.atttypmod)) AS type,
	   CASE WHEN a.attidentity <> '' THEN 'identity'
			WHEN d.oid IS NOT NULL THEN pg_temp.code(pg_temp.plain(pg_get_expr(d.adbin, d.adrelid))) ELSE '' END AS default_value,
	   col_description(a.attrelid, a.attnum) AS said
FROM pg_attribute AS a
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped;

\qecho
\qecho '## Tables'
\qecho
\qecho 'What is told as *kept by triggers* is ignored in what a client writes.'
SELECT format(E'\n### %s\n\n%s.%s\n\n%s%s', r.relname, pg_temp.words(r.said), E' Unique: ' || pg_temp.code(r.keys) || '.',
	pg_temp.sheet('{column,type,default,meaning}', VARIADIC array_agg(pg_temp.line(
		pg_temp.code(c.attname), c.type || CASE WHEN c.attnotnull THEN ', not null' ELSE '' END,
		c.default_value, pg_temp.words(c.said)) ORDER BY c.attnum)),
	E'\n\nChecks:\n\n' || r.checks)
FROM relation AS r
JOIN relation_column AS c ON c.attrelid = r.oid
WHERE NOT r.is_view
GROUP BY r.relname, r.said, r.keys, r.checks
ORDER BY r.relname COLLATE "C";
\qecho
\qecho '## Views'
\qecho
\qecho 'A *unit* is a lead and a cycle. Months are in the funnel''s time zone.'
SELECT format(E'\n### %s\n\n%s\n\n%s', r.relname, pg_temp.words(r.said),
	pg_temp.sheet('{column,type,meaning}', VARIADIC array_agg(pg_temp.line(
		pg_temp.code(c.attname), c.type, pg_temp.words(c.said)) ORDER BY c.attnum)))
FROM relation AS r
JOIN relation_column AS c ON c.attrelid = r.oid
WHERE r.is_view
GROUP BY r.relname, r.said
ORDER BY r.relname COLLATE "C";
