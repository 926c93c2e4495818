# NOTIFY: who listens hears of a move once, when it is committed; and what that
# costs: a transaction with a NOTIFY cannot be prepared.  For those who must not
# miss one: polling of the history, and logical decoding.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_prepared_transactions = 2\nwal_level = logical");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lead_qual;
	SELECT create_funnel('Crm', 'UTC');
	UPDATE "Crm".stage SET notify = true WHERE stage IN ('mql', 'sal');
	INSERT INTO "Crm".lead (external_id) SELECT n FROM generate_series(1, 5) AS n;
});

# what a listener hears of statements of its own
sub heard
{
	my ($sql) = @_;
	my $said = $node->safe_psql('postgres', qq{LISTEN "Crm"; $sql});
	return [ sort map { /^Asynchronous notification "Crm" with payload "(.*)" received/ ? $1 : () }
		  split /\n/, $said ];
}
sub payload
{
	my ($lead, $from, $to) = @_;
	return qq({"funnel": "Crm", "lead_id": "$lead", "from": "$from", "to": "$to"});
}
my $record = q{INSERT INTO "Crm".activity (lead_id, kind)};

is_deeply(heard("$record VALUES (1, 'demo_request')"), [ payload(1, 'lead', 'mql') ],
	'R004-22 a move is told');
is_deeply(heard("$record VALUES (1, 'demo_request'), (1, 'webinar'); $record VALUES (1, 'webinar')"), [],
	'facts that move nobody are not');
is_deeply(heard("BEGIN; $record VALUES (2, 'demo_request'), (2, 'webinar'), (3, 'demo_request');
	$record VALUES (2, 'demo_request'); UPDATE \"Crm\".lead SET note = 'x' WHERE lead_id = 2; COMMIT"),
	[ payload(2, 'lead', 'mql'), payload(3, 'lead', 'mql') ], 'at most once a move');
is_deeply(heard("BEGIN; $record VALUES (4, 'demo_request');
	UPDATE \"Crm\".lead SET stage = 'sal' WHERE lead_id = 4; COMMIT"),
	[ payload(4, 'lead', 'mql'), payload(4, 'mql', 'sal') ], 'every move of a transaction');
is_deeply(heard("BEGIN; $record VALUES (5, 'demo_request'); ROLLBACK"), [], 'what is undone is not told');
is_deeply(heard(q{UPDATE "Crm".lead SET stage = 'nurture', reason = 'no_need' WHERE lead_id = 4}), [],
	'nor a stage that does not ask for it');

my ($status, $out, $err) = $node->psql('postgres',
	"BEGIN; $record VALUES (5, 'demo_request'); PREPARE TRANSACTION 'told'");
like($err, qr/cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY/,
	'a transaction that tells of a move cannot be prepared');
is($node->safe_psql('postgres', q{SELECT stage FROM "Crm".lead WHERE lead_id = 5}), 'lead', 'and is undone');

# by default nothing is told, and two-phase commit works
$node->safe_psql('postgres', q{UPDATE "Crm".stage SET notify = DEFAULT});
$node->safe_psql('postgres', "BEGIN; $record VALUES (5, 'demo_request'); PREPARE TRANSACTION 'silent'");
is($node->safe_psql('postgres', q{COMMIT PREPARED 'silent'; SELECT stage FROM "Crm".lead WHERE lead_id = 5}),
	'mql', 'without NOTIFY, which is the default, it can');

# polling: ids are given out before the commit
my $last = q{SELECT max(history_id) FROM "Crm".stage_history};
my $before = $node->safe_psql('postgres', $last);
my $slow = $node->background_psql('postgres');
$slow->query_safe(qq{BEGIN; INSERT INTO "Crm".lead (external_id) VALUES ('slow')});
$node->safe_psql('postgres', q{INSERT INTO "Crm".lead (external_id) VALUES ('quick')});
my $polled = $node->safe_psql('postgres', $last);
$slow->query_safe('COMMIT');
$slow->quit;
is($node->safe_psql('postgres', qq{SELECT count(*) FROM "Crm".stage_history WHERE history_id > $polled}), '0',
	'who goes on from the last id misses a slow transaction');
is($node->safe_psql('postgres', qq{SELECT count(*) FROM "Crm".stage_history WHERE history_id > $before}), '2',
	'who looks back does not');

# logical decoding: every move once, in the order of commits
$node->safe_psql('postgres', q{SELECT pg_create_logical_replication_slot('moves', 'test_decoding')});
$node->safe_psql('postgres', "BEGIN; $record VALUES (5, 'webinar'); UPDATE \"Crm\".lead SET stage = 'sal' WHERE lead_id = 5; ROLLBACK");
$node->safe_psql('postgres', q{UPDATE "Crm".lead SET stage = 'sal' WHERE lead_id = 5});
$node->safe_psql('postgres', "$record SELECT lead_id, 'demo_request' FROM \"Crm\".lead WHERE external_id IN ('slow', 'quick')");
is($node->safe_psql('postgres', q{
	SELECT substring(data from 'to_stage.text.:''(\w+)''') FROM pg_logical_slot_get_changes('moves', NULL, NULL)
	 WHERE data ~ '^table "Crm".stage_history: INSERT'}), "sal\nmql\nmql", 'logical decoding gives every move that was committed, once');

$node->stop;
done_testing();
