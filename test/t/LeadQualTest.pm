# Shared by the TAP tests: a funnel full of everything, and what to compare.
package LeadQualTest;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(fill_funnel release_roles new_funnels release_funnels rows objects differences);

# Statements that put something into every table of a funnel.
sub fill_funnel
{
	my ($funnel) = @_;
	my $f = '"' . $funnel . '"';

	return <<"SQL";
SET lead_qual.clock = '2026-03-02 09:00+00';
INSERT INTO $f.rule (definition, name, axis, kind, condition, points) VALUES
	('default', 'own_bant', 'fit', NULL, 'met(bant) >= 2 AND bant -> ''budget'' >= ''partial''', 7),
	('default', 'own_property', 'engagement', 'webinar', 'properties ->> ''topic'' = ''pricing''', 5),
	('default', 'own_list', 'fit', NULL, 'country = ANY (list.target_countries) AND at_least(1, met(bant) > 0, met(meddic) > 0)', 3);
UPDATE $f.rule SET max_hits = 2, per = '7 days' WHERE name = 'ebook_download';
INSERT INTO $f.transition (definition, position, from_stage, to_stage, condition, needs_reason)
	VALUES ('default', 66, 'sal', 'sql', 'bant \@> ''B+ N+'' AND hits.own_property > 0', true);
INSERT INTO $f.reason VALUES ('sql', 'because', 1, 'Because');
INSERT INTO $f.account (name, domain) VALUES ('Acme', 'acme.example'), (E'Tab\\tand\\\\', NULL);
INSERT INTO $f.lead (external_id, email, full_name, job_title, country, company_size, account_id, bant, meddic, properties)
	SELECT 'x' || n, 'p' || n || '\@acme.example', 'Zoë ' || n, 'VP Marketing', (ARRAY['DE', 'XX', NULL])[n % 3 + 1],
		   n * 100, CASE WHEN n % 2 = 0 THEN 1 END,
		   (CASE WHEN n % 4 = 0 THEN 'B+ A~ N-' ELSE '' END)::bant,
		   (CASE WHEN n % 5 = 0 THEN 'M+ C~' ELSE '' END)::meddic, jsonb_build_object('n', n)
	FROM generate_series(1, 20) AS n;
SET lead_qual.clock = '2026-03-03 10:00:00.123456+00';
INSERT INTO $f.activity (lead_id, kind, occurred_at, source, campaign, properties, external_id)
	SELECT 1 + n % 20, (ARRAY['webinar', 'ebook_download', 'demo_request', 'email_open', 'unsubscribe'])[1 + n % 5],
		   timestamptz '2026-02-01 00:00+00' + n * interval '7 hours 3 minutes', 'paid_search', 'c' || n % 3,
		   jsonb_build_object('topic', CASE WHEN n % 2 = 0 THEN 'pricing' ELSE 'other' END), 'e' || n
	FROM generate_series(1, 100) AS n;
INSERT INTO $f.answer (lead_id, framework, element, level, note, answered_at) VALUES
	(1, 'bant', 'need', 'yes', 'needs it', '2026-03-01'), (1, 'champ', 'challenges', 'partial', NULL, '2026-03-01'),
	(2, 'meddic', 'metrics', 'no', NULL, '2026-03-01');
SET lead_qual.clock = '2026-03-04 11:00+00';
UPDATE $f.lead SET stage = 'sal', owner = 'ben' WHERE stage = 'mql' AND lead_id % 2 = 0;
UPDATE $f.lead SET stage = 'nurture', reason = 'too_early', note = 'later', resume_at = '2026-06-01' WHERE stage = 'mql';
UPDATE $f.stage_history SET voided_at = '2026-03-04', voided_by = 'me', voided_why = 'test'
	WHERE history_id = (SELECT max(history_id) FROM $f.stage_history);
INSERT INTO $f.deal (deal_id, external_id, amount, status, closed_at, reason) VALUES
	(1, 'd1', 1000.50, 'open', NULL, NULL), (2, 'd2', 20, 'won', '2026-03-04', NULL), (3, NULL, 5, 'lost', '2026-03-03', 'price');
INSERT INTO $f.deal_contact VALUES (1, 2, 'user'), (2, 4, 'buyer'), (3, 6, NULL);
INSERT INTO $f.spend (department, source, campaign, starts_on, ends_on, amount)
	VALUES ('marketing', 'paid_search', 'c1', '2026-02-01', '2026-02-28', 12.34), ('sales', NULL, NULL, '2026-02-01', '2026-02-28', 99);
INSERT INTO $f.target (metric, starts_on, ends_on, value)
	VALUES ('entries:sql', '2026-01-01', '2026-03-31', 12), ('rate:mql>sql', '2026-01-01', '2026-12-31', 0.25);
SET lead_qual.import = on;
INSERT INTO $f.baseline (lead_id, scorecard, archived_before, n)
	SELECT lead_id, scorecard, '2026-01-01', 3 FROM $f.lead WHERE lead_id = 13;
INSERT INTO $f.verdict (lead_id, side, qualified, judged_by, judged_at) VALUES
	(1, 'marketing', true, 'mia', '2026-03-01'), (1, 'sales', false, 'sam', '2026-03-02');
RESET lead_qual.import;
INSERT INTO $f.holiday VALUES ('2026-03-06', 'a day off');
UPDATE $f.stage SET working_time = true WHERE stage = 'mql';
-- sides that come after who asks for them, and agreements of some time ago
UPDATE $f.transition SET sides = '{sales,manager}' WHERE exception;
SELECT copy_definition('$funnel', 'default', 'second');
UPDATE $f.definition SET sides = '{marketing}', max_fit = 70 WHERE definition = 'second';
SELECT sign_definition('$funnel', 'second', 'marketing', 'fine');
SELECT sign_move('$funnel', '1', 'sql', NULL, 'sales');
INSERT INTO $f.lead_alias (lead_id, email) VALUES (3, 'third\@example.org');
SELECT merge_leads('$funnel', '18', '19'), erase_lead('$funnel', '17');
CREATE VIEW $f.mine AS
	SELECT l.lead_id, l.bant || 'T+' AS bant, met(l.bant) AS met, l.bant -> 'need' AS need, score(l.scorecard, '2026-03-05 00:00+00') AS score
	FROM $f.lead AS l WHERE l.bant \@> 'B~' OR l.meddic > '' ORDER BY l.bant;
CREATE INDEX mine_bant ON $f.lead (bant) WHERE met(bant) > 1;
CREATE MATERIALIZED VIEW $f.summary AS SELECT stage, count(*) AS n, best(bant) AS best FROM $f.lead GROUP BY stage;
SQL
}

# Who has a release's funnels, and who may do something with them.
my @profiles = qw(app sales marketing analyst admin);

sub release_roles
{
	return join '', map { "CREATE ROLE regress_lq_$_;\n" } 'owner', @profiles;
}

# What a release is kept with: a funnel of its own tables, and one attached to
# a table of the user's, in partitions, with keys of text; empty ...
sub new_funnels
{
	return <<'SQL' . join '', map { my $p = $_; map { "SELECT count(*) FROM grant_funnel('$_', 'regress_lq_$p', '$p');\n" } qw(crm att) } @profiles;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;
CREATE SCHEMA app AUTHORIZATION regress_lq_owner;
SET ROLE regress_lq_owner;
CREATE TABLE app.contact (id text, mail text, land text NOT NULL, PRIMARY KEY (id, land)) PARTITION BY LIST (land);
CREATE TABLE app.contact_de PARTITION OF app.contact FOR VALUES IN ('DE');
CREATE TABLE app.contact_rest PARTITION OF app.contact DEFAULT;
SELECT create_funnel('crm', 'UTC');
SELECT create_funnel('att', 'UTC', lead_table => 'app.contact', lead_key => 'id', columns => '{"email": "mail"}', prefix => 'lq_');
SQL
}

# ... and filled.
sub release_funnels
{
	return new_funnels() . fill_funnel('crm') . <<'SQL';
INSERT INTO app.contact (id, mail, land)
	SELECT 'c' || n, 'c' || n || '@example.com', (ARRAY['DE', 'FR'])[1 + n % 2] FROM generate_series(1, 20) AS n;
INSERT INTO att.activity (lead_id, kind, external_id)
	SELECT 'c' || n, (ARRAY['webinar', 'demo_request', 'email_open'])[1 + n % 3], 'e' || n FROM generate_series(1, 20) AS n;
UPDATE att.lead SET stage = 'sal', owner = 'ben' WHERE stage = 'mql' AND lead_id < 'c15';
UPDATE att.lead SET bant = bant || 'B+ N~' WHERE stage = 'sal';
SELECT record_activity('att', 'c1', 'sales_call'), merge_leads('att', 'c3', 'c4');
DELETE FROM app.contact WHERE id = 'c5';
SELECT rebuild_history('crm'), rescore_funnel('crm'), rescore_funnel('att');
SQL
}

# What the tables of all funnels hold, a line a table.
sub rows
{
	my ($node, $db, $schemas) = @_;
	$schemas //= "nspname !~ '^(pg_|information_schema\$|public\$|ext\$)'";

	my $tables = $node->safe_psql($db, <<"SQL");
SELECT format('SELECT %L, count(*), md5(coalesce(string_agg(t::text, E''\\n'' ORDER BY t::text), '''')) FROM %s AS t;', c.oid::regclass, c.oid::regclass)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE relkind IN ('r', 'm') AND $schemas ORDER BY n.nspname, relname
SQL
	return $node->safe_psql($db, $tables);
}

# What there is in the schemas of all funnels, and how it is defined.
sub objects
{
	my ($node, $db) = @_;

	return $node->safe_psql($db, <<'SQL');
SET search_path = pg_catalog;
WITH s AS (SELECT oid, nspname, pg_get_userbyid(nspowner) AS owner, nspacl FROM pg_namespace
		   WHERE nspname !~ '^(pg_|information_schema$|public$|ext$)'),
	 c AS (SELECT pg_class.*, pg_class.oid::regclass::text AS name FROM pg_class JOIN s ON s.oid = relnamespace)
SELECT * FROM (
	SELECT 'schema', nspname, owner || coalesce(nspacl::text, '') FROM s
	UNION ALL SELECT 'relation', name, concat_ws(' ', relkind, pg_get_userbyid(relowner), reloptions, relrowsecurity, relforcerowsecurity,
		(SELECT string_agg(acl::text, ',' ORDER BY acl::text) FROM unnest(relacl) AS acl)) FROM c
	UNION ALL SELECT 'column', name || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity, attstorage, pg_get_expr(adbin, adrelid))
		FROM c JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum
		WHERE relkind IN ('r', 'v', 'm')
	UNION ALL SELECT 'view', name, pg_get_viewdef(c.oid) FROM c WHERE relkind IN ('v', 'm')
	UNION ALL SELECT 'trigger', name || '.' || tgname, tgenabled::text || ' ' || pg_get_triggerdef(t.oid) FROM c JOIN pg_trigger AS t ON tgrelid = c.oid WHERE NOT tgisinternal
	UNION ALL SELECT 'constraint', name || '.' || conname, pg_get_constraintdef(k.oid) FROM c JOIN pg_constraint AS k ON conrelid = c.oid
	UNION ALL SELECT 'index', name, pg_get_indexdef(indexrelid) FROM c JOIN pg_index ON indrelid = c.oid
	UNION ALL SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid) FROM pg_proc AS p JOIN s ON s.oid = pronamespace
	UNION ALL SELECT 'comment', pg_describe_object(classoid, objoid, objsubid), description FROM pg_description JOIN c ON objoid = c.oid AND classoid = 'pg_class'::regclass
	UNION ALL SELECT 'sequence', schemaname || '.' || sequencename, last_value::text FROM pg_sequences JOIN s ON nspname = schemaname
) AS o (kind, name, definition) ORDER BY 1, 2, 3
SQL
}

# Lines that only one of two texts has.
sub differences
{
	my ($expected, $got) = @_;
	my (%count, @lines);

	$count{$_}++ foreach split /\n/, $expected;
	$count{$_}-- foreach split /\n/, $got;
	foreach my $line (sort keys %count)
	{
		push @lines, "missing: $line" if $count{$line} > 0;
		push @lines, "too much: $line" if $count{$line} < 0;
	}
	return \@lines;
}

1;
