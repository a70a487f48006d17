#!/bin/sh
# sluice-traffic alone, on loopback: what is sent arrives and is counted, and
# the check tells when it didn't.
#
# usage: t_traffic.sh [PROGRAM]     (build/bin/sluice-traffic)

set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
traffic=${1:-${SLUICE_BUILD:-$here/../../build}/bin/sluice-traffic}
dir=$(mktemp -d "${TMPDIR:-/tmp}/t_traffic.XXXXXX") || exit 1
sink=
failed=0
all=ham,spam,attach,eicar,ext

# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -n "$sink" ] && kill "$sink" 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

[ -x "$traffic" ] || {
	echo "no program at $traffic" >&2
	exit 1
}

# expect CODE WHAT COMMAND...: its output goes to $dir/out
expect() {
	want=$1 what=$2
	shift 2
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	if [ "$got" -eq "$want" ]; then
		echo "ok: $what"
	else
		echo "FAILED: $what: exit code $got, not $want"
		sed 's/^/    /' "$dir/out" "$dir/err"
		failed=1
	fi
}

# says WHAT TEXT: the last command's output holds it
says() {
	if grep -qF -e "$2" "$dir/out"; then
		echo "ok: $1"
	else
		echo "FAILED: $1: no $2 in:"
		sed 's/^/    /' "$dir/out"
		failed=1
	fi
}

# start_sink ADDR:PORT LOG [OPTION...]: sets $sink and $address
start_sink() {
	rm -f "$dir/ready"
	listen=$1 log=$2
	shift 2
	"$traffic" sink --listen "$listen" --log "$log" \
		--ready-file "$dir/ready" "$@" >"$dir/sink.out" 2>&1 &
	sink=$!
	tries=0
	until [ -s "$dir/ready" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 100 ]; then
			echo "FAILED: the sink doesn't start"
			cat "$dir/sink.out"
			exit 1
		fi
		sleep 0.1
	done
	address=$(cat "$dir/ready")
}

stop_sink() {
	kill "$1" "$sink"
	wait "$sink" 2>/dev/null
	code=$?
	sink=
}

# shellcheck disable=SC2317 # called by expect
check() {
	"$traffic" check --sent "$dir/sent" "$@" --expect-out "$all" --json
}

# 1. A mixed load arrives, each message once, with the body that was sent.
start_sink 127.0.0.1:0 "$dir/got" --store "$dir/mail"
expect 0 "200 mixed messages are accepted" \
	"$traffic" send --to "$address" --count 200 --seed 7 --eicar 5 \
	--spam-share 0.1 --ext-share 0.05 --log "$dir/sent" --json
says "exactly the EICARs asked for" '"eicar":5'
stop_sink -TERM
[ "$code" -eq 0 ] || {
	echo "FAILED: the sink ends with $code"
	failed=1
}
grep -q '^200 messages' "$dir/sink.out" || {
	echo "FAILED: the sink's summary:"
	cat "$dir/sink.out"
	failed=1
}
kept=$(find "$dir/mail" -name '*.eml' | wc -l)
[ "$kept" -eq 200 ] || {
	echo "FAILED: $kept files kept, not 200"
	failed=1
}
expect 0 "the check is content" check --sink "$dir/got" --same-body

# 2. The check notices each thing that can go wrong.
sed 100d "$dir/got" >"$dir/less"
expect 1 "a line missing at the sink is bad news" check --sink "$dir/less"
says "one message is missing" '"missing":1'

(cat "$dir/got" && sed -n 100p "$dir/got") >"$dir/more"
expect 1 "a message that came twice is bad news" check --sink "$dir/more"
says "one message is a duplicate" '"duplicated":1'
expect 0 "unless it may" check --sink "$dir/more" --max-duplicates 1

(cat "$dir/more" && sed -n 100p "$dir/got" |
	sed 's/^{/{"event":"cut",/') >"$dir/cut"
expect 1 "a cut alone excuses nothing" check --sink "$dir/cut"
expect 0 "a cut excuses a duplicate when asked to" \
	check --sink "$dir/cut" --excuse-cut

sed '100s/"id":/"id":null,"returned":/' "$dir/got" >"$dir/bounced"
expect 1 "a bounce is bad news" check --sink "$dir/bounced"
says "one message came back" '"returned":1'
expect 0 "unless it may come" check --sink "$dir/bounced" --allow-returned

sed '100s/"sha256":"[0-9a-f]*/"sha256":"00/' "$dir/got" >"$dir/other"
expect 0 "a changed body is borne" check --sink "$dir/other"
says "but told" '"altered":1'
expect 1 "and bad news when asked" check --sink "$dir/other" --same-body

expect 1 "EICAR at the sink is bad news" "$traffic" check \
	--sent "$dir/sent" --sink "$dir/got" --expect-out ham,spam,attach,ext \
	--json
says "all of it leaked" '"leaked":5'

sed 100d "$dir/sent" >"$dir/sent.less"
expect 1 "mail that nobody sent is bad news" "$traffic" check \
	--sent "$dir/sent.less" --sink "$dir/got" --expect-out "$all" --json
says "it is foreign" '"foreign":1'

sed '100s/"status":"accepted"/"status":"rejected"/' "$dir/sent" \
	>"$dir/sent.no"
expect 1 "delivery after a refusal is bad news" "$traffic" check \
	--sent "$dir/sent.no" --sink "$dir/got" --expect-out "$all" --json
says "it was never accepted" '"unaccepted":1'

sed '100s/"status":"accepted"/"status":"broken"/; 100s/"broke":0/"broke":1/' \
	"$dir/sent" >"$dir/sent.broken"
expect 0 "a broken message may have arrived" "$traffic" check \
	--sent "$dir/sent.broken" --sink "$dir/got" --expect-out "$all"
expect 1 "nothing sent proves nothing" "$traffic" check \
	--sent /dev/null --sink /dev/null

# 3. The same seed is the same load.
bodies() {
	sed 's/.*"id":"\([^"]*\)".*"sha256":"\([^"]*\)".*/\1 \2/' "$1" | sort
}
start_sink 127.0.0.1:0 "$dir/got.again"
expect 0 "the same load again" \
	"$traffic" send --to "$address" --count 200 --seed 7 --eicar 5 \
	--spam-share 0.1 --ext-share 0.05 --connections 2 --log "$dir/again"
stop_sink -TERM
bodies "$dir/sent" >"$dir/a"
bodies "$dir/again" >"$dir/b"
if cmp -s "$dir/a" "$dir/b"; then
	echo "ok: byte for byte"
else
	echo "FAILED: a seed gave two loads"
	failed=1
fi

# 4. A server killed under load, and one that defers: no count is lost.
start_sink 127.0.0.1:0 "$dir/got.kill"
"$traffic" send --to "$address" --count 600 --rate 300 --attach-share 0.1 \
	--log "$dir/sent.kill" >"$dir/send.out" 2>&1 &
send=$!
sleep 0.7
stop_sink -KILL
sleep 0.3
start_sink "$address" "$dir/got.kill" --tempfail-share 0.1
wait "$send" # 1 when the kill caught a message after its dot
stop_sink -TERM
lines=$(wc -l <"$dir/sent.kill")
[ "$lines" -eq 600 ] || {
	echo "FAILED: $lines fates for 600 messages"
	cat "$dir/send.out"
	failed=1
}
grep -q ' [1-9][0-9]* connections failed or cut' "$dir/send.out" || {
	echo "FAILED: the sender didn't notice the kill"
	failed=1
}
expect 0 "killed and back: each message once" "$traffic" check \
	--sent "$dir/sent.kill" --sink "$dir/got.kill"

# 5. A server that takes messages but hangs up instead of saying so.
start_sink 127.0.0.1:0 "$dir/got.break" --break-share 0.2
expect 1 "the sender knows that it doesn't know" "$traffic" send \
	--to "$address" --count 100 --log "$dir/sent.break"
stop_sink -TERM
expect 0 "and sends nothing twice" "$traffic" check --json \
	--sent "$dir/sent.break" --sink "$dir/got.break"
grep -q '"broken_delivered":[1-9]' "$dir/out" || {
	echo "FAILED: no message broke"
	failed=1
}
start_sink 127.0.0.1:0 "$dir/got.break2" --break-share 0.2
expect 0 "unless told to" "$traffic" send --resend-broken \
	--to "$address" --count 100 --log "$dir/sent.break2"
stop_sink -TERM
expect 0 "which the check excuses" "$traffic" check --json \
	--sent "$dir/sent.break2" --sink "$dir/got.break2"
grep -q '"excused":[1-9]' "$dir/out" || {
	echo "FAILED: nothing was sent again"
	failed=1
}

# 6. Files as they are: dots, line ends, headers of every kind.
mkdir "$dir/files"
printf 'From: a\n.dot\n..\n.\n' >"$dir/files/no-separator"
printf 'From: a\r\nSubject: b\r\n c\r\n\r\n.\r\n..x\r\n' \
	>"$dir/files/crlf"
printf '.only text\nTo: nobody\n\n.' >"$dir/files/no-header"
printf '\n\n.\n\n' >"$dir/files/blank"
printf 'From x Mon\nFrom: a\n--b: no header\n\n.\n' >"$dir/files/mbox"
printf 'From: a\nX-Traffic-Id: older\n' >"$dir/files/headers-only"
: >"$dir/files/empty"
head -c 200000 /dev/zero | tr '\0' . >"$dir/files/long-line"
start_sink 127.0.0.1:0 "$dir/got.files" --store "$dir/mail.files"
expect 0 "files are sent, each once" "$traffic" send --to "$address" \
	--corpus "$dir/files" --log "$dir/sent.files"
stop_sink -TERM
expect 0 "and arrive as they were" "$traffic" check --same-body --json \
	--sent "$dir/sent.files" --sink "$dir/got.files"
says "all of them" '"once":8'
for f in "$dir"/files/*; do
	# Without the added header, and with LF line ends, it is the same file.
	id=$(sed -n "s|.*\"id\":\"\([^\"]*\)\".*/files/${f##*/}\".*|\1|p" \
		"$dir/sent.files")
	sed 's/\r$//' "$f" >"$dir/a"
	[ -z "$(tail -c 1 "$dir/a")" ] || echo >>"$dir/a"
	grep -vx "X-Traffic-Id: $id" "$dir"/mail.files/*"-$id.eml" >"$dir/b"
	if cmp -s "$dir/a" "$dir/b"; then
		echo "ok: ${f##*/}"
	else
		echo "FAILED: ${f##*/} changed on its way"
		failed=1
	fi
done
sed -n 4p "$dir"/mail.files/*"-$(sed -n \
	's|.*"id":"\([^"]*\)".*/files/crlf".*|\1|p' "$dir/sent.files").eml" |
	grep -q '^X-Traffic-Id: ' || {
	echo "FAILED: the identity isn't at the end of the headers"
	failed=1
}

# 7. Wrong usage says so.
expect 100 "no server named" "$traffic" send
expect 100 "a server elsewhere" "$traffic" send --to 192.0.2.1:25
expect 100 "no number" "$traffic" send --to localhost:1 --count many
expect 111 "no server there" "$traffic" send --to 127.0.0.1:1 --timeout 0.3
expect 111 "no such log" "$traffic" check --sent "$dir/none" --sink "$dir/got"
for c in send sink check; do
	expect 0 "$c teaches" "$traffic" $c --help
done

[ $failed -eq 0 ] && echo "all ok"
exit $failed
