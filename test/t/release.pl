# Releases: what each was frozen with is restored under the library of today,
# with the SQL of then, and brought up to the SQL and the template of today.
# Nothing is lost on the way, and what comes out equals what is new.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use LeadQualTest;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $install = "$dir/install";
my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
my ($libdir) = `$pg_config --pkglibdir` =~ /(.*)/;
my ($share) = `$pg_config --sharedir` =~ /(.*)/;
my ($today) = slurp_file('lead_qual.control') =~ /^default_version\s*=\s*'(.*)'/m;
my @releases = sort map { m{([^/]+)/funnels.sql$} } glob('test/upgrade/*/funnels.sql');

# the install scripts of then, beside those of today
system('cp', '-R', $ENV{LQ_INSTALL}, $install) == 0 or die;
foreach my $release (grep { $_ ne $today } @releases)
{
	system('cp', "test/upgrade/$release/lead_qual--$release.sql", "$install$share/extension/") == 0 or die;
}

my $node = PostgreSQL::Test::Cluster->new('release');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', <<"CONF");
fsync = off
client_min_messages = warning
dynamic_library_path = '$install$libdir:\$libdir'
@{[ `$pg_config --version` =~ /(\d+)/ && $1 >= 18 ? "extension_control_path = '$install$share:\$system'" : "extension_destdir = '$install'" ]}
CONF
$node->start;
$node->safe_psql('postgres', release_roles());

sub as_owner { return $node->safe_psql($_[0], "SET ROLE regress_lq_owner; SET lead_qual.clock = '2026-12-05 12:00+00'; $_[1]"); }

# the members of the extension, and what the funnels consist of
sub extension
{
	return $node->safe_psql($_[0], <<'SQL');
SELECT concat_ws(' ', pg_describe_object(d.classid, d.objid, 0),
				 CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END, obj_description(d.objid, c.relname))
FROM pg_depend AS d
JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'lead_qual'
JOIN pg_class AS c ON c.oid = d.classid
LEFT JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
WHERE d.deptype = 'e' ORDER BY 1
SQL
}

sub shape
{
	my ($db) = @_;
	my $text = $node->safe_psql($db, <<'SQL');
SELECT kind || ' ' || object || ' ' || coalesce(definition, '')
FROM unnest('{crm,att}'::text[]) AS f, _inventory(f::regnamespace)
WHERE object !~ '\m(mine|mine_bant|summary)\M' ORDER BY 1
SQL
	# a column that came later is the last of a view
	$text =~ s/,$//mg;
	return $text;
}

sub works
{
	my ($db, $n, $name) = @_;

	is(as_owner($db, join ';', map { my ($f, $leads) = @$_; qq{
		INSERT INTO $leads VALUES ('$n', '$n\@example.org', 'DE');
		SELECT record_activity('$f', '$n\@example.org', 'demo_request');
		UPDATE $f.lead SET bant = 'B+ A+ N+ T+' WHERE email = '$n\@example.org';
		SELECT stage FROM $f.lead WHERE email = '$n\@example.org';
		SELECT count(*) > 0 FROM why_not('$f', '$n\@example.org', 'sql');
		SELECT count(*) > 5 FROM $f.funnel;
		SELECT string_agg(finding, ',') FROM check_funnel('$f') WHERE severity = 'error'}
	} ([ 'crm', 'crm.lead (external_id, email, country)' ], [ 'att', 'app.contact (id, mail, land)' ])) =~ s/\s+/|/gr, 't|mql|t|t|t|mql|t|t|', $name);
	return;
}

# what rows say of columns that were there: each column by itself
sub columns
{
	my ($db) = @_;

	return { map { split /\t/ } split /\n/, $node->safe_psql($db, <<'SQL') };
SELECT format('SELECT %L || E''\t'' || md5(coalesce(string_agg(t.%I::text, E''\n'' ORDER BY t.%3$I::text, t::text), '''')) FROM %s AS t', c.oid::regclass || '.' || a.attname, a.attname,
			  (SELECT b.attname FROM pg_attribute AS b WHERE b.attrelid = c.oid AND b.attnum = 1), c.oid::regclass)
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text IN ('crm', 'att', 'app') \gexec
SQL
}

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION lead_qual;' . new_funnels());
my $extension = extension('fresh');
my $shape = shape('fresh');

foreach my $release (@releases)
{
	my $db = "of_$release";

	$db =~ s/\W/_/g;
	is(slurp_file("test/upgrade/$release/lead_qual--$release.sql"), slurp_file("$install$share/extension/lead_qual--$release.sql"), "$release: it is what was built")
	  if $release eq $today;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "CREATE EXTENSION lead_qual VERSION '$release'");
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($db), '-f', "test/upgrade/$release/funnels.sql" ], "$release: its funnels are restored");
	is($node->safe_psql($db, q{SELECT format('SELECT %L WHERE NOT EXISTS (SELECT FROM %s)', c.oid::regclass, c.oid::regclass)
		FROM pg_class AS c WHERE relkind = 'r' AND relnamespace = 'crm'::regnamespace} . "\\gexec"), '', "$release: with rows in every table");
	works($db, 'n1', "$release: they work under its own SQL");
	next if $release eq $today && is_deeply(differences($shape, shape($db)), [], "$release: and are as new ones");

	my $before = columns($db);
	$node->safe_psql($db, 'ALTER EXTENSION lead_qual UPDATE');
	is($node->safe_psql($db, q{SELECT extversion FROM pg_extension WHERE extname = 'lead_qual'}), $today, "$release: the extension is updated");
	is_deeply(differences($extension, extension($db)), [], "$release: to what is created anew");
	works($db, 'n2', "$release: they work under the SQL of today");
	as_owner($db, q{DELETE FROM crm.lead WHERE external_id = 'n2'; DELETE FROM app.contact WHERE id = 'n2'});
	$before = columns($db);
	as_owner($db, "SELECT count(*) FROM upgrade_funnel('$_')") foreach ('crm', 'att');
	my $after = columns($db);
	is_deeply([ grep { !/\.template_version$/ && $before->{$_} ne ($after->{$_} // '') } sort keys %$before ], [], "$release: funnels are upgraded, and every value is as it was");
	is_deeply(differences($shape, shape($db)), [], "$release: and they are as new ones");
	works($db, 'n3', "$release: and work");
}

$node->stop;
done_testing();
