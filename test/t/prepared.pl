# Two-phase commit: what a prepared transaction did to leads and to the policy
# counts when it is committed, and not before; and constraint triggers of the
# user's that write leads when a transaction ends.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lead_qual;
	SELECT create_funnel('crm', 'UTC');
	INSERT INTO crm.lead (source, stage) SELECT 'outbound', 'sal' FROM generate_series(1, 12);
	CREATE TABLE queue (statement text);
	CREATE FUNCTION run() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN EXECUTE NEW.statement; RETURN NULL; END';
	CREATE CONSTRAINT TRIGGER run AFTER INSERT ON queue DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION run();
});

# a lead's stage, and its moves
sub lead
{
	my ($lead) = @_;
	return $node->safe_psql('postgres', qq{SELECT stage || ':' ||
		(SELECT string_agg(concat_ws('/', to_stage, reason), ' ' ORDER BY history_id) FROM crm.stage_history WHERE lead_id = $lead)
		FROM crm.lead WHERE lead_id = $lead});
}

# what a statement says, errors included
sub said
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres', $sql);
	return "$out$err";
}
my $nurture = q{UPDATE crm.lead SET stage = 'nurture', reason = 'no_need' WHERE lead_id =};
my $win = q{UPDATE crm.lead SET stage = 'customer' WHERE lead_id =};
my $moved = 'nurture:sal nurture/no_need';
my $prepared = 'SELECT count(*) FROM pg_prepared_xacts';

# moves
$node->safe_psql('postgres', "BEGIN; $nurture 1; PREPARE TRANSACTION 'one'");
is(lead(1), 'sal:sal', 'a prepared move is not seen');
like(said("SET lock_timeout = '10ms'; $nurture 1"), qr/lock timeout/, 'but holds its lead');
$node->safe_psql('postgres', "COMMIT PREPARED 'one'");
is(lead(1), $moved, 'committed, it is there with its history');
$node->safe_psql('postgres', "BEGIN; $nurture 2; PREPARE TRANSACTION 'two'");
$node->safe_psql('postgres', "ROLLBACK PREPARED 'two'");
is(lead(2), 'sal:sal', 'rolled back, nothing is');
like(said("BEGIN; $win 3; PREPARE TRANSACTION 'three'"), qr/cannot move lead/, 'a move that is refused');
is($node->safe_psql('postgres', $prepared), '0', 'leaves nothing prepared');

# the sweep goes around it
$node->safe_psql('postgres', q{SET lead_qual.import = on; UPDATE crm.lead SET review_at = '2020-01-01' WHERE lead_id IN (3, 4)});
$node->safe_psql('postgres', "BEGIN; $nurture 3; PREPARE TRANSACTION 'three'");
is($node->safe_psql('postgres', q{SELECT reviewed, failed FROM sweep_funnel('crm')}), '1|0', 'a sweep does not wait for a prepared lead');

# a crash between the phases
$node->stop('immediate');
$node->start;
$node->safe_psql('postgres', "COMMIT PREPARED 'three'");
is(lead(3), $moved, 'a prepared move survives a crash');

# the session that prepared goes on
$node->safe_psql('postgres', qq{
	BEGIN; $nurture 4; PREPARE TRANSACTION 'four';
	UPDATE crm.lead SET stage = 'disqualified', reason = 'spam' WHERE lead_id = 5;
	COMMIT PREPARED 'four'});
is(lead(4), $moved, 'a prepared move has its reason');
is(lead(5), 'disqualified:sal disqualified/spam', 'and the next one of the session its own');

# a policy: who prepares it, who knows the one before, who comes later
my $open = $node->background_psql('postgres', on_error_stop => 0);
my $own = $node->background_psql('postgres', on_error_stop => 0);
my $stage = sub { my ($session, $lead) = @_; $session->query("$win $lead"); return (split /:/, lead($lead))[0]; };
is($stage->($open, 6), 'sal', 'a move that the policy refuses');
$own->query(q{BEGIN; INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES ('default', 500, 'sal', 'customer')});
$own->query("$win 6");
$own->query("PREPARE TRANSACTION 'policy'");
is($stage->($own, 7), 'sal', 'a prepared policy does not hold, not even where it was prepared');
is($stage->($open, 7), 'sal', 'nor elsewhere');
$node->safe_psql('postgres', "COMMIT PREPARED 'policy'");
is(lead(6), 'customer:sal customer', 'committed: what moved by it has moved');
is($stage->($own, 8), 'customer', 'it holds where it was prepared');
is($stage->($open, 9), 'customer', 'in a session that knew the one before');
is(lead(10) . said("$win 10") . lead(10), 'sal:salcustomer:sal customer', 'and in a new one');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT version) FROM crm.stage_history WHERE to_stage = \'customer\''), '1', 'as one version');

# each prepared transaction raises the version for itself
my $version = 'SELECT version FROM crm.definition';
my $points = q{UPDATE crm.rule SET points = points + 1 WHERE name = 'webinar'};
my $before = $node->safe_psql('postgres', $version);
$own->query("BEGIN; $points; PREPARE TRANSACTION 'a'");
$own->query("COMMIT PREPARED 'a'");
$own->query("BEGIN; $points; PREPARE TRANSACTION 'b'");
$own->query("ROLLBACK PREPARED 'b'");
$own->query("BEGIN; $points; $points; COMMIT");
is($node->safe_psql('postgres', $version) - $before, 2, 'R000-17 two changes, one of them prepared: two versions');
$_->quit foreach $open, $own;

# triggers of the user's that move a lead when the transaction ends
my $later = sub { return 'BEGIN; INSERT INTO queue VALUES ($q$ ' . $_[0] . ' $q$);' };
like(said($later->("$win 11") . "SELECT 'so far'; COMMIT"), qr/so far/, 'a deferred trigger is not asked at once');
is(lead(11), 'customer:sal customer', 'a move at commit that is allowed');
$node->safe_psql('postgres', "DELETE FROM crm.transition WHERE position = 500");
like(said($later->("$win 12") . 'COMMIT'), qr/cannot move lead from stage "sal" to "customer"/, 'one that is not fails the commit');
like(said($later->("$win 12") . "PREPARE TRANSACTION 'six'"), qr/cannot move lead/, 'or PREPARE TRANSACTION');
is($node->safe_psql('postgres', $prepared), '0', 'and nothing is prepared');
$node->safe_psql('postgres', $later->("$nurture 12") . "PREPARE TRANSACTION 'six'");
is(lead(12), 'sal:sal', 'it fires when the transaction is prepared');
$node->safe_psql('postgres', "COMMIT PREPARED 'six'");
is(lead(12), $moved, 'and counts when it is committed');

# a whole funnel
$node->safe_psql('postgres', q{BEGIN; SELECT create_funnel('two', 'UTC'); INSERT INTO two.lead (email) VALUES ('a@example.com'); PREPARE TRANSACTION 'funnel'});
$node->safe_psql('postgres', q{COMMIT PREPARED 'funnel'; INSERT INTO two.activity (lead_id, kind) VALUES (1, 'demo_request')});
is($node->safe_psql('postgres', 'SELECT stage FROM two.lead'), 'mql', 'a funnel that came by two-phase commit works');
is($node->safe_psql('postgres', q{SELECT finding, n FROM check_funnel('crm') WHERE severity = 'error' UNION ALL SELECT finding, n FROM check_funnel('two') WHERE severity = 'error'}), '', 'check_funnel() finds nothing wrong');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|XX000/, 'nothing strange in the log');

$node->stop;
done_testing();
