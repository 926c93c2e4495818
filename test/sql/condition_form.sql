-- The form of a condition that is stored: every name qualified, whatever the
-- settings of the session.
\set VERBOSITY default
SET client_min_messages = warning;
SELECT create_funnel('regress_lq_cond');
\pset tuples_only on
\pset format unaligned

PREPARE form(text, text) AS SELECT check_condition('regress_lq_cond', $1, $2);

-- columns and pseudo-columns
EXECUTE form('fit', 'country = ''DE'' AND lead.company_size >= 50');
EXECUTE form('fit', 'unsubscribed');
EXECUTE form('fit', 'account.domain IS NOT NULL AND country = ANY (list.target_countries)');
EXECUTE form('activity', 'kind.conversation AND kind = ''call'' AND activity.source = ''web''');
EXECUTE form('transition', 'score >= 100 AND fit > 0 AND engagement > 0 AND now.score < 200');
EXECUTE form('transition', 'hits.webinar >= 2 AND points.webinar > 1.5 AND last.webinar > cycle_started_at');
EXECUTE form('transition', 'idle_days > 30 AND days_in_stage > 7 AND last_activity > stage_entered_at');

-- types, operators and functions of ours
EXECUTE form('transition', 'met(bant) >= 3 AND refuted(bant) = 0');
EXECUTE form('transition', 'bant -> ''timeline'' >= ''partial''');
EXECUTE form('transition', 'bant @> ''B+ N~'' AND meddic = ''M+''::meddic');
EXECUTE form('transition', 'bant -> ''need'' IN (''yes'', ''partial'') AND bant -> ''need'' NOT IN (''no'')');
EXECUTE form('transition', 'bant -> ''need'' BETWEEN ''unknown'' AND ''yes'' AND bant -> ''need'' NOT BETWEEN SYMMETRIC ''no'' AND ''unknown''');
EXECUTE form('transition', 'bant -> ''need'' = ANY (ARRAY[''yes'', ''partial'']::answer_level[]) AND bant <> ALL (''{B+,A+}'')');
EXECUTE form('transition', 'at_least(2, country = ''DE'', bant @> ''B+'', unsubscribed IS FALSE)');
EXECUTE form('transition', 'at_least(1, VARIADIC ARRAY[true, false])');
EXECUTE form('transition', 'verdict(bant, 3) = ''qualified'' AND verdict(bant, 4, true) <> ''open''');
EXECUTE form('transition', 'GREATEST(bant, ''B+'') = bant AND (bant || ''B+'') -> ''budget'' = ''yes'' AND bant::jsonb ? ''budget''');

-- constructions of the server
EXECUTE form('fit', 'company_size BETWEEN 10 AND 20 AND (country, industry) = (''DE'', ''software'')');
EXECUTE form('fit', 'CASE WHEN country = ''DE'' THEN company_size > 10 ELSE company_size > 100 END');
EXECUTE form('fit', 'COALESCE(annual_revenue, 0) > 1e6 AND NULLIF(country, '''') IS DISTINCT FROM ''DE'' AND LEAST(company_size, 3) = 3');
EXECUTE form('fit', 'properties ->> ''plan'' = ''pro'' AND (properties -> ''seats'')::int > 5 AND properties[''a''][''b''] = ''1''');
EXECUTE form('fit', 'job_title ~* ''\m(vp|head)\M'' AND email NOT LIKE ''%@example.com'' AND substring(email FROM ''@(.*)'') = ''x.example''');
EXECUTE form('fit', 'job_title COLLATE "C" < ''b'' AND (string_to_array(company, '' ''))[1] = ''ACME''');
EXECUTE form('fit', 'created_at > ''2026-01-01'' AND created_at - ''2026-01-01 12:00+02'' < ''1 day 02:00'' AND extract(year FROM created_at AT TIME ZONE ''UTC'') = 2026');
EXECUTE form('fit', '''{1,NULL}''::int[] IS NULL OR company_size = -5 OR annual_revenue = 1.50 OR 0.1::float8 = 0.3');

-- the settings of the session do not matter
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'Asia/Tokyo';
SET IntervalStyle = 'iso_8601';
SET transform_null_equals = on;
SET extra_float_digits = -5;
SET quote_all_identifiers = on;
-- these can be off up to 18
DO $$ BEGIN
	PERFORM set_config(name, 'off', false) FROM pg_settings
	WHERE name IN ('standard_conforming_strings', 'escape_string_warning')
	AND current_setting('server_version_num')::int < 190000;
END $$;
SET search_path = pg_catalog;
SELECT public.check_condition('regress_lq_cond', 'fit',
	$$created_at > '02/01/2026' AND created_at - '2026-01-01' < '1 day 02:00' AND country = NULL AND 0.1::float8 = 0.3 AND company ~ '\d'$$);
SHOW DateStyle;
SHOW TimeZone;
RESET ALL;
SET client_min_messages = warning;

-- a user's enum, domain and column names
CREATE TYPE regress_lq_mood AS ENUM ('sad', 'happy');
CREATE DOMAIN regress_lq_word AS text;
ALTER TABLE regress_lq_cond.lead ADD mood regress_lq_mood, ADD word regress_lq_word,
	ADD "Company Size" int, ADD score int, ADD hits int, ADD list text,
	ADD doubled int GENERATED ALWAYS AS (company_size * 2) STORED;
EXECUTE form('fit', 'mood >= ''happy'' AND word = ''x'' AND ''y''::public.regress_lq_word = word AND "Company Size" > 1 AND doubled > 4');
EXECUTE form('fit', 'score > 1 AND hits = 1 AND list = ''x'' AND lead.list = ''y''');
EXECUTE form('transition', 'score > 1 AND lead.score > 1 AND hits = 1 AND hits.webinar = 1');

-- the stored form is a condition itself, and its own form
SELECT count(*) AS conditions,
	   count(*) FILTER (WHERE check_condition('regress_lq_cond', target, form) = form) AS stable
FROM (SELECT CASE axis WHEN 'fit' THEN 'fit' ELSE 'activity' END, condition_sql
	  FROM regress_lq_cond.rule WHERE condition IS NOT NULL
	  UNION ALL
	  SELECT 'transition', condition_sql
	  FROM regress_lq_cond.transition WHERE condition IS NOT NULL) AS stored (target, form);

-- NULL in, NULL out; an unknown target; another definition
EXECUTE form('fit', NULL);
EXECUTE form('lead', 'true');
INSERT INTO regress_lq_cond.definition (definition) VALUES ('draft');
SELECT check_condition('regress_lq_cond', 'transition', 'hits.webinar > 1', 'draft');
SELECT check_condition('regress_lq_nowhere', 'fit', 'true');

SELECT drop_funnel('regress_lq_cond', true);
DROP TYPE regress_lq_mood;
DROP DOMAIN regress_lq_word;
