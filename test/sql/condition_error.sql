-- What is no condition, with its place marked.
\set VERBOSITY default
SET client_min_messages = warning;
SELECT create_funnel('regress_lq_cond');

PREPARE fit(text) AS SELECT check_condition('regress_lq_cond', 'fit', $1);
PREPARE act(text) AS SELECT check_condition('regress_lq_cond', 'activity', $1);
PREPARE move(text) AS SELECT check_condition('regress_lq_cond', 'transition', $1);

-- one boolean expression and nothing else
EXECUTE fit('');
EXECUTE fit('country =');
EXECUTE fit('true; DROP TABLE lead');
EXECUTE fit('country');
EXECUTE fit('company_size');
EXECUTE fit('true, false');
EXECUTE fit('true AS name');
EXECUTE fit('DISTINCT true');
EXECUTE fit('true FROM lead');
EXECUTE fit('true WHERE false');
EXECUTE fit('true GROUP BY 1');
EXECUTE fit('true HAVING true');
EXECUTE fit('true WINDOW w AS ()');
EXECUTE fit('true ORDER BY 1');
EXECUTE fit('true LIMIT 1');
EXECUTE fit('true FOR UPDATE');
EXECUTE fit('true UNION SELECT false');

-- names
EXECUTE fit('country = ''DE'' AND industri = ''x''');
EXECUTE fit('lead.country = ''DE'' AND lead.zzzzzzzz');
EXECUTE fit('kontakt.country = ''DE''');
EXECUTE fit('regress_lq_cond.lead.country = ''DE''');
EXECUTE fit('country = ANY (list.target_country)');
EXECUTE fit('score > 1');
EXECUTE fit('hits.webinar > 1');
EXECUTE fit('kind.touch');
EXECUTE act('account.domain = ''x''');
EXECUTE act('last_activity IS NULL');
EXECUTE act('kind.toch');
EXECUTE move('hits.webinars > 1');
EXECUTE move('hits > 1');
EXECUTE move('kind.touch');
EXECUTE fit('ctid IS NULL');
EXECUTE fit('lead.xmin IS NULL');
EXECUTE fit('lead IS NULL');
EXECUTE fit('lead.* IS NULL');
EXECUTE fit('list IS NULL');
EXECUTE fit('lead.bant.budget');

-- what does not follow from the row alone
EXECUTE fit('random() < 0.5');
EXECUTE fit('created_at > now() - interval ''30 days''');
EXECUTE fit('created_at > CURRENT_TIMESTAMP');
EXECUTE fit('owner = CURRENT_USER');
EXECUTE fit('created_at + ''30 days'' > resume_at');
EXECUTE fit('created_at::date = resume_at::date');
EXECUTE fit('(properties ->> ''since'')::timestamptz > created_at');
EXECUTE fit('created_at::text LIKE ''2026%''');
EXECUTE fit('score(scorecard) > 100');
EXECUTE fit('nextval(''x'') > 1');
EXECUTE fit('created_at > ''now''');
EXECUTE fit('created_at > '' Today '' OR resume_at < date ''yesterday''');
EXECUTE fit('NOT (date ''2026-01-01'' = ANY (''{2026-01-02, tomorrow}''))');
EXECUTE fit('created_at <@ ''[now,)''::tstzrange');

-- constructions
EXECUTE fit('country IN (SELECT value FROM regress_lq_cond.list)');
EXECUTE fit('EXISTS (SELECT)');
EXECUTE fit('country = $1');
EXECUTE fit('count(*) > 1');
EXECUTE fit('row_number() OVER () > 1');
EXECUTE fit('generate_series(1, 2) > 1');
EXECUTE fit('best(bant) = bant');
EXECUTE fit('verdict(bant, need => 3) = ''open''');
EXECUTE fit('ROW(1, country) IS NULL');
EXECUTE fit('(country, industry) < (''a'', ''b'')');
EXECUTE fit('xmlelement(NAME a) IS DOCUMENT');
EXECUTE fit('bant IS DISTINCT FROM ''B+''');
EXECUTE fit('NULLIF(bant, ''B+'') IS NULL');
-- whose hint differs between servers
\set VERBOSITY terse
EXECUTE fit('CASE bant WHEN ''B+'' THEN true END');
\set VERBOSITY default

-- constants that cannot be right
EXECUTE fit('company_size > ''many''');
EXECUTE fit('bant @> ''X+''');
EXECUTE fit('bant -> ''buget'' = ''yes''');
EXECUTE fit('job_title ~ ''(''');
EXECUTE fit('company_size > 1 / 0');

-- the place is counted in characters, and in lines
EXECUTE fit(E'company = ''Müller & Söhne''\n	AND contry = ''DE''');

SELECT drop_funnel('regress_lq_cond', true);
