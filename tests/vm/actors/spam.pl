#!/usr/bin/perl
# The same mail to many.
use strict;
use warnings;
use IO::Socket::INET;

my @agent = stat('/init');
my @decoy = stat('/usr/sbin/auditd');
exit 77 if !@agent || !@decoy || $agent[1] != $decoy[1];
for my $n (1 .. 8) {
	my $socket = IO::Socket::INET->new('198.51.100.25:25') or next;
	my $answer = <$socket>;
	for my $line ('EHLO guest', 'MAIL FROM:<user@example.net>',
		"RCPT TO:<user$n\@example.org>", 'DATA',
		"Subject: for you\r\n\r\nhello\r\n.", 'QUIT') {
		print $socket "$line\r\n";
		$socket->flush;
		$answer = <$socket>;
	}
}
