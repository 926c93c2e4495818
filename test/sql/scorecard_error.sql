-- Functions of scorecards: every refusal, and the odd ends of what is allowed.
SET TimeZone = 'UTC';
SET lead_qual.clock = '2026-03-01 00:00Z';
\pset format unaligned
\pset tuples_only on

-- add_hit
SELECT add_hit(NULL, 1, 10, '2026-01-01Z');
SELECT add_hit(NULL, 1, -0.0, '2026-01-01Z', '1 day 12:00', 'Infinity');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', axis => 'fit');
SELECT add_hit(NULL, NULL, 10, '2026-01-01Z');
SELECT add_hit(NULL, 1, NULL, '2026-01-01Z');
SELECT add_hit(NULL, 1, 10, NULL);
SELECT add_hit(NULL, 1, 'NaN', '2026-01-01Z');
SELECT add_hit(NULL, 1, 'Infinity', '2026-01-01Z');
SELECT add_hit(NULL, 1, -1000000.1, '2026-01-01Z');
SELECT add_hit(NULL, 1, 10, 'infinity');
SELECT add_hit(NULL, 1, 10, '-infinity');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', '1 month');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', '1 year');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', '0');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', '1 day -24:00');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', '-1 day');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', '2147483647 days');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', max_points => 0);
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', max_points => 'NaN');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', axis => 'luck');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', max_hits => 0);
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', per => '1 day');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', max_hits => 1, per => '1 month');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', '1 day', axis => 'fit');
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', max_hits => 1, axis => 'fit');

-- frequency limits
SELECT add_hit(NULL, 1, 10, '2026-01-01Z', max_hits => 1, per => '1 day') AS limited \gset
SELECT add_hit(:'limited', 1, 10, '2026-01-01 23:59:59.999999Z', max_hits => 1, per => '1 day');
SELECT add_hit(:'limited', 1, 10, '2026-01-02Z', max_hits => 1, per => '1 day');
SELECT add_hit(:'limited', 1, 10, '2025-12-31Z', max_hits => 1, per => '1 day');
SELECT add_hit(add_hit(NULL, 1, 10, '2026-01-01Z', max_hits => 1), 1, 10, '2036-01-01Z', max_hits => 1);

-- evaluation: not before the card is as of
SELECT add_hit(add_hit(NULL, 1, 10, '2026-01-01Z', '30 days'), 2, 5, '2026-01-31Z') AS card \gset
SELECT score(:'card'), fit(:'card'), engagement(:'card'), points(:'card', 1), points(:'card', 3), hits(:'card', 1), hits(:'card', 3);
SELECT score(:'card', 'infinity'), as_of(:'card'), last_activity(:'card'), scored_version(:'card');
SELECT as_of('{v1 version=4}') IS NULL, last_activity('{v1 version=4}') IS NULL, score('{v1 version=4}', '-infinity'), score('{v1 version=4 floor=3}');
SET DateStyle = 'German';
SET TimeZone = 'Asia/Tokyo';
SELECT score(:'card', '2026-01-30 23:59:59.999999Z');
SELECT fit(:'card', '-infinity');
SELECT engagement(:'card', '2026-01-01Z');
SELECT points(:'card', 1, '2026-01-01Z');
SELECT explain_score(:'card'::scorecard, '2026-01-01Z');
SELECT falls_below(:'card', 3, '2026-01-01Z');
SELECT reaches(:'card', 3, '2026-01-01Z');
RESET DateStyle;
SET TimeZone = 'UTC';

-- crossing: odd thresholds
SELECT falls_below(:'card', 'NaN');
SELECT falls_below(:'card', 'Infinity') IS NULL, falls_below(:'card', '-Infinity'), falls_below(:'card', 1e30) IS NULL, falls_below(:'card', -1e30);
SELECT falls_below(:'card', 5), falls_below(:'card', 5.0000001), falls_below(:'card', 5.000001) = falls_below(:'card', 5.0000001);
SELECT falls_below(:'card', 6, 'infinity') IS NULL, falls_below(:'card', 5, 'infinity'), falls_below('{v1 version=1 | 1 fit hits=1 points=3}', 3, '-infinity');
SELECT reaches(:'card', 9), reaches(:'card', 5) IS NULL;

-- merge
SELECT merge(:'card'::scorecard, :'limited');
SELECT merge(:'limited'::scorecard, '{v1 version=0}');
SELECT merge('{v1 version=1}'::scorecard, '{v1 version=2}');
SELECT merge('{v1 version=1 max_fit=1}'::scorecard, '{v1 version=1}');
SELECT merge('{v1 version=1 max_engagement=1}'::scorecard, '{v1 version=1}');
SELECT merge('{v1 version=1 floor=1}'::scorecard, '{v1 version=1}');
SELECT merge(add_hit(NULL, 1, 5, '2026-01-01Z'), add_hit(NULL, 1, 5, '2026-01-01Z', '1 day'));
SELECT merge(add_hit(NULL, 1, 5, '2026-01-01Z'), add_hit(NULL, 1, 5, '2026-01-01Z', max_points => 6));
SELECT merge(add_hit(NULL, 1, 5, '2026-01-01Z'), add_hit(NULL, 1, 5, '2026-01-01Z', axis => 'fit'));
SELECT merge(c) FROM (VALUES (NULL::scorecard)) v (c);

-- heat
SELECT heat(:'card');
SELECT heat(add_hit(add_hit(NULL, 1, 5, '2026-01-01Z', '1 day'), 2, 5, '2026-01-01Z', '2 days'));
SELECT heat('{v1 version=1}'), heat(add_hit(NULL, 1, -5, '2026-01-01Z', '1 day')), heat(add_hit(NULL, 1, -5, '2026-01-01Z')), heat(add_hit(NULL, 1, 1, '2000-01-03Z', '1 day'));
