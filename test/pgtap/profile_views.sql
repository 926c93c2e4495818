-- Who buys, who is like them, and what is given back, by hand.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-20 09:00Z';
SELECT plan(27);
SELECT create_funnel('crm');
SET LOCAL search_path = crm, public, pg_temp;
SELECT is((SELECT count(*) FILTER (WHERE leads = 0 AND lift IS NULL AND customer_share_lower IS NULL) FROM ideal_profile), (SELECT count(*) FROM ideal_profile), 'nobody is there: no shares');
SELECT is((SELECT count(*) FROM ideal_profile), 11::bigint, 'R003-19 a row for each rule of fit that is enabled');

-- R002-10, R003-19: of 1,000 leads 200 are in software, of 60 customers 40
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, stage, industry, country, company_size, seniority)
	SELECT n, 'lead', CASE WHEN n <= 40 OR n BETWEEN 61 AND 220 THEN (ARRAY['Software', 'SOFTWARE '])[1 + n % 2] ELSE 'mining' END,
		   CASE WHEN n <= 4 THEN 'Monaco' ELSE 'DE' END, CASE WHEN n <= 30 THEN 50 WHEN n <= 60 THEN 49 ELSE 5000 END, CASE WHEN n > 900 THEN NULL ELSE 'vp' END
	FROM generate_series(1, 1000) AS n;
INSERT INTO stage_history (lead_id, to_stage, entered_at) SELECT n, s, '2026-01-01Z'::timestamptz + CASE s WHEN 'customer' THEN interval '9 days' ELSE interval '0' END
	FROM generate_series(1, 1000) AS n, unnest('{lead,customer}'::text[]) AS s WHERE s = 'lead' OR n <= 60;
DO $$ BEGIN PERFORM rebuild_history('crm'); END $$;
SET LOCAL lead_qual.import = off;
DO $$ BEGIN PERFORM rescore_funnel('crm'); END $$;
SELECT results_eq($$ SELECT leads, leads_with, lead_share, customers, customers_with, customer_share, lift FROM ideal_profile WHERE dimension = 'industry' AND criterion = 'software' $$,
	'VALUES (1000::bigint, 200::bigint, 0.2000, 60::bigint, 40::bigint, 0.6667, 3.3333)', 'R003-19 R002-10 20 % of leads, 67 % of customers: lift 3.33');
SELECT results_eq($$ SELECT leads_with, customers_with, lift FROM ideal_profile WHERE dimension = 'rule' AND criterion = 'industry' $$, 'VALUES (100::bigint, 20::bigint, 3.3333)', 'R003-19 so says the rule, which takes the space for part of the name');
SELECT results_eq($$ SELECT customer_share_lower, customer_share_upper FROM ideal_profile WHERE dimension = 'industry' AND criterion = 'software' $$,
	'VALUES (0.5406, 0.7727)', 'R003-19 with Wilson''s interval, worked out by hand');
SELECT results_eq($$ SELECT criterion, leads_with, customers_with FROM ideal_profile WHERE dimension = 'company_size' ORDER BY 1 $$,
	$$ VALUES ('10-49', 30::bigint, 30::bigint), ('50-249', 30, 30), ('5000 and more', 940, 0) $$, 'R003-19 bands of company size');
SELECT results_eq($$ SELECT criterion, leads_with, lift FROM ideal_profile WHERE dimension = 'country' ORDER BY 1 $$, $$ VALUES ('(other)', 4::bigint, 16.6667), ('de', 996, 0.9371) $$,
	'R003-19 what only four leads have is not told by name');
SELECT results_eq($$ SELECT criterion, leads_with, customer_share, lift FROM ideal_profile WHERE dimension = 'seniority' ORDER BY 1 $$,
	$$ VALUES ('(none)', 100::bigint, 0.0000, 0.0000), ('vp', 900, 1.0000, 1.1111) $$, 'R003-19 what is not known is a value, too');
SELECT is((SELECT count(*) FROM ideal_profile AS p WHERE p::text ~ '@|Monaco|monaco'), 0::bigint, 'R003-19 it tells nobody''s data');
DELETE FROM lead WHERE lead_id > 60;
SELECT results_eq($$ SELECT leads, customers, lift FROM ideal_profile WHERE dimension = 'industry' AND criterion = 'software' $$, 'VALUES (60::bigint, 60::bigint, 1.0000)', 'leads that are gone are not counted');
DELETE FROM lead;

-- R003-24
SET LOCAL lead_qual.clock = '2026-03-06 09:00Z';
INSERT INTO lead (lead_id, email, industry, company_size, country, owner, source) VALUES (2001, 'a@x.example', 'software', 60, 'DE', 'eva', 'event'), (2002, 'b@x.example', 'software', 60, NULL, NULL, NULL),
	(2003, 'c@x.example', NULL, NULL, NULL, NULL, NULL), (2004, 'd@x.example', 'software', 60, 'DE', NULL, NULL), (2005, 'e@x.example', 'software', 60, 'DE', NULL, NULL), (2006, 'f@x.example', 'software', 60, 'DE', NULL, NULL);
INSERT INTO activity (lead_id, kind) VALUES (2001, 'pricing_page_view'), (2002, 'pricing_page_view'), (2003, 'pricing_page_view'), (2004, 'ebook_download'), (2005, 'demo_request');
SET LOCAL lead_qual.clock = '2026-03-20 09:00Z';
INSERT INTO activity (lead_id, kind) VALUES (2002, 'pricing_page_view'), (2006, 'pricing_page_view');
SELECT results_eq('SELECT lead_id, fit, intent, score, days_since_intent, intent_rules FROM look_alike',
	$$ VALUES (2006::bigint, 25::numeric, 15::numeric, 40::numeric, 0.00, 'pricing_page_view +15'), (2001, 25, 7.5, 32.5, 14.00, 'pricing_page_view +7.5'), (2002, 20, 22.5, 42.5, 0.00, 'pricing_page_view +22.5') $$,
	'R003-24 below MQL, by fit, then by intent, which fades; who does not fit, who read an ebook and who is an MQL are not among them');
SELECT results_eq('SELECT stage, source, owner FROM look_alike WHERE lead_id IN (2001, 2002) ORDER BY lead_id', $$ VALUES ('lead', 'event', 'eva'), ('lead', '(none)', NULL) $$, 'R003-24 from where, and whose');
SELECT results_eq('SELECT l.lead_id, l.intent, l.fit FROM look_alike AS l ORDER BY 1', $$ SELECT lead_id, intent, fit FROM lead_now WHERE milestone = 'lead' AND fit > 0 AND intent >= 1 ORDER BY 1 $$, 'D15 intent is that of lead_now');
SELECT is_empty($$ SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = 'crm.look_alike'::regclass AND a.attname ~ 'name|email|company|note' $$, 'it tells nobody''s name');
SET LOCAL lead_qual.clock = '2026-05-15 09:00Z';
SELECT results_eq('SELECT lead_id FROM look_alike', 'VALUES (2002::bigint)', 'R003-24 what has faded below a point is not fresh');
SET LOCAL lead_qual.clock = '2026-03-20 09:00Z';
UPDATE stage SET milestone = 'nurture' WHERE stage = 'lead';
SELECT is_empty('TABLE look_alike', 'no leads below MQL, no rows');
UPDATE stage SET milestone = 'lead' WHERE stage = 'lead';

-- R002-04, R002-06: lost SQLs, the rules of the hand-over, and whose it is
UPDATE reason SET rule = 'demo_request' WHERE reason = 'price';
SET LOCAL lead_qual.clock = '2026-03-21 09:00Z';
UPDATE lead SET stage = 'sal', owner = 'ben' WHERE lead_id = 2005;
INSERT INTO activity (lead_id, kind) VALUES (2005, 'discovery_call');
INSERT INTO answer (lead_id, framework, element, level) SELECT 2005, 'bant', e, 'yes' FROM unnest('{budget,authority,need,timeline}'::text[]) AS e;
UPDATE lead SET stage = 'sql' WHERE lead_id = 2005;
INSERT INTO activity (lead_id, kind) VALUES (2005, 'sales_inquiry');
UPDATE lead SET stage = 'lost', reason = 'price' WHERE lead_id = 2005;
SELECT results_eq('SELECT outcome, from_stage, reason, owner, moves, blamed_rule, side FROM rejection WHERE moves > 0', $$ VALUES ('lost', 'sql', 'price', 'ben', 1::bigint, 'demo_request', 'sales') $$,
	'R002-04 an SQL that was lost is there: the rule that the reason blames, and whose it is to mend');
SELECT results_eq('SELECT rules_at_hand_over, top_rules ~ ''^sales_inquiry'' FROM rejection WHERE moves > 0', $$ VALUES ('demo_request +120, company_size +10, industry +10', true) $$,
	'R002-06 the rules as they stood at the hand-over, before sales spoke to it');
INSERT INTO activity (lead_id, kind) VALUES (2006, 'demo_request');
UPDATE lead SET stage = 'nurture', reason = 'too_early' WHERE lead_id = 2006;
INSERT INTO activity (lead_id, kind) VALUES (2004, 'demo_request');
UPDATE lead SET stage = 'sal', owner = 'ben' WHERE lead_id = 2004;
UPDATE reason SET side = NULL WHERE reason = 'waiting_for_hiring';
UPDATE lead SET stage = 'nurture', reason = 'waiting_for_hiring', resume_at = '2026-06-01Z' WHERE lead_id = 2004;
SELECT results_eq('SELECT outcome, reason, side, rules_at_hand_over IS NULL FROM rejection WHERE outcome = ''returned'' AND moves > 0 ORDER BY reason',
	$$ VALUES ('returned', 'too_early', 'marketing', false), ('returned', 'waiting_for_hiring', 'sales', false) $$, 'R002-06 a reason that names no side: the one who worked on it');
SELECT results_eq('SELECT lead_id, outcome, side FROM hand_over ORDER BY 1', $$ VALUES (2004::bigint, 'accepted', NULL), (2005, 'accepted', 'sales'), (2006, 'returned', 'marketing') $$,
	'hand_over says whose it is');

-- who accepts late, by who had it then and by who has it now
SET LOCAL lead_qual.clock = '2026-03-22 09:00Z';
UPDATE lead SET owner = 'eva' WHERE lead_id IN (2004, 2005);
UPDATE lead SET owner = 'dan' WHERE lead_id = 2001;
INSERT INTO activity (lead_id, kind) VALUES (2001, 'demo_request');
SET LOCAL lead_qual.clock = '2026-03-25 09:00Z';
UPDATE lead SET stage = 'sal', owner = 'ben' WHERE lead_id = 2001;
SELECT results_eq($$ SELECT owner_at, owner, handed_over, accepted, in_time, late, in_time_share FROM sla_by_owner WHERE month = '2026-03-01' AND handed_over > 0 ORDER BY 1, 2 $$,
	$$ VALUES ('hand-over', '(none)', 3::bigint, 2::bigint, 1::bigint, 1::bigint, 0.5000), ('hand-over', 'dan', 1, 1, 0, 1, 0.0000), ('now', '(none)', 1, 0, 0, 0, NULL), ('now', 'ben', 1, 1, 0, 1, 0.0000), ('now', 'eva', 2, 2, 1, 1, 0.5000),
			  ('outcome', '(none)', 1, 0, 0, 0, NULL), ('outcome', 'ben', 3, 3, 1, 2, 0.3333) $$, 'D9 whose late it is depends on whom one asks');
SELECT results_eq($$ SELECT mean_days_to_acceptance, median_days_to_acceptance, p90_days_to_acceptance FROM sla_by_owner WHERE owner_at = 'now' AND owner = 'ben' $$, 'VALUES (3.00, 3.00, 3.00)', 'days to acceptance');
SET LOCAL lead_qual.clock = '2026-04-02 09:00Z';
SELECT is((SELECT sum(handed_over) FROM sla_by_owner WHERE month = '2026-04-01'), 0::numeric, 'a month without hand-overs has rows');

-- an analyst may have them all
CREATE ROLE regress_lq_analyst;
SELECT isnt_empty($$ SELECT grant_funnel('crm', 'regress_lq_analyst', 'analyst') $$, 'granted');
SELECT ok(bool_and(has_table_privilege('regress_lq_analyst', 'crm.' || v, 'SELECT')), 'an analyst may read them')
FROM unnest('{waterfall,sla_by_owner,ideal_profile,look_alike,rejection}'::text[]) AS v;
SET LOCAL ROLE regress_lq_analyst;
SELECT lives_ok(format('SELECT * FROM crm.%I', v), 'an analyst reads ' || v) FROM unnest('{ideal_profile,look_alike}'::text[]) AS v;
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
