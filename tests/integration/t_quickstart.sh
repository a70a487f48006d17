#!/bin/bash
# tools/quickstart end to end, with the programs of SLUICE_BUILD: each sample
# where it belongs, nothing left running, whatever ends it; and it notices
# when mail goes elsewhere.

# Neither ok nor bad fails.
# shellcheck disable=SC2015

set -u -o pipefail
here=$(cd "$(dirname "$0")" && pwd) || exit 1
root=$here/../..
export SLUICE_BUILD=${SLUICE_BUILD:-$root/build}
quickstart=$root/tools/quickstart
failed=0 running=''

[ "$(id -u)" = 0 ] || {
	echo "skipped: not root"
	exit 77
}
dir=$(mktemp -d "${SLUICE_TEST_DISK:-/var/tmp}/t_quickstart.XXXXXX") || exit 1
chmod 755 "$dir"
# As deep as a checkout: its parents say whether Sluice's users come in.
export SLUICE_QUICKSTART_DIR=$dir/run
# The engine's own start takes longer than all of this; it is tried once.
export SLUICE_QUICKSTART_SPAM=no
command -v rspamd >/dev/null && spam=yes || spam=''
# Clones, too; with the reference of this build directory, which is kept.
export SLUICE_QUICKSTART_VM=no
vm='' hits=2 passed=0
if [ -f "$SLUICE_BUILD/vm/linux/manifest.json" ]; then
	mkdir -p "$dir/run/vm" && : >"$dir/run/.made-by-quickstart"
	cp -a --sparse=always "$SLUICE_BUILD/vm/linux" "$dir/run/vm/"
	vm=yes hits=4 passed=1
fi
conf=$dir/run/etc/sluice.conf

# shellcheck disable=SC2317 # called by the trap
finish()
{
	[ -z "$running" ] || kill -KILL "$running" 2>/dev/null
	[ ! -f "$dir/run/etc/deployment" ] ||
		"$root/tools/deployment" "$dir/run" stop
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

ok()
{
	echo "ok: $1"
}

bad()
{
	echo "FAILED: $1"
	sed 's/^/    /' "$dir/out" | tail -n 40
	failed=1
}

is()
{ # what, wanted, found
	if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: $3, not $2"; fi
}

try()
{ # arguments of quickstart; its output in $dir/out, its status in $code
	"$quickstart" "$@" >"$dir/out" 2>&1
	code=$?
}

# Rows of the table that say what was wanted of them.
rows()
{ # destination
	grep -cE " $1 +$1 +feed[0-9] +[0-9]+  " "$dir/out"
}

parts_up()
{
	"$root/tools/deployment" "$dir/run" status | grep -c running
}

answers()
{ # port that the output names after $1
	local port
	port=$(sed -n "s/.*$1 127\.0\.0\.1:\([0-9]*\).*/\1/p" "$dir/out" |
		head -n 1)
	[ -n "$port" ] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

# From beginning to end
SLUICE_QUICKSTART_SPAM=${spam:-no} SLUICE_QUICKSTART_VM=${vm:-no} try
is "quickstart succeeds" 0 "$code"
grep -q "WRONG" "$dir/out" && bad "no row is wrong"
is "all viruses are in virus" $hits "$(rows virus)"
is "six attachments are in ext" 6 "$(rows ext)"
if [ -n "$spam" ]; then
	is "clean mail is in out" $((5 + passed)) "$(rows out)"
	is "spam is in spam" 1 "$(rows spam)"
else
	is "mail without a hit is in out" $((6 + passed)) "$(rows out)"
fi
if [ -n "$vm" ]; then
	grep -q "known from the" "$dir/out" || bad "a file is known again"
	grep -q "^ *rewrite-documents (T1486" "$dir/out" ||
		bad "what a file did is told"
fi
grep -q "^    WARNING: this message" "$dir/out" ||
	bad "what the model flags arrives in a warning"
grep -qE "borderline +[0-9.]+ +script +convert.py" "$dir/out" ||
	bad "what it can't tell is archived"
grep -qE " malicious +1 +0 .*cleanup.py" "$dir/out" ||
	bad "how that file spreads is told"
grep -q "It balances" "$dir/out" || bad "the books balance"
is "all of it was stopped" 0 "$(parts_up)"
answers "SMTP on" && bad "nothing answers on its SMTP port"

# Left running, and used
try --keep
is "with --keep it succeeds too, over what was left" 0 "$code"
grep -q "stopping" "$dir/out" && bad "with --keep nothing is stopped"
is "five parts run on" 5 "$(parts_up)"
answers "SMTP on" || bad "its SMTP port answers"
smtp=$(sed -n 's/.*SMTP on \([0-9.:]*\),.*/\1/p' "$dir/out")
printf 'Subject: mine\n\nHello\n.\n' >"$dir/mine"
id=$("$root/tools/quickstart.mail" send "$smtp" "$dir/mine")
n=0
until "$SLUICE_BUILD/bin/sluice" trace -c "$conf" "$id" 2>/dev/null |
	grep -q delivered || [ $n -gt 200 ]; do
	sleep 0.1
	n=$((n + 1))
done
[ $n -le 200 ] && ok "a message of ours goes through" ||
	bad "a message of ours goes through: $id"

# It tells when mail goes elsewhere
echo 'allow name *' >"$dir/run/etc/policy.conf"
kill -HUP "$("$root/tools/deployment" "$dir/run" pid sluice)"
sleep 3
"$root/tools/quickstart.mail" "$smtp" "$SLUICE_BUILD/bin/sluice" "$conf" \
	"$dir/run/log/sink.jsonl" >"$dir/out" 2>&1
is "mail in the wrong place is bad news" 1 $?
is "and each such row says so" 5 "$(grep -c ' ext  *out .*WRONG' "$dir/out")"

# Killed in the middle, with the former one still running
"$quickstart" >"$dir/out" 2>&1 &
running=$!
n=0
until grep -q "sample mail" "$dir/out" || [ $n -gt 600 ]; do
	sleep 0.1
	n=$((n + 1))
done
kill -KILL $running
wait $running 2>/dev/null
running=''
[ "$(parts_up)" -gt 0 ] && ok "a kill -9 leaves parts behind" ||
	bad "a kill -9 leaves parts behind, or this proves nothing"
try
is "the next one cleans up and succeeds" 0 "$code"
is "and leaves nothing" 0 "$(parts_up)"

# Ended politely, while it starts its parts
"$quickstart" >"$dir/out" 2>&1 &
running=$!
n=0
until [ "$(parts_up 2>/dev/null)" != 0 ] || [ $n -gt 600 ]; do
	n=$((n + 1))
done
kill -TERM $running
wait $running
is "SIGTERM ends it" 143 $?
running=''
sleep 3
is "with all that it started" 0 "$(parts_up)"

# Killed there
"$quickstart" >"$dir/out" 2>&1 &
running=$!
n=0
until [ "$(parts_up 2>/dev/null)" != 0 ] || [ $n -gt 600 ]; do
	n=$((n + 1))
done
kill -KILL $running
wait $running 2>/dev/null
running=''
try --stop
is "--stop waits for a start that nobody looks after" 0 "$code"
sleep 3
is "and ends what it started" 0 "$(parts_up)"

# Left running again, and ended later
try --keep
is "after --keep" 5 "$(parts_up)"
try --stop
is "--stop succeeds" 0 "$code"
is "and ends everything" 0 "$(parts_up)"

# What isn't its own stays
rm -rf "$dir/run"
mkdir "$dir/run"
echo mine >"$dir/run/precious"
try
is "a directory that it hasn't made stops it" 111 "$code"
is "and stays as it is" mine "$(cat "$dir/run/precious")"
"$quickstart" --kepp >"$dir/out" 2>&1
is "a wrong option" 100 $?
exit $failed
