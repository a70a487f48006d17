# shellcheck shell=bash
# tests/bench/lib.sh - read by pipeline and backlog.  Every measurement has a
# deployment of its own, made anew: spool, scanned table, ledger and clamd's
# cache are empty for each contestant.

# shellcheck source=tests/integration/lib.sh
. "$here/../integration/lib.sh"

# shellcheck disable=SC2034 # used by those who read this file
tools=$SLUICE_BUILD/tests
helpers=() # what we started beside the parts

# Said at once, and not mixed with the result.
say()
{
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
}

fail()
{
	say "$*"
	failed=1
	exit 111
}

# Called at exit too, by integration/lib.sh.
own_clean_up()
{
	local pid
	for pid in ${helpers[@]+"${helpers[@]}"}; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	helpers=()
}

# helper PROGRAM...: runs beside the parts until end_helpers.  No function: a
# signal would end the shell around it only.
helper()
{
	"$@" </dev/null 2>>"$dir/helpers.log" &
	helpers+=($!)
}

end_helpers()
{
	own_clean_up
}

# fresh NAME [SETUP OPTION...]: an empty deployment in $place
fresh()
{
	place=$dir/$1
	shift
	deploy --set worker.engines="policy clamd" "$@"
}

# All of Sluice is at work, and the feed's first look is over.
sluice_ready()
{
	until_is 30 1 grep -c 'sluice-feed.*: ready' "$place/log/sluice.log" &&
		until_is 30 0 grep -c '"pid":0' "$place/run/crew" ||
		fail "sluice: doesn't get ready"
	sleep 0.5
}

# Stop it and take it away, and let the disk come to rest.
dismantle()
{
	end_helpers
	part stop >&2 || fail "the deployment doesn't stop"
	rm -rf "$(wake_of "$place")" "$place"
	places=()
	sync
}

# NAME=PID of the parts that run.
pids()
{
	local name pid
	for name in clamd out sluice in; do
		pid=$(part pid "$name") && echo "$name=$pid"
	done
}

# cpu_now NAME=PID...
cpu_now()
{
	python3 "$here/procs.py" cpu "$@"
}

# How many have arrived, at the sink or in a quarantine?
arrived_all()
{
	local at_sink=0
	[ ! -s "$place/log/sink.jsonl" ] ||
		at_sink=$(wc -l <"$place/log/sink.jsonl")
	echo $((at_sink + $(count virus ext spam error)))
}

# wait_for N SECONDS: seldom asked, since asking takes time from those asked
wait_for()
{
	local end=$((SECONDS + $2))
	while [ "$(arrived_all)" -lt "$1" ]; do
		[ $SECONDS -lt $end ] || fail "$place: only $(arrived_all)" \
		    "of $1 messages arrived within $2 s"
		sleep 0.25
	done
}

# The extra programs, from this tree's build.
want_tools()
{
	local program
	for program; do
		[ -x "$tools/$program" ] || {
			say "no program at $tools/$program"
			exit 1
		}
	done
	command -v python3 >/dev/null || skip "no python3 here"
}

# Messages to send, as a list of files in $list.
make_list()
{ # directory or "", count
	local source=$1 tarball=${SLUICE_SHARED:-$root/../shared}
	tarball=$tarball/corpus/dev-corpus.tar.xz
	list=$dir/list
	if [ -z "$source" ] && [ -r "$tarball" ]; then
		source=$dir/corpus
		mkdir "$source" && tar -xJf "$tarball" -C "$source" ||
			fail "$tarball: can't be unpacked"
	fi
	if [ -n "$source" ]; then
		say "mail of ${1:-$tarball}"
		python3 "$here/figures.py" list "$source" "$2" >"$list" ||
			fail "no list of messages"
		return
	fi
	say "no corpus ($tarball): generated mail instead"
	generate_mail "$2"
}

# The sink keeps what the load generator sends: files like a corpus.
generate_mail()
{ # count
	local port
	port=$(free_ports 1)
	mkdir "$dir/generated" && cd "$dir/generated" || fail "no directory"
	mkdir ham
	"$traffic" sink --listen "127.0.0.1:$port" --store ham \
	    --until "$1" 2>/dev/null &
	sleep 0.5
	"$traffic" send --to "127.0.0.1:$port" --count "$1" --seed 3 \
	    --attach-share 0.04 >/dev/null 2>&1 || fail "no generated mail"
	wait $!
	# They get another identity when they are sent.
	find ham -type f -exec sed -i '/^X-Traffic-Id:/d' {} +
	cd / || exit 1
	find "$dir/generated/ham" -type f >"$list"
}
