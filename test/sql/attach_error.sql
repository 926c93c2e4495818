-- What a funnel cannot be attached to, and mappings that are none.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- a funnel attached to a table: the refusal, with its code
CREATE FUNCTION attach(lead_table text, lead_key name DEFAULT 'id', columns jsonb DEFAULT '{}', prefix text DEFAULT '',
					   stage_column name DEFAULT NULL, stages jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	PERFORM create_funnel('regress_lq_attach', 'UTC', 'EUR', lead_table::regclass, lead_key, columns, prefix, stage_column, stages);
	RETURN 'attached';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', format('%s: %s', SQLSTATE, SQLERRM), nullif(detail, ''), nullif(hint, ''));
END $$;
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_lq_attach;
CREATE TABLE attach_error (
	id bigint PRIMARY KEY,
	loose bigint,
	twice bigint NOT NULL,
	made bigint GENERATED ALWAYS AS (twice + 1) STORED NOT NULL,
	shape point NOT NULL,
	mail text,
	land text GENERATED ALWAYS AS (upper(mail)) STORED,
	created timestamp,
	staff text,
	lifecycle text
);
INSERT INTO attach_error (id, twice, shape, lifecycle) VALUES (1, 1, '(0,0)', 'new'), (2, 1, '(0,0)', 'old');
CREATE VIEW attach_error_view AS SELECT * FROM attach_error;
CREATE TABLE attach_error_parent (id bigint, part bigint, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE attach_error_one PARTITION OF attach_error_parent FOR VALUES IN (1);
CREATE TABLE attach_error_two PARTITION OF attach_error_parent FOR VALUES IN (2);
CREATE TABLE attach_error_heir (PRIMARY KEY (id)) INHERITS (attach_error);
CREATE TEMP TABLE attach_error_temp (id bigint PRIMARY KEY);

-- the table
SELECT attach('attach_error_missing');
SELECT attach('1');
SELECT attach('attach_error_view');
SELECT attach('attach_error_one');
SELECT attach('attach_error');
SELECT attach('attach_error_temp');
DROP TABLE attach_error_heir;
ALTER TABLE attach_error OWNER TO regress_lq_attach;
SELECT attach('attach_error');
ALTER TABLE attach_error OWNER TO CURRENT_USER;

-- the key
SELECT attach('attach_error', 'lead_id');
SELECT attach('attach_error', NULL);
SELECT attach('attach_error', 'loose');
SELECT attach('attach_error', 'twice');
SELECT attach('attach_error', 'made');
SELECT attach('attach_error', 'shape');
INSERT INTO attach_error_parent VALUES (7, 1), (7, 2);
SELECT attach('attach_error_parent');

-- the mapping
SELECT attach('attach_error', columns => '[]');
SELECT attach('attach_error', columns => '{"e_mail": "mail"}');
SELECT attach('attach_error', columns => '{"lead_id": "id"}');
SELECT attach('attach_error', columns => '{"stage": "lifecycle"}');
SELECT attach('attach_error', columns => '{"email": "no_mail"}');
SELECT attach('attach_error', columns => '{"email": null}');
SELECT attach('attach_error', columns => '{"email": "mail", "owner": "mail"}');
SELECT attach('attach_error', columns => '{"account_id": "id"}');
SELECT attach('attach_error', columns => '{"company_size": "staff"}');
SELECT attach('attach_error', columns => '{"created_at": "created"}');
SELECT attach('attach_error', columns => '{"source": "land"}');

-- columns of ours that are there
ALTER TABLE attach_error ADD stage text, ADD source text;
SELECT attach('attach_error', columns => '{"source": "source"}');
SELECT attach('attach_error', columns => '{"source": "source"}', prefix => 'Lq ');
ALTER TABLE attach_error DROP stage, DROP source;

-- stages
SELECT attach('attach_error', stages => '{"new": "lead"}');
SELECT attach('attach_error', stage_column => 'state');
INSERT INTO attach_error (id, twice, shape) VALUES (3, 3, '(0,0)');
SELECT attach('attach_error', stage_column => 'lifecycle');
SELECT attach('attach_error', stage_column => 'lifecycle', stages => '{"new": "lead", "old": "hot"}');
SELECT attach('attach_error', stage_column => 'lifecycle', stages => '"lead"');

-- nothing was left behind, and attaching twice is once too often
SELECT nspname FROM pg_namespace WHERE nspname ~ 'regress_lq';
\d attach_error
SELECT attach('attach_error');
ALTER SCHEMA regress_lq_attach RENAME TO regress_lq_attached;
SELECT repair_funnel('regress_lq_attached') IS NOT NULL;
SELECT attach('attach_error', prefix => 'two_');
SELECT attach('regress_lq_attached.lead', 'lead_id');
SELECT create_funnel('regress_lq_attach', 'UTC');
SELECT attach('regress_lq_attach.stage', 'stage');
ALTER SCHEMA regress_lq_attach RENAME TO regress_lq_attach2;
SELECT attach('regress_lq_attach2.lead', 'lead_id');
SELECT drop_funnel('regress_lq_attach2');
ALTER SCHEMA regress_lq_attached RENAME TO regress_lq_attach;
SELECT count(*) FROM repair_funnel('regress_lq_attach');
SELECT detach_funnel('regress_lq_attach');
SELECT detach_funnel('regress_lq_attach');
INSERT INTO regress_lq_attach.activity (lead_id, kind) VALUES (1, 'webinar');
SELECT drop_funnel('regress_lq_attach');
SET client_min_messages = error;
SELECT drop_funnel('regress_lq_attach', true);
DROP TABLE attach_error, attach_error_parent CASCADE;
DROP ROLE regress_lq_attach;
DROP FUNCTION attach;
