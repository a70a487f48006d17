#!/bin/sh
# sluice-feed with real files: what is complete is placed by its size, what
# isn't is left alone, and nothing is lost, whatever is done to it.
#
# usage: t_feed.sh     (SLUICE_BUILD names the build directory)

set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
build=${SLUICE_BUILD:-$here/../../build}
feed=$build/bin/sluice-feed
spooler=$build/tests/spooler
pid=
failed=0
user=

for program in "$feed" "$spooler"; do
	[ -x "$program" ] || {
		echo "no program at $program" >&2
		exit 1
	}
done
dir=$(mktemp -d "${SLUICE_TEST_DISK:-/var/tmp}/t_feed.XXXXXX") || exit 1
chmod 755 "$dir"
spool=$dir/spool

finish() {
	[ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid"
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

ok() {
	echo "ok: $1"
}

bad() {
	echo "FAILED: $1"
	tail -n 8 "$dir/log" | sed 's/^/    /'
	failed=1
}

# is WHAT WANT GOT
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: $3, not $2"; fi
}

# Files in the spool directories $2.. whose names begin with $1.
count() {
	prefix=$1
	shift
	for d in "$@"; do
		find "$spool/$d" -mindepth 1 -maxdepth 1 -name "$prefix*"
	done | wc -l
}

feeds="feed1 feed2 feed3 feed4"

# eventually WHAT WANT COMMAND...: within ten seconds
eventually() {
	what=$1 want=$2
	shift 2
	n=0
	while [ "$("$@")" != "$want" ] && [ $n -lt 200 ]; do
		sleep 0.05
		n=$((n + 1))
	done
	is "$what" "$want" "$("$@")"
}

logged() {
	grep -c "$1" "$dir/log"
}

# idle WHAT: two seconds take less than 2 % of a processor
idle() {
	before=$(cut -d' ' -f1 "/proc/$pid/schedstat")
	sleep 2
	after=$(cut -d' ' -f1 "/proc/$pid/schedstat")
	if [ $((after - before)) -lt 40000000 ]; then
		ok "$1"
	else
		bad "$1: $((after - before)) ns in 2 s"
	fi
}

config() {
	cat >"$dir/sluice.conf" <<-END
	site {
		spool = "$spool"
		state = "$dir"
		runtime = "$dir/runtime"
		user = "$user"
	}
	feed {
		queues = 4
		limits = "$1"
		scan_interval = ${2:-30s}
	}
	END
}

start() {
	"$feed" -c "$dir/sluice.conf" 2>>"$dir/log" &
	pid=$!
	n=0
	while ! grep -q "\[$pid\]: ready" "$dir/log" && [ $n -lt 200 ]; do
		sleep 0.05
		n=$((n + 1))
	done
}

stop() {
	kill "-$1" "$pid"
	wait "$pid"
	code=$?
	pid=
}

# As root the daemon becomes another user: the one that owns the spool.
if [ "$(id -u)" = 0 ]; then user=nobody; else user=$(id -un); fi

as_user() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid="$user" --regid="$(id -g "$user")" \
			--clear-groups "$@"
	else
		"$@"
	fi
}

for d in in $feeds out virus ext spam error journal; do
	mkdir -p "$spool/$d"
done
mkdir -p "$dir/runtime/feed" "$dir/runtime/metrics"
chown -R "$user" "$spool" "$dir/runtime"
: >"$dir/log"
config "2000 10000 50000"

# Placement
start
as_user "$spooler" make "$spool/in" 1 small 500
eventually "a small message goes to feed1" 1 count qfsmall feed1
is "its body is with it" 1 "$(count dfsmall feed1)"
eventually "nothing of it stays in in/" 0 count "" in
as_user "$spooler" make "$spool/in" 1 medium 5000
eventually "a medium one goes to feed2" 1 count qfmedium feed2
as_user "$spooler" make "$spool/in" 1 large 20000
eventually "a large one goes to feed3" 1 count qflarge feed3
as_user "$spooler" make "$spool/in" 1 huge 200000
eventually "a huge one goes to feed4" 1 count qfhuge feed4
as_user "$spooler" make "$spool/in" 1 again 500
eventually "the next small one goes where nothing waits longer" 1 \
	count qfagain $feeds
is "each acceptance is in the journal" 5 \
	"$(grep -c '"move"' "$spool/journal/feed")"

# One at a time
"$feed" -c "$dir/sluice.conf" 2>"$dir/err"
is "a second feed refuses" 111 $?
grep -q "another sluice-feed" "$dir/err" || bad "and says why"

# What is no message
as_user sh -c "cd '$spool/in' && echo body >dfalone &&
	printf 'V8\n.\n' >qfnodf &&
	echo body >dfdrecord && printf 'V8\nd/elsewhere\n.\n' >qfdrecord &&
	echo body >dfnov && printf 'Sme\n.\n' >qfnov &&
	echo body >dfcut && printf 'V8\nT1\n' >qfcut &&
	echo body >dfempty && : >qfempty"
eventually "a qf without df goes to error" 1 count qfnodf error
eventually "a d record goes to error" 1 count qfdrecord error
is "with its body" 1 "$(count dfdrecord error)"
eventually "what is no qf goes to error" 1 count qfnov error
as_user "$spooler" make "$spool/in" 1 after 500
eventually "mail behind all that passes" 1 count qfafter $feeds
is "a df without qf is left alone" 1 "$(count dfalone in)"
is "a qf without its end is left alone" 1 "$(count qfcut in)"
is "an empty qf is left alone" 1 "$(count qfempty in)"
idle "unready mail costs next to nothing"
as_user sh -c "printf 'S<a@b>\nR:<c@d>\n.\n' >>'$spool/in/qfcut'"
eventually "once it is complete it is placed" 1 count qfcut $feeds
as_user rm "$spool/in/qfempty" "$spool/in/dfempty" "$spool/in/dfalone"

# Locked: not taken, however complete it looks
as_user "$spooler" make "$dir/runtime" 1 locked 500
as_user sh -c "cd '$dir/runtime' && mv dflocked* '$spool/in/' &&
	exec 9<qflocked00000000 && flock -x 9 &&
	mv qflocked* '$spool/in/' && sleep 1 &&
	ls '$spool/in/' | grep -c qflocked >count"
is "a locked message is left alone" 1 "$(cat "$dir/runtime/count")"
eventually "until the lock is gone, even without an event" 1 \
	count qflocked $feeds

# Changes while it runs
config "300000 400000 500000"
kill -HUP "$pid"
eventually "new limits are taken over" 1 logged "reload limits=3"
as_user "$spooler" make "$spool/in" 6 wide 200000
eventually "and used" 6 count qfwide $feeds
[ "$(count qfwide feed1)" -gt 0 ] || bad "feed1 admits more now"
echo "feed { limits = \"9 8\" }" >"$dir/sluice.conf"
kill -HUP "$pid"
eventually "wrong ones are not" 1 logged "kept the old configuration"
config "2000 10000 50000"

# Failures: nothing moves, nothing is lost, and it goes on by itself
as_user chmod 500 "$spool"/feed[1-4]
as_user "$spooler" make "$spool/in" 100 held 500
sleep 1
is "what cannot be moved stays" 100 "$(count qfheld in)"
is "and is reported once" 1 "$(logged "error=\"Permission denied\"")"
as_user chmod 700 "$spool"/feed[1-4]
eventually "and goes on when it can" 100 count qfheld $feeds
as_user sh -c "for d in $feeds; do : >'$spool'/\$d/qftwin00000000; done"
as_user "$spooler" make "$spool/in" 1 twin 500
as_user "$spooler" make "$spool/in" 1 behind 500
eventually "a name that is taken stops no other mail" 1 \
	count qfbehind $feeds
is "the message stays" 1 "$(count qftwin in)"
idle "and costs next to nothing"
is "it is reported once" 1 "$(logged "id=twin00000000")"
as_user rm "$spool"/feed[1-4]/qftwin00000000
eventually "and goes on when the name is free" 1 count qftwin $feeds

# The end
stop TERM
is "SIGTERM ends it well" 0 "$code"

# What was there before the start, a directory and a link among it
as_user sh -c "cd '$spool/in' && mkdir qfdirectory && ln -s qfx qflink"
as_user "$spooler" make "$spool/in" 300 early 500
start
eventually "what waited at the start is placed" 300 count qfearly $feeds
is "a directory is left alone" 1 "$(count qfdirectory in)"
is "a link is left alone" 1 "$(count qflink in)"
sleep 2
is "each is reported once" 2 "$(logged "id=directory\|id=link")"
as_user sh -c "rm '$spool/in/qflink' && rmdir '$spool/in/qfdirectory'"

# Against a sendmail that is slow at every step
as_user "$spooler" race "$spool/in" 400 race "$$" 2>"$dir/err"
is "none was taken early, no lock was refused to sendmail" 0 $?
cat "$dir/err"
eventually "none is lost" 400 count qfrace $feeds
is "nor any body" 400 "$(count dfrace $feeds)"

# Killed at any time
as_user "$spooler" race "$spool/in" 600 kill "$$" 2>"$dir/err" &
racer=$!
for i in 1 2 3 4 5 6 7 8; do
	sleep 0.$i
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	start
done
wait $racer
is "a feed killed eight times takes none early" 0 $?
cat "$dir/err"
eventually "nor loses any" 600 count qfkill $feeds
stop TERM
start
stop TERM
is "nor a body" 600 "$(count dfkill $feeds)"
is "nor leaves anything in in/" 0 "$(count "" in)"

# Wrong usage
config "5 6 7" 5x
"$feed" -c "$dir/sluice.conf" 2>"$dir/err"
is "a wrong configuration" 100 $?
config "2000 10000 50000"
as_user rmdir "$spool/ext"
"$feed" -c "$dir/sluice.conf" 2>"$dir/err"
is "a spool without one of its directories" 100 $?
grep -q "$spool/ext" "$dir/err" || bad "and names it"
"$feed" -q 2>"$dir/err"
is "an unknown option" 100 $?
exit $failed
