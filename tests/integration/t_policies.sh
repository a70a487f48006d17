#!/bin/bash
# Every placement policy with real mail: whichever it is, and while it changes,
# each message is delivered once.  And what the late ones are for: under
# small-first a small message overtakes large ones, under steal no mail waits
# for a worker that does nothing.
# shellcheck disable=SC2119,SC2016,SC2317,SC2034 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

reloads()
{
	grep -c "reload limits=.*policy=$1\$" "$place/log/sluice.log"
}

# policy NAME: the feed takes it over without a new start
policy()
{
	local before
	before=$(reloads "$1")
	sed -i "s/^\(\tpolicy = \).*/\1\"$1\"/" "$conf"
	kill -HUP "$(part pid sluice)"
	until_is 5 $((before + 1)) reloads "$1" || bad "no reload to $1"
}

shown_policy()
{
	"$sluice" status -c "$conf" --json |
		sed -n 's/.*"policy": *"\([^"]*\)".*/\1/p'
}

# What moves the mail of worker K.  pgrep only looks.
deliver_of()
{ # K
	pgrep -f "^sluice-worker -x deliver -k $1 -c $place/"
}

# Workers have read their names, so that a signal finds all of them.
delivers()
{ # how many there are to be
	local k
	for ((k = 1; k <= $1; k++)); do deliver_of $k; done | wc -l
}

# Moves from a feed queue to another.
stolen()
{
	grep '"from":"feed' "$spool/journal/feed" | grep -c '"to":"feed'
}

own_clean_up()
{
	[ -z "${stopped-}" ] || kill -CONT $stopped
}

begin t_policies
deploy --set feed.patience=100000
must_start
eventually 10 "the default" size+load shown_policy

# 1. Sixty of all kinds under each policy; changed by a signal.
seed=90
for p in size least-work small-first steal size+load; do
	policy $p
	send --count 60 --seed $((seed++)) --eicar 2 --attach-share 0.3 \
		--max-bytes 400000 || bad "send: $(cat "$dir/send.out")"
	is "status says it" $p "$(shown_policy)"
	drained 20
done
check_mail "under each policy all has arrived, once" --same-body \
	--expect-out ham,attach
is "EICAR is in virus/" 10 "$(count virus)"
audit
is "all were accepted" 300 "$(audited accepted)"

# 2. Changed while mail comes.
send --count 150 --rate 40 --seed 95 --attach-share 0.1 --max-bytes 100000 &
load=$!
for p in small-first steal small-first size small-first size+load; do
	sleep 0.6
	policy $p
done
wait $load || bad "send: $(cat "$dir/send.out")"
drained 20
check_mail "changes of policy cost no message" --expect-out ham,attach

# 3. Nobody works in the first queue: the others take what waits there.
policy steal
eventually 5 "four workers" 4 delivers 4
sleep 1
stopped=$(deliver_of 1)
kill -STOP "$stopped"
before=$(stolen)
send --count 60 --seed 98 --attach-share 0 --size-mu 6 --size-sigma 0.3 ||
	bad "send: $(cat "$dir/send.out")"
drained 15
is "one worker still does nothing" T \
	"$(sed 's/.*) \(.\).*/\1/' "/proc/$stopped/stat")"
[ "$(stolen)" -gt "$before" ] || bad "nothing was taken from its queue"
kill -CONT "$stopped"
stopped=
check_mail "all has arrived, once" --expect-out ham,attach
audit
is "nothing is half there" "$(count virus)" \
	"$(find "$spool" -name 'df*' | wc -l)"

# 4. One worker, one message at a time: forty large ones wait, then a small one
# comes, and all of them are older.
part stop sluice || bad "stop"
sed -i 's/^\(\tqueues = \).*/\11/; s/^\(\tlimits = \).*/\1""/
	s/^\(\tin_flight = \).*/\11/
	s/^\(\tpolicy = \).*/\1"small-first"/' "$conf"
must_start
eventually 5 "one worker" 1 delivers 1
stopped=$(deliver_of 1)
sleep 1.5 # until the feed has seen its lane
kill -STOP "$stopped"
send --count 40 --seed 96 --attach-share 1 --attach-mu 12.3 \
	--attach-sigma 0.01 || bad "send: $(cat "$dir/send.out")"
send --count 1 --seed 97 --attach-share 0 --size-mu 6 --size-sigma 0.01 ||
	bad "send: $(cat "$dir/send.out")"
[ "$(count in)" -gt 20 ] || bad "only $(count in) wait in in/"
# A file's closing is announced before its lock goes: what the feed found
# locked it looks at again each second, and it is to know all of them, while it
# still believes of all services what it did at its start.
sleep 1.5
kill -CONT "$stopped"
stopped=
drained 20
place_of_small()
{
	grep '"to":"out"' "$spool/journal/worker-1" | tail -n 41 |
		sed 's/.*"bytes":\([0-9]*\).*/\1/' | awk '$1 < 20000 { print NR }'
}
most "the small one overtakes: its place among 41" 20 "$(place_of_small)"
check_mail "all has arrived, once" --expect-out ham,attach
part stop || bad "stop"
# A worker that is told to end while it starts may say so.
bad_lines=$(grep -hE '^(error|fatal) ' "$place"/log/sluice.log |
	grep -v 'died: signal 15 (TERM)$')
is "no error in the log" "" "$bad_lines"
finish
