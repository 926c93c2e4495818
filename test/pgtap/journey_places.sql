-- Table journey of leads that are in a table of the user's, and what is kept
-- with moves.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(15);
\ir helper/journey.sql

SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
CREATE SCHEMA site;
CREATE TABLE site.contact (id varchar(20) NOT NULL, country text NOT NULL, source text, PRIMARY KEY (id, country)) PARTITION BY LIST (country);
CREATE TABLE site.contact_de PARTITION OF site.contact FOR VALUES IN ('DE');
CREATE TABLE site.contact_fr (note text, country text NOT NULL, id varchar(20) NOT NULL, source text);
ALTER TABLE site.contact_fr DROP COLUMN note;
ALTER TABLE site.contact ATTACH PARTITION site.contact_fr FOR VALUES IN ('FR');
INSERT INTO site.contact VALUES ('ann', 'DE', 'event'), ('ben', 'FR', 'event');
SELECT create_funnel('crm', 'UTC', lead_table => 'site.contact', lead_key => 'id', columns => '{"country": "country", "source": "source"}');
SELECT results_eq('SELECT lead_id::text, cycle, started_at, lead_at, source FROM crm.journey ORDER BY 1',
	$$ VALUES ('ann', 1, timestamptz '2026-03-02 09:00Z', timestamptz '2026-03-02 09:00Z', 'event'), ('ben', 1, '2026-03-02 09:00Z', '2026-03-02 09:00Z', 'event') $$, 'attaching makes the units of the leads that are there');
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, '... as the statement does');
SELECT is((SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'crm.departure'::regclass AND attname = 'lead_id'), 'character varying', 'keys are of the type that they have there');
INSERT INTO crm.activity (lead_id, kind) VALUES ('ann', 'demo_request'), ('ben', 'webinar');
UPDATE site.contact SET country = 'FR', stage = 'sal', owner = 'eve' WHERE id = 'ann';
SELECT is((SELECT tableoid::regclass::text FROM site.contact WHERE id = 'ann'), 'site.contact_fr', 'a move to another partition');
SELECT is_empty('SELECT FROM crm.departure', '... is no departure');
SELECT results_eq($$ SELECT mql_at IS NOT NULL, sal_at IS NOT NULL, accepted_owner FROM crm.journey WHERE lead_id = 'ann' $$, $$ VALUES (true, true, 'eve') $$, '... but a move');
DELETE FROM site.contact_fr WHERE id = 'ben';
INSERT INTO site.contact (id, country) VALUES ('ben', 'DE');
SELECT results_eq('SELECT lead_id::text, how FROM crm.departure', $$ VALUES ('ben', 'deleted') $$, 'deleted from a partition');
SELECT is((SELECT cycle FROM site.contact WHERE id = 'ben'), 2, 'N8: a natural key that comes back');
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, 'all of it is kept');
SELECT is_empty($$ SELECT finding FROM check_funnel('crm') $$, 'and all is well');
SELECT detach_funnel('crm');
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, 'what is detached stays as it was');

-- cards
SELECT create_funnel('b2c', 'UTC');
SET LOCAL search_path = b2c, public;
INSERT INTO lead (lead_id, country, company_size) OVERRIDING SYSTEM VALUE VALUES (1, 'DE', 900);
INSERT INTO activity (lead_id, kind, occurred_at) SELECT 1, k, funnel_now() - n * interval '1 day' FROM unnest('{webinar,pricing_page_view,email_open,demo_request}'::text[]) WITH ORDINALITY AS k (k, n);
UPDATE lead SET stage = 'sal' WHERE lead_id = 1;
UPDATE lead SET stage = 'nurture', reason = 'too_early' WHERE lead_id = 1;
SELECT results_eq('SELECT to_stage FROM stage_history WHERE scorecard IS NOT NULL ORDER BY history_id', $$ VALUES ('mql'), ('nurture') $$, 'N15: the card is kept with moves to mql and off the path');
INSERT INTO activity (lead_id, kind) SELECT 1, 'review_comparison' FROM generate_series(1, 3);
SELECT results_eq($$ SELECT score(scorecard, entered_at) FROM stage_history WHERE scorecard IS NOT NULL $$, $$ SELECT score FROM stage_history WHERE scorecard IS NOT NULL $$, '... as it was then');
SELECT is((SELECT _best_rules(scorecard, entered_at) FROM stage_history WHERE to_stage = 'mql'),
	(SELECT array_agg(rule_id ORDER BY points DESC, rule_id) FROM (SELECT e.rule_id, e.points FROM stage_history AS h, explain_score(h.scorecard, h.entered_at) AS e
	 WHERE h.to_stage = 'mql' AND e.rule_id IS NOT NULL AND e.points > 0 ORDER BY e.points DESC, e.rule_id LIMIT 3) AS best), 'the best rules of it, in order');
SELECT results_eq($$ SELECT _best_rules(scorecard, '2000-01-01Z') = _best_rules(scorecard, as_of(scorecard)), _best_rules('{v1 version=0}'::text::scorecard, now()) FROM lead $$,
	$$ VALUES (true, '{}'::bigint[]) $$, 'before its own instant it is as of that; an empty one has none');

SELECT * FROM finish();
ROLLBACK;
