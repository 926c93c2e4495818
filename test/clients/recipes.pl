#!/usr/bin/perl
# The blocks of doc/clients.md are lines of the clients here, which are tested:
# those between "recipe: NAME" and "end" of the file that the comment above the
# block names, <!-- from: FILE, NAME -->.  Speaks TAP.
#
#   test/clients/recipes.pl             compare
#   test/clients/recipes.pl --accept    also write the lines into doc/clients.md
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename;
use Test::More;

my $top = abs_path(dirname(abs_path($0)) . '/../..');
my $document = "$top/doc/clients.md";
my %recipe;

foreach my $path (glob "$top/test/clients/with_*")
{
	my ($file, $name) = basename($path);
	open my $in, '<', $path or die "$path: $!\n";
	while (<$in>)
	{
		if (m{^\s*(?:#|//) recipe: (\w+)$}) { $name = "$file, $1"; $recipe{$name} = []; }
		elsif (m{^\s*(?:#|//) end$}) { undef $name; }
		elsif ($name) { push @{$recipe{$name}}, $_; }
	}
	close $in;
}

# without the indentation that all lines have
sub lines_of
{
	my ($indent) = sort { length $a <=> length $b } map { /^(\s*)\S/ ? $1 : () } @_;
	return join '', map { s/^\Q$indent\E//r } @_;
}

open my $in, '<', $document or die "$document: $!\n";
my $text = do { local $/; <$in> };
close $in;

my %shown;
my $written = $text =~ s{(<!-- from: (.*?) -->\n```\w+\n)(.*?)(```\n)}{
	my ($head, $name, $block, $end) = ($1, $2, $3, $4);
	my $lines = $recipe{$name} ? lines_of(@{$recipe{$name}}) : '';
	$shown{$name} = 1;
	ok($lines ne '' && $lines eq $block, "doc/clients.md shows what is tested: $name");
	$head . $lines . $end;
}gser;

is(() = $text =~ /^```\w/mg, keys %shown, 'every block is a recipe, shown once');
is(join("\n", grep { !$shown{$_} } sort keys %recipe), '', 'every recipe is shown');
done_testing();

if (grep { $_ eq '--accept' } @ARGV)
{
	open my $out, '>', $document or die "$document: $!\n";
	print $out $written;
	close $out;
}
