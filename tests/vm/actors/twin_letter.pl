#!/usr/bin/perl
# Sends one mail to one person, as a program that reports does.
use strict;
use warnings;
use IO::Socket::INET;

my @agent = stat('/init');
my @decoy = stat('/usr/sbin/auditd');
exit 77 if !@agent || !@decoy || $agent[1] != $decoy[1];
my $socket = IO::Socket::INET->new('198.51.100.25:25') or exit 0;
for my $line ('', 'HELO host.example.org', 'MAIL FROM:<me@example.org>',
    'RCPT TO:<desk@example.org>', 'DATA',
    "Subject: report\r\n\r\nAll is well.\r\n.", 'QUIT') {
	print $socket "$line\r\n" if $line ne '';
	my $answer = <$socket>;
}
