#!/usr/bin/perl
# mail_of.pl QF... - the message of each df+qf pair, written to DIR/ID.eml:
#   mail_of.pl DIR QF...
# Written apart from queues/message.c, so that one can be held against the
# other.  Headers whose flags ask for a mailer of another kind are left out,
# as sendmail OUT leaves them out (etc/out.mc: no D, F, M or P).
use strict;
use warnings;

my $dir = shift // die "usage: mail_of.pl DIR QF...\n";
for my $qf (@ARGV) {
	my ($where, $id) = $qf =~ m{^(.*)/qf([^/]+)$} or die "$qf: no qf\n";
	open(my $in, '<:raw', $qf) or die "$qf: $!\n";
	my ($headers, $open) = ('', 0);
	while (my $line = <$in>) {
		if ($line =~ /^H\?([^?]*)\?(.*)\z/s) {
			my ($flags, $text) = ($1, $2);
			$open = $flags !~ /[DFMP]/;
			$headers .= $text if $open;
		} elsif ($line =~ /^[ \t]/) {
			$headers .= $line if $open;
		} else {
			$open = 0;
		}
	}
	open(my $df, '<:raw', "$where/df$id") or die "$where/df$id: $!\n";
	open(my $out, '>:raw', "$dir/$id.eml") or die "$dir/$id.eml: $!\n";
	local $/;
	print $out $headers, "\n", scalar(<$df>) // '' or die "$id: $!\n";
	close($out) or die "$id: $!\n";
}
