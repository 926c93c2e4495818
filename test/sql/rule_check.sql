-- Rows of rule and transition that are refused as they are written.
\set VERBOSITY default
SET client_min_messages = warning;
SELECT create_funnel('regress_lq_cond');
SET search_path = regress_lq_cond, public;

PREPARE r(text, text, text) AS
	INSERT INTO rule (definition, name, axis, kind, condition, points) VALUES ('default', 'r', $1, $2, $3, 1);
EXECUTE r('fit', NULL, 'random() > 0.5');
EXECUTE r('fit', NULL, 'countri = ''DE''');
EXECUTE r('engagement', 'webinar', 'country = ''DE''');
EXECUTE r('engagement', 'webbinar', NULL);
EXECUTE r('engagement', NULL, NULL);
EXECUTE r('fit', 'webinar', NULL);
EXECUTE r('mood', NULL, NULL);

PREPARE n(numeric, interval, numeric, int, interval) AS
	INSERT INTO rule (definition, name, axis, kind, points, half_life, max_points, max_hits, per)
	VALUES ('default', 'n', 'engagement', '*', $1, $2, $3, $4, $5);
EXECUTE n('NaN', NULL, NULL, NULL, NULL);
EXECUTE n('infinity', NULL, NULL, NULL, NULL);
EXECUTE n(-1000000.1, NULL, NULL, NULL, NULL);
EXECUTE n(1, '1 month', NULL, NULL, NULL);
EXECUTE n(1, '-1 day', NULL, NULL, NULL);
EXECUTE n(1, '7 days', 0, NULL, NULL);
EXECUTE n(1, '7 days', 'infinity', NULL, NULL);
EXECUTE n(1, '7 days', 5, 0, NULL);
EXECUTE n(1, '7 days', 5, 1, '0');
EXECUTE n(1, '7 days', 5, 1, '1 year');

PREPARE t(text, text, text) AS
	INSERT INTO transition (definition, position, from_stage, to_stage, condition) VALUES ('default', 1, $1, $2, $3);
EXECUTE t('leed', 'mql', NULL);
EXECUTE t('lead', '*', NULL);
EXECUTE t('lead', 'mql', 'score >');
EXECUTE t(NULL, 'mql', 'score + 1');
EXECUTE t('*', 'mql', 'hits.nothing > 1');

-- condition_sql is ours
INSERT INTO rule (definition, name, axis, condition, condition_sql, points)
	VALUES ('default', 'mine', 'fit', 'country = ''DE''', 'true', 1)
	RETURNING condition_sql;
UPDATE rule SET condition_sql = 'true' WHERE name = 'mine' RETURNING condition_sql;
UPDATE rule SET condition = 'country = ''AT''' WHERE name = 'mine' RETURNING condition_sql;
UPDATE rule SET condition = NULL, condition_sql = 'true' WHERE name = 'mine' RETURNING condition_sql;

-- a broken condition does not keep its rule from being switched off
ALTER TABLE lead ADD extra int;
UPDATE rule SET condition = 'extra > 1' WHERE name = 'mine' RETURNING condition_sql;
ALTER TABLE lead DROP extra;
UPDATE rule SET enabled = false WHERE name = 'mine' RETURNING condition_sql;
UPDATE rule SET condition = condition WHERE name = 'mine';
DELETE FROM rule WHERE name = 'mine';

-- a rule that guards name stays, but for its whole definition
DELETE FROM rule WHERE name = 'sales_inquiry';
UPDATE rule SET enabled = false WHERE name = 'sales_inquiry' RETURNING name, enabled;
INSERT INTO definition (definition) VALUES ('other');
UPDATE rule SET definition = 'other' WHERE name = 'sales_inquiry';
INSERT INTO transition (definition, position, from_stage, to_stage, condition)
	VALUES ('other', 1, 'lead', 'mql', 'hits.sales_inquiry > 0');
UPDATE transition SET definition = 'other' WHERE condition LIKE '%sales_inquiry%';
UPDATE definition SET definition = 'renamed' WHERE definition = 'default';
SELECT definition, count(*) FROM transition WHERE condition_sql LIKE '%sales_inquiry%' GROUP BY 1;
ALTER TABLE definition DISABLE TRIGGER zz_one_active;
DELETE FROM definition WHERE definition = 'renamed';
ALTER TABLE definition ENABLE TRIGGER zz_one_active;
SELECT count(*) FROM rule;

-- not for other tables, nor for other events
CREATE TABLE public.regress_lq_mine (definition text);
CREATE TRIGGER t BEFORE INSERT ON public.regress_lq_mine FOR EACH ROW EXECUTE FUNCTION _check_rule();
INSERT INTO public.regress_lq_mine VALUES ('x');
DROP TABLE public.regress_lq_mine;
CREATE TRIGGER wrong AFTER INSERT ON rule FOR EACH ROW EXECUTE FUNCTION _check_rule();
INSERT INTO rule (definition, name, axis, points) VALUES ('other', 'x', 'fit', 1);
DROP TRIGGER wrong ON rule;
CREATE TRIGGER wrong BEFORE INSERT ON rule FOR EACH STATEMENT EXECUTE FUNCTION _protect_rule();
INSERT INTO rule (definition, name, axis, points) VALUES ('other', 'x', 'fit', 1);
DROP TRIGGER wrong ON rule;
CREATE TRIGGER wrong BEFORE INSERT ON kind FOR EACH ROW EXECUTE FUNCTION _check_transition();
INSERT INTO kind (kind) VALUES ('x');

RESET search_path;
SELECT drop_funnel('regress_lq_cond', true);
