#!/bin/sh
# The client against a real clamd: answers, reload and kill -9 under load,
# a missing AlertExceedsMax, the deepest MaxRecursion, a lost temporary
# directory.
set -eu

ask=$SLUICE_BUILD/tests/clamd_ask
command -v clamd >/dev/null || { echo "skipped: no clamd"; exit 77; }

dir=$(mktemp -d /tmp/t_clamd.XXXXXX)
chmod 755 "$dir"
pid=
stop() {
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || :
	[ -z "$pid" ] || wait "$pid" 2>/dev/null || :
	pid=
}
trap 'stop; rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; tail -n 5 "$dir/clamd.log"; exit 1; }

mkdir "$dir/db" "$dir/tmp"
chmod 777 "$dir/tmp"
head=$(printf '%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$')
tail=$(printf '%s' 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*')
printf '%s%s' "$head" "$tail" >"$dir/virus"
printf 'Test.Eicar:0:*:%s\n' "$(od -An -v -tx1 "$dir/virus" | tr -d ' \n')" \
	>"$dir/db/eicar.ndb"
printf 'From: a@b\nSubject: x\n\nNothing to see.\n' >"$dir/clean"

# start [LINE OF CONFIGURATION]...
start() {
	: >"$dir/clamd.log"
	cat >"$dir/clamd.conf" <<-END
	LocalSocket $dir/sock
	LocalSocketMode 666
	FixStaleSocket yes
	Foreground yes
	DatabaseDirectory $dir/db
	TemporaryDirectory $dir/tmp
	MaxThreads 2
	END
	[ "$(id -u)" != 0 ] || {
		echo "User clamav" >>"$dir/clamd.conf"
		chmod 777 "$dir"
	}
	for line; do echo "$line" >>"$dir/clamd.conf"; done
	clamd -c "$dir/clamd.conf" >"$dir/clamd.log" 2>&1 &
	pid=$!
	for i in $(seq 100); do
		grep -q "Self checking\|Listening daemon" "$dir/clamd.log" &&
			[ -S "$dir/sock" ] && return
		sleep 0.1
	done
	fail "clamd doesn't start"
}

once() { "$ask" "$dir/sock" "$dir/db" 0 "$@"; }
# expect PATTERN FILE
expect() {
	once "$dir/$2" >"$dir/out"
	grep -q "$1" "$dir/out" || fail "$2 is not $1: $(cat "$dir/out")"
}

echo "1. answers"
start "AlertExceedsMax yes"
expect "clean=1 hit=0 system=0 message=0" clean
expect "hit=1.*Test.Eicar" virus

echo "2. reload under load"
"$ask" "$dir/sock" "$dir/db" 4 "$dir/clean" "$dir/virus" >"$dir/out" &
load=$!
for i in 1 2 3; do
	sleep 1
	printf '%s%s' "# $i" "" >"$dir/db/note.txt"
	kill -USR2 "$pid"
done
wait "$load"
cat "$dir/out"
grep -q "clean=0 hit=[1-9][0-9]* .*virus" "$dir/out" || fail "virus"
grep -q "clean=[1-9][0-9]* hit=0 .*clean" "$dir/out" || fail "clean"
[ "$(grep -c "Database correctly reloaded" "$dir/clamd.log")" -ge 1 ] ||
	fail "no reload took place"

echo "3. kill -9 under load, restart after a second"
"$ask" "$dir/sock" "$dir/db" 6 "$dir/clean" "$dir/virus" >"$dir/out" &
load=$!
sleep 1.5
stop
sleep 1
start "AlertExceedsMax yes"
wait "$load"
cat "$dir/out"
grep -q "clean=0 hit=[1-9][0-9]* system=[1-9][0-9]* .*virus" "$dir/out" ||
	fail "virus"
grep -q "clean=[1-9][0-9]* hit=0 system=[1-9][0-9]* " "$dir/out" ||
	fail "clean"

echo "4. a temporary directory that is gone"
rm -rf "$dir/tmp"
expect "clean=0 hit=0 system=1 .*TemporaryDirectory" clean
expect "clean=0 " virus
mkdir -m 777 "$dir/tmp"
stop

echo "5. no AlertExceedsMax"
for line in "AlertExceedsMax no" "# default"; do
	start "$line"
	expect "clean=0 hit=0 system=1.*AlertExceedsMax yes" clean
	expect "clean=0 hit=0 system=1.*AlertExceedsMax yes" virus
	stop
done

echo "6. the deepest MaxRecursion"
start "AlertExceedsMax yes" "MaxRecursion 100"
expect "clean=1" clean
stop

echo "7. no clamd at all"
expect "system=1.*cannot connect" clean
echo "done"
