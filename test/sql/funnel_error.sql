-- create_funnel(), drop_funnel(), grant_funnel(): what a refusal says
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

SELECT create_funnel('');
SELECT create_funnel(NULL);
SELECT create_funnel('pg_funnel');
SELECT create_funnel(repeat('x', 64));
SELECT create_funnel('regress_lq_funnel', 'Mars/Olympus');
SELECT create_funnel('regress_lq_funnel', currency => 'euro');

SELECT create_funnel('regress_lq_funnel');
SELECT create_funnel('regress_lq_funnel');

SELECT grant_funnel('regress_lq_funnel', current_user::regrole, 'boss');
SELECT grant_funnel('regress_lq_funnel', 'regress_lq_nobody', 'app');
SELECT grant_funnel('regress_lq_nowhere', current_user::regrole, 'app');

SELECT drop_funnel('regress_lq_nowhere');
SELECT drop_funnel('public');

INSERT INTO regress_lq_funnel.account (name) VALUES ('a'), ('b');
INSERT INTO regress_lq_funnel.spend (department, starts_on, ends_on, amount)
	VALUES ('sales', '2026-01-01', '2026-01-31', 1);
SELECT drop_funnel('regress_lq_funnel');
DELETE FROM regress_lq_funnel.account;
DELETE FROM regress_lq_funnel.spend;

CREATE TABLE regress_lq_funnel.mine (id bigint GENERATED ALWAYS AS IDENTITY);
CREATE TYPE regress_lq_funnel.colour AS ENUM ('red');
SELECT drop_funnel('regress_lq_funnel');
DROP TABLE regress_lq_funnel.mine;
DROP TYPE regress_lq_funnel.colour;

CREATE VIEW regress_lq_theirs AS SELECT stage FROM regress_lq_funnel.stage;
SELECT drop_funnel('regress_lq_funnel');
DROP VIEW regress_lq_theirs;

-- policy in use
DELETE FROM regress_lq_funnel.stage WHERE stage = 'sql';
DELETE FROM regress_lq_funnel.kind WHERE kind = 'webinar';

SELECT drop_funnel('regress_lq_funnel');
