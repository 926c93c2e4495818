-- Targets: what may be set, by whom, and that names follow.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(17);

CREATE ROLE regress_lq_marketing;
CREATE ROLE regress_lq_analyst;
SELECT create_funnel('crm', 'UTC');
SELECT grant_funnel('crm', 'regress_lq_marketing', 'marketing'), grant_funnel('crm', 'regress_lq_analyst', 'analyst');

SET LOCAL ROLE regress_lq_marketing;
SELECT lives_ok(format($$ INSERT INTO crm.target (metric, starts_on, ends_on, value) VALUES (%L, '2026-01-01', '2026-03-31', 0.5) $$, m), 'D29: a target for ' || m)
FROM unnest('{revenue,entries:mql,entries:customer,rate:mql>sql,rate:lead>customer}'::text[]) AS m;
SELECT throws_ok(format($$ INSERT INTO crm.target (metric, starts_on, ends_on, value) VALUES (%L, '2026-01-01', '2026-03-31', 1) $$, m), '22023', format('there is no metric "%s"', m), 'D29: none for ' || m)
FROM unnest('{profit,entries:,entries:hero,rate:sql>mql,rate:lost>sql,rate:mql>mql}'::text[]) AS m;
SELECT throws_ok($$ INSERT INTO crm.target (metric, starts_on, ends_on, value) VALUES ('revenue', '2026-02-01', '2026-01-01', 1) $$, '23514', NULL, 'a period that ends before it starts');
SELECT throws_ok($$ INSERT INTO crm.target (metric, starts_on, ends_on, value) VALUES ('revenue', '2026-02-01', '2026-03-01', 'NaN') $$, '23514', NULL, 'a value that is no number');
SELECT throws_ok($$ INSERT INTO crm.target (metric, starts_on, ends_on, value) VALUES ('revenue', '2026-01-01', '2026-03-31', 7) $$, '23505', NULL, 'one target for a metric and a period');
UPDATE crm.target SET source = 'webinar_list' WHERE metric = 'revenue';
INSERT INTO crm.source (source) VALUES ('webinar_list');
UPDATE crm.source SET source = 'webinars' WHERE source = 'webinar_list';
SELECT is(source, 'webinars', 'A10: the source of a target is renamed with it') FROM crm.target WHERE metric = 'revenue';

SET LOCAL ROLE regress_lq_analyst;
SELECT is(count(*), 5::bigint, 'an analyst reads targets') FROM crm.target;
SELECT throws_ok('DELETE FROM crm.target', '42501', NULL, 'and no more');

SELECT * FROM finish();
ROLLBACK;
