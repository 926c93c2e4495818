-- meddic and meddpicc: the core is bant's, so only what differs
SELECT ''::meddic, ''::meddpicc;
SELECT 'M+ E? DC~ DP- I+ C?'::meddic, 'M+ E? DC~ DP- PP~ I+ C? CO-'::meddpicc;
SELECT 'c+DP~ dc-, e=yes'::meddic, 'co+ pp~ C-'::meddpicc;
SELECT 'metrics=yes economic_buyer=no decision_criteria=partial decision_process=unknown identify_pain=yes champion=partial'::meddic;
SELECT 'paper_process=yes, competition=no, champion=yes'::meddpicc;
SELECT 'PP+'::meddic;
SELECT 'D+'::meddic;
SELECT 'C+ champion=no'::meddic;
SELECT 'economic buyer=yes'::meddic;
SELECT 'M+ DC'::meddic;
SELECT 'B+'::meddpicc;

-- binary form: the stored bits, first element lowest
SELECT meddic_send(''), meddic_send('M+'), meddic_send('C-'), meddic_send('M- E- DC- DP- I- C-');
SELECT meddpicc_send(''), meddpicc_send('M+'), meddpicc_send('CO-'), meddpicc_send('CO+ PP~');

-- all values of meddic, as many of meddpicc, through binary COPY
CREATE TEMP TABLE meddic_copy AS
SELECT literal, literal::meddic AS q, (literal || format(' PP%s CO%s', dc, m))::meddpicc AS qq
  FROM (SELECT m, dc, format('M%s E%s DC%s DP%s I%s C%s', m, e, dc, dp, i, c) AS literal
          FROM unnest('{-,?,~,+}'::text[]) m, unnest('{-,?,~,+}'::text[]) e,
               unnest('{-,?,~,+}'::text[]) dc, unnest('{-,?,~,+}'::text[]) dp,
               unnest('{-,?,~,+}'::text[]) i, unnest('{-,?,~,+}'::text[]) c) v;
SELECT count(DISTINCT q), count(DISTINCT qq), bool_and(q::text = literal) AS canonical,
       bool_and(qq::text::meddpicc = qq) AS round_trip
  FROM meddic_copy;
CREATE TEMP TABLE meddic_back (LIKE meddic_copy);
\copy meddic_copy TO 'results/meddic.data' (FORMAT binary)
\copy meddic_back FROM 'results/meddic.data' (FORMAT binary)
SELECT count(*) FROM meddic_back JOIN meddic_copy USING (literal, q, qq);

-- bytes that are no value: a bit beyond the last element (twice), too short, too long
\copy meddic_back (q) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\002\020\000\377\377"' (FORMAT binary)
\copy meddic_back (q) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\002\200\001\377\377"' (FORMAT binary)
\copy meddic_back (q) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\001\001\377\377"' (FORMAT binary)
\copy meddic_back (qq) FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\003\001\001\001\377\377"' (FORMAT binary)

-- to jsonb and back
SELECT 'M+ E- C~'::meddic::jsonb;
SELECT 'PP~ CO-'::meddpicc::jsonb;
SELECT bool_and(q::jsonb::meddic = q AND qq::jsonb::meddpicc = qq) AS object,
       bool_and(to_jsonb(q)::meddic = q AND to_jsonb(qq)::meddpicc = qq) AS string
  FROM meddic_copy;
SELECT '{"competition": "yes"}'::jsonb::meddic;
SELECT '{"competition": "yes", "pp": "~"}'::jsonb::meddpicc;
