#!/bin/bash
# Back-pressure: the receiving sendmail says 4xx while too much waits or the
# disk is full, and takes mail again below the lower mark; a gate that is dead
# or hangs neither stops SMTP nor loses anything.
# shellcheck disable=SC2119,SC2317 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin t_gate

# The spool on a disk of its own, where that can be had.
truncate -s 300M "$dir/disk" && mkfs.ext4 -q -F -b 4096 "$dir/disk" &&
	mkdir -p "$place/spool" &&
	mount -o loop "$dir/disk" "$place/spool" 2>"$dir/mount.err" && own_disk=yes

own_clean_up()
{
	[ -z "${own_disk-}" ] || umount "$place/spool"
}

deploy --queues 2 --set gate.full_wait=4s --set gate.resume_wait=2s \
	--set gate.full_disk=100 --set gate.resume_disk=99

# mail [SIZE]: the reply to MAIL, and the tenths of a second it took
mail()
{
	perl -MIO::Socket::INET -MTime::HiRes=time -e '
		my ($to, $size) = @ARGV;
		alarm 20;
		my $s = IO::Socket::INET->new($to) or die "no connection\n";
		sub reply {
			my $l;
			do { defined($l = <$s>) or die "closed\n" }
			    while $l =~ /^\d+-/;
			$l;
		}
		reply();
		print $s "EHLO client.test\r\n";
		reply();
		my $since = time;
		print $s "MAIL FROM:<a\@client.test>" .
		    ($size ? " SIZE=$size" : "") . "\r\n";
		my $l = reply();
		$l =~ s/^(\d+(?: \d\.\d\.\d)?).*/$1/s;
		printf "%s %d\n", $l, 10 * (time - $since);
		print $s "QUIT\r\n";
	' "$smtp" "${1-}" 2>&1
}

code()
{
	local said
	said=$(mail "$@")
	echo "${said% *}"
}

child()
{ # name: its process, by the supervisor's own picture
	sed -n "s/^{\"name\":\"$1\",\"pid\":\([1-9][0-9]*\),.*/\1/p" \
	    "$place/run/crew"
}

# The roles of a worker, which live and die together.
family_of()
{ # name
	local pid
	pid=$(child "$1") && echo "$pid" && pgrep -P "$pid"
}

gate_is()
{ # key of `sluice status`
	"$sluice" status -c "$conf" -j | grep '"type":"gate"' |
		sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p"
}

counted()
{ # counter of the gate's
	"$sluice" status -c "$conf" -j | grep '"name":"gate"' |
		sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"
}

said()
{ # pattern: how often does the gate's log say that?
	grep -c "sluice-gate\[[0-9]*\]: $1" "$place/log/sluice.log"
}

mark()
{ # key, value: of section gate, in the configuration
	sed -i "/^gate {/,/^}/s/$1 = .*/$1 = $2/" "$conf"
}

reload()
{
	kill -HUP "$(part pid sluice)"
}

fill()
{ # percent of the spool's own disk
	local used avail
	rm -f "$spool/filler"
	read -r used avail <<<"$(df -B1 --output=used,avail "$spool" | tail -n 1)"
	fallocate -l $(((used + avail) * $1 / 100 - used)) "$spool/filler"
}

# --- Open.

must_start
is "mail is taken" "250 2.1.0" "$(code)"
is "status: it is open" true "$(gate_is open)"
send --retry-for 10 --count 20 --seed 7 || bad "send: $(cat "$dir/send.out")"
drained 20

# --- Nothing goes on: what waits grows too old.

# shellcheck disable=SC2046
stopped="$(family_of worker-1) $(family_of worker-2)"
# shellcheck disable=SC2086
kill -STOP $stopped
send --retry-for 10 --count 6 --seed 8 || bad "send: $(cat "$dir/send.out")"
eventually 15 "with the workers stopped, mail is refused" "451 4.3.2" code
is "status: it is closed" false "$(gate_is open)"
"$sluice" status -c "$conf" >"$dir/status"
is "and bad news" 1 $?
grep -q 'PROBLEM: gate: .*refused' "$dir/status" ||
	bad "status names no problem: $(cat "$dir/status")"
held=$(count in feed1 feed2)
"$traffic" send --to "$smtp" --log "$dir/refused" --count 10 --seed 9 \
	--no-retry >"$dir/refused.out" 2>&1
is "the sender is told so" 10 "$(grep -c '"status":"deferred"' "$dir/refused")"
is "and nothing of it is there" "$held" "$(count in feed1 feed2)"
[ "$(counted gate_busy)" -ge 10 ] || bad "counted: $(counted gate_busy)"
is "the log says it once" 1 "$(said closed)"
# shellcheck disable=SC2086
kill -CONT $stopped
eventually 15 "when they go on, mail is taken" "250 2.1.0" code
is "the log says that once" 1 "$(said open)"
send --retry-for 10 --count 10 --seed 10 || bad "send: $(cat "$dir/send.out")"
drained 20

# --- Only the queue of large mail stands still.

# shellcheck disable=SC2046
stopped=$(family_of worker-2)
# shellcheck disable=SC2086
kill -STOP $stopped
send --retry-for 10 --count 4 --seed 11 --size-mu 9 --size-sigma 0.1 ||
	bad "send: $(cat "$dir/send.out")"
eventually 15 "large mail is refused" "451 4.3.2" code 50000
is "what may be large, too" "451 4.3.2" "$(code)"
is "small mail isn't" "250 2.1.0" "$(code 1000)"
is "status says up to which size" 2000 "$(gate_is takes_bytes)"
# shellcheck disable=SC2086
kill -CONT $stopped
eventually 15 "and it is taken again" "250 2.1.0" code 50000
drained 20

# --- The disk, by marks at and above what is used.

used=$(gate_is disk_percent)
mark full_disk "$used"
mark resume_disk $((used - 1))
reload
eventually 5 "a full disk is said" "452 4.3.1" code 1000
for size in abc +7 0x10 1,2 "$(printf '%040d' 7)"; do
	is "whatever is said of its size ($size)" "452 4.3.1" "$(code "$size")"
done
is "and the gate was asked nothing odd" 0 "$(counted gate_bad)"
mark full_disk $((used + 3))
reload
sleep 2
is "between the marks it stays so" "452 4.3.1" "$(code 1000)"
mark resume_disk $((used + 2))
reload
eventually 5 "and mail is taken below the lower mark" "250 2.1.0" code 1000
mark full_disk 50
mark resume_disk 50
reload
eventually 5 "marks that contradict each other are refused" 1 \
	grep -c 'kept-old.*gate.resume_disk' "$place/log/sluice.log"
mark full_disk 100
reload

if [ -n "${own_disk-}" ]; then
	mark full_disk 90
	mark resume_disk 80
	reload
	fill 85
	sleep 2
	is "a disk that is mostly full takes mail" "250 2.1.0" "$(code 1000)"
	fill 92
	eventually 5 "above the mark it takes none" "452 4.3.1" code 1000
	part stop sluice
	is "without the gate it is taken, while some room is left" \
		"250 2.1.0" "$(code 1000)"
	fill 97
	part stop in # it looks at the disk at its start, then once a minute
	part start in
	is "and then refused by sendmail itself" "452 4.4.5" "$(code 1000)"
	part start sluice
	rm "$spool/filler"
	part stop in
	part start in
	eventually 5 "with room again, it is taken" "250 2.1.0" code 1000
	mark full_disk 100
	mark resume_disk 99
	reload
else
	echo "no disk of its own: $(cat "$dir/mount.err")"
fi

# --- A feed that is silent.

feed=$(child feed)
kill -STOP "$feed"
eventually 12 "a silent feed closes the gate, too" "451 4.3.2" code 1000
kill -CONT "$feed"
eventually 5 "and opens it by a sign of life" "250 2.1.0" code 1000

# --- The gate itself.

gate=$(child gate)
kill -KILL "$gate"
said=$(mail)
case $said in
"250 2.1.0 "[0-9]) ok "while the gate is dead, mail is taken" ;;
*) bad "the gate is dead: $said" ;;
esac
is_new()
{ # another process, and it listens: one that doesn't yet can't be said to hang
	[ "$(child gate)" != "$gate" ] &&
		grep -q "sluice-gate\[$(child gate)\]: ready " \
		    "$place/log/sluice.log" && echo yes
}
eventually 5 "it is started again" yes is_new

gate=$(child gate)
kill -STOP "$gate"
since=${EPOCHREALTIME/./}
said=$(mail)
is "a gate that hangs: 4xx" "451 4.3.0" "${said% *}"
most "tenths of a second for that" 30 "${said##* }"
eventually 10 "it is killed and started again" yes is_new
eventually 2 "and mail is taken" "250 2.1.0" code
most "tenths of a second for all of it" 100 \
	$(((${EPOCHREALTIME/./} - since) / 100000))

part stop sluice
is "without Sluice mail is taken, and waits" "250 2.1.0" "$(code)"
send --retry-for 10 --count 5 --seed 12 || bad "send: $(cat "$dir/send.out")"
is "all of it" 5 "$(count in)"
rm "$place/run/wake/gate.sock"
is "without a socket, too" "250 2.1.0" "$(code)"
part start sluice

# --- Nothing was lost by all that.

drained 20
check_mail "all that was accepted has arrived"
audit
finish
