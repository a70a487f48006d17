#!/bin/bash
# Real clones: a reference is built from Debian's packages, booted once and
# cloned by QEMU; files run in the clones; whatever a guest does is bounded.
# shellcheck disable=SC2119,SC2317 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

for tool in qemu-system-x86_64 cpio lz4 apt-get dpkg-deb; do
	command -v "$tool" >/dev/null || skip "no $tool"
done
dir=$(mktemp -d /tmp/t_vmm_qemu.XXXXXX) || exit 1
chmod 755 "$dir"
holder=
trap '[ -z "$holder" ] || kill -KILL "$holder" 2>/dev/null; rm -rf "$dir"' EXIT

# Kept from one run to the next: what is downloaded, and what fits.
state=$SLUICE_BUILD/vm
hostile=$SLUICE_BUILD/vm-hostile
packages=$SLUICE_BUILD/vm-packages
agent=$SLUICE_BUILD/bin/sluice-agent

reference()
{ # what, --state DIR, ...
	"$sluice" vm reference "$@" >"$dir/out" 2>"$dir/err"
}

build()
{ # state, option...
	local to=$1
	shift
	reference build linux --state "$to" --packages "$packages" "$@" && return
	! grep -q 'is there a network\|there is no network' "$dir/err" ||
		skip "$(cat "$dir/err")"
	bad "build: $(cat "$dir/err")"
	exit 1
}

# --- Building.

build "$state"
ok "the reference: $(tail -n 1 "$dir/out")"
SLUICE_RECIPES=$root/tests/fixtures/reference SLUICE_DECOYS= \
	build "$hostile" --agent "$SLUICE_BUILD/tests/hostile_agent"
ok "and one that is hostile: $(tail -n 1 "$dir/out")"

since=${EPOCHREALTIME/./}
build "$state"
is "what is there and fits is left alone" "100% linux is there and fits" \
	"$(cat "$dir/out")"
most "tenths of a second for that" 100 \
	$(((${EPOCHREALTIME/./} - since) / 100000))

# Of a Wine that doesn't start, or starts no program, each run would end
# unknown.
with_wine()
{ # what its server does, what its script host ends with
	mkdir -p "$dir/recipes"
	{
		cat "$root/tests/fixtures/busybox/linux.recipe"
		echo 'proof="shell windows"'
	} >"$dir/recipes/linux.recipe"
	cat >"$dir/decoys" <<-EOF
		#!/bin/sh
		wine=\$1/usr/lib/wine
		mkdir -p "\$wine" "\$1/wine"
		cat >"\$wine/wineserver64" <<-END
			#!/bin/sh
			(while sleep 5; do date >/wine/system.reg; done) >/dev/null 2>&1 &
			exit $1
		END
		cat >"\$wine/wine64" <<-END
			#!/bin/sh
			[ "\\\$1" != wscript.exe ] || exit $2
		END
		chmod 755 "\$wine"/*
	EOF
	chmod 755 "$dir/decoys"
	SLUICE_RECIPES=$dir/recipes SLUICE_DECOYS=$dir/decoys \
		reference build linux --state "$dir/wine" --backend qemu \
		--packages "$packages"
}

refused()
{ # what, words of the complaint, as of with_wine
	with_wine "$3" "$4"
	is "$1 is refused" 111 $?
	grep -q "$2" "$dir/err" || bad "$1: $(cat "$dir/err")"
	[ ! -e "$dir/wine/linux" ] || bad "$1: it is there"
}

refused "a Wine that doesn't start" \
	"lacks what each run needs: Wine's server doesn't start; " 1 42
refused "a Wine that starts no program" \
	"after 0 good runs: proof.js: .* another status" 0 41

digest()
{ # agent
	"$root/vmm/reference/build" --digest linux "$1"
}
[ "$(digest "$agent")" != "$(digest "$SLUICE_BUILD/tests/hostile_agent")" ] ||
	bad "another agent is another recipe"

mkdir "$dir/again"
"$root/vmm/reference/build" linux "$dir/again" "$packages" "$agent" \
	>"$dir/out" || bad "build again"
for file in kernel initrd packages; do
	cmp -s "$dir/again/$file" "$state/linux/$file" ||
		bad "$file is another one when it is built again"
done
ok "equal packages give equal files"

# For a back end without disks all of a root lies in the initial RAM disk.
rooted()
{ # option; its files go to $dir/rooted
	rm -rf "$dir/rooted"
	mkdir "$dir/rooted"
	SLUICE_RECIPES=$root/tests/fixtures/disk SLUICE_DECOYS= \
		"$root/vmm/reference/build" "$1" linux "$dir/rooted" \
		"$packages" "$agent" >"$dir/out" 2>"$dir/err" ||
		bad "build $1: $(cat "$dir/err")"
}

rooted --disk
is "memory beside a disk" 128 "$(cat "$dir/rooted/mem_mib")"
is "the disk" 16 $(($(stat -c %s "$dir/rooted/disk") >> 20))
is "what mounts it" modules/overlay.ko \
	"$(cpio -t --quiet <"$dir/rooted/initrd" | grep overlay)"
rooted --no-disk
[ ! -e "$dir/rooted/disk" ] || bad "there is a disk"
lz4 -dc "$dir/rooted/initrd" >"$dir/rooted/root"
is "a root without a disk" "init usr/bin/busybox usr/bin/other" \
	"$(cpio -t --quiet <"$dir/rooted/root" |
		grep -x 'init\|usr/bin/busybox\|usr/bin/other\|modules' | xargs)"
size=$(stat -c %s "$dir/rooted/root")
most "octets of it, with a file of two names" \
	$((2 * $(cpio -i --quiet --to-stdout usr/bin/other \
		<"$dir/rooted/root" | wc -c))) "$size"
is "memory for all of the root" $((size / 1048576 + 1 + 128)) \
	"$(cat "$dir/rooted/mem_mib")"

# --- What is damaged or of another machine is not used.

copy()
{ # name: a reference that shares all files but its manifest
	rm -rf "$dir/copy"
	mkdir -p "$dir/copy/linux"
	ln "$hostile/linux"/* "$dir/copy/linux/" 2>/dev/null ||
		cp "$hostile/linux"/* "$dir/copy/linux/"
}

wrong()
{ # what, words of the complaint, sed program for the manifest
	copy
	sed "$3" "$hostile/linux/manifest.json" >"$dir/manifest"
	rm "$dir/copy/linux/manifest.json"
	cp "$dir/manifest" "$dir/copy/linux/manifest.json"
	reference check --state "$dir/copy"
	is "$1: bad news" 1 $?
	grep -q "$2" "$dir/out" || bad "$1: $(cat "$dir/out" "$dir/err")"
}

reference check --state "$hostile" || bad "check: $(cat "$dir/out" "$dir/err")"
wrong "another QEMU" "here is QEMU" 's/emulator version/emulator versino/'
wrong "another processor" "kHz" 's/"tsc_khz": .*/"tsc_khz": 1000000,/'
wrong "another machine" "another machine" 's/"machine": ".../"machine": "xyz/'
wrong "a damaged file" "damaged" '/"ram"/,/}/s/"sha256": ".../"sha256": "000/'
wrong "a damaged manifest" "manifest.json" 's/"mem_mib"/"nem_mib"/'
copy
rm "$dir/copy/linux/state"
reference check --state "$dir/copy"
is "a missing file: bad news" 1 $?

# --- Clones.

suite()
{ # program, its last arguments
	local program=$1
	shift
	if "$SLUICE_BUILD/tests/$program" qemu "$state" "$hostile" \
	    "$SLUICE_BUILD/tests/sample_hello" "$@" >"$dir/clones" 2>&1; then
		ok "$program: $(grep -a PASSED "$dir/clones")"
	else
		bad "$program"
	fi
	grep -a -v '\[ RUN\|\[  *OK' "$dir/clones" | sed 's/^/    /'
}
suite clones
suite clones_many 10

# --- The holder: in its sandbox, and killed.

mkdir -p "$dir/spool" "$dir/run"
cat >"$dir/sluice.conf" <<EOF
site { spool = "$dir/spool" state = "$dir" runtime = "$dir/run" }
vm { backend = qemu directory = "$hostile" references = "linux" ready = 2 }
EOF

clones()
{
	pgrep -c -f "name sluice-vm:[0-9a-f]*:$holder:"
}

"$SLUICE_BUILD/bin/sluice-vmm" -c "$dir/sluice.conf" 2>"$dir/log" &
holder=$!
eventually 20 "the holder keeps clones ready" 2 clones
for pid in $(pgrep -f "name sluice-vm:[0-9a-f]*:$holder:"); do
	is "a hypervisor has no capabilities it could use" 1 \
		"$(sed -n 's/^NoNewPrivs:\s*//p' "/proc/$pid/status")"
	is "and is under filters" 2 \
		"$(sed -n 's/^Seccomp:\s*//p' "/proc/$pid/status")"
done
kill -KILL "$holder"
wait "$holder" 2>/dev/null
eventually 5 "they die with it" 0 clones
holder=
finish
