#!/usr/bin/perl
# same_evidence.pl SCANNED JOURNAL... - does `sluice scan --json` say of
# DIR/ID.eml what the journals say of the message ID?  Verdict, reason, and of
# every part its hash, names, type, size, view, flags and verdicts.  What may
# differ: times, and whether a verdict came out of the scanned table.
use strict;
use warnings;
use JSON::PP;

my $json = JSON::PP->new->canonical->utf8;
my $scanned = shift // die "usage: same_evidence.pl SCANNED JOURNAL...\n";
my (%journal, $same, $different, %verdicts);

sub lines
{
	my ($file, $take) = @_;
	open(my $in, '<:raw', $file) or die "$file: $!\n";
	$take->($json->decode($_)) while (<$in>);
}

sub cleaned
{
	my ($parts) = @_;
	for my $p (@{$parts // []}) {
		delete $_->{known} for @{$p->{verdicts}};
	}
	return $parts;
}

sub engines
{
	my ($list) = @_;
	return {map { $_->{engine} => "$_->{answer} $_->{reason}" } @$list};
}

sub picture
{
	my ($verdict, $reason, $reading, $engines) = @_;
	return {
		verdict => $verdict,
		reason => $reason // '',
		parts => cleaned($reading->{parts}) // [],
		omitted => $reading->{parts_omitted} // 0,
		ambiguity => $reading->{ambiguity} // '',
		engines => engines($engines),
	};
}

for my $file (@ARGV) {
	lines($file, sub {
		my ($l) = @_;
		my $e = $l->{evidence} or return;
		$journal{$l->{id}} = picture($l->{verdict}, $l->{reason},
		    $e->{reading}, $e->{engines});
	});
}
lines($scanned, sub {
	my ($l) = @_;
	my ($id) = $l->{file} =~ m{([^/]+)\.eml$} or die "$l->{file}?\n";
	my $a = $journal{$id};
	my $b = picture($l->{verdict}, $l->{reason}, $l, $l->{engines});
	delete $journal{$id};
	$verdicts{$l->{verdict}}++;
	if ($a && $json->encode($a) eq $json->encode($b)) {
		$same++;
		return;
	}
	print "$id differs:\n";
	for my $k (sort keys %$b) {
		my ($x, $y) = map { $_ ? $json->encode([$_->{$k}]) : 'none' }
		    ($a, $b);
		print "  $k spool: $x\n  $k scan:  $y\n" if $x ne $y;
	}
	$different++;
});
printf "%d the same, %d different, %d of the spool not scanned (%s)\n",
    $same // 0, $different // 0, scalar(keys %journal),
    join(', ', map { "$verdicts{$_} $_" } sort keys %verdicts);
exit(!$same || $different || %journal ? 1 : 0);
