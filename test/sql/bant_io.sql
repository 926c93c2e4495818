-- bant: every text form
SELECT ''::bant, '   '::bant;
SELECT 'B+ A? N~ T-'::bant AS canonical,
       'b+ a? n~ t-'::bant AS lower_case,
       E'T-,N~ , A?\tB+'::bant AS any_order,
       'B+A?N~T-'::bant AS packed,
       'B=yes A=unknown N=partial T=no'::bant AS names_of_levels,
       E'B=+, A = ?, N\t= ~,T=-'::bant AS signs,
       'budget=yes, authority=unknown, need=partial, timeline=no'::bant AS long_names,
       'Budget+ AUTHORITY? need = Partial T=NO'::bant AS mixed;
SELECT 'N+'::bant AS rest_unknown, 'budget=yes, authority=unknown'::bant;

-- every refusal, with its place
SELECT 'X+'::bant;
SELECT 'B+ budgets=yes'::bant;
SELECT 'D+'::bant;
SELECT 'B+ 7'::bant;
SELECT 'B'::bant;
SELECT 'B '::bant;
SELECT 'B A+'::bant;
SELECT 'B +'::bant;
SELECT 'B='::bant;
SELECT 'B=,A+'::bant;
SELECT 'B=maybe'::bant;
SELECT 'N+, budget=y'::bant;
SELECT 'B:yes'::bant;
SELECT 'B*'::bant;
SELECT '+'::bant;
SELECT '=yes'::bant;
SELECT 'B++'::bant;
SELECT 'B+ A? B+'::bant;
SELECT 'B+ budget=yes'::bant;
SELECT ',B+'::bant;
SELECT 'B+,'::bant;
SELECT 'B+,,A+'::bant;
SELECT 'B+; A+'::bant;
SELECT '{"budget": "yes"'::bant;
SELECT '{"budget": "yes"} B+'::bant;
SELECT '{"budget"}'::bant;
SELECT '{budget: "yes"}'::bant;
SELECT '{"budgets": "yes"}'::bant;
SELECT '{"budget": "maybe"}'::bant;
SELECT '{"budget": 3}'::bant;
SELECT '{"budget": {"yes": "yes"}}'::bant;
SELECT '{"B": "yes", "budget": "no"}'::bant;
SELECT '["yes"]'::bant;

-- JSON, for clients that have an object
SELECT '{"budget": "yes"}'::bant, ' {"T": "~", "need": null, "authority": "no"}'::bant, '{}'::bant, '{"b":"+"}'::bant;

-- text goes in and out as a string
SELECT 'B+'::text::bant, 'B+'::bant::text || '!';

-- binary form: the stored bits
SELECT q, bant_send(q)
  FROM unnest('{"","B+","B-","A~","T-","B+ A+ N+ T+","B- A- N- T-"}'::bant[]) q;

-- all 256 values through binary COPY
CREATE TEMP TABLE bant_copy AS
SELECT format('B%s A%s N%s T%s', b, a, n, t)::bant AS q,
       format('B%s A%s N%s T%s', b, a, n, t) AS literal
  FROM unnest('{-,?,~,+}'::text[]) b, unnest('{-,?,~,+}'::text[]) a,
       unnest('{-,?,~,+}'::text[]) n, unnest('{-,?,~,+}'::text[]) t;
SELECT count(DISTINCT q), bool_and(q::text = literal) AS canonical FROM bant_copy;
CREATE TEMP TABLE bant_back (LIKE bant_copy);
\copy bant_copy TO 'results/bant.data' (FORMAT binary)
\copy bant_back FROM 'results/bant.data' (FORMAT binary)
SELECT count(*), bool_and(q::text = literal) AS same FROM bant_back;

-- bytes that are no value: none, two
\copy bant_back (q) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\000\377\377"' (FORMAT binary)
\copy bant_back (q) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\002\000\000\377\377"' (FORMAT binary)

-- to jsonb and back
SELECT 'B+ A? N~ T-'::bant::jsonb;
SELECT bool_and(q::jsonb::bant = q) AS object, bool_and(to_jsonb(q)::bant = q) AS string
  FROM bant_copy;
SELECT '{}'::jsonb::bant, '{"B": "+", "authority": "YES", "need": null, "t": "no"}'::jsonb::bant,
       '"B+ T-"'::jsonb::bant, 'null'::jsonb::bant;
SELECT '{"champion": "yes"}'::jsonb::bant;
SELECT '{"budget": "maybe"}'::jsonb::bant;
SELECT '{"budget": ""}'::jsonb::bant;
SELECT '{"B": "yes", "budget": "yes"}'::jsonb::bant;
SELECT '{"budget": true}'::jsonb::bant;
SELECT '{"budget": 1}'::jsonb::bant;
SELECT '{"budget": {"level": "yes"}}'::jsonb::bant;
SELECT '["yes"]'::jsonb::bant;
SELECT '[]'::jsonb::bant;
SELECT '4'::jsonb::bant;
SELECT 'true'::jsonb::bant;
SELECT '"B+ Q+"'::jsonb::bant;
