# upgrade_funnel(): funnels of today's template under the library, the SQL and the
# template that come next, one after the other; what is refused, rolled back or
# the user's stays as it was; what is upgraded equals what is new.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadQualTest;
use NextTemplate;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $install = "$dir/install";
my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
my ($libdir) = `$pg_config --pkglibdir` =~ /(.*)/;
my ($share) = `$pg_config --sharedir` =~ /(.*)/;

# the version of today, apart, and beside it the next one
system('cp', '-R', $ENV{LQ_INSTALL}, $install) == 0 or die;
make_next_template("$dir/tree", "$dir/next", $install);

my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->append_conf('postgresql.conf', <<"CONF");
fsync = off
deadlock_timeout = 100ms
dynamic_library_path = '$install$libdir:\$libdir'
@{[ `$pg_config --version` =~ /(\d+)/ && $1 >= 18 ? "extension_control_path = '$install$share:\$system'" : "extension_destdir = '$install'" ]}
CONF
$node->start;

# a session that may wait while others work
sub session
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->set_query_timer_restart;
	return $session;
}

sub query { return $node->safe_psql('postgres', $_[0]); }
sub as_owner { return query("SET ROLE regress_lq_owner; $_[0]"); }

# what an attempt says, and that it leaves the funnels as they were
my $inventory = q{SELECT md5(string_agg(i::text, E'\n' ORDER BY i::text)) FROM (SELECT f, _inventory(f::regnamespace) FROM unnest('{old,att}'::text[]) AS f) AS i};
my $before;

sub refused
{
	my ($sql, $expected, $name) = @_;
	my ($ret, $out, $err) = $node->psql('postgres', $sql);
	my $now = query($inventory);

	like($err, $expected, $name);
	is($now, $before, '... and leaves all as it was');
	return;
}

#
# The template of today, with everything
#
query(q{
	CREATE EXTENSION lead_qual;
	CREATE ROLE regress_lq_owner;
	CREATE ROLE regress_lq_member IN ROLE regress_lq_owner;
	CREATE ROLE regress_lq_sales; CREATE ROLE regress_lq_analyst; CREATE ROLE regress_lq_admin; CREATE ROLE regress_lq_less;
	GRANT CREATE ON DATABASE postgres TO regress_lq_owner;
	CREATE SCHEMA app AUTHORIZATION regress_lq_owner});
my $contact = sub { return <<"SQL" };
	CREATE TABLE app.$_[0] (id text, mail text, land text NOT NULL, PRIMARY KEY (id, land)) PARTITION BY LIST (land);
	CREATE TABLE app.$_[0]_de PARTITION OF app.$_[0] FOR VALUES IN ('DE');
	CREATE TABLE app.$_[0]_rest PARTITION OF app.$_[0] DEFAULT;
	INSERT INTO app.$_[0] SELECT 'c' || i, 'c' || i || '\@example.com', (ARRAY['DE', 'FR'])[1 + i % 2] FROM generate_series(1, 20) AS i;
SQL
my $attach = sub { return "SELECT create_funnel('$_[0]', 'UTC', lead_table => 'app.$_[1]', lead_key => 'id', columns => '{\"email\": \"mail\"}', prefix => 'lq_');" };
my $grant = sub { return join ' ', map { "SELECT count(*) FROM grant_funnel('$_[0]', 'regress_lq_$_', '$_');" } qw(sales analyst admin) };
as_owner(&$contact('contact') . &$attach('att', 'contact') . &$grant('att') . <<'SQL');
	SELECT create_funnel('old', 'UTC');
	-- a log in partitions
	CREATE TABLE old.log (LIKE old.activity INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING COMMENTS,
		PRIMARY KEY (lead_id, occurred_at, activity_id), UNIQUE (lead_id, occurred_at, external_id)) PARTITION BY RANGE (occurred_at);
	CREATE TEMP TABLE trigger_of AS SELECT statement FROM _funnel_triggers('old'::regnamespace) WHERE relation = 'activity';
	DROP TABLE old.activity CASCADE;
	ALTER TABLE old.log RENAME TO activity;
	CREATE TABLE old.activity_all PARTITION OF old.activity DEFAULT;
	DO $$ DECLARE s text; BEGIN FOR s IN SELECT statement FROM trigger_of LOOP EXECUTE s; END LOOP; END $$;
	SELECT count(*) FROM repair_funnel('old');
	SELECT set_config('search_path', 'old, public', false);
	SELECT _create_funnel_views(), _create_funnel_comments();
SQL
as_owner(fill_funnel('old'));
as_owner(&$grant('old') . <<'SQL');
	SELECT count(*) FROM grant_funnel('old', 'regress_lq_less', 'sales');
	REVOKE SELECT ON old.deal FROM regress_lq_less;
	GRANT SELECT ON old.verdict_pair TO regress_lq_less WITH GRANT OPTION;
	GRANT SELECT (stage) ON old.disputed_lead TO PUBLIC;
	ALTER TABLE old.lead ADD shoe_size integer DEFAULT 42;
	CREATE INDEX own_shoe ON old.lead (shoe_size);
	CREATE FUNCTION old.own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.shoe_size = 43; RETURN NEW; END';
	CREATE TRIGGER own BEFORE INSERT ON old.lead FOR EACH ROW EXECUTE FUNCTION old.own();
	-- by the name of one of ours, and before it on the path of a template
	CREATE FUNCTION old._create_work_views() RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''taken for ours''; END';
	CREATE VIEW old.own_inbox AS SELECT i.*, 1 AS more FROM old.inbox AS i;
	CREATE VIEW app.own_funnel AS SELECT * FROM old.funnel;
	COMMENT ON COLUMN old.lead.email IS 'my own words';
	COMMENT ON VIEW old.inbox IS 'my own view';
	COMMENT ON COLUMN app.contact.lq_stage IS 'my own stage (added by lead_qual)';
	UPDATE old.rule SET points = points + 1 WHERE name = 'webinar';
	SELECT rebuild_history('old'), rescore_funnel('old'), rescore_funnel('att');
SQL
my $old_session = session();
$old_session->query("SELECT count(*) FROM (SELECT check_funnel('old'), check_funnel('att')) AS c");

#
# The next library, under the SQL and the funnels of today
#
rename("$dir/next$libdir/lead_qual.so", "$install$libdir/lead_qual.so") or die $!;
my $works = sub
{
	my ($funnel, $key, $name) = @_;
	my $leads = $funnel eq 'att' ? 'app.contact (id, mail, land)' : "$funnel.lead (lead_id, email, country)";

	is(as_owner(qq{
		INSERT INTO $leads VALUES ($key, $key || '\@example.org', 'DE');
		SELECT record_activity('$funnel', $key || '\@example.org', 'demo_request');
		UPDATE $funnel.lead SET bant = 'B+ A+ N+ T+' WHERE lead_id = $key;
		SELECT stage FROM $funnel.lead WHERE lead_id = $key;
		SELECT count(*) > 0 FROM why_not('$funnel', $key, 'sql');
		SELECT string_agg(finding, ',') FROM check_funnel('$funnel') WHERE severity = 'error'}) =~ s/\n+/|/gr,
		't|mql|t|', $name);
};
&$works('old', 1001, 'the next library serves a funnel of today');
&$works('att', q{'x1'}, 'an attached one, too');
is(as_owner(q{SELECT * FROM upgrade_funnel('old')}), '', 'there is nothing to upgrade to yet');
as_owner(q{SELECT create_funnel('under', 'UTC'); SELECT drop_funnel('under')});
is(as_owner(q{SELECT finding FROM check_funnel('att')}), '', 'nor a template to miss');

# the next SQL
system("cp $dir/next$share/extension/* $install$share/extension/") == 0 or die;
append_to_file("$dir/alter.sql", 'ALTER EXTENSION lead_qual UPDATE');
query('ALTER EXTENSION lead_qual UPDATE');
is(query(q{SELECT extversion, _template_version() FROM pg_extension WHERE extname = 'lead_qual'}), "$next_version|$next_template", 'the extension is updated');
&$works('old', 1002, 'the next SQL serves a funnel of today');
&$works('att', q{'x2'}, 'an attached one, too');
is(as_owner(q{SELECT finding, hint FROM check_funnel('old') WHERE finding = 'template_outdated'}),
	q{template_outdated|Call upgrade_funnel('old').}, 'check_funnel() names the way up');
is(as_owner(q{BEGIN; SET LOCAL lead_qual.import = on; DELETE FROM old.setting; INSERT INTO old.lead (email) VALUES ('i@example.com'); SELECT count(*) FROM old.setting; ROLLBACK}),
	'0', 'a restore asks for nothing that is not there');
my $out = $old_session->query(q{INSERT INTO old.lead (email) VALUES ('o@example.org') RETURNING stage});
is($out, 'lead', 'a session with the library of today goes on');
$old_session->query(q{SELECT upgrade_funnel('old')});
like($old_session->{stderr}, qr/older than the extension.*HINT:  Reconnect/s, '... and must reconnect to upgrade');
$old_session->{stderr} = '';

#
# Refused
#
$before = query($inventory);
my $upgrade = q{SET ROLE regress_lq_owner; SELECT * FROM upgrade_funnel('old')};
sub spoilt { return "BEGIN; SET ROLE regress_lq_owner; $_[0]; SELECT * FROM upgrade_funnel('old'); COMMIT"; }
refused(q{SELECT * FROM upgrade_funnel('old')}, qr/is not run by a superuser.*HINT:  Connect as regress_lq_owner/s, 'a superuser who is not the owner is told who is');
refused(q{SET ROLE regress_lq_member; SELECT * FROM upgrade_funnel('old')}, qr/HINT:  SET ROLE regress_lq_owner/, 'so is a member');
refused(q{SET ROLE regress_lq_admin; SELECT * FROM upgrade_funnel('old')}, qr/must be owner|permission denied|owner of funnel/, 'nor may an admin');
refused("BEGIN ISOLATION LEVEL REPEATABLE READ; $upgrade", qr/REPEATABLE READ|READ COMMITTED/i, 'nor under an old snapshot');
refused(spoilt('ALTER TABLE old.activity DISABLE TRIGGER zz_insert'), qr/trigger_disabled activity.zz_insert.*HINT:.*ALTER TABLE old.activity ENABLE TRIGGER zz_insert/s, 'a disabled trigger');
refused(spoilt('DROP TRIGGER aa_record ON old.lead'), qr/trigger_missing lead.aa_record.*repair_funnel/s, 'a missing trigger');
refused(spoilt('ALTER TABLE old.deal DROP COLUMN home_amount CASCADE'), qr/column "home_amount".*does not exist.*HINT/s, 'a dropped column');
refused(spoilt('ALTER TABLE old.kind ALTER touch DROP NOT NULL'), qr/column "touch".*is not NOT NULL/s, 'a column that lost its constraint');
refused(spoilt('SET LOCAL lead_qual.import = on; UPDATE old.setting SET template_version = 9; SET LOCAL lead_qual.import = off'),
	qr/is of template 9.*HINT:  Install the lead_qual that made it/s, 'an unknown template');
refused(spoilt('CREATE VIEW app.pairs AS SELECT * FROM old.verdict_pair; CREATE VIEW app.more AS SELECT * FROM old.verdict_agreement'),
	qr/On them depend: view app.more, view app.pairs\..*HINT:.*drop them/s, 'views over those that are made anew are told, all of them');
refused(spoilt(q{CREATE RULE r AS ON INSERT TO old.disputed_lead DO INSTEAD NOTHING}), qr/On them depend: rule r on view old.disputed_lead/, 'so is a rule on one');
refused(spoilt('CREATE TABLE old.omen (x int)'), qr/names that funnel "old" needs are taken.*table old.omen.*HINT:  Rename/s, 'a table that has the name of one to come');
refused(spoilt('ALTER TABLE old.lead ADD temperature text'), qr/column "temperature" of relation "lead" already exists.*HINT:  Rename/s, 'a column that has');
refused(spoilt('CREATE TRIGGER zz_see BEFORE INSERT ON old.lead FOR EACH ROW EXECUTE FUNCTION old.own()'), qr/HINT:  Rename or drop the trigger/, 'a trigger that has');
refused(spoilt('CREATE DOMAIN old.bant AS text'), qr/types in schema "old" stand in the way.*old.bant/s, 'a type that would be taken for ours');
refused(spoilt(q{DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW old.sla AS SELECT s.*, 1 AS own FROM (' || rtrim(pg_get_viewdef('old.sla'::regclass), ';') || ') AS s'; END $$}),
	qr/view "sla" of funnel "old" cannot be replaced.*HINT:.*DROP VIEW old.sla/s, 'a view of ours to which columns were added');
refused(spoilt(q{CREATE FUNCTION old.fit(scorecard, timestamptz) RETURNS numeric LANGUAGE sql AS 'SELECT 1'}), qr/function old.fit.* stands in the way/, 'a function that would be taken for ours');
my $user = session();
$user->query_safe('BEGIN; SELECT count(*) FROM old.lead');
refused($upgrade, qr/could not lock the tables of funnel "old".*is in use by process \d+.*HINT:  Call it again/s, 'a reader that does not end');
$user->query_safe('COMMIT');

# rolled back
my $rows = rows($node, 'postgres');
query("BEGIN; $upgrade; ROLLBACK");
is(query($inventory), $before, 'rolled back leaves all as it was');
is(rows($node, 'postgres'), $rows, 'and every row');
&$works('old', 1003, 'and it works on');

#
# Done
#
my $kept = sub
{
	return query(join ';', map {
		"SELECT '$_', md5(string_agg(r, '' ORDER BY r)) FROM (SELECT (to_jsonb(t) - '{temperature,greeting,template_version,lq_temperature}'::text[])::text FROM $_ AS t) AS t (r)"
	} split /\n/, query(q{SELECT c.oid::regclass FROM pg_class AS c WHERE relnamespace::regnamespace::text IN ('old', 'att', 'app') AND relkind IN ('r', 'p') AND relname <> 'omen' ORDER BY 1}));
};
$rows = &$kept;
my $own = q{SELECT i.* FROM _inventory('old'::regnamespace) AS i WHERE object ~ 'own|shoe|mine|summary' OR definition ~ 'my own' ORDER BY 1, 2};
my $mine = query($own);

# a writer and an upgrade wait for each other, one after the other
my $upgrader = session();
my $said = $upgrader->query_safe("BEGIN; $upgrade");
like($said, qr/^template\|old\|$this_template to $next_template$/m, 'it says from where to where');
foreach my $line ('column|old.lead.temperature|created', 'table|old.omen|created', 'trigger|old.lead.zz_see|created', 'trigger|old.stage.zz_open|changed',
	'view|old.inbox|changed', 'view|old.verdict_pair|changed', 'comment|TABLE old.setting|changed', 'privileges|old.lead.temperature|created',
	'profile|regress_lq_sales|sales', 'profile|regress_lq_analyst|analyst', 'profile|regress_lq_admin|admin')
{
	like($said, qr/^\Q$line\E$/m, "it says: $line");
}
unlike($said, qr/own|dropped/, 'and of nothing else');
my $writer = session();
$writer->query_until(qr/writing/, q{\echo writing
SET ROLE regress_lq_owner; INSERT INTO old.activity (lead_id, kind, external_id) VALUES (1, 'webinar', 'late');
});
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE NOT granted}) or die;
$upgrader->query_safe('COMMIT');
is($writer->query_safe(q{SELECT count(*) FROM old.activity WHERE external_id = 'late'}), '1', 'a writer that waited goes on with the new template');
is(query('SELECT omen FROM old.omen ORDER BY 1'), 'INSERT activity', 'whose triggers fire');
as_owner(q{DELETE FROM old.activity WHERE external_id = 'late'; SELECT rescore_funnel('old')});
is(as_owner(q{SELECT DISTINCT kind FROM upgrade_funnel('att') ORDER BY 1}), "column\ncomment\nconstraint\nindex\nprivileges\nprofile\ntable\ntemplate\ntrigger\nview", 'an attached funnel is upgraded');
is(as_owner(q{SELECT * FROM upgrade_funnel('old'); SELECT * FROM upgrade_funnel('att')}), '', 'twice does nothing');
is(query($own), $mine, 'what is the user\'s is as it was');
is(query(q{SELECT lq_temperature FROM app.contact WHERE id = 'c1'}), '20', 'leads have what they lacked');

# as new ones are
as_owner(&$contact('person') . &$attach('fresh_att', 'person') . &$grant('fresh_att') . q{SELECT create_funnel('fresh', 'UTC'); } . &$grant('fresh')
	  . q{GRANT SELECT ON fresh.verdict_pair TO regress_lq_less WITH GRANT OPTION});
my $shape = sub
{
	my ($schema, $but) = @_;
	my $text = query("SELECT kind || ' ' || object || ' ' || coalesce(definition, '') FROM _inventory('$schema'::regnamespace) WHERE object !~ '$but' AND coalesce(definition, '') !~ '$but' ORDER BY kind, object");

	$text =~ s/\bfresh_att\b/att/g;
	$text =~ s/\bfresh\b/old/g;
	$text =~ s/\bperson/contact/g;
	$text =~ s/ regress_lq_less=\S+//g;
	# a column that came later is the last of a view
	$text =~ s/,$//mg;
	return $text;
};
my $but = 'own|shoe|mine|summary|my own|activity|lead.email|VIEW old.inbox|VIEW fresh.inbox|less';
is_deeply(differences(&$shape('fresh', $but), &$shape('old', $but)), [], 'what is upgraded equals what is new');
$but = 'my own|lq_stage$';
is_deeply(differences(&$shape('fresh_att', $but), &$shape('att', $but)), [], 'also where it is attached');
is(query(q{SELECT has_table_privilege('regress_lq_less', 'old.deal', 'SELECT'), has_column_privilege('regress_lq_less', 'old.lead', 'temperature', 'UPDATE')}), 'f|f', 'who has less than a profile gets no more');
is(query(q{SELECT relacl FROM pg_class WHERE oid = 'old.verdict_pair'::regclass}) =~ /regress_lq_less=r\*/ ? 'kept' : 'lost', 'kept', 'a grant on a view that was made anew is kept');

&$works('old', 1004, 'it works on');
&$works('att', q{'x4'}, 'so does the attached one');
is(as_owner(q{SELECT finding FROM check_funnel('old') WHERE finding ~ 'template|trigger'; SELECT finding FROM check_funnel('att')}), '', 'and nothing is wrong');
$old_session->query(q{INSERT INTO old.lead (email) VALUES ('p@example.org')});
like($old_session->{stderr}, qr/template version $next_template of funnel "old" is not supported.*HINT:  Reconnect/s, 'a session with the library of before is told to reconnect');
as_owner(q{SELECT detach_funnel('att')});
is(query(q{SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'app.contact'::regclass AND attnum > 0 AND NOT attisdropped}), 'id,mail,land', 'detached, the table is as it was before');

$_->quit foreach ($old_session, $user, $upgrader, $writer);
$node->stop;
done_testing();
