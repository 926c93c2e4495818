-- Text form of a scorecard: what it looks like, and all that is refused.
SET TimeZone = 'Asia/Tokyo';
\pset format unaligned
\pset tuples_only on

-- the smallest, the largest, blanks
SELECT '{v1 version=0}'::scorecard;
SELECT E' \t{v1\n version=7 max_fit=100.50 max_engagement=1e3 floor=-0}\n'::scorecard;
SELECT '{v1 as_of=2026-01-02T03:04:05.6Z last_activity=2026-01-03T00:00:00Z version=3 max_fit=100 max_engagement=200 floor=-20|12 engagement hits=3 last=2026-01-02T03:04:05.600000Z points=12.25 half_life=720h max_points=30 max_hits=3 per=1440min window=2026-01-02T03:04:05.6Z window_hits=2|13 fit hits=1 points=10}'::scorecard;
-- durations come out in the longest unit that divides them
SELECT ('{v1 as_of=2026-01-01T00:00:00Z version=0 | 1 engagement hits=1 last=2026-01-01T00:00:00Z points=1 half_life=' || d || '}')::scorecard
FROM unnest('{86400s,90min,61s,1500ms,1001us,7200000000us}'::text[]) d;
-- numbers come out as the shortest that reads the same
SELECT ('{v1 version=0 | 1 fit hits=1 points=' || p || '}')::scorecard
FROM unnest('{0.1,0.30000000000000004,-0,1e18,5e-324,100000.0}'::text[]) p;
-- far ends of the calendar and of the integers
SELECT '{v1 as_of=294276-12-31T23:59:59.999999Z last_activity=-4713-11-24T00:00:00Z version=2147483647 | -9223372036854775808 engagement hits=9223372036854775807 last=-0001-02-28T00:00:00Z points=1 | 9223372036854775807 fit hits=1 points=-1}'::scorecard;
-- as jsonb
SELECT '{v1 as_of=2026-01-02T03:04:05.6Z version=3 max_fit=100 | 12 engagement hits=3 last=2026-01-02T03:04:05.6Z points=12.25 half_life=1d max_points=30 max_hits=3 window=2026-01-02T03:04:05.6Z window_hits=2 | 13 fit hits=1 points=10}'::scorecard::jsonb;

-- refusals of form: 22P02
SELECT ''::scorecard;
SELECT '{}'::scorecard;
SELECT '{v2 version=1}'::scorecard;
SELECT '{v1}'::scorecard;
SELECT '{v1 version=1'::scorecard;
SELECT '{v1 version=1} x'::scorecard;
SELECT '{v1 version=1x}'::scorecard;
SELECT '{v1 version=}'::scorecard;
SELECT '{v1 version=1 floor=1 max_fit=3}'::scorecard;
SELECT '{v1 version=1 max_fit=NaN}'::scorecard;
SELECT '{v1 version=1 max_fit=infinity}'::scorecard;
SELECT '{v1 version=1 max_fit=0x10}'::scorecard;
SELECT '{v1 version=1 max_fit=1e}'::scorecard;
SELECT '{v1 as_of=now version=1}'::scorecard;
SELECT '{v1 as_of=infinity version=1}'::scorecard;
SELECT '{v1 as_of=2026-01-01T00:00:00+01 version=1}'::scorecard;
SELECT '{v1 as_of=2026-01-01T00:00:00.1234567Z version=1}'::scorecard;
SELECT '{v1 version=1 | }'::scorecard;
SELECT '{v1 version=1 | 1 other hits=1 points=1}'::scorecard;
SELECT '{v1 version=1 | 1 fit points=1}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=1}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=1 points=NaN}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=1 points=1 half_life=3}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=1 points=1 half_life=1mon}'::scorecard;
SELECT '{v1 version=1 | 2 fit hits=1 points=1 | 1 fit hits=1 points=1}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=1 points=1 | 1 fit hits=1 points=1}'::scorecard;
SELECT ('{v1 version=1 ' || repeat('ä', 100) || '}')::scorecard;

-- refusals of value: 22003
SELECT '{v1 version=2147483648}'::scorecard;
SELECT '{v1 version=-1}'::scorecard;
SELECT '{v1 version=1 max_fit=0}'::scorecard;
SELECT '{v1 version=1 max_engagement=-1}'::scorecard;
SELECT '{v1 version=1 max_fit=1e999}'::scorecard;
SELECT '{v1 version=1 floor=1e-999}'::scorecard;
SELECT '{v1 as_of=2026-02-29T00:00:00Z version=1}'::scorecard;
SELECT '{v1 as_of=2026-01-01T24:00:00Z version=1}'::scorecard;
SELECT '{v1 as_of=294277-01-01T00:00:00Z version=1}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=0 points=1}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=1 points=1.1e18}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=1 points=1 half_life=0d}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=1 points=1 half_life=999999999999d}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=1 points=1 half_life=1d}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=1 points=1 max_points=0}'::scorecard;
SELECT '{v1 version=1 | 1 fit hits=1 points=1 per=1d}'::scorecard;
SELECT '{v1 as_of=2026-01-01T00:00:00Z version=1 | 1 fit hits=1 last=2026-01-01T00:00:00Z points=1}'::scorecard;
SELECT '{v1 version=1 | 1 engagement hits=1 points=1}'::scorecard;
SELECT '{v1 version=1 | 1 engagement hits=1 last=2026-01-01T00:00:00Z points=1}'::scorecard;
SELECT '{v1 as_of=2026-01-01T00:00:00Z version=1 | 1 engagement hits=1 last=2026-01-01T00:00:01Z points=1}'::scorecard;
SELECT '{v1 as_of=2026-01-01T00:00:00Z version=1 | 1 engagement hits=1 last=2026-01-01T00:00:00Z points=1 max_hits=3}'::scorecard;
SELECT '{v1 as_of=2026-01-01T00:00:00Z version=1 | 1 engagement hits=5 last=2026-01-01T00:00:00Z points=1 max_hits=3 window=2026-01-01T00:00:00Z window_hits=4}'::scorecard;
SELECT '{v1 as_of=2026-01-01T00:00:00Z version=1 | 1 engagement hits=5 last=2026-01-01T00:00:00Z points=1 max_hits=3 window=2026-01-01T00:00:01Z window_hits=1}'::scorecard;
