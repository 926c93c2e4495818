# What a session keeps of a funnel when a change of policy is undone: by an
# error in a block, ROLLBACK TO SAVEPOINT or ROLLBACK.  The session must then
# do as one that has just come.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_prepared_transactions = 5\nclient_min_messages = error\nmax_locks_per_transaction = 256");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lead_qual;
	ALTER DATABASE postgres SET lead_qual.clock = '2026-03-02 09:00+00';
	SET lead_qual.clock = '2026-03-02 09:00+00';
	CREATE ROLE regress_lq_other;
	CREATE DOMAIN size AS integer;
	SELECT create_funnel('crm', 'UTC');
	ALTER TABLE crm.lead ADD seats size;
	INSERT INTO crm.rule (definition, name, axis, kind, condition, points) VALUES
		('default', 'by_list', 'fit', NULL, 'country = ANY (list.target_countries)', 3),
		('default', 'by_account', 'fit', NULL, 'account.name = ''Acme''', 5),
		('default', 'by_domain', 'fit', NULL, 'seats > 5', 7);
	INSERT INTO crm.holiday VALUES ('2026-03-09', 'off');
	INSERT INTO crm.account (account_id, name) VALUES (1, 'Acme');
	INSERT INTO crm.lead (lead_id, email, job_title, country, seats, account_id)
		SELECT n, n || '@x.example', 'VP Marketing', 'DE', n, 1 FROM generate_series(1, 6) AS n;
	INSERT INTO crm.activity (lead_id, kind) SELECT n, 'demo_request' FROM generate_series(2, 6) AS n;
	UPDATE crm.lead SET stage = 'sal' WHERE lead_id IN (3, 4);
	SELECT copy_definition('crm', 'default', 'd2');
	UPDATE crm.definition SET sides = '{marketing,sales}' WHERE definition = 'd2';
	SELECT copy_definition('crm', 'default', 'd3');
	UPDATE crm.rule SET points = points + 10 WHERE definition = 'd3';
	SELECT create_funnel('empty', 'UTC');
	CREATE TABLE public.people (id bigint PRIMARY KEY);
	CREATE TABLE public.others (id bigint PRIMARY KEY);
	SELECT create_funnel('own', 'UTC', lead_table => 'public.others', lead_key => 'id');
	CREATE FUNCTION try(statement text) RETURNS text LANGUAGE plpgsql AS $$
		DECLARE detail text; result text;
		BEGIN
			IF statement ~ '^SELECT' THEN EXECUTE statement INTO result; ELSE EXECUTE statement; END IF;
			RETURN statement || ': ' || coalesce(result, 'done');
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
			RETURN statement || ': ' || SQLERRM || ' ' || detail;
		END $$;
});

# everything that follows from the policy, each piece undone where it fails
my @look = (
	q{INSERT INTO crm.activity (lead_id, kind) SELECT n, 'webinar' FROM generate_series(1, 6) AS n},
	q{SELECT string_agg(concat_ws(' ', lead_id, stage, score(scorecard, funnel_now()), bant, due_at - stage_entered_at), ', ' ORDER BY lead_id) FROM crm.lead},
	q{INSERT INTO crm.lead (lead_id, email, country, seats, account_id) VALUES (100, 'z', 'DE', 9, 1)},
	q{INSERT INTO crm.lead (lead_id, email, stage) VALUES (101, 'y', 'sql')},
	q{UPDATE crm.lead SET stage = 'customer' WHERE lead_id = 3},
	q{UPDATE crm.lead SET stage = 'nurture', reason = 'no_need' WHERE lead_id = 4},
	q{INSERT INTO crm.answer (lead_id, framework, element, level) VALUES (2, 'bant', 'need', 'yes')},
	q{INSERT INTO crm.activity (lead_id, kind) VALUES (5, 'no_such_kind')},
	q{SELECT rescore_funnel('crm', true)},
	q{SELECT string_agg(w::text, ', ' ORDER BY w::text) FROM why_not('crm', '5', 'sql') AS w},
	q{SELECT string_agg(n::text, ', ' ORDER BY n::text) FROM next_stages('crm', '4') AS n},
	q{SELECT string_agg(concat_ws(' ', lead_id, stage, score(scorecard, funnel_now()), reason), ', ' ORDER BY lead_id) FROM crm.lead});
my $look = "BEGIN;\n" . join('', map { "SELECT try(\$q\$$_\$q\$);\n" } @look) . 'ROLLBACK';
my $poke = q{SELECT try('INSERT INTO crm.activity (lead_id, kind) VALUES (1, ''webinar'')'), try('INSERT INTO crm.lead (email) VALUES (''poke'')')};
my $fresh = sub { return $node->safe_psql('postgres', $look) };
my $expected = $fresh->();
unlike($expected, qr/does not exist|syntax error/, 'what is looked at is there');

# the functions that change something
my %calls = (
	create_funnel => q{SELECT create_funnel('crm2', 'UTC')}, drop_funnel => q{SELECT drop_funnel('crm', true)},
	detach_funnel => q{SELECT detach_funnel('own')},
	record_activity => q{SELECT record_activity('crm', '1', 'webinar')}, move_leads => q{SELECT move_leads('crm', '{3}', 'nurture', 'no_need')},
	rescore_funnel => q{SELECT rescore_funnel('crm', true)}, sweep_funnel => q{SELECT sweep_funnel('crm')},
	rebuild_history => q{SELECT rebuild_history('crm')}, grant_funnel => q{SELECT grant_funnel('crm', 'regress_lq_other', 'admin')},
	void_moves => q{SELECT void_moves('crm', '{1}', 'x')}, check_funnel => q{SELECT check_funnel('crm', true)},
	copy_definition => q{SELECT copy_definition('crm', 'default', 'd4')}, activate_definition => q{SELECT activate_definition('crm', 'd3', 'move')},
	preview_definition => q{SELECT preview_definition('crm', 'd3')}, preview_load => q{SELECT preview_load('crm', 'd3')},
	sign_move => q{SELECT sign_move('crm', '3', 'sql', NULL, 'sales')}, sign_definition => q{SELECT sign_definition('crm', 'd2', 'marketing')},
	archive_activities => q{SELECT archive_activities('crm', '2026-03-01')}, merge_leads => q{SELECT merge_leads('crm', '3', '4')},
	erase_lead => q{SELECT erase_lead('crm', '3')}, repair_funnel => q{SELECT repair_funnel('crm')});
my @functions = split /\n/, $node->safe_psql('postgres', q{SELECT DISTINCT proname FROM pg_proc JOIN pg_depend AS d ON objid = pg_proc.oid
	WHERE deptype = 'e' AND classid = 'pg_proc'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'lead_qual')
	AND provolatile = 'v' AND proname !~ '^_' AND prorettype <> 'trigger'::regtype});
$calls{$_} //= "SELECT $_('crm')" foreach @functions;

# every column of every policy table, rows that go, rows that come
my @rows = split /\n/, $node->safe_psql('postgres', q{
	WITH t AS (SELECT DISTINCT tgrelid AS oid, tgrelid::regclass::text AS name FROM pg_trigger JOIN pg_proc AS p ON p.oid = tgfoid
			   WHERE proname = '_policy_changed' AND tgrelid::regclass::text ~ '^crm\.'),
	 c AS (SELECT t.*, quote_ident(attname) AS c, attnum, CASE format_type(atttypid, NULL)
			WHEN 'boolean' THEN 'NOT %1$s' WHEN 'interval' THEN '2 * coalesce(%1$s, interval ''1 hour'')'
			WHEN 'text[]' THEN 'ARRAY[''sales'']' WHEN 'name' THEN '''postgres''' WHEN 'regclass' THEN '''crm.account''::regclass'
			WHEN 'date' THEN '%1$s + 1' WHEN 'timestamp with time zone' THEN 'now()' WHEN 'time without time zone' THEN '%1$s + interval ''1 minute'''
			WHEN 'text' THEN '%1$s || ''x''' ELSE 'coalesce(%1$s, 0) + 1' END AS other
		   FROM t JOIN pg_attribute ON attrelid = t.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = '')
	SELECT format('UPDATE %s SET %s = ' || other, name, c) FROM (SELECT name, c, replace(other, '%1$s', c) AS other FROM c) AS u
	UNION ALL SELECT 'DELETE FROM ' || name FROM t
	UNION ALL SELECT format('INSERT INTO %s (%s) SELECT %s FROM %1$s', name, string_agg(c, ', ' ORDER BY attnum),
		string_agg(CASE WHEN attnum <= 3 THEN replace(other, '%1$s', c) ELSE c END, ', ' ORDER BY attnum)) FROM c GROUP BY name});
cmp_ok(scalar(grep { /^DELETE/ } @rows), '>=', 13, 'the policy tables were found');

# what else may be undone
my @others = (
	q{SELECT activate_definition('crm', 'd2')}, q{UPDATE crm.definition SET status = 'retired'}, q{SELECT create_funnel('on_people', 'UTC', lead_table => 'public.people', lead_key => 'id')},
	q{UPDATE crm.rule SET condition = 'false'}, q{UPDATE crm.transition SET condition = 'score < 0'}, q{TRUNCATE crm.list}, q{TRUNCATE crm.transition},
	q{UPDATE crm.stage SET milestone = 'mql' WHERE stage = 'sal'}, q{DELETE FROM crm.list WHERE value = 'DE'}, q{INSERT INTO crm.kind VALUES ('no_such_kind')},
	q{INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES ('default', 1, 'sal', 'customer')},
	q{INSERT INTO crm.rule (definition, name, axis, kind, points) VALUES ('default', 'more', 'engagement', 'webinar', 99)},
	q{ALTER TABLE crm.lead RENAME country TO land}, q{ALTER TABLE crm.lead RENAME bant TO bent}, q{ALTER TABLE crm.lead ADD extra text DEFAULT 'x'}, q{ALTER TABLE crm.lead DROP seats CASCADE},
	q{ALTER TABLE crm.rule RENAME TO rules}, q{ALTER TABLE crm.rule RENAME TO rules; CREATE TABLE crm.rule (LIKE crm.rules)}, q{DROP TABLE crm.list CASCADE}, q{ALTER TABLE crm.setting RENAME lead_key TO k},
	q{ALTER TABLE crm.account RENAME name TO title}, q{ALTER SCHEMA crm RENAME TO c}, q{ALTER TABLE crm.rule OWNER TO regress_lq_other},
	q{ALTER DOMAIN size ADD CHECK (value < 3) NOT VALID}, q{ALTER TABLE crm.lead ALTER seats TYPE numeric}, q{ALTER TABLE crm.lead DISABLE TRIGGER USER; UPDATE crm.lead SET stage = 'lead'},
	q{DROP EXTENSION lead_qual CASCADE}, q{CREATE FUNCTION public.score(scorecard, timestamptz, int) RETURNS int LANGUAGE sql AS 'SELECT 1'});

# one session does them all, and looks after each
my (@script, @names);
foreach my $change (@rows, @others, map { $calls{$_} } sort keys %calls)
{
	(my $perform = $change) =~ s/^SELECT/PERFORM/;
	(my $poked = $poke) =~ s/^SELECT/PERFORM/;
	my %ways = (
		error => "DO \$do\$ BEGIN BEGIN $perform; $poked; RAISE 'undo'; EXCEPTION WHEN OTHERS THEN NULL; END; $poked; RAISE 'undo'; END \$do\$",
		savepoint => "BEGIN; SAVEPOINT s; $change; $poke; ROLLBACK TO s; $poke; ROLLBACK",
		rollback => "BEGIN; $change; $poke; ROLLBACK");
	foreach my $way (sort keys %ways)
	{
		push @script, "\\o /dev/null\n$ways{$way};\n\\o\n\\echo ----\n$look;\n";
		push @names, "$way of $change";
	}
}
push @script, "\\o /dev/null\nBEGIN; DELETE FROM crm.transition; SELECT count(*) FROM next_stages('crm', '6'); PREPARE TRANSACTION 'p';\n\\o\n\\echo ----\n$look;\n",
	"ROLLBACK PREPARED 'p';\n\\echo ----\n$look;\n";
push @names, 'preparing', 'rolling back what was prepared';
my ($status, $out) = $node->psql('postgres', join('', "$look;\n", @script), on_error_stop => 0);
my @got = split /^----\n/m, $out;
shift @got;
chomp @got;
cmp_ok(scalar(@names), '>', 400, 'many changes are undone');
is(join("\n", map { ($got[$_] // 'nothing') eq $expected ? () : $names[$_] } 0 .. $#names), '', 'N1: undone changes of policy leave nothing behind in the session');
is($fresh->(), $expected, 'and nothing elsewhere');

# what is committed is kept
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query($look);
$session->query("BEGIN; SAVEPOINT s; UPDATE crm.rule SET points = points + 10 WHERE definition = 'default'; $poke; RELEASE s; COMMIT");
my $after = $session->query($look);
isnt($after, $expected, 'what is committed counts');
is($after, $fresh->(), 'as in a new session');
$session->quit;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|XX000|server closed/, 'nothing strange in the log');

$node->stop;
done_testing();
