# SluiceFlow.pm - asks sluice-rpc(8) how the TCP connection behaved that carried
# a mail, and gives it the points that such connections have earned.
#
# The connection is found by the client's address and port, the queue id and
# the Message-ID.  Address and id are those of the first relay that isn't ours,
# as SpamAssassin's own analysis of Received fields found it (trusted_networks,
# internal_networks); the port is read from that very field, the topmost one
# that has them both.  What a sender wrote stands below it.
#
# Whatever goes wrong, mail passes: no answer in time is no opinion, and then
# nobody is asked for PAUSE seconds.
package Mail::SpamAssassin::Plugin::SluiceFlow;

use strict;
use warnings;

use Frontier::RPC2;
use HTTP::Tiny;
use Mail::SpamAssassin::Conf;
use Mail::SpamAssassin::Logger;
use Mail::SpamAssassin::Plugin;
use Mail::SpamAssassin::Timeout;
use Time::HiRes ();

our @ISA = ('Mail::SpamAssassin::Plugin');

use constant PAUSE      => 30;       # seconds
use constant ANSWER_MAX => 65536;    # octets; ours have 4,000
use constant SURE_SPAM  => 12;       # as bayes_auto_learn_threshold_spam
use constant SURE_HAM   => 0.1;      # and _nonspam

sub new {
    my ($class, $main) = @_;
    my $self = $class->SUPER::new($main);
    my $type = $Mail::SpamAssassin::Conf::CONF_TYPE_NUMERIC;

    bless $self, ref($class) || $class;
    $main->{conf}->{parser}->register_commands([
        map { { setting => "sluice_flow_$_->[0]", default => $_->[1],
                type => $type, is_admin => 1 } }
            ['port', 0], ['timeout', 0.5], ['max_points', 3], ['learn', 0]]);
    $self->register_eval_rule('check_sluice_flow',
        $Mail::SpamAssassin::Conf::TYPE_FULL_EVALS);
    $self->{not_before} = 0;
    $self->{coder} = Frontier::RPC2->new;
    return $self;
}

# The value that is answered to a call; dies with the reason when there is none.
sub ask {
    my ($self, $conf, $method, @args) = @_;
    my $seconds = $conf->{sluice_flow_timeout};
    my $url = "http://127.0.0.1:$conf->{sluice_flow_port}/RPC2";
    my $call = $self->{coder}->encode_call($method, @args);
    my $http = HTTP::Tiny->new(timeout => $seconds, max_redirect => 0,
        max_size => ANSWER_MAX, keep_alive => 0, proxy => undef,
        http_proxy => undef);
    my ($answer, $said);

    # HTTP::Tiny limits each wait, the timer all of them; it has whole seconds.
    my $timer = Mail::SpamAssassin::Timeout->new({secs => int($seconds) + 1});
    my $failed = $timer->run_and_catch(sub {
        $answer = $http->post($url, {content => $call,
            headers => {'Content-Type' => 'text/xml'}});
    });
    die "no answer in time\n" if $timer->timed_out;
    die "$failed\n" if $failed;
    die "no answer: $answer->{status} $answer->{content}\n"
        if $answer->{status} != 200;
    $said = $self->{coder}->decode($answer->{content});
    die "$said->{value}->[0]->{faultString}\n" if $said->{type} eq 'fault';
    return $said->{value}->[0];
}

# Address, port, Message-ID and queue id; "" and 0 are unknown.
sub keys_of {
    my ($pms) = @_;
    my $relay = $pms->{msg}->{metadata}->{relays_external}->[0];
    my $id = $pms->get('Message-ID', '');
    my ($ip, $queue) = map { $_ // '' } @{$relay || {}}{qw(ip id)};
    my $port = 0;

    $id = $id =~ /(<[^<>\s]{1,400}>)/ ? $1 : '';
    if ($ip ne '') {
        for my $field ($pms->{msg}->raw_header('Received')) {
            next if index($field, "[$ip]") < 0
                && index($field, "[IPv6:$ip]") < 0;
            next if $queue ne '' && $field !~ /\bid \Q$queue\E\b/;
            # What sendmail writes by etc/in.mc, at the start of a line of its
            # own: the name that a client gives itself has no line ends.
            $port = $2 if $field =~
                /^\s*\(client \[(?:IPv6:)?([^\]\s]+)\] port (\d{1,5})\)\s*$/m
                && lc $1 eq lc $ip && $2 > 0 && $2 < 65536;
            last;
        }
    }
    return ($port ? ($ip, $port) : ('', 0), $id, $queue);
}

# What is said of the mail's connection: a struct of spamflow.judge, or undef.
sub judge {
    my ($self, $pms) = @_;
    my $conf = $pms->{conf};
    my ($ip, $port, $id, $queue) = keys_of($pms);
    my $said;

    if (!$conf->{sluice_flow_port}) {
        $pms->set_tag('SLUICEFLOW', 'none, sluice_flow_port is not set');
        return;
    }
    if (Time::HiRes::time() < $self->{not_before}) {
        $pms->set_tag('SLUICEFLOW', 'none, not asked after a failure');
        return;
    }
    dbg("sluice-flow: client [%s] port %s id %s queue %s", $ip, $port, $id,
        $queue);
    eval {
        my $coder = $self->{coder};
        $said = $self->ask($conf, 'spamflow.judge', $coder->string($ip),
            $coder->int($port), $coder->string($id), $coder->string($queue));
        1;
    } or do {
        my $why = $@ || 'unknown';
        chomp $why;
        $self->{not_before} = Time::HiRes::time() + PAUSE;
        info("sluice-flow: %s; not asked for %d s", $why, PAUSE);
        $pms->set_tag('SLUICEFLOW', 'none, no answer');
        return;
    };
    return $said;
}

sub check_sluice_flow {
    my ($self, $pms) = @_;
    my $said = $self->judge($pms);
    my $max = $pms->{conf}->{sluice_flow_max_points};
    my $points;

    return 0 if !$said;
    if (!$said->{found} || !defined $said->{label}) {
        $pms->set_tag('SLUICEFLOW',
            'none, ' . ($said->{reason} || $said->{why} || 'unknown'));
        return 0;
    }
    $pms->{sluice_flow} = $said;
    $pms->set_tag('SLUICEFLOW', sprintf('%s p=%.3f points=%.1f by=%s %s',
        $said->{label}, $said->{p_spam}, $said->{points}, $said->{by},
        $said->{why}));
    $points = $said->{points};
    $points = $max if $points > $max;
    # Never a reason to trust mail.
    if ($points > 0) {
        $pms->got_hit('SLUICE_FLOW', '', ruletype => 'full',
            score => sprintf('%.3f', $points));
        $pms->{sluice_flow_points} = $points;
    }
    return 0;
}

# Teach what the other rules are sure of.
sub check_end {
    my ($self, $opts) = @_;
    my $pms = $opts->{permsgstatus};
    my $said = $pms->{sluice_flow};
    my $conf = $pms->{conf};
    my ($score, $label);

    return if !$conf->{sluice_flow_learn} || !$said
        || Time::HiRes::time() < $self->{not_before};
    $score = $pms->get_score - ($pms->{sluice_flow_points} // 0);
    $label = $score >= SURE_SPAM ? 'spam' : $score <= SURE_HAM ? 'ham' : undef;
    return if !$label;
    my ($ip) = keys_of($pms);
    eval {
        my $coder = $self->{coder};
        my $taught = $self->ask($conf, 'classifier.learn',
            [map { $coder->double($_) } @{$said->{features}}],
            $coder->string($label), $coder->int(1), $coder->string($ip));
        dbg("sluice-flow: %s: taken %s %s", $label, $taught->{taken} // '',
            $taught->{why} // '');
        1;
    } or do {
        my $why = $@;
        chomp $why;
        info("sluice-flow: can't teach: %s", $why);
    };
    return;
}

1;
