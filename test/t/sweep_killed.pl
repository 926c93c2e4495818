# A sweep that is ended half-way, politely and by force, leaves nothing behind.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;

# a hundred leads due; a trigger of the user's that waits at the fiftieth
$node->safe_psql('postgres', q{
	CREATE EXTENSION lead_qual;
	SELECT create_funnel('crm', 'UTC');
	SET lead_qual.clock = '2026-03-02 09:00Z';
	INSERT INTO crm.transition (definition, position, from_stage, to_stage, automatic, after)
		VALUES ('default', 45, 'lead', 'nurture', true, '10 days');
	INSERT INTO crm.lead (external_id) SELECT n FROM generate_series(1, 100) AS n;
	CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.external_id = '50' THEN PERFORM pg_advisory_xact_lock(50); END IF;
		RETURN NULL;
	END $$;
	CREATE TRIGGER zzz_wait AFTER UPDATE ON crm.lead FOR EACH ROW EXECUTE FUNCTION wait();
});

my $sweep = q{SET lead_qual.clock = '2026-04-01 09:00Z'; SELECT * FROM sweep_funnel('crm')};
my $waiting = q{SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted};

# what is there after the sweep: leads that moved, moves in the history
my $state = q{SELECT count(*) FILTER (WHERE stage = 'nurture'),
	(SELECT count(*) FROM crm.stage_history WHERE to_stage = 'nurture') FROM crm.lead};

foreach my $how ('pg_terminate_backend()', 'SIGKILL')
{
	my $in = "SELECT pg_advisory_lock(50);\n";
	my ($out, $err) = ('', '');
	my @psql = ('psql', '-XAtq', '-d', $node->connstr('postgres'));
	my $holder = IPC::Run::start(\@psql, \$in, \$out, '2>', \my $holder_err);
	$holder->pump_nb;
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory'})
	  or die 'nobody holds the lock';
	my $sweeper = IPC::Run::start([ @psql, '-c', $sweep ], \undef, \$out, '2>', \$err);
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($waiting) AS w")
	  or die 'the sweep does not wait';

	my $pid = $node->safe_psql('postgres', $waiting);
	if ($how eq 'SIGKILL')
	{
		# the server takes everybody down with it
		kill 'KILL', $pid;
	}
	else
	{
		$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	}
	$sweeper->finish;
	$in = "\\q\n";
	eval { $holder->pump_nb };
	eval { $holder->finish };
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server is gone';

	like($err, qr/terminat|closed the connection/, "the sweep was ended by $how");
	is($node->safe_psql('postgres', $state), '0|0', "$how: no lead moved, no move was told");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM check_funnel('crm') WHERE severity = 'error'}),
		'0', "$how: nothing is wrong");
}

is($node->safe_psql('postgres', $sweep), '100|0|0', 'the next sweep does it all');
is($node->safe_psql('postgres', $state), '100|100', 'each lead moved once');

$node->stop;
done_testing();
