#!/usr/bin/perl
# account.pl DIR SPOOL SINKLOG - is every accepted message in one place?
#
# DIR/sent is the sender's log, DIR/kills what was killed when.  Prints a line
# for each thing that was asserted; exit status 1 when one of them fails.
use strict;
use warnings;
use List::Util qw(first max min);
use JSON::PP;

use constant {
	TAKE_UP => 2.0,        # seconds from a kill to the next move
	CLAMD_LOADS => 4.0,    # seconds that clamd needs after its start
	TRANSACTION => 2.0,    # the longest that one with the sink takes
	DELIVERED => 0.999,    # of clean messages
};

my ($dir, $spool, $sinklog) = @ARGV;
die "usage: account.pl DIR SPOOL SINKLOG\n" unless defined $sinklog;
my $json = JSON::PP->new->utf8;
my $failed = 0;
my (%sent, %sink, %cut, %kept, @kills, @foreign);

sub say_so
{
	my ($ok, $what, @ids) = @_;
	$failed = 1 unless $ok;
	print $ok ? '' : 'FAILED: ', $what, "\n";
	print "    $_\n" for splice(@ids, 0, 20);
}

sub each_line
{
	my ($file, $take) = @_;
	open(my $in, '<:raw', $file) or die "$file: $!\n";
	while (my $line = <$in>) {
		my $o = eval { $json->decode($line) };
		$take->($o) if $o;
	}
}

sub read_logs
{
	each_line("$dir/sent", sub { $sent{$_[0]{id}} = $_[0] });
	each_line($sinklog, sub {
		my ($l) = @_;
		if (($l->{event} // '') eq 'cut') {
			$cut{$l->{id} // ''} = 1;
		} elsif (defined $l->{id} && $sent{$l->{id}}) {
			push @{$sink{$l->{id}}}, $l->{t};
		} else {
			push @foreign, $json->encode($l);
		}
	});
	open(my $in, '<', "$dir/kills") or die "$dir/kills: $!\n";
	while (<$in>) {
		my ($t, $kind, $how, $back) = split;
		push @kills, {t => $t / 1e6, kind => $kind, how => $how,
			back => $back / 1e6};
	}
}

# What lies in the spool, by its X-Traffic-Id.
sub read_spool
{
	for my $qf (glob "$spool/*/qf*") {
		my ($place) = $qf =~ m{([^/]+)/qf[^/]+$};
		open(my $in, '<:raw', $qf) or next;
		local $/;
		my ($id) = (<$in> // '') =~ /^H\?\?X-Traffic-Id: (\S+)/m;
		# Never accepted: what a kill of IN has left of a transaction.
		next unless defined $id;
		push @{$kept{$id}}, $place;
	}
}

# Was a transaction with the sink open when OUT was killed?
sub is_excused
{
	my ($id) = @_;
	my @t = sort { $a <=> $b } @{$sink{$id}};
	return 0 if @t > 2 || $kept{$id};
	return 1 if $cut{$id};
	return !!first {
		$_->{kind} eq 'out' && $t[0] < $_->{back} &&
		    $t[0] > $_->{t} - TRANSACTION
	} @kills;
}

sub count_places
{
	my (@lost, @many, @excused, @unaccepted, @waiting);
	for my $id (sort keys %sent) {
		my $status = $sent{$id}{status};
		my @at = (('sink') x @{$sink{$id} // []}, @{$kept{$id} // []});
		my $line = "$id $sent{$id}{class} $status: @at";
		push @waiting, $line
		    if grep { /^(?:in|out|feed\d+)$/ } @at;
		if (@at > 1) {
			push @{is_excused($id) ? \@excused : \@many}, $line;
		} elsif (!@at && $status eq 'accepted') {
			push @lost, $line;
		} elsif (@at && $status =~ /rejected|deferred/) {
			push @unaccepted, $line;
		}
	}
	my $accepted = grep { $_->{status} eq 'accepted' } values %sent;
	say_so($accepted, "$accepted of " . keys(%sent) .
	    ' messages were accepted');
	say_so(!@lost, @lost . ' lost', @lost);
	say_so(!@many, @many . ' in more places than one, or twice at the sink'
	    . ' (' . @excused . ' more by a transaction cut open)', @many);
	say_so(!@unaccepted, @unaccepted . ' delivered but not accepted',
	    @unaccepted);
	say_so(!@waiting, @waiting . ' still waiting', @waiting);
	say_so(!@foreign, @foreign . ' at the sink that nobody sent', @foreign);
}

sub judge_classes
{
	my @leaked = grep { $sent{$_}{class} eq 'eicar' } keys %sink;
	my @missed = grep { $sent{$_}{class} eq 'eicar' &&
	    "@{$kept{$_} // []}" ne 'virus' &&
	    $sent{$_}{status} eq 'accepted' } keys %sent;
	say_so(!@leaked, @leaked . ' EICAR at the sink', @leaked);
	say_so(!@missed, @missed . ' EICAR elsewhere than in virus/', @missed);
	if (grep { $_->{class} eq 'acting' } values %sent) {
		my @acting = grep { $sent{$_}{class} eq 'acting' &&
		    $sent{$_}{status} eq 'accepted' } keys %sent;
		my @passed = grep { "@{$kept{$_} // []}" ne 'virus' } @acting;
		say_so(@acting && !@passed, @passed . ' of ' . @acting .
		    ' acting scripts elsewhere than in virus/',
		    map { "$_: @{$kept{$_} // ['nowhere']}" } @passed);
	}
	my @clean = grep { $sent{$_}{status} eq 'accepted' &&
	    $sent{$_}{class} =~ /^(?:ham|attach|spam|corpus|script)$/ &&
	    !grep { /^(?:ext|virus)$/ && $sent{$_} } @{$kept{$_} // []}
	} keys %sent;
	# Of given mail some is rightly held; of generated mail none.
	@clean = grep { $sent{$_}{class} ne 'corpus' ||
	    "@{$kept{$_} // []}" !~ /ext|virus/ } @clean;
	my @there = grep { $sink{$_} } @clean;
	my @not = grep { !$sink{$_} } @clean;
	say_so(@clean && @there >= DELIVERED * @clean,
	    @there . ' of ' . @clean . ' clean messages were delivered',
	    map { "$_: @{$kept{$_} // ['nowhere']}" } @not);
}

### How long did it take?

my (%moves, %arrived, %to_out);

# Each journal's moves: when, and since when the message had been waiting.
sub read_journals
{
	my %fed;
	for my $file ("$spool/journal/feed", glob "$spool/journal/worker-*") {
		my ($name) = $file =~ m{([^/]+)$};
		each_line($file, sub {
			my ($l) = @_;
			return unless $l->{event} eq 'move';
			my $t = $l->{t} / 1e6;
			my $since = $name eq 'feed'
			    ? $t - $l->{wait_usec} / 1e6
			    : $fed{$l->{id}} // $t - $l->{wait_usec} / 1e6;
			# One that waits for a clone tells nothing of a kill.
			my ($id) = ($l->{sender} // '') =~ /^([^@]+)@/;
			push @{$moves{$name}}, [$t, $since] unless defined $id &&
			    ($sent{$id}{class} // '') =~ /^(?:script|acting)$/;
			$fed{$l->{id}} = $t if $name eq 'feed';
			$to_out{$1} = $t if ($l->{to} // '') eq 'out' &&
			    ($l->{sender} // '') =~ /^([^@]+)@/;
		});
	}
	$moves{all} = [map { @$_ } @moves{grep { $_ ne 'feed' } keys %moves}];
	$moves{sink} = [map { my $id = $_;
	    map { [$_, $to_out{$id} // $_] } @{$sink{$id}} } keys %sink];
	@$_ = sort { $a->[0] <=> $b->[0] } @$_ for values %moves;
}

sub journal_of
{
	my ($kind) = @_;
	return 'feed' if $kind eq 'feed';
	return 'sink' if $kind eq 'wake' || $kind eq 'out';
	return "worker-$1" if $kind =~ /-(\d+)$/;
	return 'all';
}

# Was clamd away (which the feed needn't care about), or everything killed, so
# that the time would measure that?
sub is_disturbed
{
	my ($kill, $end) = @_;
	for my $k (@kills) {
		next if $k == $kill;
		my $back = $k->{how} =~ /back-after=(\d+)s/
		    ? $k->{t} + $1 + CLAMD_LOADS : $k->{back} + TAKE_UP;
		next unless $k->{kind} eq 'run' ||
		    $k->{kind} eq 'clamd' && $kill->{kind} ne 'feed';
		return 1 if $k->{t} <= $end && $back >= $kill->{t};
	}
	return 0;
}

sub judge_times
{
	my (%worst, @slow, $measured);
	for my $k (@kills) {
		next if $k->{kind} =~ /^(?:clamd|in)$/;
		my $from = $k->{back};
		my $next = first { $_->[0] > $from }
		    @{$moves{journal_of($k->{kind})} // []};
		next unless $next;
		next if is_disturbed($k, $next->[0]);
		my $took = $next->[0] - max($from, $next->[1]);
		my ($kind) = $k->{kind} =~ /^([a-z]+)/;
		$worst{$kind} = max($worst{$kind} // 0, $took);
		$measured++;
		# OUT is sendmail: its own pace is not ours to promise.
		push @slow, sprintf('%.3f %s %.2f s', $k->{t}, $k->{kind},
		    $took) if $took > TAKE_UP && $kind ne 'out';
	}
	say_so(!@slow, sprintf('%d kills measured, the slowest to take up ' .
	    'again: %s', $measured // 0, join(', ',
	    map { sprintf '%s %.2f s', $_, $worst{$_} } sort keys %worst)),
	    @slow);
}

read_logs();
read_spool();
read_journals();
count_places();
judge_classes();
judge_times();
exit $failed;
