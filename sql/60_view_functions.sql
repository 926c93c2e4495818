--
-- Arithmetic that the views of a funnel share
--
-- Views of users' funnels call these: their signatures are frozen.
--
-- Sums and order of whole numbers are exact, and faster than those of numerics.
CREATE FUNCTION _microseconds_between(since timestamptz, until timestamptz) RETURNS bigint
AS 'MODULE_PATHNAME', 'microseconds_between' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _microseconds_between(timestamptz, timestamptz) IS
'microseconds from one instant to another';

--
-- What people read is rounded here and nowhere else: days, hours, points and
-- what there is of something for each of something else to two digits, rates
-- to four.  Money is what it is.
--
CREATE FUNCTION _days(microseconds numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(microseconds / 86400000000, 2);

COMMENT ON FUNCTION _days(numeric) IS
'microseconds as days, rounded to 2 digits: seconds / 86400';

CREATE FUNCTION _hours(microseconds numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(microseconds / 3600000000, 2);

COMMENT ON FUNCTION _hours(numeric) IS
'microseconds as hours, rounded to 2 digits';

CREATE FUNCTION _points(points numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(points, 2);

COMMENT ON FUNCTION _points(numeric) IS
'points, rounded to 2 digits';

CREATE FUNCTION _per(amount numeric, n numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(amount / NULLIF(n, 0), 2);

COMMENT ON FUNCTION _per(numeric, numeric) IS
'what there is for each of n, rounded to 2 digits; NULL for none';

CREATE FUNCTION _ratio(numerator numeric, denominator numeric)
RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(numerator / NULLIF(denominator, 0), 4);

COMMENT ON FUNCTION _ratio(numeric, numeric) IS
'a rate: quotient, rounded to 4 digits; NULL over zero';

CREATE FUNCTION _money_per(amount numeric, n numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN trim_scale(round(amount / NULLIF(n, 0), 6));

COMMENT ON FUNCTION _money_per(numeric, numeric) IS
'an amount of money for each of n, to 6 digits; NULL for none';

CREATE FUNCTION _home_amount(home_amount numeric, amount numeric, currency text, home_currency text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN home_amount IS NOT NULL THEN home_amount
			WHEN coalesce(currency, home_currency) = home_currency THEN amount END;

COMMENT ON FUNCTION _home_amount(numeric, numeric, text, text) IS
'what a deal is worth in the funnel''s currency: home_amount, or amount where its currency is missing or the funnel''s; else NULL';

CREATE FUNCTION _month_of(at timestamptz, time_zone text) RETURNS date
AS 'MODULE_PATHNAME', 'month_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _month_of(timestamptz, text) IS
'first day of the month of an instant in a time zone';

-- The code uses it, too.
CREATE FUNCTION _counts_at(occurred_at timestamptz, recorded_at timestamptz) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'counts_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _counts_at(timestamptz, timestamptz) IS
'when an activity counts: as of when it occurred, but further ahead of when it was recorded than clocks may differ, as of that';

-- A month that nothing fell in is a row, too; but one wrong date in the past
-- makes no more than a hundred years of them.  Not inlined, so that the planner
-- takes ROWS for its word.
CREATE FUNCTION _months_since(first date, time_zone text) RETURNS SETOF date
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 36
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT m.month::date
	FROM (SELECT @extschema@._month_of(@extschema@.funnel_now(), time_zone)::timestamp AS month) AS last
	CROSS JOIN LATERAL generate_series(greatest(first::timestamp, last.month - interval '100 years'), last.month,
									   interval '1 month') AS m (month)
$body$;

COMMENT ON FUNCTION _months_since(date, text) IS
'the months from that one to the present one in a time zone, as their first days, of a hundred years at most';

CREATE FUNCTION _most_series() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 1000;

COMMENT ON FUNCTION _most_series() IS
'how many sources, or owners, of a view have rows for months without anything';

-- Local days are added before the zone applies: a sum that crosses a change
-- of the clocks must not depend on the session's TimeZone.
CREATE FUNCTION _mature_at(month date, days bigint, time_zone text)
RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (month + interval '1 month' + days * interval '1 day')
	AT TIME ZONE time_zone;

COMMENT ON FUNCTION _mature_at(date, bigint, text) IS
'the instant that many days after the end of a month in a time zone';

CREATE FUNCTION _working_time_between(setting oid, begins timestamptz, ends timestamptz)
RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _working_time_between(oid, timestamptz, timestamptz) IS
'hours open from one instant to a later one, by the calendar of the funnel whose table setting it is; NULL where the end comes first';

-- What a view says and what each of its columns says, line by line; the
-- funnel's schema is first on the search path, as in the template.
CREATE FUNCTION _comment_view(view text, told text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	lines constant text[] := string_to_array(btrim(told, E'\n'), E'\n');
	line text;
BEGIN
	EXECUTE format('COMMENT ON VIEW %I IS %L', view, lines[1]);
	FOREACH line IN ARRAY lines[2:] LOOP
		EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', view, split_part(line, ': ', 1),
					   substr(line, strpos(line, ': ') + 2));
	END LOOP;
END
$template$;

COMMENT ON FUNCTION _comment_view(text, text) IS
'comments on a view, by the first line, and on its columns, by the others: name, colon, what it means';

-- What the amount has below a cent goes to the next in line.
CREATE FUNCTION _share_out(amount numeric, weights numeric[])
RETURNS numeric[]
AS 'MODULE_PATHNAME', 'share_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _share_out(numeric, numeric[]) IS
'an amount divided by weights, in cents that add up to it exactly (largest remainder, earlier first); NULLs when no weight is above zero';

-- Rounding at 40 digits keeps the numbers short; comparing at 20 digits then
-- sees ties such as 2/3 * 3/4 = 1/2 as what they are.
CREATE FUNCTION _survive(share numeric, at_risk bigint, ended bigint)
RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(share * (at_risk - ended) / at_risk, 40);

COMMENT ON FUNCTION _survive(numeric, bigint, bigint) IS
'state transition of _survival(bigint, bigint)';

CREATE AGGREGATE _survival(at_risk bigint, ended bigint) (
	SFUNC = _survive, STYPE = numeric, INITCOND = '1', PARALLEL = SAFE
);

COMMENT ON AGGREGATE _survival(bigint, bigint) IS
'product of (at_risk - ended) / at_risk, to 40 digits';

-- Of whole numbers, faster than count(DISTINCT) and in several processes.
-- SSPACE is far below what a state takes: the planner thinks that groups are
-- many, and would sort millions of rows to have one state at a time.
CREATE FUNCTION _count_distinct_add(internal, bigint) RETURNS internal
AS 'MODULE_PATHNAME', 'count_distinct_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _count_distinct_join(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'count_distinct_join' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _count_distinct_write(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'count_distinct_write' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _count_distinct_read(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'count_distinct_read' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _count_distinct_end(internal) RETURNS bigint
AS 'MODULE_PATHNAME', 'count_distinct_end' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE _count_distinct(number bigint) (
	SFUNC = _count_distinct_add, STYPE = internal, SSPACE = 8,
	COMBINEFUNC = _count_distinct_join, SERIALFUNC = _count_distinct_write,
	DESERIALFUNC = _count_distinct_read, FINALFUNC = _count_distinct_end,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE _count_distinct(bigint) IS
'how many different numbers there are: as count(DISTINCT)';
COMMENT ON FUNCTION _count_distinct_add(internal, bigint) IS
'state transition of _count_distinct(bigint)';
COMMENT ON FUNCTION _count_distinct_join(internal, internal) IS
'two states of _count_distinct(bigint) in one';
COMMENT ON FUNCTION _count_distinct_write(internal) IS
'a state of _count_distinct(bigint), written for another process';
COMMENT ON FUNCTION _count_distinct_read(bytea, internal) IS
'a state of _count_distinct(bigint), read from another process';
COMMENT ON FUNCTION _count_distinct_end(internal) IS
'the result of _count_distinct(bigint)';

-- As percentile_cont(ARRAY[0.5, 0.9]), but groups need no sorting, and several
-- processes can share the work.
CREATE FUNCTION _spread_add(internal, bigint) RETURNS internal
AS 'MODULE_PATHNAME', 'spread_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _spread_join(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'spread_join' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _spread_write(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'spread_write' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _spread_read(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'spread_read' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _spread_end(internal) RETURNS float8[]
AS 'MODULE_PATHNAME', 'spread_end' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE _spread(number bigint) (
	SFUNC = _spread_add, STYPE = internal, SSPACE = 8,
	COMBINEFUNC = _spread_join, SERIALFUNC = _spread_write,
	DESERIALFUNC = _spread_read, FINALFUNC = _spread_end,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE _spread(bigint) IS
'median and 90th percentile of numbers: as percentile_cont(ARRAY[0.5, 0.9])';
COMMENT ON FUNCTION _spread_add(internal, bigint) IS
'state transition of _spread(bigint)';
COMMENT ON FUNCTION _spread_join(internal, internal) IS
'two states of _spread(bigint) in one';
COMMENT ON FUNCTION _spread_write(internal) IS
'a state of _spread(bigint), written for another process';
COMMENT ON FUNCTION _spread_read(bytea, internal) IS
'a state of _spread(bigint), read from another process';
COMMENT ON FUNCTION _spread_end(internal) IS
'the result of _spread(bigint)';

CREATE FUNCTION _ways_add(internal, instants timestamptz[], accounts bigint[]) RETURNS internal
AS 'MODULE_PATHNAME', 'ways_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _ways_join(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'ways_join' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _ways_write(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'ways_write' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _ways_read(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'ways_read' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _ways_end(internal) RETURNS bigint[]
AS 'MODULE_PATHNAME', 'ways_end' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE _ways(instants timestamptz[], accounts bigint[]) (
	SFUNC = _ways_add, STYPE = internal, SSPACE = 8192,
	COMBINEFUNC = _ways_join, SERIALFUNC = _ways_write,
	DESERIALFUNC = _ways_read, FINALFUNC = _ways_end,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE _ways(timestamptz[], bigint[]) IS
'how far units came, given for each of n milestones when and with which account they entered it: n rows of n numbers, and n more. In row i, how many entered i (at i), i and at or after that j > i, or i and after that j < i; then at how many accounts they entered each';
COMMENT ON FUNCTION _ways_add(internal, timestamptz[], bigint[]) IS
'state transition of _ways(timestamptz[], bigint[])';
COMMENT ON FUNCTION _ways_join(internal, internal) IS
'two states of _ways(timestamptz[], bigint[]) in one';
COMMENT ON FUNCTION _ways_write(internal) IS
'a state of _ways(timestamptz[], bigint[]), written for another process';
COMMENT ON FUNCTION _ways_read(bytea, internal) IS
'a state of _ways(timestamptz[], bigint[]), read from another process';
COMMENT ON FUNCTION _ways_end(internal) IS
'the result of _ways(timestamptz[], bigint[])';

CREATE TYPE _entry AS (place integer, month date, source text, entered bigint, accounts bigint);

COMMENT ON TYPE _entry IS
'units that entered a milestone, the one at that place, in a month from a source, and at how many accounts';

CREATE FUNCTION _entries_add(internal, months date[], sources text[], accounts bigint[]) RETURNS internal
AS 'MODULE_PATHNAME', 'entries_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _entries_join(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'entries_join' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _entries_write(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'entries_write' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _entries_read(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'entries_read' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _entries_end(internal) RETURNS _entry[]
AS 'MODULE_PATHNAME', 'entries_end' LANGUAGE C STABLE PARALLEL SAFE;

CREATE AGGREGATE _entries(months date[], sources text[], accounts bigint[]) (
	SFUNC = _entries_add, STYPE = internal, SSPACE = 65536,
	COMBINEFUNC = _entries_join, SERIALFUNC = _entries_write,
	DESERIALFUNC = _entries_read, FINALFUNC = _entries_end,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE _entries(date[], text[], bigint[]) IS
'units by milestone, month and source, given for each milestone when, from where and with which account they entered it; NULL where no unit is';
COMMENT ON FUNCTION _entries_add(internal, date[], text[], bigint[]) IS
'state transition of _entries(date[], text[], bigint[])';
COMMENT ON FUNCTION _entries_join(internal, internal) IS
'two states of _entries(date[], text[], bigint[]) in one';
COMMENT ON FUNCTION _entries_write(internal) IS
'a state of _entries(date[], text[], bigint[]), written for another process';
COMMENT ON FUNCTION _entries_read(bytea, internal) IS
'a state of _entries(date[], text[], bigint[]), read from another process';
COMMENT ON FUNCTION _entries_end(internal) IS
'the result of _entries(date[], text[], bigint[])';
