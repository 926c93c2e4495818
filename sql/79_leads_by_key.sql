--
-- Functions of a lead, which is given by its key as a value of another type
-- than text: a number, a uuid.  What they do is in their namesakes.
--
CREATE FUNCTION record_activity(funnel text, lead anyelement, kind text,
								occurred_at timestamptz DEFAULT NULL,
								source text DEFAULT NULL,
								campaign text DEFAULT NULL,
								properties jsonb DEFAULT '{}',
								actor text DEFAULT NULL,
								external_id text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN @extschema@.record_activity(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, kind, occurred_at,
									   source, campaign, properties, actor, external_id);
END
$body$;

COMMENT ON FUNCTION record_activity(text, anyelement, text, timestamptz, text, text, jsonb, text, text) IS
'records what a lead did; false if the activity of that external_id was there already';

CREATE FUNCTION sign_move(funnel text, lead anyelement, stage text, note text DEFAULT NULL,
						  side text DEFAULT NULL) RETURNS text[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN @extschema@.sign_move(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, stage, note, side);
END
$body$;

COMMENT ON FUNCTION sign_move(text, anyelement, text, text, text) IS
'agrees, for the sides that the caller is a member of (or for one), that a lead may move to a stage in its present cycle; returns the sides signed for';

CREATE FUNCTION framework_levels(funnel text, lead anyelement, framework text)
RETURNS TABLE (element text, label text, weight numeric, level answer_level)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN QUERY SELECT * FROM @extschema@.framework_levels(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, framework);
END
$body$;

COMMENT ON FUNCTION framework_levels(text, anyelement, text) IS
'what a lead answered to each element of a framework, as the lead holds it now';

CREATE FUNCTION framework_verdict(funnel text, lead anyelement, framework text,
								  need integer DEFAULT NULL,
								  unknown_as_no boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN @extschema@.framework_verdict(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, framework, need, unknown_as_no);
END
$body$;

COMMENT ON FUNCTION framework_verdict(text, anyelement, text, integer, boolean) IS
'a lead by a framework: qualified when so many of its elements (all) are yes, disqualified when that cannot come any more, else open';

CREATE FUNCTION framework_score(funnel text, lead anyelement, framework text,
								part numeric DEFAULT 0.5,
								OUT points numeric, OUT possible numeric,
								OUT share numeric)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	SELECT * INTO points, possible, share
	FROM @extschema@.framework_score(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, framework, part);
END
$body$;

COMMENT ON FUNCTION framework_score(text, anyelement, text, numeric) IS
'sum of the weights of what a lead has met in a framework, a part of the weight for partial; what is possible; and the one over the other';

CREATE FUNCTION framework_gaps(funnel text, lead anyelement, framework text) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN @extschema@.framework_gaps(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, framework);
END
$body$;

COMMENT ON FUNCTION framework_gaps(text, anyelement, text) IS
'the elements of a framework that a lead has not answered with yes';

CREATE FUNCTION may_send(funnel text, lead anyelement, message text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN @extschema@.may_send(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, message);
END
$body$;

COMMENT ON FUNCTION may_send(text, anyelement, text) IS
'may a lead be sent that kind of message at the stage where it is? never, if it is unsubscribed';

CREATE FUNCTION next_content(funnel text, lead anyelement)
RETURNS TABLE (content_id bigint, title text, url text, topic text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN QUERY SELECT * FROM @extschema@.next_content(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text);
END
$body$;

COMMENT ON FUNCTION next_content(text, anyelement) IS
'content for the stage where a lead is, in its order, without what an activity of the lead names (properties.content: id or title)';

CREATE FUNCTION merge_leads(funnel text, keep anyelement, merge text, OUT activities bigint,
							OUT answers bigint, OUT deals bigint, OUT moves bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	SELECT * INTO activities, answers, deals, moves
	FROM @extschema@.merge_leads(funnel,
		@extschema@._name_key(funnel, keep::text, pg_typeof(keep)::oid)::text,
		merge);
END
$body$;

COMMENT ON FUNCTION merge_leads(text, anyelement, text) IS
'makes one lead of two: facts of the second go to the first; see the function with two texts';

CREATE FUNCTION merge_leads(funnel text, keep text, merge anyelement, OUT activities bigint,
							OUT answers bigint, OUT deals bigint, OUT moves bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	SELECT * INTO activities, answers, deals, moves
	FROM @extschema@.merge_leads(funnel,
		keep,
		@extschema@._name_key(funnel, merge::text, pg_typeof(merge)::oid)::text);
END
$body$;

COMMENT ON FUNCTION merge_leads(text, text, anyelement) IS
'makes one lead of two: facts of the second go to the first; see the function with two texts';

CREATE FUNCTION merge_leads(funnel text, keep anyelement, merge anycompatible, OUT activities bigint,
							OUT answers bigint, OUT deals bigint, OUT moves bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	SELECT * INTO activities, answers, deals, moves
	FROM @extschema@.merge_leads(funnel,
		@extschema@._name_key(funnel, keep::text, pg_typeof(keep)::oid)::text,
		@extschema@._name_key(funnel, merge::text, pg_typeof(merge)::oid)::text);
END
$body$;

COMMENT ON FUNCTION merge_leads(text, anyelement, anycompatible) IS
'makes one lead of two: facts of the second go to the first; see the function with two texts';

CREATE FUNCTION erase_lead(funnel text, lead anyelement) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	PERFORM @extschema@.erase_lead(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text);
END
$body$;

COMMENT ON FUNCTION erase_lead(text, anyelement) IS
'erases a person: the lead, its activities and answers, and what was noted with its moves; moves and deals stay, so that no count changes';
