#!/bin/bash
# Mail in at one sendmail, judged, out at the other: 60 messages of all kinds
# and a few odd ones, every one of them where it belongs, byte for byte.
# shellcheck disable=SC2119,SC2016,SC2317,SC2013 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin t_pipeline
deploy
must_start
part status >"$dir/status" || bad "not all parts run"

# 1. Sixty of all kinds, then the odd ones.
odd_mail
send --count 60 --seed 11 --eicar 6 --ext-share 0.15 --attach-share 0.3 \
	--max-bytes 2000000 || bad "send: $(cat "$dir/send.out")"
send --corpus "$dir/odd" --seed 12 || bad "send: $(cat "$dir/send.out")"
drained 30
of_class()
{
	grep -c "\"class\":\"$1\"" "$dir/sent"
}
is "the load has EICAR" 6 "$(of_class eicar)"
[ "$(of_class ext)" -gt 0 ] || bad "the load has no refused attachment"
[ "$(of_class attach)" -gt 5 ] || bad "the load has few attachments"

# 2. Each in its place, once, unchanged.
check_mail "what is clean has arrived, once and byte for byte" --same-body \
	--expect-out ham,attach,corpus
is "EICAR is in virus/" 6 "$(count virus)"
is "refused names are in ext/" "$(of_class ext)" "$(count ext)"
is "nothing is in error/ or spam/" 0 "$(count error spam)"
audit
is "all were accepted" 72 "$(audited accepted)"
is "none waits" 0 "$(audited waiting)"
is "virus" 6 "$(audited virus)"
is "nothing is half there" "$(count virus ext)" \
	"$(find "$spool" -name 'df*' | wc -l)"

# 3. What later stages need: the queue id in the file, the client's port.
for f in "$spool"/virus/qf*; do
	id=$(basename "$f")
	id=${id#qf}
	tr '\n' ' ' <"$f" | grep -q "H[^ ]*Received:.* id $id" ||
		bad "$f: its id isn't in Received"
	# shellcheck disable=SC2016
	tr -s ' \t\n' ' ' <"$f" |
		grep -q 'client \[127\.0\.0\.1\] port [1-9][0-9]*' ||
		bad "$f: no port of the client in Received"
	[ "$(whereis "$id")" = virus ] || bad "$id: $(whereis "$id")"
	last_line "$id" | grep -q '"verdict":"virus"' ||
		bad "$id: $(last_line "$id")"
done
is "only user sluice owns mail" "" \
	"$(find "$spool"/virus "$spool"/ext -type f ! -user sluice)"

# 4. What the operator's commands say of them.
"$sluice" trace -c "$conf" "$id" >"$dir/trace" 2>&1 || bad "trace: exit $?"
grep -q virus "$dir/trace" || bad "trace: $(cat "$dir/trace")"
"$sluice" status -c "$conf" --json >"$dir/status" || bad "status: exit $?"
"$sluice" audit --rebuild -c "$conf" --json >"$dir/audit.out" 2>/dev/null
is "the ledger made anew balances too" 72 "$(audited accepted)"

# EICAR came six times, as it is or in an archive, and went no further.
"$sluice" model spread -c "$conf" --json \
	--hash "$(eicar | sha256sum | cut -c1-64)" >"$dir/spread" ||
	bad "spread: exit $?"
is "a file is known by its hash, in archives too, and what was stopped" \
	'"messages":6 ' "$(grep -o '"messages":[0-9]*,"senders"' "$dir/spread" |
	sed 's/,.*/ /')"
hits=$(sed -n 's/.*"verdict":"hit".*"copies":\([0-9]*\),"blocked":\1,.*/all/p' \
	"$dir/spread")
is "every copy was blocked" all "$hits"

# 5. It ends well, and what came meanwhile is judged after the next start.
part stop sluice || bad "stop"
send --count 5 --seed 13 --attach-share 0 || bad "send: $(cat "$dir/send.out")"
is "five wait in in/" 5 "$(count in)"
must_start
drained 20
check_mail "they are delivered after the start" --same-body \
	--expect-out ham,attach,corpus
audit
part stop || bad "stop"
is "nothing is left running" "" "$(part status | grep -v stopped)"
bad_lines=$(grep -hE '^(error|fatal) ' "$place"/log/sluice.log)
is "no error in the log" "" "$bad_lines"
finish
