#!/usr/bin/perl
# enclosed.pl DIR FILE... - what is enclosed as message/rfc822 in the last part
# of each wrapped message, written to DIR/NAME, octet by octet: by boundaries
# alone (RFC 2046), without a library and without code of ours.
use strict;
use warnings;

my $dir = shift // die "usage: enclosed.pl DIR FILE...\n";
for my $file (@ARGV) {
	open(my $in, '<:raw', $file) or die "$file: $!\n";
	local $/;
	my ($head, $body) = split(/\n\n/, <$in>, 2);
	my @types = $head =~ /^(Content-Type:.*(?:\n[ \t].*)*)/mig;
	@types == 1 or die "$file: " . @types . " Content-Type\n";
	my ($boundary) = $types[0] =~ m{multipart/mixed;\s+boundary="([^"]+)"}
	    or die "$file: not multipart/mixed\n";
	my @parts = split(/^--\Q$boundary\E(?:--)?\n/m, $body, -1);
	@parts == 4 && $parts[0] eq '' && $parts[3] eq ''
	    or die "$file: not two parts\n";
	my ($about, $text) = split(/\n\n/, $parts[2], 2);
	$about =~ m{^Content-Type: message/rfc822$}m or die "$file: $about\n";
	$text =~ s/\n\z// or die "$file: no end\n";
	my ($name) = $file =~ m{([^/]+)$};
	open(my $out, '>:raw', "$dir/$name") or die "$dir/$name: $!\n";
	print $out $text or die "$name: $!\n";
	close($out) or die "$name: $!\n";
}
