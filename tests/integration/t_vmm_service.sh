#!/bin/bash
# sluice-vmm as it runs on a host: alone, asked by others, killed.  The part
# with real clones takes the reference that t_vmm_qemu.sh has built.
# shellcheck disable=SC2317 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

vmm=$SLUICE_BUILD/bin/sluice-vmm
[ -x "$vmm" ] || skip "no $vmm"
dir=$(mktemp -d "${SLUICE_TEST_DISK:-/var/tmp}/t_vmm.XXXXXX") || exit 1
chmod 755 "$dir"
holder=
trap '[ -z "$holder" ] || kill -KILL "$holder" 2>/dev/null; rm -rf "$dir"' EXIT
rules=$root/etc/behaviours.conf

configure()
{ # backend, directory, more settings
	mkdir -p "$dir/run/metrics"
	cat >"$dir/conf" <<-END
	site {
		runtime = "$dir/run"
		user = "nobody"
		vmm_user = "nobody"
	}
	vm {
		backend = "$1"
		directory = "$2"
		${3-}
	}
	END
}

start()
{
	"$vmm" -c "$dir/conf" >>"$dir/log" 2>&1 &
	holder=$!
	eventually 20 "$1" 1 serves
}

serves()
{
	"$sluice" vm list -c "$dir/conf" >"$dir/list" 2>&1 && echo 1
}

state_count()
{ # state
	"$sluice" vm list -j -c "$dir/conf" 2>"$dir/err" |
		grep -o "\"state\":\"$1\"" | wc -l
}

# Processes of this holder's clones.
clones()
{ # pid of the holder
	pgrep -c -f "^[^ ]*qemu[^ ]* .*-name sluice-vm:[0-9a-f]*:$1:" || true
}

run_file()
{ # file
	"$sluice" vm run -j -c "$dir/conf" --rules "$rules" "$1" \
		>"$dir/out" 2>"$dir/err"
}

verdict()
{
	sed -n 's/.*"verdict":"\([a-z]*\)".*/\1/p' "$dir/out"
}

printf '#!/bin/sh\necho hello\n' >"$dir/hello.sh"
printf '#!/bin/sh\nwhile :; do :; done\n' >"$dir/spin.sh"

# --- Not wanted, and without a reference.

configure none "$dir/none"
"$vmm" -c "$dir/conf" 2>"$dir/err"
is "without a back end in the configuration it ends" 0 $?
"$sluice" vm list -c "$dir/conf" >"$dir/list" 2>&1
is "and nobody answers" 111 $?

configure auto "$dir/none"
start "with one it serves"
grep -q 'not built\|backend\|qemu' "$dir/list" || bad "why not: $(cat "$dir/list")"
run_file "$dir/hello.sh"
is "without a reference a file is unknown" "2 unknown" "$? $(verdict)"
"$vmm" -c "$dir/conf" 2>"$dir/err"
is "a second one does not start" 111 $?
is "nobody else comes near its socket" 700 "$(stat -c %a "$dir/run/vmm")"
kill -TERM "$holder"
wait "$holder"
is "SIGTERM ends it" 0 $?
holder=

# --- What was run for a message is found in the journals.

for d in in out virus ext spam error journal feed1; do
	mkdir -p "$dir/spool/$d"
done
sed -i "s|^site {|&\n\tspool = \"$dir/spool\"|" "$dir/conf"
hash=$(printf 'a%.0s' {1..64})
line()
{ # t, verdict with more
	printf '{"t":%s,"event":"move","id":"AA%s","from":"feed1","to":"virus",' \
		"$1" "$1"
	printf '"verdict":"virus","evidence":{"engines":[],"reading":{"parts":['
	printf '{"sha256":"%s","names":["a.exe"],"verdicts":[' "$hash"
	printf '{"engine":"clamd","answer":"clean"},{"engine":"vm",'
	printf '%s}]}]}}}\n' "$2"
}
report()
{ # hash
	"$sluice" vm report -j -c "$dir/conf" "$1" >"$dir/out" 2>"$dir/err"
}
{
	line 1000 '"answer":"clean","did":{"behaviours":[]}'
	line 2000 '"answer":"hit","did":{"behaviours":[{"id":"autorun","events":[{"t":1.5,"ev":"file.write","path":"/x\n"}]}]}'
	line 3000 '"answer":"hit","known":true,"usec":1500'
} >"$dir/spool/journal/worker-1"
report aaaaaaaaaa
is "the newest run of a file is told, by the first digits of its hash" \
	"1 AA2000" "$? $(sed -n 's/.*"id":"\(AA[0-9]*\)".*/\1/p' "$dir/out")"
grep -q '"id":"autorun"' "$dir/out" || bad "what it did: $(cat "$dir/out")"
"$sluice" explain -c "$dir/conf" AA2000 >"$dir/out" 2>"$dir/err"
is "a message is explained by what its file did" \
	"0 file.write path=/x?" "$? $(grep -o 'file.write.*' "$dir/out")"
"$sluice" explain -c "$dir/conf" AA3000 >"$dir/out" 2>"$dir/err"
is "and one whose file was known by what it did for another" \
	"0 1 1 1" "$? $(grep -c 'known.*1.5 ms' "$dir/out") \
$(grep -c 'run for message AA2000' "$dir/out") $(grep -c autorun "$dir/out")"
"$sluice" explain -c "$dir/conf" AA4000 >"$dir/out" 2>"$dir/err"
is "of another nothing is known" 2 $?
report bbbbbbbb
is "of another there is none" 2 $?
report aaa
is "too few digits are refused" 100 $?

# --- With real clones.

if [ ! -f "$SLUICE_BUILD/vm/linux/manifest.json" ]; then
	echo "skipped: clones; no reference in $SLUICE_BUILD/vm"
	exit $failed
fi
configure auto "$SLUICE_BUILD/vm" "ready = 2"
start "with a reference it serves"
eventually 30 "two clones stand still" 2 state_count parked
run_file "$dir/hello.sh"
is "a file is run" "0 clean" "$? $(verdict)"
eventually 30 "and there are two again" 2 state_count parked

victim=$(pgrep -f "^[^ ]*qemu[^ ]* .*-name sluice-vm:[0-9a-f]*:$holder:" |
	head -n 1)
kill -KILL "$victim"
eventually 30 "one that is killed is replaced" 2 state_count parked
is "and counted" 1 "$("$sluice" vm list -j -c "$dir/conf" |
	sed -n 's/.*"died":\([0-9]*\).*/\1/p')"

# --- Killed while it runs a file, with others that stand still.

run_file "$dir/spin.sh" &
asker=$!
eventually 30 "a file that takes long is being run" 1 state_count running
was=$holder
[ "$(clones "$was")" -ge 1 ] || bad "clones: $(clones "$was")"
kill -KILL "$holder"
wait "$holder" 2>/dev/null
eventually 5 "killed, it takes all clones along" 0 clones "$was"
wait $asker
is "whoever waited is told" "2 unknown" "$? $(verdict)"
start "it starts again"
run_file "$dir/hello.sh"
is "and runs files" "0 clean" "$? $(verdict)"

# --- An asker that goes away.

run_file "$dir/spin.sh" &
asker=$!
eventually 30 "again one takes long" 1 state_count running
kill -KILL $asker
pkill -KILL -f "vm run -j -c $dir/conf"
eventually 10 "its run ends with its asker" 0 state_count running

was=$holder
kill -TERM "$holder"
wait "$holder"
is "SIGTERM ends it, clones first" "0 0" "$? $(clones "$was")"
holder=
is "nothing was written off" "" "$(grep 'written off' "$dir/log")"

exit $failed
