#!/bin/sh
# sluice run over stand-ins for the daemons: what dies is started again, a
# wrong configuration is never taken over, and stopping goes in order.
#
# usage: t_sluice_run.sh     (SLUICE_BUILD names the build directory)

set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
build=${SLUICE_BUILD:-$here/../../build}
pid=
failed=0

[ -x "$build/bin/sluice" ] || {
	echo "no program at $build/bin/sluice" >&2
	exit 1
}
dir=$(mktemp -d "${SLUICE_TEST_DISK:-/var/tmp}/t_run.XXXXXX") || exit 1
chmod 755 "$dir"

finish() {
	[ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

ok() {
	echo "ok: $1"
}

bad() {
	echo "FAILED: $1"
	tail -n 12 "$dir/log" | sed 's/^/    /'
	failed=1
}

# is WHAT WANT GOT
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: $3, not $2"; fi
}

# soon WHAT COMMAND...: within two seconds, which is the promise
soon() {
	what=$1
	shift
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -le 40 ] || {
			bad "$what"
			return
		}
		sleep 0.05
	done
	ok "$what"
}

# The process of a child, by the supervisor's own picture.
child() {
	sed -n "s/^{\"name\":\"$1\",\"pid\":\([1-9][0-9]*\),.*/\1/p" \
	    "$dir/run/crew" 2>/dev/null
}

has() {
	[ -n "$(child "$1")" ]
}

is_alive() {
	kill -0 "$1" 2>/dev/null
}

is_gone() {
	# A zombie that nobody reaps in a container is gone as well.
	! is_alive "$1" || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

is_new() { # name, former pid
	now=$(child "$1")
	[ -n "$now" ] && [ "$now" != "$2" ] && is_alive "$now"
}

hears() { # name: is its trap set?
	[ "$(cat "$dir/hears-sluice-$1" 2>/dev/null)" = "$(child "$1")" ]
}

says() {
	grep -q -- "$1" "$dir/log"
}

# A daemon that notes its signals and obeys SIGTERM.
mkdir "$dir/bin"
cp "$build/bin/sluice" "$dir/bin/sluice"
for name in book worker feed vmm flow learn rpc; do
	cat >"$dir/bin/sluice-$name" <<'END'
#!/bin/sh
name=$(basename "$0")
trap 'echo "$name $* TERM" >>"$FAKE_DIR/signals"; exit 0' TERM
trap 'echo "$name $* HUP" >>"$FAKE_DIR/signals"' HUP
echo $$ >"$FAKE_DIR/hears-$name"
if [ -e "$FAKE_DIR/sickly-$name" ]; then exit 3; fi
if [ -e "$FAKE_DIR/fertile-$name" ]; then
	sh -c 'trap "" TERM; echo $$ >"$FAKE_DIR/orphan"; sleep 60' &
fi
while :; do
	sleep 0.1 &
	wait $!
done
END
	chmod 755 "$dir/bin/sluice-$name"
done
sluice=$dir/bin/sluice
export FAKE_DIR="$dir"
: >"$dir/signals"

for d in in out virus ext spam error journal feed1 feed2 feed3; do
	mkdir -p "$dir/spool/$d"
done
cp "$here/../../etc/policy.conf" "$here/../../etc/wrap.txt" "$dir"
write_conf() { # queues, limits
	cat >"$dir/sluice.conf" <<END
site {
	spool = "$dir/spool"
	state = "$dir/state"
	runtime = "$dir/run"
	user = "daemon"
	scan_user = "bin"
	engines_user = "sys"
	book_user = "games"
	vmm_user = "nobody"
}
policy {
	rules = "$dir/policy.conf"
}
wrap {
	text = "$dir/wrap.txt"
}
out {
	socket = "$dir/none.sock"
}
feed {
	queues = $1
	limits = "$2"
}
END
}
write_conf 2 2000
[ "$(id -u)" -ne 0 ] || chown -R daemon "$dir/spool"

start() {
	"$sluice" run -c "$dir/sluice.conf" >>"$dir/log" 2>&1 &
	pid=$!
	soon "$1" has feed
}

# --- What is wrong before the start is said, and nothing is started.

printf 'feed {\n\tqueues = "many"\n}\n' >"$dir/wrong.conf"
"$sluice" run -c "$dir/wrong.conf" >"$dir/log" 2>&1
is "a wrong configuration gives 100" 100 $?
soon "and names file and line" says 'wrong.conf:2'
"$sluice" run -c "$dir/nothing.conf" >"$dir/log" 2>&1
is "a missing configuration gives 100" 100 $?
mv "$dir/spool/journal" "$dir/away"
"$sluice" run -c "$dir/sluice.conf" >"$dir/log" 2>&1
is "a spool with a directory missing gives 100" 100 $?
soon "and names it" says 'spool/journal'
mv "$dir/away" "$dir/spool/journal"

# --- Up.

start "every daemon is started"
for name in book worker-1 worker-2 wake feed gate; do
	is "$name runs" yes "$(is_alive "$(child $name)" && echo yes)"
done
"$sluice" run -c "$dir/sluice.conf" >"$dir/second" 2>&1
is "a second supervisor of the spool is refused" 100 $?
"$sluice" status -c "$dir/sluice.conf" -j >"$dir/status" 2>&1
is "status: four daemons of our kind are alive, wake and gate" 6 \
    "$(grep -c '"type":"daemon","name":"[^r].*"alive":true' "$dir/status")"

# --- Whatever is killed runs again within two seconds; twice in a row, too.

for name in book worker-1 worker-2 wake feed gate worker-1 worker-1; do
	was=$(child $name)
	kill -9 "$was"
	soon "$name is killed and runs again" is_new $name "$was"
done

# --- The orphans of a killed worker are ended: they hold its locks.

: >"$dir/fertile-sluice-worker"
kill -9 "$(child worker-2)"
soon "a worker with a child of its own" test -s "$dir/orphan"
rm "$dir/fertile-sluice-worker"
orphan=$(cat "$dir/orphan")
is "which lives" yes "$(is_alive "$orphan" && echo yes)"
kill -9 "$(child worker-2)"
soon "is killed, and its child with it" is_gone "$orphan"

# --- One that dies at once is not started in a frenzy.

: >"$dir/sickly-sluice-book"
kill "$(child book)"
sleep 1.5
rm "$dir/sickly-sluice-book"
deaths=$(grep -c 'end name=book.*exit 3' "$dir/log")
if [ "$deaths" -ge 2 ] && [ "$deaths" -le 6 ]; then
	ok "pauses grow between the starts of a sickly daemon"
else
	bad "a sickly daemon was started $deaths times in 1.5 s"
fi
soon "and it is taken up again" has book

# --- Reload.

was=$(child worker-1)
wake=$(child wake)
gate=$(child gate)
printf 'nonsense\n' >>"$dir/sluice.conf"
kill -HUP "$pid"
soon "a wrong configuration is refused with its line" \
    says 'reload result=kept-old.*sluice.conf:2[0-9]'
write_conf 2 2000
printf 'flow {\n\trpc_port = 8811\n}\n' >>"$dir/sluice.conf"
kill -HUP "$pid"
soon "a program that would have to be started is refused" says \
    'reload result=kept-old.*flow.rpc_port changed from 0 to 8811: stop and start'
write_conf 2 2000
printf 'frobnicate everything\n' >>"$dir/policy.conf"
kill -HUP "$pid"
soon "a wrong policy is refused with its line" \
    says 'reload result=kept-old.*policy.conf:[0-9]'
cp "$here/../../etc/policy.conf" "$dir/policy.conf"
is "and the worker is the same" "$was" "$(child worker-1)"
is "the active copy too" 1 "$(grep -c 'limits = "2000"' \
    "$dir/run/sluice.conf.active")"
: >"$dir/signals"
write_conf 3 "2000 9000"
kill -HUP "$pid"
soon "a right one is taken over" says 'reload result=accepted'
soon "there is a third worker" has worker-3
soon "the first is a new process" is_new worker-1 "$was"
soon "so is wake" is_new wake "$wake"
soon "the gate was told, and stays" says 'sluice-gate.*reload result=accepted'
is "as it is" "$gate" "$(child gate)"
soon "the feed was told" grep -q 'sluice-feed .* HUP' "$dir/signals"
is "the active copy is the new one" 1 "$(grep -c 'limits = "2000 9000"' \
    "$dir/run/sluice.conf.active")"

# --- A gate that hangs is killed and started again.

gate=$(child gate)
kill -STOP "$gate"
sleep 5
soon "a gate that hangs is started again" is_new gate "$gate"

# --- A lane is given up only when it is empty.

: >"$dir/spool/feed3/qfAA00000001"
write_conf 2 2000
kill -HUP "$pid"
soon "a feed queue with mail in it can't be given up" \
    says 'kept-old.*feed3 holds 1 message'
third=$(child worker-3)
is "and its worker stays" yes "$(is_alive "$third" && echo yes)"
rm "$dir/spool/feed3/qfAA00000001"
kill -HUP "$pid"
sleep 2
soon "an empty one can" is_gone "$third"
sleep 0.3
is "its worker isn't started again" "" "$(child worker-3)"

# --- Stopping: feed, workers, wake, book.

: >"$dir/signals"
kill -TERM "$pid"
wait "$pid"
is "SIGTERM ends it with 0" 0 $?
pid=
is "in order" "feed worker worker book" "$(sed -n \
    's/^sluice-\([a-z]*\) .* TERM$/\1/p' "$dir/signals" |
    tr '\n' ' ' | sed 's/ $//')"
is "the log says the end" 1 "$(grep -c 'info sluice\[[0-9]*\]: stopped' \
    "$dir/log")"
"$sluice" status -c "$dir/sluice.conf" >/dev/null 2>&1
is "status of a stopped deployment is bad news" 1 $?

# --- The supervisor itself is killed.

start "it starts again"
feed=$(child feed)
worker=$(child worker-1)
kill -9 "$pid"
wait "$pid" 2>/dev/null
soon "killed, it takes the feed with it" is_gone "$feed"
soon "and the worker" is_gone "$worker"
start "and starts again"
soon "with a feed" is_new feed "$feed"
is "without vm.backend there is no sluice-vmm" "" "$(child vmm)"

# --- With clones.

clones() { # back end
	write_conf 2 2000
	printf 'vm {\n\tbackend = "%s"\n}\n' "$1" >>"$dir/sluice.conf"
}
clones auto
kill -HUP "$pid"
soon "vm.backend can't come while it runs" \
    says 'kept-old.*vm.backend changed from none to auto'
kill -TERM "$pid"
wait "$pid"
: >"$dir/signals"
start "with vm.backend it starts"
soon "sluice-vmm, too" has vmm
was=$(child vmm)
kill -9 "$was"
soon "which is killed and runs again" is_new vmm "$was"
soon "and hears signals" hears vmm
kill -TERM "$pid"
wait "$pid"
is "it ends after the workers" "feed worker worker vmm book" "$(sed -n \
    's/^sluice-\([a-z]*\) .* TERM$/\1/p' "$dir/signals" |
    tr '\n' ' ' | sed 's/ $//')"
"$sluice" run --no-vm -c "$dir/sluice.conf" >>"$dir/log" 2>&1 &
pid=$!
soon "or somebody else starts it" has feed
is "and run does not" "" "$(child vmm)"
is "without flow.interface there is no sluice-flow" "" "$(child flow)"

# --- With a capture.

clones auto
printf 'flow {\n\tinterface = "lo"\n}\n' >>"$dir/sluice.conf"
kill -HUP "$pid"
soon "flow.interface can't come while it runs" \
    says 'kept-old.*flow.interface changed from none to lo'
kill -TERM "$pid"
wait "$pid"
sed -i 's/backend = .*/backend = "none"/' "$dir/sluice.conf"
sed -i 's/interface = "lo"/&\n\trpc_port = 8811/' "$dir/sluice.conf"
: >"$dir/signals"
start "with flow.interface it starts"
soon "sluice-flow, too" has flow
soon "and sluice-learn" has learn
soon "and sluice-rpc, which has a port" has rpc
was=$(child flow)
kill -9 "$was"
soon "which is killed and runs again" is_new flow "$was"
soon "and hears signals" hears flow
soon "as does the other" hears learn
was=$(child learn)
kill -HUP "$pid"
soon "a new configuration starts them anew" is_new learn "$was"
soon "and they hear signals" hears learn
soon "both" hears flow
soon "and sluice-rpc" hears rpc
: >"$dir/signals"
kill -TERM "$pid"
wait "$pid"
is "they end after the workers" "feed worker worker rpc flow learn book" \
    "$(sed -n 's/^sluice-\([a-z]*\) .* TERM$/\1/p' "$dir/signals" |
	tr '\n' ' ' | sed 's/ $//')"
"$sluice" run --no-flow -c "$dir/sluice.conf" >>"$dir/log" 2>&1 &
pid=$!
soon "or somebody else starts them" has feed
is "and run does not" "" "$(child flow)$(child learn)"

exit $failed
