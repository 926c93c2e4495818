-- merge_leads(): where a person came from, and what was agreed on for it.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(23);

SELECT create_funnel('f', 'UTC');
SET LOCAL search_path = f, public;
SET LOCAL lead_qual.clock = '2026-06-01 09:00Z';
CREATE FUNCTION pg_temp.load(lead bigint, source text, campaign text, stages text[], days int[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL lead_qual.import = on;
	INSERT INTO f.lead (lead_id, source, campaign) OVERRIDING SYSTEM VALUE VALUES (lead, source, campaign);
	INSERT INTO f.stage_history (lead_id, to_stage, entered_at)
		SELECT lead, s, timestamptz '2026-01-01Z' + d * interval '1 day' FROM unnest(stages, days) AS m (s, d);
	SET LOCAL lead_qual.import = off;
	PERFORM rebuild_history('f');
END $$;
CREATE FUNCTION pg_temp.origin(lead bigint) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s %s', coalesce(source, '-'), coalesce(campaign, '-')) FROM f.lead WHERE lead_id = $1 $$;
-- both ways of merging two leads, which come 10 days apart
CREATE FUNCTION pg_temp.both(a text, a_campaign text, b text, b_campaign text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	got text[];
BEGIN
	FOR i IN 0 .. 1 LOOP
		BEGIN
			PERFORM pg_temp.load(1001, a, a_campaign, '{lead,mql}', '{0,20}'), pg_temp.load(1002, b, b_campaign, '{lead,mql,sal,sql}', '{10,11,12,13}');
			PERFORM merge_leads('f', (1001 + i)::text, (1002 - i)::text);
			RAISE EXCEPTION USING ERRCODE = 'LQ001', MESSAGE = pg_temp.origin(1001 + i);
		EXCEPTION WHEN SQLSTATE 'LQ001' THEN got := got || SQLERRM;
		END;
	END LOOP;
	RETURN CASE WHEN got[1] = got[2] THEN got[1] ELSE got::text END;
END $$;

SELECT is(pg_temp.both(a, a_campaign, b, b_campaign), expected, 'N16: ' || name) FROM (VALUES
	('the source is that of the lead that came first, whichever is kept', 'webinar', 'spring', 'paid_search', 'brand', 'webinar spring'),
	('a campaign is one of its source', 'webinar', NULL, 'paid_search', 'brand', 'webinar -'),
	('where the first has none, that of the other', NULL, NULL, 'paid_search', 'brand', 'paid_search brand'),
	('with its campaign', NULL, 'spring', 'paid_search', NULL, 'paid_search -'),
	('a campaign alone stays', NULL, 'spring', NULL, NULL, '- spring'),
	('or that of the other', NULL, NULL, NULL, 'brand', '- brand')) AS v (name, a, a_campaign, b, b_campaign, expected);

-- a touch from before the first move
SELECT pg_temp.load(1, 'webinar', 'spring', '{lead}', '{0}'), pg_temp.load(2, 'paid_search', 'brand', '{lead}', '{10}'), pg_temp.load(3, 'partner', NULL, '{lead}', '{10}');
SET LOCAL lead_qual.import = on;
INSERT INTO activity (lead_id, kind, source, occurred_at) VALUES (2, 'website_visit', 'paid_search', '2025-12-01'), (3, 'website_visit', NULL, '2025-12-01'), (3, 'email_open', 'partner', '2025-12-01');
SET LOCAL lead_qual.import = off;
SELECT merge_leads('f', '1', '3');
SELECT is(pg_temp.origin(1), 'webinar spring', 'N16: what is no touch, or of no source, is no first touch');
SELECT merge_leads('f', '1', '2');
SELECT is(pg_temp.origin(1), 'paid_search brand', 'N16: an earlier touch is');

-- signatures
UPDATE transition SET automatic = false, sides = NULL;
INSERT INTO transition (definition, position, from_stage, to_stage) SELECT 'default', 500 + position, '*', stage FROM stage;
UPDATE transition SET sides = '{manager}' WHERE position = 500 + (SELECT position FROM stage WHERE stage = 'sql');
DELETE FROM transition WHERE to_stage = 'sql' AND sides IS NULL;
SELECT pg_temp.load(11, NULL, NULL, '{mql,nurture,mql,sal}', '{0,10,120,130}'), pg_temp.load(12, NULL, NULL, '{mql,lost}', '{20,30}'),
	pg_temp.load(13, NULL, NULL, '{lead,mql}', '{121,125}');
CREATE FUNCTION pg_temp.signed(lead bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(note || ' ' || cycle, ', ' ORDER BY signature_id) FROM f.signature WHERE lead_id = $1 $$;
SET LOCAL lead_qual.actor = 'mia';
SELECT sign_move('f', '11', 'sql', 'eleven');
SELECT sign_move('f', '12', 'sql', 'twelve');
SELECT sign_move('f', '13', 'sql', 'thirteen');
SET LOCAL lead_qual.actor = 'ben';
SELECT is(pg_temp.signed(11), 'eleven 2', 'N16: who agreed did so in a cycle');
SELECT lives_ok('SELECT merge_leads(''f'', ''11'', ''12'')', 'N16: a lead with a signature is merged');
SELECT is((SELECT cycle FROM lead WHERE lead_id = 11), 3, 'N16: the other''s unit comes between');
SELECT is(pg_temp.signed(11), 'eleven 3, twelve 2', 'N16: signatures come along, each in its cycle');
SELECT is_empty('SELECT FROM why_not(''f'', 11, ''sql'')', 'N16: and still count for the move');
SELECT lives_ok('SELECT merge_leads(''f'', ''11'', ''13'')', 'N16: a lead whose attempt goes');
SELECT is(pg_temp.signed(11), 'eleven 3, twelve 2, thirteen 3', 'N16: was agreed on in the cycle of the time');
SELECT is_empty('SELECT FROM signature AS g WHERE g.lead_id IS NOT NULL AND NOT EXISTS (SELECT FROM lead AS l WHERE l.lead_id = g.lead_id)', 'N16: no signature is of a lead that is gone');
SELECT is(rebuild_history('f'), 0::bigint, 'N16: once for all');

-- whatever renumbers cycles
SELECT void_moves('f', ARRAY(SELECT history_id FROM stage_history WHERE lead_id = 11 AND to_stage = 'lost'), 'misclick');
SELECT is(cycle, 2, 'N14: a void exit makes one cycle of two') FROM lead WHERE lead_id = 11;
SELECT is(pg_temp.signed(11), 'eleven 2, twelve 2, thirteen 2', 'N14: signatures follow');
SET LOCAL lead_qual.import = on;
INSERT INTO stage_history (lead_id, to_stage, entered_at) VALUES (11, 'mql', '2025-01-01'), (11, 'lost', '2025-02-01');
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('f');
SELECT is(pg_temp.signed(11), 'eleven 3, twelve 3, thirteen 3', 'N14: a past that is loaded later, too');
UPDATE lead SET stage = 'nurture' WHERE lead_id = 11;
UPDATE lead SET stage = 'sal' WHERE lead_id = 11;
SELECT isnt_empty('SELECT FROM why_not(''f'', 11, ''sql'')', 'N14: they do not count for the next');
SELECT is(rebuild_history('f'), 0::bigint, 'N14: and nothing is to be rebuilt');
SELECT is_empty('SELECT * FROM check_funnel(''f'') WHERE severity = ''error''', 'N16: all is well');

SELECT * FROM finish();
ROLLBACK;
