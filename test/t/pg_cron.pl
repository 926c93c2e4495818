# sweep_funnel() called by pg_cron.  Before 1.5 a schedule is by the minute,
# which is longer than tests wait otherwise.
use strict;
use warnings;
BEGIN { $ENV{PG_TEST_TIMEOUT_DEFAULT} = 150 }
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# beside the server's extensions or beside this build
chomp(my $sharedir = `pg_config --sharedir`);
my ($destdir) = slurp_file($ENV{TEMP_CONFIG} // '/dev/null') =~ /^extension_destdir = '(.*)'/m;
my ($control) = grep { -e } map { "$_$sharedir/extension/pg_cron.control" } $destdir // '', '';
plan skip_all => 'pg_cron is not installed (Debian: postgresql-15-cron)' if !defined $control;
my ($major, $minor) = slurp_file($control) =~ /^default_version = '(\d+)\.(\d+)/m;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'pg_cron'
cron.database_name = 'postgres'
cron.use_background_workers = on
});
$node->start;

my $schedule = $major > 1 || $minor >= 5 ? '1 second' : '* * * * *';

$node->safe_psql('postgres', qq{
	CREATE EXTENSION pg_cron;
	CREATE EXTENSION lead_qual;
	SELECT create_funnel('crm', 'UTC');
	INSERT INTO crm.transition (definition, position, from_stage, to_stage, automatic, after)
		VALUES ('default', 45, 'lead', 'nurture', true, '1 microsecond');
	INSERT INTO crm.lead (external_id) VALUES ('a'), ('b');
	SELECT cron.schedule('sweep crm', '$schedule', \$\$ SELECT sweep_funnel('crm') \$\$);
});
is($node->safe_psql('postgres', q{SELECT count(*) FROM crm.lead WHERE stage = 'lead'}),
	'2', 'leads wait for the sweep');

ok($node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM crm.lead WHERE stage = 'nurture'}),
	'pg_cron sweeps them');
ok($node->poll_query_until('postgres',
		q{SELECT count(*) > 0 FROM cron.job_run_details WHERE status = 'succeeded'}),
	'and says so');
is($node->safe_psql('postgres',
		q{SELECT count(*) FROM crm.stage_history WHERE to_stage = 'nurture' AND automatic}),
	'2', 'each lead moved once');

$node->stop;
done_testing();
