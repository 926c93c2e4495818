# A next version of the extension, made from this tree: a template with new
# columns, a table, triggers and comments, views that are changed in place and
# one that is made anew.  What it does is what CONTRIBUTING.md says to do.
package NextTemplate;

use strict;
use warnings;
use Exporter 'import';
use File::Path qw(make_path);
use PostgreSQL::Test::Utils;

our @EXPORT = qw(make_next_template $this_template $next_template $this_version $next_version);

our ($this_template) = slurp_file('src/funnel/template.h') =~ /LQ_TEMPLATE_VERSION\s+(\d+)/;
our ($this_version) = slurp_file('lead_qual.control') =~ /^default_version\s*=\s*'(.*)'/m;
our $next_template = $this_template + 1;
our $next_version = $this_version =~ s/(\d+)$/$1 + 1/er;

my $trigger_function = <<'SQL';

CREATE FUNCTION see_fact() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('see_fact'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
BEGIN
	EXECUTE format('INSERT INTO %I.omen VALUES (concat_ws('' '', $1, $2)) ON CONFLICT DO NOTHING', TG_TABLE_SCHEMA)
		USING TG_OP, TG_TABLE_NAME;
	RETURN NULL;
END
$body$;
COMMENT ON FUNCTION see_fact() IS
'trigger of the next template';

CREATE FUNCTION see_lead() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION see_lead() IS
'trigger of the next template';
SQL

my $trigger_code = <<'C';
#include "postgres.h"

#include "funnel/trigger.h"

PG_FUNCTION_INFO_V1(see_lead);

Datum
see_lead(PG_FUNCTION_ARGS)
{
	(void) lq_funnel_of_trigger(fcinfo, "see_lead");
	PG_RETURN_POINTER(NULL);
}
C
my $step = <<"SQL";
--
-- The next template: temperature of a lead, greeting of a funnel, omens
--
CREATE FUNCTION _upgrade_to_$next_template(funnel text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS \$body\$
BEGIN
	PERFORM \@extschema\@._add_lead_column(funnel, 'temperature'::name, 'integer NOT NULL DEFAULT 20'::text);
	EXECUTE format('ALTER TABLE %I.setting ADD COLUMN greeting text CHECK (greeting <> '''')', funnel);
	EXECUTE format('CREATE TABLE %I.omen (omen text PRIMARY KEY)', funnel);
END
\$body\$;

COMMENT ON FUNCTION _upgrade_to_$next_template(text) IS
'step of upgrade_funnel()';
SQL

# file, what is there, what comes in its place
my @changes = (
	[ 'lead_qual.control', "'$this_version'", "'$next_version'" ],
	[ 'src/funnel/template.h', qr/(LQ_TEMPLATE_VERSION\s+)\d+/, '${1}NEXT' ],
	[ 'src/funnel/template.h', qr/(LQ_OLDEST_TEMPLATE_VERSION\s+)\d+/, '${1}THIS' ],
	[ 'src/funnel/column_list.h', qr/(LQ_COLUMN\(LEAD, ACCOUNT_ID,.*\n)/, '${1}LQ_COLUMN(LEAD, TEMPERATURE, "temperature", \'i\', true, NEXT)\n' ],
	# in the midst of the others
	[ 'src/funnel/column_list.h', qr/(LQ_COLUMN\(SETTING, TIME_ZONE,.*\n)/, '${1}LQ_COLUMN(SETTING, GREETING, "greeting", \'t\', false, NEXT)\n' ],
	[ 'src/funnel/trigger_rows.c', qr/(\{LQ_TABLE_STAGE, "zz_open", "_check_working_time",\n)(.*), 0\},\n/,
		'${1}${2}, 0, 0, THIS},\n${1}	AFTER_STATEMENT | ON_INSERT | ON_UPDATE | ON_DELETE, 0, NEXT},\n'
		  . '	{LQ_TABLE_LEAD, "zz_see", "see_lead", AFTER_ROW | ON_UPDATE, 0, NEXT},\n'
		  . '	{LQ_TABLE_ACTIVITY, "zz_see", "see_fact", AFTER_STATEMENT | ON_INSERT, LQ_TRIGGER_ROWS, NEXT},\n' ],
	[ 'src/funnel/model_rows.c', qr/(\trow->funnel->time_zone = get_text.*\n)/, '${1}	if (get_text(row, LQ_SETTING_GREETING) != NULL)\n		elog(NOTICE, "%s", get_text(row, LQ_SETTING_GREETING));\n' ],
	[ 'sql/50_funnel_tables.sql', qr/(\t\tlead_key name NOT NULL DEFAULT 'lead_id',\n)/, '${1}		greeting text CHECK (greeting <> \'\'),\n' ],
	[ 'sql/50_funnel_tables.sql', qr/(created_at timestamptz NOT NULL DEFAULT funnel_now\(\))(\n\t\) WITH \(fillfactor = 70\))/,
		'${1},\n		temperature integer NOT NULL DEFAULT 20${2}' ],
	[ 'sql/50_funnel_tables.sql', qr/(\tCREATE TABLE spend \()/, '	CREATE TABLE omen (omen text PRIMARY KEY);\n\n${1}' ],
	[ 'sql/58_funnel_comments.sql', "'the funnel itself: one row'", "'the funnel itself'" ],
	[ 'sql/58_funnel_comments.sql', qr/(\t\t\('COLUMN setting.time_zone')/,
		'		(\'COLUMN setting.greeting\', \'what it says when it is read\'),\n'
		  . '		(\'COLUMN lead.temperature\', \'how warm it is\'),\n		(\'TABLE omen\', \'an omen\'),\n		(\'COLUMN omen.omen\', \'what it is\'),\n${1}' ],
	[ 'sql/64_work_views.sql', qr/(VIEW inbox.*?)(\n\tFROM lead l\n)/s, '${1},\n		   l.temperature AS temperature${2}' ],
	[ 'sql/67_qualification_views.sql', "coalesce(l.source, '(none)') AS source", "coalesce(l.source, '(none)')::varchar AS source" ],
	[ 'sql/72_grant_funnel.sql', qr/\tVALUES\n/, '	VALUES\n		(NEXT, \'{sales,marketing}\', \'UPDATE\', \'{lead}\', \'{temperature}\'),\n'
		  . '		(NEXT, \'{analyst}\', \'SELECT\', \'{lead}\', \'{temperature}\'),\n' ],
	[ 'sql/49_template.sql', qr/('(?:::name\[\])?\))(;\nEND;\n\nCOMMENT ON FUNCTION _template_relations)/, '${1},\n		(NEXT, \'{omen}\')${2}' ],
	[ 'sql/80_upgrade_parts.sql', "(VALUES (0, '{}'::name[])", "(VALUES (0, '{}'::name[]), (NEXT, '{verdict_pair}'::name[])" ],
	[ 'sql/80_upgrade_parts.sql', "(VALUES (0, ''::text)", "(VALUES (0, ''::text), (NEXT, 'the funnel itself: one row')" ],
);

# Make it in a folder, install it into another, and write the script that
# leads to it from the version that is installed elsewhere.
sub make_next_template
{
	my ($folder, $install, $installed) = @_;
	my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
	my %text;

	make_path($folder);
	system('cp', '-R', 'Makefile', 'lead_qual.control', 'README.md', 'src', 'sql', $folder) == 0 or die 'cp failed';
	unlink glob("$folder/src/*.o $folder/src/*/*.o $folder/sql/lead_qual--*.sql");
	make_path("$folder/sql/upgrade", "$folder/test");
	foreach my $change (@changes)
	{
		my ($file, $old, $new) = @$change;
		$new =~ s/NEXT/$next_template/g;
		$new =~ s/THIS/$this_template/g;
		$text{$file} //= slurp_file("$folder/$file");
		$old = quotemeta $old if !ref $old;
		$new = '"' . ($new =~ s/(["\@])/\\$1/gr) . '"' if ref $change->[1];
		my $n = ref $change->[1] ? $text{$file} =~ s/$old/$new/ee : $text{$file} =~ s/$old/$new/;
		die "$file does not have what the next template changes: $change->[1]" if !$n;
	}
	$text{'sql/54_funnel_triggers.sql'} = slurp_file("$folder/sql/54_funnel_triggers.sql") . $trigger_function;
	$text{"sql/upgrade/$next_template.sql"} = $step;
	$text{'src/lead/see.c'} = $trigger_code;
	foreach my $file (keys %text)
	{
		unlink "$folder/$file";
		append_to_file("$folder/$file", $text{$file});
	}
	local $ENV{MAKEFLAGS};
	system("make -s -j2 -C '$folder' PG_CONFIG='$pg_config' with_llvm=no COPT='-O0 -Werror -DUSE_ASSERT_CHECKING' install DESTDIR='$install' >'$folder/make.log' 2>&1") == 0
	  or die slurp_file("$folder/make.log");

	my ($share) = `$pg_config --sharedir` =~ /(.*)/;
	my $scripts = "$share/extension/lead_qual--";
	system("awk -f sql/changes.awk '$installed${scripts}$this_version.sql' '$install${scripts}$next_version.sql' >'$install${scripts}$this_version--$next_version.sql'") == 0 or die;
	return;
}

1;
