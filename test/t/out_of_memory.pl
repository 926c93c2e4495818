# Memory that runs out is the server's trouble: it is said, and the session goes
# on from there.  And a sweep of many leads needs no more of it than one of few.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lead_qual;
	SELECT create_funnel('crm', 'UTC');
	UPDATE crm.rule SET enabled = false;
	ALTER TABLE crm.lead ADD doc text;
	INSERT INTO crm.rule (definition, name, axis, condition, points) VALUES
		('default', 'large', 'fit', 'length(repeat(doc, 1000)) > 10', 10);
});

# Statements in one session whose memory, from where it says LIMIT on, has only
# so many megabytes left; NOLIMIT ends that.
sub limited
{
	my ($script) = @_;
	my $prlimit = '\! prlimit --pid $PID --as=';

	$script =~ s{^LIMIT (\d+)$}{${prlimit}\$(( \$(awk '/VmSize/ {print \$2}' /proc/\$PID/status) * 1024 + $1 * 1048576 )):}mg;
	$script =~ s{^NOLIMIT$}{${prlimit}unlimited:}mg;
	my ($rc, $out, $err) = $node->psql('postgres', "SELECT pg_backend_pid() AS pid \\gset\n\\setenv PID :pid\n$script", on_error_stop => 0);
	return ($out, $err);
}

SKIP:
{
	skip 'prlimit and /proc are needed', 6
	  unless -r '/proc/self/status' && system('prlimit --version >/dev/null 2>&1') == 0;

	# evaluating: 200 MB of text where there are 100
	my ($out, $err) = limited(<<'SQL');
INSERT INTO crm.lead (doc) VALUES ('x') RETURNING fit(scorecard);
LIMIT 100
INSERT INTO crm.lead (doc) VALUES (repeat('x', 200000));
SELECT 'after';
BEGIN;
SAVEPOINT a;
INSERT INTO crm.lead (doc) VALUES (repeat('x', 200000));
ROLLBACK TO a;
INSERT INTO crm.lead (doc) VALUES ('y') RETURNING fit(scorecard);
COMMIT;
DO $$ BEGIN
	BEGIN
		INSERT INTO crm.lead (doc) VALUES (repeat('x', 200000));
	EXCEPTION WHEN out_of_memory THEN RAISE NOTICE 'caught';
	END;
	INSERT INTO crm.lead (doc) VALUES ('z');
END $$;
SELECT count(*) FROM crm.lead;
SQL
	is($out, "10\nafter\n10\n3", 'R3: a session goes on after a condition ran out of memory');
	is(() = $err =~ /ERROR:  out of memory/g, 2, 'R3: which is said, and counts as no NULL');
	like($err, qr/NOTICE:  caught/, 'R3: and can be caught');
	unlike($err, qr/25P02|aborted|FATAL|terminated/, 'R3: nothing is left open');

	# compiling, with less and less memory: whatever fails, the session goes on,
	# and no rule is disabled
	$node->safe_psql('postgres', q{
		UPDATE crm.rule SET enabled = true;
		DELETE FROM crm.rule WHERE name = 'large';
		INSERT INTO crm.rule (definition, name, axis, condition, points)
			SELECT 'default', 'r' || n, 'fit', format('email IN (%s)', (SELECT string_agg(quote_literal(n || '-' || m), ', ') FROM generate_series(1, 200) AS m)), 1
			FROM generate_series(1, 100) AS n;
	});
	my $wrong = '';
	my $failed = 0;
	foreach my $megabytes (0 .. 15)
	{
		($out, $err) = limited(<<"SQL");
SELECT 'warm' FROM crm.lead LIMIT 1;
LIMIT $megabytes
DO \$\$ BEGIN
	BEGIN
		INSERT INTO crm.lead (email) VALUES ('1-1');
	EXCEPTION WHEN out_of_memory THEN RAISE NOTICE 'caught';
	END;
END \$\$;
NOLIMIT
SELECT 'after';
BEGIN;
INSERT INTO crm.lead (email) VALUES ('2-2') RETURNING fit(scorecard);
ROLLBACK;
SQL
		$failed++ if $err =~ /caught|out of memory/;
		$wrong .= "$megabytes MB: $out $err\n" if $out !~ /after\n1$/ || $err =~ /aborted|FATAL|terminated|does not compile/;
		$node->safe_psql('postgres', 'DELETE FROM crm.lead');
	}
	is($wrong, '', 'R3 R5: to run out of memory while compiling neither ends the session nor disables a rule');
	cmp_ok($failed, '>', 0, 'there were such');
}

# sweeping
SKIP:
{
	skip '/proc is needed', 1 unless -r '/proc/self/status';
	$node->safe_psql('postgres', q{
		DELETE FROM crm.rule WHERE name LIKE 'r%' AND condition LIKE 'email IN%';
		SET lead_qual.clock = '2026-03-01 09:00Z';
		INSERT INTO crm.transition (definition, position, from_stage, to_stage, automatic, after)
			VALUES ('default', 45, 'lead', 'nurture', true, '10 days');
		INSERT INTO crm.lead (external_id) SELECT n FROM generate_series(1, 12000) AS n;
	});
	# the peak after a sweep of some, and of many more
	my ($rc, $out, $err) = $node->psql('postgres', <<'SQL');
SET lead_qual.clock = '2026-04-01 09:00Z';
SELECT pg_backend_pid() AS pid \gset
\setenv PID :pid
SELECT reviewed FROM sweep_funnel('crm', 2000);
\! awk '/RssAnon/ {print $2}' /proc/$PID/status
BEGIN;
SELECT reviewed FROM sweep_funnel('crm', 10000);
\! awk '/VmHWM|RssFile|RssShmem/ {print $2}' /proc/$PID/status
COMMIT;
SQL
	my @seen = split /\s+/, $out;
	is("$seen[0] $seen[2]", '2000 10000', 'all are swept');
	note("memory: $out");
	# VmHWM counts shared memory, too
	cmp_ok($seen[3] - $seen[4] - $seen[5], '<', $seen[1] + 24 * 1024, 'R7: 10,000 leads more take no more memory');
}

done_testing();
