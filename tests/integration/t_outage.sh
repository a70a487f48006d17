#!/bin/bash
# clamd absent, stopped under load, slow, killed in mid-scan, set up wrongly:
# nothing passes unjudged, nothing is lost or charged, and it goes on by
# itself.  Then mail that kills its own cell: error/, and nobody else waits.
#
# OUTAGE is how long clamd stays away under load, in seconds (10).
# shellcheck disable=SC2119,SC2016,SC2317,SC2013 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
outage=${OUTAGE:-10}

begin t_outage
deploy --set clamd.timeout=8s --set budget.cpu=1s --set budget.wall=8s

# The messages that were charged with the death of a cell.
charged()
{
	local f n=0
	for f in "$spool"/*/qf*; do
		getfattr --only-values -n user.sluice.tries "$f" 2>/dev/null |
			grep -q '^[1-9]' && n=$((n + 1))
	done
	echo $n
}

# In out/ or at the sink: what has been let through.
passed()
{
	echo $(($(count out) + $(grep -c '"id":"' "$place/log/sink.jsonl")))
}

seconds_since()
{
	echo $(((${EPOCHREALTIME/./} - $1 + 999999) / 1000000))
}

# 1. No clamd from the start.
must_start sink out sluice in
send --count 20 --seed 51 --eicar 3 --attach-share 0.2 ||
	bad "send: $(cat "$dir/send.out")"
sleep 2
is "without clamd nothing passes" 0 "$(passed)"
is "all of it waits" 20 "$(waiting)"
is "nothing is charged" 0 "$(charged)"
"$sluice" status -c "$conf" >"$dir/status" 2>&1
is "status calls it bad news" 1 $?
grep -q "PROBLEM: .*engine" "$dir/status" || bad "status: no engine named"
must_start clamd
since=${EPOCHREALTIME/./}
drained 30
most "seconds until all has gone on, after 3 s without clamd" 5 \
	"$(seconds_since "$since")"
check_mail "what is clean has arrived, EICAR hasn't" --expect-out ham,attach
is "EICAR is in virus/" 3 "$(count virus)"

# 2. Stopped under load, as an operator does it.
send --count $((outage * 25)) --rate 20 --seed 52 --eicar 10 \
	--attach-share 0.1 --max-bytes 100000 &
load=$!
sleep 2
part stop clamd
before=$(grep -c '"id":"' "$place/log/sink.jsonl")
sleep "$outage"
is "nothing is charged" 0 "$(charged)"
part start clamd
since=${EPOCHREALTIME/./}
gone_on()
{ # the first message that passes again
	[ "$(grep -c '"id":"' "$place/log/sink.jsonl")" -gt \
		$((before + 20)) ] && echo yes
}
until_is 60 yes gone_on
most "seconds until mail passes again, after $outage s" \
	$((outage / 4 + 2)) "$(seconds_since "$since")"
wait $load || bad "send: $(cat "$dir/send.out")"
drained 30
check_mail "an outage of $outage s costs no message" --expect-out ham,attach
is "EICAR is in virus/" 13 "$(count virus)"
is "error/ is empty" 0 "$(count error)"

# 3. Slow beyond clamd.timeout: it answers nothing, and then everything.
pid=$(part pid clamd)
send --count 30 --rate 15 --seed 53 --eicar 3 --attach-share 0.1 &
load=$!
sleep 0.5
kill -STOP "$pid"
sleep 11
is "while it hangs nothing is charged" 0 "$(charged)"
kill -CONT "$pid"
since=${EPOCHREALTIME/./}
wait $load || bad "send: $(cat "$dir/send.out")"
drained 30
most "seconds until all has gone on, after 11 s of silence" 6 \
	"$(seconds_since "$since")"
check_mail "silence costs no message" --expect-out ham,attach
is "EICAR is in virus/" 16 "$(count virus)"

# 4. Killed in mid-scan, five times.
send --count 150 --rate 30 --seed 54 --eicar 8 --attach-share 0.3 \
	--max-bytes 300000 &
load=$!
for _ in 1 2 3 4 5; do
	sleep 0.6
	part kill9 clamd
	part start clamd || bad "clamd doesn't start again"
done
wait $load || bad "send: $(cat "$dir/send.out")"
drained 30
check_mail "five kills of clamd cost no message" --expect-out ham,attach
is "EICAR is in virus/" 24 "$(count virus)"
is "nothing is charged" 0 "$(charged)"
is "error/ is empty" 0 "$(count error)"

# 5. A clamd that doesn't tell what it left out is no clamd.
part stop clamd
start_weak_clamd()
{
	sed 's/^AlertExceedsMax.*/AlertExceedsMax no/; /^TemporaryDirectory/d' \
		"$place/etc/clamd.conf" >"$dir/weak.conf"
	rm -f "$place/run/clamd/clamd.sock"
	clamd --foreground -c "$dir/weak.conf" >"$dir/weak.log" 2>&1 &
	weak=$!
	until_is 20 yes eval \
		'[ -S "$place/run/clamd/clamd.sock" ] && echo yes'
}
own_clean_up()
{
	[ -z "${weak-}" ] || kill "$weak" 2>/dev/null
}
start_weak_clamd
before=$(passed)
send --count 10 --seed 55 --attach-share 0 || bad "send"
sleep 3
is "without AlertExceedsMax nothing passes" "$before" "$(passed)"
grep -q AlertExceedsMax "$place/log/sluice.log" ||
	bad "and nobody says why"
kill "$weak"
wait "$weak" 2>/dev/null
weak=
must_start clamd
drained 30
check_mail "with it, all does" --expect-out ham,attach

# 6. Mail that is too much for its cell.  One has more parts than
# budget.parts; the other holds seventy megabytes that bzip2 made small and
# that no reader unfolds within this test's budget.cpu (some 50 ns an octet),
# so that the kernel ends the cell.
mkdir "$dir/poison"
perl -MIO::Compress::Bzip2=bzip2 -MMIME::Base64 -e '
	srand(58);
	my $some = join("", map { chr(int(rand(256))) } 1 .. 30000);
	my $slow;
	bzip2(\($some x 29) => \$slow, BlockSize100K => 9) or die;
	print "From: a\@b\nSubject: poison\nMIME-Version: 1.0\n",
	    "Content-Type: application/x-bzip2; name=slow.bz2\n",
	    "Content-Transfer-Encoding: base64\n\n",
	    encode_base64($slow x 80);' >"$dir/poison/cpu" || bad "perl"
(printf '%s\n' 'From: a@b' 'Subject: poison' 'MIME-Version: 1.0' \
	'Content-Type: multipart/mixed; boundary=x' '' &&
	seq 3000 | sed 's/^/--x\n\npart /') >"$dir/poison/parts"
"$traffic" send --to "$smtp" --count 120 --rate 15 --seed 57 \
	--attach-share 0 --log "$dir/others" >"$dir/send.out" 2>&1 &
load=$!
sleep 1
"$traffic" send --to "$smtp" --corpus "$dir/poison" --corpus-class poison \
	--seed 56 --log "$dir/sent" >"$dir/poison.out" 2>&1 ||
	bad "poison: $(cat "$dir/poison.out")"
eventually 45 "poison ends in error/" 2 count error
wait $load || bad "send: $(cat "$dir/send.out")"
drained 20
for f in "$spool"/error/qf*; do
	id=${f##*/qf}
	last_line "$id" | grep -o '"reason":"budget exceeded: [^"]*"' |
		head -n 1 | grep . ||
		bad "its reason: $(last_line "$id")"
	is "it was tried worker.tries times" 2 \
		"$(cat "$spool"/journal/worker-* | grep "\"$id\"" |
			grep -c '"event":"died"')"
done >"$dir/reasons"
cat "$dir/reasons"
is "one of them for its processor time" 1 \
	"$(grep -c 'reason.*budget\.cpu' "$dir/reasons")"
is "the other for its parts" 1 "$(grep -c 'reason.*parts' "$dir/reasons")"
mv "$dir/others" "$dir/sent"
check_mail "everybody else's mail has arrived" --expect-out ham \
	--allow-foreign
latency=$(sed -n 's/.*"latency":{[^}]*"max":\([0-9]*\).*/\1/p' "$dir/check.out")
most "the slowest of it within budget.wall, seconds" 8 "$latency"
audit
finish
