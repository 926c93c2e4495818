-- The module as a whole: its clock, and what every object of it owes.
BEGIN;
SELECT plan(11);

-- the clock
SELECT is(funnel_now(), now(), 'funnel_now() is now() by default');

SET LOCAL lead_qual.clock = '2026-01-31 09:00:00+01';
SELECT is(funnel_now(), timestamptz '2026-01-31 08:00:00+00',
          'funnel_now() follows lead_qual.clock');
SELECT is(current_setting('lead_qual.clock'), '2026-01-31 08:00:00.000000+00',
          'which is kept in a form that every parallel worker can read');

SET LOCAL lead_qual.clock = '';
SELECT is(funnel_now(), now(), 'an empty lead_qual.clock means now()');

SELECT throws_ok($$SET lead_qual.clock = 'tomorrow 09:00'$$, '22023', NULL,
                 'a clock that moves with the wall clock is refused');
SELECT throws_ok($$SET lead_qual.clock = 'now'$$, '22023', NULL,
                 'the word now is refused');
SELECT throws_ok($$SET lead_qual.clock = 'infinity'$$, '22023', NULL,
                 'infinity is no instant');
SELECT throws_ok($$SET lead_qual.clok = ''$$, '42602', NULL,
                 'a mistyped setting is refused, not kept as a placeholder');

-- what every object owes
CREATE TEMP VIEW member AS
SELECT classid, objid, pg_describe_object(classid, objid, objsubid) AS what
  FROM pg_depend
 WHERE deptype = 'e'
   AND refclassid = 'pg_extension'::regclass
   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'lead_qual');

SELECT is_empty($$
    SELECT what FROM member
     WHERE classid = 'pg_proc'::regclass
       AND obj_description(objid, 'pg_proc') IS NULL $$,
    'every function and aggregate has a comment');

-- an array type comes with its type and is explained by it
SELECT is_empty($$
    SELECT what
      FROM member m
     WHERE classid IN ('pg_type'::regclass, 'pg_operator'::regclass,
                       'pg_opclass'::regclass, 'pg_class'::regclass)
       AND NOT EXISTS (SELECT FROM pg_type t WHERE t.typarray = m.objid
                          AND m.classid = 'pg_type'::regclass)
       AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = m.objid
                          AND t.typrelid <> 0
                          AND m.classid = 'pg_type'::regclass)
       AND obj_description(objid, (SELECT relname FROM pg_class
                                    WHERE oid = classid)) IS NULL $$,
    'every type, operator, operator class and relation has a comment');

SELECT is_empty($$
    SELECT what
      FROM member JOIN pg_proc p ON p.oid = objid
     WHERE classid = 'pg_proc'::regclass AND p.prosecdef $$,
    'no function runs with its owner''s rights');

SELECT * FROM finish();
ROLLBACK;
