--
-- The policy a new funnel begins with
--
-- Every row is the user's to change.  The stages follow the widest of the
-- usual models (MQL, SAL, SQL); the criteria are the eight explicit, nine
-- implicit and four negative ones of the textbooks.
--
-- How the points fit together: MQL is 100.  Who the lead is gives 60 by the
-- rules below, and the way to MQL asks for engagement besides, so that
-- interest is needed whatever rules of fit are added; a download, a subscription or a webinar
-- cannot give 100 alone; a demo, a trial, a meeting or an inquiry can, and
-- gives more than 100, so that it still counts a little later.
--
CREATE FUNCTION _create_funnel_stages() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	INSERT INTO stage (stage, position, milestone, owner_role, sla, description) VALUES
		('lead', 1, 'lead', 'marketing', NULL,
		 'a person who may buy; marketing wins and keeps the interest'),
		('mql', 2, 'mql', 'marketing', '24 hours',
		 'marketing qualified: worth a look by sales, which accepts or returns it'),
		('sal', 3, 'sal', 'sales', '7 days',
		 'accepted by sales, who reaches out and asks'),
		('sql', 4, 'sql', 'sales', NULL,
		 'sales qualified: found fit to buy'),
		('opportunity', 5, 'opportunity', 'sales', NULL,
		 'a deal is being worked on'),
		('customer', 6, 'customer', 'none', NULL,
		 'a deal was won'),
		('nurture', 7, 'nurture', 'marketing', NULL,
		 'not ready yet: back with marketing'),
		('disqualified', 8, 'disqualified', 'none', NULL,
		 'will not buy'),
		('lost', 9, 'lost', 'none', NULL,
		 'the deals were lost');
END
$template$;

COMMENT ON FUNCTION _create_funnel_stages() IS
'inserts the default stages of a funnel; called by create_funnel()';

-- Whose it is to mend that leads are lost for a reason of ours.  Who waits for
-- money or people is nobody's.
CREATE FUNCTION _shipped_side(applies_to text, reason text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN CASE
	WHEN reason = 'not_reachable' AND applies_to IN ('nurture', 'lost')
		OR applies_to = 'lost' AND reason IN ('no_budget', 'no_authority', 'lost_to_competitor', 'price', 'missing_feature', 'no_decision')
		THEN 'sales'
	WHEN applies_to IN ('disqualified', 'nurture')
		AND reason IN ('outside_audience', 'no_budget', 'competitor_satisfied', 'no_authority', 'no_need', 'no_timeline', 'missing_requirement',
					   'too_early', 'rival', 'duplicate', 'wrong_data', 'do_not_contact', 'spam')
		THEN 'marketing'
END;

COMMENT ON FUNCTION _shipped_side(text, text) IS
'reason.side of a reason that funnels begin with; NULL for any other';

CREATE FUNCTION _create_funnel_policy() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	--
	-- Working time, for deadlines of stages that ask for it
	--
	INSERT INTO calendar (weekday, opens, closes)
		SELECT weekday, '09:00', '17:00' FROM generate_series(1, 5) AS weekday;

	--
	-- Who may be asked to agree.  The funnel's owner names their roles.
	--
	INSERT INTO side (side, description) VALUES
		('marketing', 'vets what is handed over'),
		('sales', 'vets what it takes over'),
		('manager', 'decides on exceptions');

	--
	-- Kinds of activity
	--
	INSERT INTO kind (kind, party, touch, conversation, description) VALUES
		('website_visit', 'lead', true, false, 'visited the website'),
		('product_page_view', 'lead', true, false, 'viewed the page of a product'),
		('pricing_page_view', 'lead', true, false, 'viewed the pricing page'),
		('career_page_view', 'lead', false, false, 'viewed a career page: wants a job more than a product'),
		('social_interaction', 'lead', true, false, 'liked, shared, commented or followed on social media'),
		('ad_click', 'lead', true, false, 'clicked an advertisement'),
		('email_open', 'lead', false, false, 'opened an e-mail (machines do so too)'),
		('email_click', 'lead', true, false, 'followed a link in an e-mail'),
		('email_reply', 'lead', false, false, 'answered an e-mail'),
		('newsletter_subscription', 'lead', true, false, 'subscribed to the newsletter'),
		('blog_subscription', 'lead', true, false, 'subscribed to the blog'),
		('unsubscribe', 'lead', false, false, 'unsubscribed'),
		('content_download', 'lead', true, false, 'downloaded content that has no kind of its own'),
		('ebook_download', 'lead', true, false, 'downloaded an ebook'),
		('whitepaper_download', 'lead', true, false, 'downloaded a whitepaper'),
		('case_study_download', 'lead', true, false, 'downloaded a case study'),
		('webinar', 'lead', true, false, 'attended a webinar'),
		('contact_form', 'lead', true, false, 'submitted contact data in a form'),
		('contact_request', 'lead', true, false, 'asked to be contacted'),
		('consultation_request', 'lead', true, false, 'asked for a consultation'),
		('demo_request', 'lead', true, false, 'asked for a demo'),
		('free_trial', 'lead', true, false, 'began a free trial'),
		('meeting_booked', 'lead', true, false, 'booked a meeting'),
		('sales_inquiry', 'lead', true, false, 'asked sales for information, a price or an offer'),
		('email_sent', 'marketing', false, false, 'marketing sent an e-mail'),
		('sales_email', 'sales', false, false, 'sales wrote an e-mail'),
		('call_attempt', 'sales', false, false, 'sales called and reached nobody'),
		('sales_call', 'sales', false, true, 'sales spoke with the lead by telephone'),
		('discovery_call', 'sales', false, true, 'sales asked for needs, budget, authority and timeline'),
		('meeting', 'sales', false, true, 'sales met the lead'),
		('demo', 'sales', false, true, 'sales showed the product and the lead took part');

	--
	-- Sources
	--
	INSERT INTO source (source, channel, direct, paid) VALUES
		('organic_search', 'search', false, false),
		('paid_search', 'search', false, true),
		('social', 'social', false, false),
		('paid_social', 'social', false, true),
		('display', 'display', false, true),
		('email', 'email', false, false),
		('content', 'content', false, false),
		('event', 'event', false, true),
		('referral', 'referral', false, false),
		('partner', 'partner', false, false),
		('outbound', 'outbound', false, false),
		('direct', 'direct', true, false),
		('other', 'other', false, false);

	--
	-- Lists.  The target and rival lists hold examples: put your own in.
	-- The default conditions compare with ILIKE: upper and lower case are the
	-- same, % stands for any text and _ for any character.
	--
	INSERT INTO list (list, value) VALUES
		('target_countries', 'AT'), ('target_countries', 'CH'),
		('target_countries', 'DE'), ('target_countries', 'FR'),
		('target_countries', 'GB'), ('target_countries', 'NL'),
		('target_countries', 'US'),
		('target_industries', 'software'),
		('target_industries', 'information technology'),
		('target_industries', 'financial services'),
		('target_industries', 'manufacturing'),
		('target_industries', 'professional services'),
		('target_job_titles', '%marketing%'), ('target_job_titles', '%sales%'),
		('target_job_titles', '%revenue%'), ('target_job_titles', '%growth%'),
		('target_departments', 'marketing'), ('target_departments', 'sales'),
		('target_departments', 'operations'), ('target_departments', 'management'),
		('target_seniorities', 'owner'), ('target_seniorities', 'c-level'),
		('target_seniorities', 'vp'), ('target_seniorities', 'director'),
		('target_seniorities', 'head'), ('target_seniorities', 'manager'),
		('research_titles', '%researcher%'), ('research_titles', '%research assistant%'),
		('research_titles', '%scientist%'), ('research_titles', '%student%'),
		('research_titles', '%professor%'), ('research_titles', '%lecturer%'),
		('rival_domains', 'rival.example'), ('rival_companies', 'Rival (example)'),
		('sales_sources', 'outbound'), ('sales_sources', 'partner'),
		('free_mail_domains', 'aol.com'), ('free_mail_domains', 'gmail.com'),
		('free_mail_domains', 'gmx.de'), ('free_mail_domains', 'gmx.net'),
		('free_mail_domains', 'googlemail.com'), ('free_mail_domains', 'hotmail.com'),
		('free_mail_domains', 'icloud.com'), ('free_mail_domains', 'live.com'),
		('free_mail_domains', 'mail.ru'), ('free_mail_domains', 'msn.com'),
		('free_mail_domains', 'outlook.com'), ('free_mail_domains', 'proton.me'),
		('free_mail_domains', 'protonmail.com'), ('free_mail_domains', 'qq.com'),
		('free_mail_domains', 'web.de'), ('free_mail_domains', 'yahoo.com'),
		('free_mail_domains', 'yandex.ru'), ('free_mail_domains', '163.com');

	--
	-- Frameworks.  Those that are types have a column of a lead; the answers
	-- of the others gather in lead.answers.
	--
	INSERT INTO element (framework, element, label, weight, position, valid_for) VALUES
		('bant', 'budget', 'Budget', 1, 1, NULL),
		('bant', 'authority', 'Authority', 1, 2, NULL),
		('bant', 'need', 'Need', 1, 3, NULL),
		('bant', 'timeline', 'Timeline', 1, 4, '180 days'),
		('meddic', 'metrics', 'Metrics', 1, 1, NULL),
		('meddic', 'economic_buyer', 'Economic buyer', 1, 2, NULL),
		('meddic', 'decision_criteria', 'Decision criteria', 1, 3, NULL),
		('meddic', 'decision_process', 'Decision process', 1, 4, NULL),
		('meddic', 'identify_pain', 'Identify pain', 1, 5, NULL),
		('meddic', 'champion', 'Champion', 1, 6, NULL),
		('meddpicc', 'metrics', 'Metrics', 15, 1, NULL),
		('meddpicc', 'economic_buyer', 'Economic buyer', 15, 2, NULL),
		('meddpicc', 'decision_criteria', 'Decision criteria', 10, 3, NULL),
		('meddpicc', 'decision_process', 'Decision process', 10, 4, NULL),
		('meddpicc', 'paper_process', 'Paper process', 10, 5, NULL),
		('meddpicc', 'identify_pain', 'Identify pain', 15, 6, NULL),
		('meddpicc', 'champion', 'Champion', 15, 7, NULL),
		('meddpicc', 'competition', 'Competition', 10, 8, NULL),
		('discovery', 'interest', 'Interest', 1, 1, NULL),
		('discovery', 'goals', 'Goals', 1, 2, NULL),
		('discovery', 'obstacles', 'Obstacles and preconditions', 1, 3, NULL),
		('discovery', 'current_solution', 'Current solution', 1, 4, NULL),
		('discovery', 'satisfaction', 'Satisfied with it, and with its price', 1, 5, NULL),
		('basic', 'need', 'Need', 1, 1, NULL),
		('basic', 'interest', 'Expressed interest', 1, 2, NULL),
		('basic', 'budget', 'Budget', 1, 3, NULL),
		('champ', 'challenges', 'Challenges', 1, 1, NULL),
		('champ', 'authority', 'Authority', 1, 2, NULL),
		('champ', 'money', 'Money', 1, 3, NULL),
		('champ', 'prioritization', 'Prioritization', 1, 4, '180 days'),
		('anum', 'authority', 'Authority', 1, 1, NULL),
		('anum', 'need', 'Need', 1, 2, NULL),
		('anum', 'urgency', 'Urgency', 1, 3, '180 days'),
		('anum', 'money', 'Money', 1, 4, NULL),
		('gpctba_ci', 'goals', 'Goals', 1, 1, NULL),
		('gpctba_ci', 'plans', 'Plans', 1, 2, NULL),
		('gpctba_ci', 'challenges', 'Challenges', 1, 3, NULL),
		('gpctba_ci', 'timeline', 'Timeline', 1, 4, '180 days'),
		('gpctba_ci', 'budget', 'Budget', 1, 5, NULL),
		('gpctba_ci', 'authority', 'Authority', 1, 6, NULL),
		('gpctba_ci', 'consequences', 'Negative consequences', 1, 7, NULL),
		('gpctba_ci', 'implications', 'Positive implications', 1, 8, NULL),
		('spiced', 'situation', 'Situation', 1, 1, NULL),
		('spiced', 'pain', 'Pain', 1, 2, NULL),
		('spiced', 'impact', 'Impact', 1, 3, NULL),
		('spiced', 'critical_event', 'Critical event', 1, 4, '180 days'),
		('spiced', 'decision', 'Decision', 1, 5, NULL);

	INSERT INTO question (framework, element, text, position) VALUES
		('discovery', 'interest', 'What brought you to this topic, and what would you like to know?', 1),
		('bant', 'need', 'Which challenges do you face at the moment?', 2),
		('discovery', 'goals', 'What do you want to achieve?', 3),
		('discovery', 'obstacles', 'What has kept you from it so far? Is there anything that must be in place first?', 4),
		('discovery', 'current_solution', 'What do you use for it today?', 5),
		('discovery', 'satisfaction', 'Are you satisfied with it, and is its price fair?', 6),
		('bant', 'timeline', 'Do you intend to buy, and when?', 7),
		('bant', 'timeline', 'How far are you: looking around, comparing, or deciding?', 8),
		('bant', 'budget', 'What may it cost, and what do you want to know about our prices?', 9),
		('bant', 'authority', 'Who decides on the purchase?', 10),
		('bant', 'authority', 'With whom else should we speak?', 11);

	--
	-- The definition: a draft until all its rows are there
	--
	INSERT INTO definition (definition, status, version, note) VALUES
		('default', 'draft', 0, 'what a new funnel begins with');

	--
	-- Rules: who the lead is.
	--
	INSERT INTO rule (definition, name, axis, condition, points, category, enabled, description) VALUES
		('default', 'job_title', 'fit', 'job_title ILIKE ANY (list.target_job_titles)',
		 10, 'profile', true, 'the job title is one that buys'),
		('default', 'role', 'fit', 'department ILIKE ANY (list.target_departments)',
		 5, 'profile', true, 'works in a department that buys'),
		('default', 'seniority', 'fit', 'seniority ILIKE ANY (list.target_seniorities)',
		 10, 'profile', true, 'has a say'),
		('default', 'experience', 'fit', 'years_in_industry >= 3',
		 5, 'profile', true, 'knows the industry: three years or more'),
		('default', 'industry', 'fit', 'industry ILIKE ANY (list.target_industries)',
		 10, 'company', true, 'the industry is one that we serve'),
		('default', 'company_size', 'fit', 'company_size >= 50',
		 10, 'company', true, 'the company has 50 people or more'),
		('default', 'company_revenue', 'fit', 'annual_revenue >= 5000000',
		 5, 'company', true, 'the company turns over five million or more a year'),
		('default', 'location', 'fit', 'country ILIKE ANY (list.target_countries)',
		 5, 'company', true, 'the country is one that we serve'),
		('default', 'title_outside', 'fit', 'job_title ILIKE ANY (list.research_titles)',
		 -30, 'negative', true, 'a title from outside the industry: reads for research, not to buy'),
		('default', 'rival', 'fit',
		 'split_part(email, ''@'', 2) ILIKE ANY (list.rival_domains) OR company ILIKE ANY (list.rival_companies)',
		 -1000, 'negative', true, 'works for a rival; a transition disqualifies at once'),
		('default', 'unsubscribed', 'fit', 'unsubscribed',
		 -15, 'negative', true, 'is unsubscribed (the state; the act is the rule "unsubscribe")'),
		('default', 'free_mail', 'fit', 'split_part(email, ''@'', 2) ILIKE ANY (list.free_mail_domains)',
		 -5, 'negative', false, 'writes from a private mailbox: off, for who sells to companies only');

	--
	-- Rules: what the lead does.  What machines and habit repeat is capped by
	-- max_points, which needs no look into the log; max_hits would.
	--
	INSERT INTO rule (definition, name, axis, kind, condition, points, half_life, max_points, category, description) VALUES
		('default', 'website_visit', 'engagement', 'website_visit', NULL,
		 1, '14 days', 10, 'web', 'visits the website'),
		('default', 'product_page_view', 'engagement', 'product_page_view', NULL,
		 5, '14 days', 20, 'web', 'looks at a product'),
		('default', 'pricing_page_view', 'engagement', 'pricing_page_view', NULL,
		 15, '14 days', 60, 'intent', 'looks at the prices: wants to buy'),
		('default', 'career_page_view', 'engagement', 'career_page_view', NULL,
		 -10, '30 days', 40, 'negative', 'looks for a job'),
		('default', 'social_interaction', 'engagement', 'social_interaction', NULL,
		 2, '14 days', 10, 'social', 'interacts on social media'),
		('default', 'ad_click', 'engagement', 'ad_click', NULL,
		 3, '14 days', 9, 'web', 'clicks an advertisement'),
		('default', 'email_open', 'engagement', 'email_open', NULL,
		 1, '14 days', 5, 'email', 'opens e-mails'),
		('default', 'email_click', 'engagement', 'email_click', NULL,
		 3, '30 days', 15, 'email', 'follows links in e-mails'),
		('default', 'email_reply', 'engagement', 'email_reply', NULL,
		 20, '60 days', 120, 'email', 'answers e-mails: whoever does so time and again is an MQL'),
		('default', 'newsletter_subscription', 'engagement', 'newsletter_subscription', NULL,
		 5, '90 days', 5, 'subscription', 'subscribes to the newsletter'),
		('default', 'blog_subscription', 'engagement', 'blog_subscription', NULL,
		 3, '90 days', 3, 'subscription', 'subscribes to the blog'),
		('default', 'unsubscribe', 'engagement', 'unsubscribe', NULL,
		 -15, '180 days', 30, 'negative', 'unsubscribes'),
		('default', 'content_download', 'engagement', 'content_download', NULL,
		 10, '60 days', 40, 'content', 'downloads content'),
		('default', 'ebook_download', 'engagement', 'ebook_download', NULL,
		 15, '60 days', 45, 'content', 'downloads ebooks'),
		('default', 'whitepaper_download', 'engagement', 'whitepaper_download', NULL,
		 15, '60 days', 45, 'content', 'downloads whitepapers'),
		('default', 'case_study_download', 'engagement', 'case_study_download', NULL,
		 20, '60 days', 60, 'content', 'downloads case studies: wants to know how others fared'),
		('default', 'webinar', 'engagement', 'webinar', NULL,
		 20, '60 days', 60, 'content', 'attends webinars'),
		('default', 'contact_form', 'engagement', 'contact_form', NULL,
		 40, '30 days', 80, 'contact', 'submits contact data'),
		('default', 'contact_request', 'engagement', 'contact_request', NULL,
		 60, '30 days', 120, 'contact', 'asks to be contacted'),
		('default', 'consultation_request', 'engagement', 'consultation_request', NULL,
		 120, '30 days', 240, 'intent', 'asks for a consultation'),
		('default', 'demo_request', 'engagement', 'demo_request', NULL,
		 120, '30 days', 240, 'intent', 'asks for a demo'),
		('default', 'free_trial', 'engagement', 'free_trial', NULL,
		 120, '30 days', 240, 'intent', 'tries the product'),
		('default', 'meeting_booked', 'engagement', 'meeting_booked', NULL,
		 120, '30 days', 240, 'intent', 'books a meeting'),
		('default', 'sales_inquiry', 'engagement', 'sales_inquiry', NULL,
		 150, '30 days', 300, 'intent', 'asks sales: the fast way to sales; a transition reads its last hit'),
		('default', 'sales_conversation', 'engagement', '*', 'kind.conversation',
		 0, NULL, NULL, 'sales', 'sales and the lead spoke: gives no points; the way to SQL reads its last hit');

	--
	-- Reasons.  The waterfall counts a lead under the first one by position.
	--
	INSERT INTO reason (applies_to, reason, position, label, side)
	SELECT v.applies_to, v.reason, v.position, v.label, _shipped_side(v.applies_to, v.reason)
	FROM (VALUES
		('disqualified', 'outside_audience', 10, 'Outside the audience'),
		('disqualified', 'no_budget', 20, 'Cannot afford it'),
		('disqualified', 'competitor_satisfied', 30, 'Happy with a competitor'),
		('disqualified', 'no_authority', 40, 'Does not decide and leads to nobody who does'),
		('disqualified', 'no_need', 50, 'Has no need'),
		('disqualified', 'rival', 110, 'Works for a rival'),
		('disqualified', 'duplicate', 120, 'Is in the funnel already'),
		('disqualified', 'wrong_data', 130, 'The contact data are wrong'),
		('disqualified', 'do_not_contact', 140, 'Does not want to be contacted'),
		('disqualified', 'spam', 150, 'Is not a person'),
		('nurture', 'no_budget', 20, 'Has no budget yet'),
		('nurture', 'competitor_satisfied', 30, 'Happy with a competitor for now'),
		('nurture', 'no_authority', 40, 'The one who decides is not on board'),
		('nurture', 'no_need', 50, 'Has no need yet'),
		('nurture', 'no_timeline', 60, 'Has no date in mind'),
		('nurture', 'missing_requirement', 70, 'Lacks something that our product needs'),
		('nurture', 'waiting_for_funding', 80, 'Waits for funding'),
		('nurture', 'waiting_for_hiring', 85, 'Waits for new people'),
		('nurture', 'too_early', 90, 'Handed over too early'),
		('nurture', 'not_reachable', 100, 'Could not be reached'),
		('lost', 'no_budget', 20, 'Could not afford it'),
		('lost', 'no_authority', 40, 'The one who decides said no'),
		('lost', 'not_reachable', 100, 'Could not be reached any more'),
		('lost', 'lost_to_competitor', 200, 'Bought from a competitor'),
		('lost', 'price', 210, 'Our price'),
		('lost', 'missing_feature', 220, 'Our product lacks something'),
		('lost', 'no_decision', 230, 'Decided to buy nothing'),
		('sql', 'strategic_account', 300, 'An account that we want in any case'),
		('sql', 'urgent', 310, 'Buys too soon to ask for all'),
		('lead', 'discarded_in_error', 320, 'Was discarded in error'),
		('lead', 'things_changed', 330, 'Things have changed')) AS v (applies_to, reason, position, label);

	--
	-- Transitions, tried in the order of their positions
	--
	INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition, needs_reason, exception, description) VALUES
		('default', 10, NULL, 'lead', true, NULL, false, false,
		 'everybody begins here'),
		('default', 20, NULL, 'sal', false, 'source ILIKE ANY (list.sales_sources)', false, false,
		 'what sales found itself needs no acceptance'),
		('default', 30, '*', 'disqualified', true,
		 'split_part(email, ''@'', 2) ILIKE ANY (list.rival_domains) OR company ILIKE ANY (list.rival_companies)', false, false,
		 'a rival is a hard stop'),
		('default', 40, 'lead', 'mql', true, 'score >= 100 AND engagement > 0', false, false,
		 'the score hands the lead over to sales; who somebody is does not do it without anything done'),
		('default', 50, 'mql', 'sal', false, NULL, false, false,
		 'sales accepts the lead by asking for this move'),
		('default', 55, 'lead', 'sal', false, 'last.sales_inquiry >= cycle_started_at', false, false,
		 'who asks sales directly need not wait for a score'),
		('default', 60, 'sal', 'sql', false,
		 'last.sales_conversation >= cycle_started_at AND met(bant) >= 3 AND refuted(bant) = 0', false, false,
		 'sales spoke with the lead in this cycle, three of budget, authority, need and timeline are met and none is refuted'),
		('default', 65, 'sal', 'sql', false, 'last.sales_conversation >= cycle_started_at', true, true,
		 'an exception: after a conversation, by decision of a manager and with a reason'),
		('default', 70, 'sql', 'opportunity', true,
		 '(deals_open > 0 OR deals_won > 0) AND bant -> ''timeline'' >= ''partial''', false, false,
		 'a deal was opened and the timeline is known'),
		('default', 71, 'sql', 'opportunity', false, 'bant -> ''timeline'' >= ''partial''', false, false,
		 'sales works on a deal that is not recorded yet; the timeline is known'),
		('default', 80, 'opportunity', 'customer', true, 'deals_won > 0', false, false,
		 'a deal was won'),
		('default', 81, 'lost', 'customer', true, 'deals_won > 0', false, false,
		 'a deal was won after all, in the cycle of its SQL'),
		('default', 82, 'nurture', 'customer', true, 'deals_won > 0', false, false,
		 'bought while nobody worked on it, in the cycle that it had'),
		('default', 85, 'opportunity', 'lost', true,
		 'deals_lost > 0 AND deals_open = 0 AND deals_won = 0', false, false,
		 'the last open deal was lost and none was won'),
		('default', 86, 'sql', 'lost', false, NULL, true, false,
		 'lost before a deal was recorded'),
		('default', 87, 'opportunity', 'lost', false, NULL, true, false,
		 'given up'),
		('default', 90, 'mql', 'nurture', false, NULL, true, false,
		 'sales does not accept: marketing reworks the lead'),
		('default', 91, 'sal', 'nurture', false, NULL, true, false,
		 'not ready: marketing keeps the interest alive'),
		('default', 92, 'sql', 'nurture', false, NULL, true, false,
		 'qualified but not ready to buy: give resume_at where the date is known'),
		('default', 93, 'opportunity', 'nurture', false, NULL, true, false,
		 'the purchase was put off: give resume_at where the date is known'),
		('default', 100, '*', 'disqualified', false, NULL, true, false,
		 'will not buy: discarded'),
		('default', 110, 'nurture', 'mql', true,
		 'score >= 100 AND engagement > 0 AND last_activity > stage_entered_at', false, false,
		 'came back by itself: new activity and a score over the threshold'),
		('default', 111, 'nurture', 'mql', true,
		 'resume_at > stage_entered_at AND days_in_stage >= trunc(extract(epoch FROM resume_at - stage_entered_at) / 86400, 6)', false, false,
		 'the date to come back, resume_at, was reached'),
		('default', 112, 'nurture', 'lead', false, NULL, false, false,
		 'marketing begins anew'),
		('default', 113, 'disqualified', 'lead', false, NULL, true, false,
		 'discarded in error, or things have changed'),
		('default', 114, 'lost', 'nurture', false, NULL, false, false,
		 'lost this time: marketing keeps the interest alive'),
		('default', 115, 'lost', 'mql', true,
		 'score >= 100 AND engagement > 0 AND last_activity > stage_entered_at', false, false,
		 'came back by itself: new activity and a score over the threshold'),
		('default', 116, 'lost', 'opportunity', false, 'deals_open > 0 OR deals_won > 0', false, false,
		 'a deal is open again'),
		('default', 120, 'customer', 'opportunity', false, 'deals_open > 0 OR deals_won > 0', false, false,
		 'a customer buys again: a new cycle');

	--
	-- What may be said at which stage.  Who is new is not pitched to; who
	-- talks to sales hears no pitch of marketing's any more.
	--
	INSERT INTO message (message, party, milestones, description) VALUES
		('welcome', 'marketing', '{lead}', 'a first greeting and what to expect'),
		('newsletter', 'marketing', '{lead,mql,nurture,customer,lost}', 'news, without a pitch'),
		('education', 'marketing', '{lead,mql,nurture,lost}', 'content on the topic, without a pitch'),
		('invitation', 'marketing', '{lead,mql,nurture,lost}', 'an invitation to a webinar or an event'),
		('marketing_pitch', 'marketing', '{mql,nurture}', 'marketing offers the product'),
		('demo_pitch', 'marketing', '{mql}', 'marketing offers a demo or a trial'),
		('win_back', 'marketing', '{nurture,lost}', 'asks whether things have changed'),
		('first_contact', 'sales', '{mql,sal}', 'sales introduces itself and asks for a conversation'),
		('follow_up', 'sales', '{sal,sql,opportunity}', 'sales goes on with a conversation'),
		('sales_pitch', 'sales', '{sal,sql,opportunity}', 'sales offers the product, a demo or a trial'),
		('offer', 'sales', '{sql,opportunity}', 'a price or an offer'),
		('onboarding', 'sales', '{customer}', 'how to begin with what was bought'),
		('extension', 'sales', '{customer}', 'more for a customer');

	INSERT INTO content (title, milestones, topic, position) VALUES
		('Introduction to the topic', '{lead,nurture}', 'basics', 10),
		('Ebook', '{lead,nurture}', 'basics', 20),
		('Checklist: what to look for', '{lead,mql,nurture}', 'choice', 30),
		('Webinar', '{lead,mql,nurture}', 'product', 40),
		('Product video', '{mql}', 'product', 50),
		('Free trial', '{mql}', 'product', 60),
		('Live demo', '{mql,sal}', 'product', 70),
		('Success stories', '{sal,sql,opportunity}', 'proof', 80),
		('Comparison with the alternatives', '{sal,sql,opportunity}', 'choice', 90),
		('Answers to common objections', '{sal,sql,opportunity}', 'objections', 100),
		('Return on investment', '{sql,opportunity}', 'price', 110),
		('First steps', '{customer}', 'onboarding', 120);

	UPDATE transition SET reason = 'rival' WHERE from_stage = '*' AND automatic;
	UPDATE definition SET status = 'active' WHERE definition = 'default';

	-- what points had said otherwise
	UPDATE reason SET rule = v.rule
	FROM (VALUES ('rival', 'rival'), ('outside_audience', 'title_outside'),
				 ('do_not_contact', 'unsubscribed')) AS v (reason, rule)
	WHERE reason.reason = v.reason AND reason.applies_to = 'disqualified';
END
$template$;

COMMENT ON FUNCTION _create_funnel_policy() IS
'fills the policy tables of a new funnel; called by create_funnel()';
