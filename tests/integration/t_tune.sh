#!/bin/bash
# The tuner with real mail and bad limits, at which the last worker has nearly
# all of it: a dry run says what it would take and changes nothing; allowed,
# it changes the limits while mail passes, and none of it suffers.
# shellcheck disable=SC2119,SC2016,SC2317 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

said()
{ # WORD
	grep -c "tune $1 " "$place/log/sluice.log"
}

# at_least N COMMAND...: "yes" once it prints as much
at_least()
{
	local n=$1
	shift
	[ "$("$@")" -ge "$n" ] && echo yes
}

# A number or a word of status, of the first line of that type.
shown()
{ # TYPE KEY
	"$sluice" status -c "$conf" --json | grep "\"type\": *\"$1\"" |
		head -n 1 | sed -n "s/.*\"$2\": *\"\{0,1\}\([^\",}]*\).*/\1/p"
}

# The limits in force, as the queues' lines say them.
limits()
{
	"$sluice" status -c "$conf" --json | grep '"name": *"feed[1-4]"' |
		grep '"type": *"queue"' |
		sed -n 's/.*"max_bytes": *\([0-9]*\).*/\1/p' | paste -sd' '
}

changed()
{
	[ "$(limits)" != "300 500 700" ] && echo yes
}

own_clean_up()
{
	[ -z "${load-}" ] || kill "$load" 2>/dev/null
}

begin t_tune
deploy --set feed.tune_interval=2s --set 'feed.limits="300 500 700"'
must_start
eventually 5 "the default" dry-run shown tune mode
is "no mail, no proposal" learning "$(shown tune state)"
send --count 0 --duration 24 --rate 60 --attach-share 0.1 \
	--max-bytes 200000 --seed 7 &
load=$!

# 1. A dry run.
eventually 20 "the dry run says what it would take" yes \
	at_least 1 said would-change
grep -m 1 'tune would-change' "$place/log/sluice.log"
is "and shows it" proposing "$(shown tune state)"
is "the limits stay" "300 500 700" "$(limits)"
is "nothing was changed" 0 "$(said change)"

# 2. Allowed.
sed -i 's/^\(\ttune = \).*/\1"on"/' "$conf"
kill -HUP "$(part pid sluice)"
eventually 15 "allowed, it changes them" yes at_least 1 said change
grep -m 1 'tune change' "$place/log/sluice.log"
eventually 5 "status shows the new limits" yes changed
"$sluice" status -c "$conf" >"$dir/status"
grep -A 8 '^Tuner: on, ' "$dir/status" || bad "status says nothing of the tuner"
wait $load || bad "send: $(cat "$dir/send.out")"
load=
drained 20
check_mail "all has arrived, once" --same-body --expect-out ham,attach
audit
[ "$(shown tune measured_wait_usec)" -gt 0 ] || bad "no wait was measured"

# 3. A reload begins with the configured ones.
kill -HUP "$(part pid sluice)"
eventually 5 "a reload sets the configured limits" "300 500 700" limits
part stop || bad "stop"
bad_lines=$(grep -hE '^(error|fatal) ' "$place"/log/sluice.log)
is "no error in the log" "" "$bad_lines"
finish
