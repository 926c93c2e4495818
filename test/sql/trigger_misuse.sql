-- Trigger functions on tables that they are not for: what their errors say
SET client_min_messages = warning;
CREATE ROLE regress_lq_stranger;
SELECT create_funnel('regress_lq_misuse', 'UTC');
ALTER TABLE regress_lq_misuse.lead DROP COLUMN years_in_industry;
\c -
SET ROLE regress_lq_stranger;

-- S1: a statement trigger for rows that are not there
CREATE TEMP TABLE rule (x int);
CREATE TRIGGER t AFTER UPDATE ON rule FOR EACH STATEMENT EXECUTE FUNCTION _policy_changed();
UPDATE rule SET x = x;
DROP TABLE rule;
CREATE TEMP TABLE rule AS SELECT 1 AS x;
CREATE TRIGGER t AFTER UPDATE ON rule FOR EACH ROW EXECUTE FUNCTION _policy_changed();
UPDATE rule SET x = x;

-- S1: a funnel is not read for a table that is not its own: no word of its rules
CREATE TEMP TABLE lead (x int);
CREATE TRIGGER t BEFORE INSERT ON lead FOR EACH ROW EXECUTE FUNCTION _qualify_lead('regress_lq_misuse');
INSERT INTO lead VALUES (1);
CREATE TRIGGER t2 BEFORE TRUNCATE ON lead FOR EACH STATEMENT EXECUTE FUNCTION _refuse_truncate('regress_lq_misuse');
TRUNCATE lead;
DROP TRIGGER t ON lead;
CREATE TRIGGER t BEFORE INSERT ON lead FOR EACH ROW EXECUTE FUNCTION _qualify_lead('regress_lq_nowhere');
INSERT INTO lead VALUES (1);
DROP TABLE rule, lead;
RESET ROLE;
-- not for a temporary one, but for one that was attached
CREATE TABLE public.regress_lq_mine (x int);
CREATE TRIGGER t BEFORE INSERT ON public.regress_lq_mine FOR EACH ROW EXECUTE FUNCTION _qualify_lead('regress_lq_nowhere');
INSERT INTO public.regress_lq_mine VALUES (1);
DROP TABLE public.regress_lq_mine;
-- S1: nor is one that is attached read for another table of the owner's, or
-- for a stranger's
CREATE TABLE public.regress_lq_people (id bigint PRIMARY KEY);
SELECT create_funnel('regress_lq_attached', 'UTC', 'EUR', 'public.regress_lq_people', 'id');
ALTER TABLE regress_lq_attached.account RENAME COLUMN domain TO was_domain;
INSERT INTO regress_lq_attached.rule (definition, name, axis, condition, points)
	VALUES ('default', 'funded', 'fit', 'account.was_domain IS NOT NULL', 1);
ALTER TABLE regress_lq_attached.account RENAME COLUMN was_domain TO domain;
CREATE TABLE public.regress_lq_mine (x int);
CREATE TRIGGER t BEFORE INSERT ON public.regress_lq_mine FOR EACH ROW EXECUTE FUNCTION _qualify_lead('regress_lq_attached');
\c -
SET client_min_messages = warning;
INSERT INTO public.regress_lq_mine VALUES (1);
ALTER TABLE public.regress_lq_mine OWNER TO regress_lq_stranger;
INSERT INTO public.regress_lq_mine VALUES (1);
INSERT INTO public.regress_lq_people VALUES (1);
DROP TABLE public.regress_lq_mine;
SELECT drop_funnel('regress_lq_attached', true);
DROP TABLE public.regress_lq_people;

-- time, level, event, transition tables, in PL/pgSQL as in C
SET search_path = regress_lq_misuse, public;
CREATE TRIGGER a AFTER INSERT ON deal FOR EACH ROW EXECUTE FUNCTION _stamp_deal();
INSERT INTO deal DEFAULT VALUES;
DROP TRIGGER a ON deal;
CREATE TRIGGER a BEFORE DELETE ON signature FOR EACH STATEMENT EXECUTE FUNCTION _refuse_change();
DELETE FROM signature;
DROP TRIGGER a ON signature;
CREATE TRIGGER a AFTER INSERT ON deal FOR EACH STATEMENT EXECUTE FUNCTION _ingest_deal();
INSERT INTO deal DEFAULT VALUES;
DROP TRIGGER a ON deal;
CREATE TRIGGER a BEFORE INSERT ON side FOR EACH ROW EXECUTE FUNCTION _check_sides();
INSERT INTO side VALUES ('x');
DROP TRIGGER a ON side;

-- asked directly
SELECT _prove_trigger('_stamp_deal', 0, 'BEFORE', 'ROW', 'INSERT');
SELECT _prove_trigger('qualify', 'deal'::regclass, 'BEFORE', 'ROW', 'INSERT');
SELECT _prove_trigger('_stamp_deal', 'deal'::regclass, 'BEFORE', 'ROW', 'INSERT');

SET client_min_messages = warning;
DROP SCHEMA regress_lq_misuse CASCADE;
DROP ROLE regress_lq_stranger;
