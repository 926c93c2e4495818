--
-- What the tables and columns of a funnel mean
--
-- Whoever opens the schema in a tool sees it explained.
--
CREATE FUNCTION _create_funnel_comments() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	-- lint: search_path, because create_funnel() has set it
	COMMENT ON TABLE setting IS
		'the funnel itself: one row';
	COMMENT ON COLUMN setting.only_row IS
		'always true: there is one row';
	COMMENT ON COLUMN setting.time_zone IS
		'time zone in which views and deadlines count days and months';
	COMMENT ON COLUMN setting.currency IS
		'currency of home_amount and of spend that names none';
	COMMENT ON COLUMN setting.maturity_days IS
		'a cohort is mature this many days after its end';
	COMMENT ON COLUMN setting.worth_rate IS
		'worth of a qualified lead as a share of net profit, by rule of thumb';
	COMMENT ON COLUMN setting.sales_capacity IS
		'leads that sales can work on a week; NULL: not known';
	COMMENT ON COLUMN setting.attribution_first IS
		'share of the first touch in U-shaped attribution';
	COMMENT ON COLUMN setting.attribution_last IS
		'share of the last touch in U-shaped attribution';
	COMMENT ON COLUMN setting.attribution_anchor IS
		'share of each of the three anchors in W-shaped attribution';
	COMMENT ON COLUMN setting.attribution_half_life IS
		'half-life of time-decay attribution';
	COMMENT ON COLUMN setting.edit_signed IS
		'may the active definition be changed in place though it asks for signatures? It is unsigned then. For the owner to say';
	COMMENT ON COLUMN setting.template_version IS
		'version of the template that made these tables; kept by the extension';
	COMMENT ON COLUMN setting.lead_table IS
		'table of leads if it is not the funnel''s own; kept by the extension';
	COMMENT ON COLUMN setting.lead_key IS
		'key column of the table of leads; kept by the extension';

	COMMENT ON TABLE kind IS
		'a kind of activity';
	COMMENT ON COLUMN kind.kind IS
		'name of the kind, as activities and rules give it';
	COMMENT ON COLUMN kind.party IS
		'who acts: lead, sales, marketing or system';
	COMMENT ON COLUMN kind.touch IS
		'counts as a touch in attribution';
	COMMENT ON COLUMN kind.conversation IS
		'both sides spoke: opens the way to SQL';
	COMMENT ON COLUMN kind.description IS
		'what it is, in words';

	COMMENT ON TABLE source IS
		'where leads come from';
	COMMENT ON COLUMN source.source IS
		'name of the source, as leads, activities and spend give it';
	COMMENT ON COLUMN source.channel IS
		'group of sources';
	COMMENT ON COLUMN source.direct IS
		'came by itself: passed over by last non-direct attribution';
	COMMENT ON COLUMN source.paid IS
		'costs money a click or a contact';

	COMMENT ON TABLE list IS
		'a value of a named list, which conditions read as list.<name>; the default conditions compare with ILIKE, so that case does not matter and % stands for any text';
	COMMENT ON COLUMN list.list IS
		'name of the list';
	COMMENT ON COLUMN list.value IS
		'a value, or a pattern where the condition compares with ILIKE';

	COMMENT ON TABLE element IS
		'an element of a qualification framework';
	COMMENT ON COLUMN element.framework IS
		'name of the framework; one that is a type has a column of a lead';
	COMMENT ON COLUMN element.element IS
		'name of the element; for a framework that is a type, the long name there';
	COMMENT ON COLUMN element.label IS
		'name that people see';
	COMMENT ON COLUMN element.weight IS
		'weight where elements are weighed against each other';
	COMMENT ON COLUMN element.position IS
		'order within the framework';
	COMMENT ON COLUMN element.valid_for IS
		'an answer counts this long in a new cycle; NULL: for ever';

	COMMENT ON TABLE question IS
		'what to ask a lead';
	COMMENT ON COLUMN question.question_id IS
		'key';
	COMMENT ON COLUMN question.framework IS
		'framework of the element';
	COMMENT ON COLUMN question.element IS
		'element that an answer settles: the question is open until then';
	COMMENT ON COLUMN question.text IS
		'the question';
	COMMENT ON COLUMN question.position IS
		'order of asking';

	COMMENT ON TABLE stage IS
		'a step of the funnel';
	COMMENT ON COLUMN stage.stage IS
		'name, the user''s own';
	COMMENT ON COLUMN stage.position IS
		'order of the steps';
	COMMENT ON COLUMN stage.milestone IS
		'what the views take the stage for: lead, mql, sal, sql, opportunity, customer, nurture, disqualified or lost';
	COMMENT ON COLUMN stage.owner_role IS
		'who works on leads in it: marketing, sales or none';
	COMMENT ON COLUMN stage.sla IS
		'the next move is due this long after the entry; of the stage of MQLs: the acceptance';
	COMMENT ON COLUMN stage.notify IS
		'NOTIFY when a lead enters, on the channel named like the funnel; transactions that do so commit one after another';
	COMMENT ON COLUMN stage.description IS
		'what it means, in words';
	COMMENT ON COLUMN stage.working_time IS
		'sla counts working time: its hours are hours open, a day is a working day; false: as on the wall';

	COMMENT ON TABLE calendar IS
		'hours at which sales is at work, in the funnel''s time zone; deadlines set before a change stay as they are';
	COMMENT ON COLUMN calendar.weekday IS
		'day of the week: 1 is Monday, 7 Sunday';
	COMMENT ON COLUMN calendar.opens IS
		'beginning of the hours';
	COMMENT ON COLUMN calendar.closes IS
		'end of the hours; 24:00 is the end of the day';

	COMMENT ON TABLE holiday IS
		'a day without working time';
	COMMENT ON COLUMN holiday.day IS
		'the day, in the funnel''s time zone';
	COMMENT ON COLUMN holiday.name IS
		'what it is called';

	COMMENT ON TABLE side IS
		'a side that may be asked to agree to a move or a definition';
	COMMENT ON COLUMN side.side IS
		'name of the side; manager decides on exceptions';
	COMMENT ON COLUMN side.role IS
		'PostgreSQL role whose members sign for it; NULL: the role that owns the funnel';
	COMMENT ON COLUMN side.description IS
		'what it is asked for, in words';

	COMMENT ON TABLE definition_log IS
		'a change of a rule, transition, definition, stage, list, kind or element; rows are added by triggers and never changed; definition_at() reads it';
	COMMENT ON COLUMN definition_log.log_id IS
		'key, in the order of the changes';
	COMMENT ON COLUMN definition_log.changed_at IS
		'when';
	COMMENT ON COLUMN definition_log.actor IS
		'who';
	COMMENT ON COLUMN definition_log.relation IS
		'table: rule, transition, definition, stage, list, kind or element';
	COMMENT ON COLUMN definition_log.operation IS
		'insert, update, delete or truncate';
	COMMENT ON COLUMN definition_log.definition IS
		'definition that the row belongs to; NULL: all of them share it, or the table was emptied';
	COMMENT ON COLUMN definition_log.version IS
		'version of that definition (NULL: of the active one) after the change';
	COMMENT ON COLUMN definition_log.old_row IS
		'the row before; NULL: it came';
	COMMENT ON COLUMN definition_log.new_row IS
		'the row after; NULL: it went';

	COMMENT ON TABLE signature IS
		'a side''s agreement to a move of a lead or to a definition; append-only; see sign_move() and sign_definition()';
	COMMENT ON COLUMN signature.signature_id IS
		'key';
	COMMENT ON COLUMN signature.lead_id IS
		'lead that may move, which may be gone by now; NULL: a definition is agreed on';
	COMMENT ON COLUMN signature.to_stage IS
		'stage that it may move to';
	COMMENT ON COLUMN signature.cycle IS
		'cycle of the lead in which it may do so';
	COMMENT ON COLUMN signature.definition IS
		'definition that is agreed on; NULL: a move';
	COMMENT ON COLUMN signature.version IS
		'version of the definition that was signed';
	COMMENT ON COLUMN signature.side IS
		'side that agrees';
	COMMENT ON COLUMN signature.signed_by IS
		'who signed; kept by triggers';
	COMMENT ON COLUMN signature.signed_at IS
		'when; kept by triggers';
	COMMENT ON COLUMN signature.note IS
		'what was said';

	COMMENT ON TABLE definition IS
		'what counts: a set of rules and transitions, of which one is active';
	COMMENT ON COLUMN definition.definition IS
		'name';
	COMMENT ON COLUMN definition.status IS
		'draft, active (exactly one) or retired; set by the owner of the funnel';
	COMMENT ON COLUMN definition.version IS
		'rises with every transaction that changes the active definition; kept by triggers';
	COMMENT ON COLUMN definition.sides IS
		'sides that must have signed its rules and transitions before it can be activated; NULL: none; set by the owner of the funnel';
	COMMENT ON COLUMN definition.agreed_by_marketing IS
		'who agreed for marketing';
	COMMENT ON COLUMN definition.agreed_by_sales IS
		'who agreed for sales';
	COMMENT ON COLUMN definition.agreed_at IS
		'when both had agreed';
	COMMENT ON COLUMN definition.review_by IS
		'the day by which to look at it again';
	COMMENT ON COLUMN definition.max_fit IS
		'the most that rules of axis fit give together; NULL: no cap';
	COMMENT ON COLUMN definition.max_engagement IS
		'the most that rules of axis engagement give together; NULL: no cap';
	COMMENT ON COLUMN definition.floor IS
		'the least that a score can be; NULL: no floor';
	COMMENT ON COLUMN definition.note IS
		'what it is for, in words';

	COMMENT ON TABLE transition IS
		'a legal move from one stage to another';
	COMMENT ON COLUMN transition.transition_id IS
		'key';
	COMMENT ON COLUMN transition.definition IS
		'definition that it belongs to';
	COMMENT ON COLUMN transition.position IS
		'order in which transitions are tried';
	COMMENT ON COLUMN transition.from_stage IS
		'stage it leaves; NULL: creation of the lead, *: any';
	COMMENT ON COLUMN transition.to_stage IS
		'stage it enters';
	COMMENT ON COLUMN transition.automatic IS
		'happens by itself when it holds; else somebody asks for it by setting the stage';
	COMMENT ON COLUMN transition.after IS
		'holds only this long after the stage was entered';
	COMMENT ON COLUMN transition.condition IS
		'boolean expression over the lead and pseudo-columns; NULL: always holds';
	COMMENT ON COLUMN transition.condition_sql IS
		'the condition with all names qualified; kept by triggers';
	COMMENT ON COLUMN transition.needs_reason IS
		'whoever asks must give a reason';
	COMMENT ON COLUMN transition.reason IS
		'reason that the move is recorded with where nobody gives one, as of an automatic one; of table reason';
	COMMENT ON COLUMN transition.exception IS
		'the move is marked as an exception in history';
	COMMENT ON COLUMN transition.sides IS
		'sides that must have signed the move, each through somebody else than who asks for it; NULL: none';
	COMMENT ON COLUMN transition.description IS
		'why the move exists, in words';

	COMMENT ON TABLE rule IS
		'a scoring rule';
	COMMENT ON COLUMN rule.rule_id IS
		'key, by which scorecards know the rule';
	COMMENT ON COLUMN rule.definition IS
		'definition that it belongs to';
	COMMENT ON COLUMN rule.name IS
		'name by which conditions know the rule: hits.<name>, points.<name>, last.<name>';
	COMMENT ON COLUMN rule.axis IS
		'fit: who the lead is; engagement: what the lead does';
	COMMENT ON COLUMN rule.kind IS
		'kind of activity that it counts, * for any; NULL for fit';
	COMMENT ON COLUMN rule.condition IS
		'boolean expression over the lead (fit) or the activity (engagement); NULL: always holds';
	COMMENT ON COLUMN rule.condition_sql IS
		'the condition with all names qualified; kept by triggers';
	COMMENT ON COLUMN rule.points IS
		'points that one hit gives, or takes if negative';
	COMMENT ON COLUMN rule.half_life IS
		'after this long half of the points are left; NULL: they stay';
	COMMENT ON COLUMN rule.max_points IS
		'cap on what the rule gives or takes altogether; NULL: none';
	COMMENT ON COLUMN rule.max_hits IS
		'hits that count, in all or per window; NULL: any number';
	COMMENT ON COLUMN rule.per IS
		'window of max_hits; NULL: in all';
	COMMENT ON COLUMN rule.category IS
		'group in which the views add up: email, web, intent and so on';
	COMMENT ON COLUMN rule.enabled IS
		'false: the rule counts nothing';
	COMMENT ON COLUMN rule.description IS
		'why the rule exists, in words';

	COMMENT ON TABLE reason IS
		'why a lead is returned, discarded or lost';
	COMMENT ON COLUMN reason.reason IS
		'name, as it is given with a move';
	COMMENT ON COLUMN reason.applies_to IS
		'stage for whose entry it may be given';
	COMMENT ON COLUMN reason.position IS
		'order; the waterfall counts a lead under its first reason';
	COMMENT ON COLUMN reason.label IS
		'name that people see';
	COMMENT ON COLUMN reason.rule IS
		'name of the rule that the reason blames, of the active definition: the one to look at where leads are returned for it';

	COMMENT ON TABLE account IS
		'a company: its contacts are the buying group';
	COMMENT ON COLUMN account.account_id IS
		'key';
	COMMENT ON COLUMN account.external_id IS
		'key in the system that it comes from';
	COMMENT ON COLUMN account.name IS
		'name of the company';
	COMMENT ON COLUMN account.domain IS
		'its domain on the internet';
	COMMENT ON COLUMN account.attributes IS
		'whatever else is known, as JSON';

	COMMENT ON COLUMN lead.lead_id IS
		'key';
	COMMENT ON COLUMN lead.external_id IS
		'key in the system that it comes from';
	COMMENT ON COLUMN lead.email IS
		'e-mail address, unique whatever the case';
	COMMENT ON COLUMN lead.full_name IS
		'name';
	COMMENT ON COLUMN lead.job_title IS
		'title on the card';
	COMMENT ON COLUMN lead.department IS
		'role: department that the person works in';
	COMMENT ON COLUMN lead.seniority IS
		'standing: manager, director, vp and so on';
	COMMENT ON COLUMN lead.years_in_industry IS
		'experience in the industry, in years';
	COMMENT ON COLUMN lead.company IS
		'name of the company, as the person gives it';
	COMMENT ON COLUMN lead.account_id IS
		'company, where it is known as an account';
	COMMENT ON COLUMN lead.industry IS
		'industry of the company';
	COMMENT ON COLUMN lead.company_size IS
		'people at the company';
	COMMENT ON COLUMN lead.annual_revenue IS
		'revenue of the company a year';
	COMMENT ON COLUMN lead.country IS
		'country of the company, as the lists name countries';
	COMMENT ON COLUMN lead.source IS
		'where the lead came from first; set once';
	COMMENT ON COLUMN lead.campaign IS
		'campaign it came from first';
	COMMENT ON COLUMN lead.unsubscribed IS
		'wants no e-mails from marketing';
	COMMENT ON COLUMN lead.attributes IS
		'whatever else is known, as JSON';
	COMMENT ON COLUMN lead.owner IS
		'who works on the lead';
	COMMENT ON COLUMN lead.resume_at IS
		'when to come back to a lead in nurture';
	COMMENT ON COLUMN lead.reason IS
		'reason, given with a move; kept in history, then cleared';
	COMMENT ON COLUMN lead.note IS
		'note, given with a move; kept in history, then cleared';
	EXECUTE _each_framework('COMMENT ON COLUMN lead.%1$I IS ''what is known of the elements of framework %1$s'''::text, '; '::text);
	COMMENT ON COLUMN lead.answers IS
		'what is known of the elements of other frameworks; kept by triggers';
	COMMENT ON COLUMN lead.stage IS
		'where the lead stands; set it to ask for a move';
	COMMENT ON COLUMN lead.stage_entered_at IS
		'when it came there; kept by triggers';
	COMMENT ON COLUMN lead.cycle IS
		'how many times it has come: 1, and one more after each return; kept by triggers';
	COMMENT ON COLUMN lead.cycle_started_at IS
		'when this time began; kept by triggers';
	COMMENT ON COLUMN lead.accepted_by IS
		'who accepted it for sales; kept by triggers';
	COMMENT ON COLUMN lead.accepted_at IS
		'when sales accepted it; kept by triggers';
	COMMENT ON COLUMN lead.scorecard IS
		'what the lead earned, by rule, as of one instant; kept by triggers';
	COMMENT ON COLUMN lead.deals_open IS
		'its open deals; kept by triggers';
	COMMENT ON COLUMN lead.deals_won IS
		'its deals that were won; kept by triggers';
	COMMENT ON COLUMN lead.deals_lost IS
		'its deals that were lost; kept by triggers';
	COMMENT ON COLUMN lead.won_amount IS
		'amount of its won deals, in the funnel''s currency; kept by triggers';
	COMMENT ON COLUMN lead.due_at IS
		'when the next move is due; kept by triggers';
	COMMENT ON COLUMN lead.review_at IS
		'not before this instant can time alone move the lead; kept by triggers';
	COMMENT ON COLUMN lead.created_at IS
		'when it was recorded';

	COMMENT ON TABLE activity IS
		'something a lead did, or sales did with it';
	COMMENT ON COLUMN activity.lead_id IS
		'lead';
	COMMENT ON COLUMN activity.occurred_at IS
		'when it happened';
	COMMENT ON COLUMN activity.activity_id IS
		'tells apart what happened at the same instant';
	COMMENT ON COLUMN activity.kind IS
		'what happened: a kind of the table kind; others are kept and count for nothing';
	COMMENT ON COLUMN activity.source IS
		'where the lead came from this time';
	COMMENT ON COLUMN activity.campaign IS
		'campaign it came from this time';
	COMMENT ON COLUMN activity.actor IS
		'who acted for us';
	COMMENT ON COLUMN activity.properties IS
		'details, as JSON, which conditions of rules may read';
	COMMENT ON COLUMN activity.external_id IS
		'key in the system that it comes from: sent again, it counts once';
	COMMENT ON COLUMN activity.recorded_at IS
		'when it was recorded; kept by triggers';

	COMMENT ON TABLE baseline IS
		'what the archived activities of a lead gave; its log begins with it. Written by archive_activities()';
	COMMENT ON COLUMN baseline.lead_id IS
		'lead';
	COMMENT ON COLUMN baseline.scorecard IS
		'what they gave, by rule';
	COMMENT ON COLUMN baseline.archived_before IS
		'activities from before were archived';
	COMMENT ON COLUMN baseline.n IS
		'how many there were';

	COMMENT ON TABLE answer IS
		'an answer to one element of a framework; the latest one counts';
	COMMENT ON COLUMN answer.lead_id IS
		'lead';
	COMMENT ON COLUMN answer.answer_id IS
		'tells the answers of a lead apart';
	COMMENT ON COLUMN answer.framework IS
		'framework of the element';
	COMMENT ON COLUMN answer.element IS
		'element';
	COMMENT ON COLUMN answer.level IS
		'no, unknown, partial or yes';
	COMMENT ON COLUMN answer.note IS
		'the answer in words';
	COMMENT ON COLUMN answer.via IS
		'how it was given: call, form and so on';
	COMMENT ON COLUMN answer.answered_by IS
		'who wrote it down; kept by triggers';
	COMMENT ON COLUMN answer.answered_at IS
		'when it was given';

	COMMENT ON TABLE verdict IS
		'what one side thinks of a lead; the latest of a side in a cycle counts, see verdict_agreement';
	COMMENT ON COLUMN verdict.verdict_id IS
		'key';
	COMMENT ON COLUMN verdict.lead_id IS
		'lead';
	COMMENT ON COLUMN verdict.side IS
		'whose judgement it is: marketing or sales; members of its role in table side write it, if that names one';
	COMMENT ON COLUMN verdict.qualified IS
		'is the lead qualified, in the eyes of that side?';
	COMMENT ON COLUMN verdict.note IS
		'why, in words';
	COMMENT ON COLUMN verdict.judged_by IS
		'who judged; kept by triggers';
	COMMENT ON COLUMN verdict.judged_at IS
		'when; kept by triggers';

	COMMENT ON TABLE message IS
		'a kind of message and whom it may be sent to, see may_send()';
	COMMENT ON COLUMN message.message IS
		'kind of message';
	COMMENT ON COLUMN message.party IS
		'who sends it: marketing or sales';
	COMMENT ON COLUMN message.milestones IS
		'a lead must be in a stage of one of these milestones';
	COMMENT ON COLUMN message.stages IS
		'and in one of these stages; NULL: in any of them';
	COMMENT ON COLUMN message.description IS
		'in words';

	COMMENT ON TABLE content IS
		'something to read, watch or attend, see next_content()';
	COMMENT ON COLUMN content.content_id IS
		'key; activities name it, or the title, as properties.content';
	COMMENT ON COLUMN content.title IS
		'title';
	COMMENT ON COLUMN content.url IS
		'where it is';
	COMMENT ON COLUMN content.milestones IS
		'it is for leads in stages of these milestones';
	COMMENT ON COLUMN content.stages IS
		'and of these stages; NULL: of any of them';
	COMMENT ON COLUMN content.topic IS
		'what it is about';
	COMMENT ON COLUMN content.position IS
		'order in which it is offered';

	COMMENT ON TABLE stage_history IS
		'a move that happened; rows are added by triggers and never changed, at most voided';
	COMMENT ON COLUMN stage_history.history_id IS
		'key';
	COMMENT ON COLUMN stage_history.lead_id IS
		'lead, which may be gone';
	COMMENT ON COLUMN stage_history.from_stage IS
		'stage it left; NULL: it was created';
	COMMENT ON COLUMN stage_history.to_stage IS
		'stage it entered';
	COMMENT ON COLUMN stage_history.entered_at IS
		'when';
	COMMENT ON COLUMN stage_history.ordinal IS
		'place among the moves of one instant, of those that were loaded and those that they come after; NULL: the order of history_id, at the end. Moves are in the order of entered_at, ordinal, history_id';
	COMMENT ON COLUMN stage_history.cycle IS
		'which time it was in the funnel';
	COMMENT ON COLUMN stage_history.actor IS
		'who asked for the move, or whose statement brought it about';
	COMMENT ON COLUMN stage_history.automatic IS
		'happened by itself';
	COMMENT ON COLUMN stage_history.exception IS
		'went by a transition that is an exception';
	COMMENT ON COLUMN stage_history.reason IS
		'reason given with the move';
	COMMENT ON COLUMN stage_history.note IS
		'note given with the move';
	COMMENT ON COLUMN stage_history.score IS
		'score at that instant';
	COMMENT ON COLUMN stage_history.definition IS
		'definition in force then';
	COMMENT ON COLUMN stage_history.version IS
		'its version then';
	COMMENT ON COLUMN stage_history.source IS
		'source of the lead then';
	COMMENT ON COLUMN stage_history.campaign IS
		'campaign of the lead then';
	COMMENT ON COLUMN stage_history.owner IS
		'owner of the lead then';
	COMMENT ON COLUMN stage_history.account_id IS
		'account of the lead then';
	COMMENT ON COLUMN stage_history.due_at IS
		'deadline that the stay began with';
	COMMENT ON COLUMN stage_history.voided_at IS
		'when the row was declared void; NULL: it counts';
	COMMENT ON COLUMN stage_history.voided_by IS
		'who declared it void';
	COMMENT ON COLUMN stage_history.voided_why IS
		'why';

	COMMENT ON TABLE deal IS
		'revenue that may come, came or did not';
	COMMENT ON COLUMN deal.deal_id IS
		'key';
	COMMENT ON COLUMN deal.external_id IS
		'key in the system that it comes from';
	COMMENT ON COLUMN deal.account_id IS
		'company that buys';
	COMMENT ON COLUMN deal.owner IS
		'who works on it';
	COMMENT ON COLUMN deal.amount IS
		'what it is worth, in its currency';
	COMMENT ON COLUMN deal.currency IS
		'its currency; NULL: the funnel''s';
	COMMENT ON COLUMN deal.home_amount IS
		'what it is worth in the funnel''s currency; filled where they are the same';
	COMMENT ON COLUMN deal.margin IS
		'profit in it, in the funnel''s currency';
	COMMENT ON COLUMN deal.status IS
		'open, won or lost';
	COMMENT ON COLUMN deal.opened_at IS
		'when it was opened';
	COMMENT ON COLUMN deal.closed_at IS
		'when it was won or lost; filled where it is missing, emptied while open';
	COMMENT ON COLUMN deal.reason IS
		'why it was lost';

	COMMENT ON TABLE deal_contact IS
		'a lead that belongs to a deal';
	COMMENT ON COLUMN deal_contact.deal_id IS
		'deal';
	COMMENT ON COLUMN deal_contact.lead_id IS
		'lead';
	COMMENT ON COLUMN deal_contact.role IS
		'role in the decision';

	COMMENT ON TABLE spend IS
		'money spent to get leads';
	COMMENT ON COLUMN spend.spend_id IS
		'key';
	COMMENT ON COLUMN spend.external_id IS
		'key in the system that it comes from';
	COMMENT ON COLUMN spend.department IS
		'who spent it: marketing or sales';
	COMMENT ON COLUMN spend.source IS
		'source that it was spent on; NULL: overhead';
	COMMENT ON COLUMN spend.campaign IS
		'campaign that it was spent on';
	COMMENT ON COLUMN spend.starts_on IS
		'first day of the period';
	COMMENT ON COLUMN spend.ends_on IS
		'last day of the period';
	COMMENT ON COLUMN spend.amount IS
		'amount for the whole period';
	COMMENT ON COLUMN spend.currency IS
		'its currency; NULL: the funnel''s';
END
$template$;

COMMENT ON FUNCTION _create_funnel_comments() IS
'comments on the tables and columns of a funnel; called by create_funnel()';
