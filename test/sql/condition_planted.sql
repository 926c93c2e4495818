-- Code that is neither built in nor ours has no part in a condition, and what
-- somebody planted in the schema of the extension neither wins nor disables.
\set VERBOSITY default
SET client_min_messages = warning;
SELECT create_funnel('regress_lq_cond');
ALTER TABLE regress_lq_cond.lead ADD v varchar, ADD w varchar(10);

CREATE TEMP TABLE honest AS
SELECT check_condition('regress_lq_cond', 'fit', c) AS form
FROM (VALUES ('lower(v) = w'), ('v = w'), ('at_least(2, v = ''x'', w = ''y'')'),
			 ('bant -> v = ''yes'''), ('met(bant) > 1'), ('v::numeric > 1'),
			 ('bant = ''B+''::bant AND v::text = ''a''')) AS given (c);
\pset format unaligned
SELECT * FROM honest;

CREATE FUNCTION public.lower(varchar) RETURNS text IMMUTABLE LANGUAGE sql RETURN 'planted';
CREATE FUNCTION public.at_least(int, boolean, boolean) RETURNS boolean IMMUTABLE LANGUAGE sql RETURN true;
CREATE FUNCTION public.met(anyelement) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 9';
CREATE FUNCTION public.planted_eq(varchar, varchar) RETURNS boolean IMMUTABLE LANGUAGE sql RETURN true;
CREATE OPERATOR public.= (FUNCTION = public.planted_eq, LEFTARG = varchar, RIGHTARG = varchar);
CREATE FUNCTION public.planted_get(bant, varchar) RETURNS answer_level IMMUTABLE LANGUAGE sql RETURN 'yes'::answer_level;
CREATE OPERATOR public.-> (FUNCTION = public.planted_get, LEFTARG = bant, RIGHTARG = varchar);
CREATE TYPE public."numeric" AS (planted int);
CREATE DOMAIN public.int4 AS text;
CREATE TYPE pg_temp.text AS (planted int);
CREATE TYPE pg_temp.bant AS (planted int);

SET search_path = public, pg_catalog;
SELECT count(*) AS conditions, count(check_condition('regress_lq_cond', 'fit', form) = form OR NULL) AS unchanged
FROM honest;
SELECT count(*) AS planted FROM (
	SELECT check_condition('regress_lq_cond', 'fit', c)
	FROM (VALUES ('lower(v) = w'), ('v = w'), ('at_least(2, v = ''x'', w = ''y'')'),
				 ('bant -> v = ''yes'''), ('met(bant) > 1'), ('v::numeric > 1'),
				 ('bant = ''B+''::bant AND v::text = ''a''')) AS given (c)
	EXCEPT SELECT form FROM honest) AS other;
RESET search_path;
DROP TYPE pg_temp.text, pg_temp.bant;

-- named outright they are refused
PREPARE fit(text) AS SELECT check_condition('regress_lq_cond', 'fit', $1);
EXECUTE fit('public.lower(v) = w');
EXECUTE fit('v OPERATOR(public.=) w');
EXECUTE fit('public.met(v) = 1');
EXECUTE fit('v::public."numeric" IS NULL');

-- so are other things of the user's
CREATE TYPE regress_lq_pair AS (a int, b int);
CREATE DOMAIN regress_lq_small AS int CHECK (VALUE < 10);
CREATE COLLATION regress_lq_other (provider = libc, locale = 'C');
ALTER TABLE regress_lq_cond.lead ADD pair regress_lq_pair, ADD small regress_lq_small,
	ADD other text COLLATE regress_lq_other,
	ADD c text COLLATE "C", ADD p text COLLATE "POSIX",
	ADD planted text GENERATED ALWAYS AS (public.lower(v)) STORED;
EXECUTE fit('pair = ROW(1, 2)');
EXECUTE fit('(pair).a = 1');
EXECUTE fit('pair IS NULL AND small < 5');
EXECUTE fit('company_size::public.regress_lq_small < 5');
EXECUTE fit('''{5}''::public.regress_lq_small[] IS NULL');
EXECUTE fit('''(1,2)''::public.regress_lq_pair IS NULL');
EXECUTE fit('other < ''a''');
EXECUTE fit('other COLLATE "C" < ''a''');
EXECUTE fit('c < p');
EXECUTE fit('planted = ''x''');

SELECT drop_funnel('regress_lq_cond', true);
DROP OPERATOR public.= (varchar, varchar);
DROP OPERATOR public.-> (bant, varchar);
DROP FUNCTION public.lower(varchar), public.at_least(int, boolean, boolean), public.met(anyelement),
	public.planted_eq(varchar, varchar), public.planted_get(bant, varchar);
DROP TYPE public."numeric", public.regress_lq_pair;
DROP DOMAIN public.int4, public.regress_lq_small;
DROP COLLATION regress_lq_other;
