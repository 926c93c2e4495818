-- What the C code keeps lives as long as it is used, and no longer.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(4);

SELECT create_funnel('crm');

-- an account's row, read for one condition, serves the next ones too
INSERT INTO crm.rule (definition, name, axis, condition, points)
SELECT 'default', 'account_' || i, 'fit',
	   format($$account.properties ->> 'big' <> '' AND account.name <> %L$$, i), 1
FROM generate_series(1, 20) AS i;
INSERT INTO crm.account (account_id, name, properties)
SELECT 1, 'Acme', jsonb_build_object('big', string_agg(md5(i::text), ''))
FROM generate_series(1, 2000) AS i;
INSERT INTO crm.lead (lead_id, account_id) VALUES (1, 1);
SELECT is((SELECT count(*) FROM explain_score('crm', 1) WHERE rule ~ '^account_'),
	20::bigint, 'many conditions read one large account');

-- a statement about many leads needs no more memory per lead than their facts
CREATE TABLE watched (what text, bytes numeric);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.watched
	SELECT current_setting('test.what'), sum(total_bytes)
	FROM pg_catalog.pg_backend_memory_contexts WHERE name ~ '^(SPI|lead_qual)';
	RETURN NULL;
END $$;
SELECT create_funnel('many');
INSERT INTO many.lead (lead_id) SELECT generate_series(1, 3000);
INSERT INTO many.deal (deal_id) VALUES (1);
CREATE TRIGGER watch AFTER UPDATE ON many.lead
	FOR EACH ROW WHEN (NEW.lead_id IN (1000, 3000)) EXECUTE FUNCTION watch();

SET LOCAL test.what = 'activity';
INSERT INTO many.activity (lead_id, kind) SELECT lead_id, 'webinar' FROM many.lead;
SET LOCAL test.what = 'answer';
INSERT INTO many.answer (lead_id, framework, element, level)
SELECT lead_id, 'bant', 'need', 'yes' FROM many.lead;
SET LOCAL test.what = 'deal_contact';
INSERT INTO many.deal_contact (deal_id, lead_id) SELECT 1, lead_id FROM many.lead;

SELECT cmp_ok((SELECT max(bytes) - min(bytes) FROM watched WHERE what = what.what),
			  '<', 200000::numeric, what.what || ' is taken in without growing')
FROM (VALUES ('activity'), ('answer'), ('deal_contact')) AS what (what);

SELECT * FROM finish();
ROLLBACK;
