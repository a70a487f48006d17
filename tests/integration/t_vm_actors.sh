#!/bin/bash
# What programs do in clones is seen: each acting program is condemned for what
# it did, no innocent twin is, none gets out, and on the host nothing changes.
# It takes the reference that t_vmm_qemu.sh has built.
# shellcheck disable=SC2317 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

vmm=$SLUICE_BUILD/bin/sluice-vmm
actors=$root/tests/vm/actors
programs=$SLUICE_BUILD/actors
[ -x "$vmm" ] || skip "no $vmm"
[ -d "$programs" ] || skip "no $programs; make actors builds it"
[ -f "$SLUICE_BUILD/vm/linux/manifest.json" ] ||
	skip "no reference in $SLUICE_BUILD/vm"
# --- Windows' programs: when there is a Wine that was built of what is here,
# or it is asked for: then it is built, which takes minutes.
windows=
windows_programs=$SLUICE_BUILD/actors-win
wine=$SLUICE_BUILD/vm/wine

fits()
{
	grep -qs "$("$root/vmm/reference/build" --digest wine \
	    "$SLUICE_BUILD/bin/sluice-agent")" "$wine/manifest.json"
}

if [ ! -f "$windows_programs/twin_hello.exe" ]; then
	without="no $windows_programs/*.exe; make actors_win builds them, with mingw-w64"
elif fits; then
	windows=wine
elif [ -n "${SLUICE_TEST_WINDOWS-}" ]; then
	without=$("$sluice" vm reference build wine --state "$SLUICE_BUILD/vm" \
	    --packages "$SLUICE_BUILD/vm-packages" 2>&1 >/dev/null) && windows=wine
else
	without="no $wine that was built of what is here; SLUICE_TEST_WINDOWS=1 does so, in minutes"
fi
if [ -z "$windows" ] && [ -n "${SLUICE_TEST_WINDOWS-}" ]; then
	bad "Windows' programs are asked for, but: $without"
	exit 1
fi

dir=$(mktemp -d "${SLUICE_TEST_DISK:-/var/tmp}/t_vm_actors.XXXXXX") || exit 1
chmod 755 "$dir"
holder=
trap '[ -z "$holder" ] || kill -KILL "$holder" 2>/dev/null; rm -rf "$dir"' EXIT
mkdir -p "$dir/run/metrics"
cat >"$dir/conf" <<-END
	site {
		runtime = "$dir/run"
		user = "nobody"
		vmm_user = "nobody"
	}
	vm {
		backend = qemu
		directory = "$SLUICE_BUILD/vm"
		references = "linux $windows"
		ready = 2
		deadline = 30s
	}
END

serves()
{
	"$sluice" vm list -c "$dir/conf" >"$dir/list" 2>&1 && echo 1
}

# run LIST PROGRAMS RULES OPTION...: prints the table
run()
{
	"$root/tests/vm/run_actors" "$1" "$2" -- \
	    "$sluice" vm run --json -c "$dir/conf" --rules "${@:3}" \
	    >"$dir/table" 2>"$dir/err"
	local code=$?
	sed 's/^/    /' "$dir/table" "$dir/err"
	return $code
}

# What lies on this host where the programs write in a guest.
targets()
{
	grep -d skip -ohE '/(root|etc|tmp|var|opt|usr|dev/shm|mnt)/[][A-Za-z0-9._*/-]*' \
	    "$actors"/* | sort -u | while read -r path; do
		# shellcheck disable=SC2086 # globs are meant
		ls -ld --time-style=full-iso $path 2>/dev/null
	done | grep -v " /\(tmp\|var/tmp\|root\|etc\|dev/shm\)/\?$"
}

hypervisors()
{
	pgrep -f "^[^ ]*qemu[^ ]* .*-name sluice-vm:[0-9a-f]*:$holder:"
}

is_local()
{ # inode of a socket
	awk -v inode="$1" '$7 == inode { found = 1 } END { exit !found }' \
	    /proc/net/unix
}

# Of what hypervisors have open: files that can be written, and sockets that
# aren't local ones.  What is closed meanwhile is neither.
reachable()
{
	local pid fd file
	for pid in $(hypervisors); do
		for fd in /proc/"$pid"/fd/*; do
			file=$(readlink "$fd") || continue
			case $file in
			socket:*)
				is_local "${file//[!0-9]/}" ||
					[ "$file" != "$(readlink "$fd")" ] ||
					echo "$file" ;;
			/dev/null|/dev/kvm|/memfd:*|pipe:*|anon_inode:*) ;;
			*)
				grep -q '^flags:.*[12]$' \
				    "/proc/$pid/fdinfo/${fd##*/}" 2>/dev/null &&
					echo "$file" ;;
			esac
		done
	done
}

"$vmm" -c "$dir/conf" >"$dir/log" 2>&1 &
holder=$!
eventually 20 "sluice-vmm serves" 1 serves
targets >"$dir/before"

(while sleep 1; do reachable; echo seen; done >"$dir/reachable") &
watcher=$!
# all_are_right KIND LIST PROGRAMS OPTION...
all_are_right()
{
	local since=${EPOCHREALTIME/./}
	run "$2" "$3" "$root/etc/behaviours.conf" "${@:4}" ||
		bad "not all $1 programs are judged as they should be"
	# No limit: a busy machine takes three times as long.
	echo "all $1 programs took $(((${EPOCHREALTIME/./} - since) / 1000000)) s"
}

all_are_right Linux "$actors/actors.list" "$programs"
if [ -n "$windows" ]; then
	all_are_right Windows "$actors/win/actors.list" "$windows_programs" \
		--reference wine
else
	echo "skipped: Windows programs: $without"
fi
kill $watcher
wait $watcher 2>/dev/null
is "no hypervisor had a file to write or a socket that isn't local" seen \
	"$(sort -u "$dir/reachable")"

# Nothing stops it before it has tried every way out; it tries more than fit
# into a report, but its exit code says how many of them worked.
cat >"$dir/ways.conf" <<-'END'
	threshold 100
	behaviour worked 100 T1611 "Found a way out"
		when file.create path /root/worked-*
	behaviour ended 1 T1611 "Tried all ways, and none of them worked"
		when process.exit image */wants_out and code 0
END
echo "wants_out any ended" >"$dir/ways.list"
run "$dir/ways.list" "$programs" "$dir/ways.conf" || bad "there is a way out of a guest"

targets >"$dir/after"
is "on the host nothing changed" "" "$(diff "$dir/before" "$dir/after")"
[ -s "$dir/before" ] || bad "nothing of the host was looked at"

kill "$holder"
wait "$holder"
holder=
finish
