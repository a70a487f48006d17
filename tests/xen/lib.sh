# tests/xen/lib.sh - what the tests in a dom0 share.  Source it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${SLUICE_BUILD:-$root/build}

skip()
{
	echo "skipped: $*"
	exit 77
}

# Skips where there is no Xen host; makes $work.
begin()
{ # name, option of xen-host
	local tool
	for tool in qemu-system-x86_64 cpio lz4 apt-get dpkg-deb; do
		command -v "$tool" >/dev/null || skip "no $tool"
	done
	"$here/xen-host" is-ready ${2:+"$2"} ||
		skip "no Xen host is prepared; tests/xen/xen-host prepare${2:+ $2} makes it"
	work=$(mktemp -d "/tmp/$1.XXXXXX") || exit 1
	trap 'rm -rf "$work"' EXIT
}

# Kernel and initial RAM disk of a reference, kept from one run to the next as
# apt offers them, in $build/xen-references/NAME/RECIPE.
reference_files()
{ # name, agent, recipe (linux); SLUICE_... as vmm/reference/build has them
	local dir=$build/xen-references/$1 recipe=${3-linux} was
	was=$("$root/vmm/reference/build" --digest "$recipe" "$2") || return
	mkdir -p "$dir/$recipe"
	[ "$(cat "$dir/digest" 2>/dev/null)" != "$was" ] || return 0
	"$root/vmm/reference/build" --no-disk "$recipe" "$dir/$recipe" \
		"$build/vm-packages" "$2" >"$work/log" 2>&1 &&
		echo "$was" >"$dir/digest" && return
	! grep -q 'is there a network\|there is no network' "$work/log" ||
		skip "$(tail -n 1 "$work/log")"
	cat "$work/log"
	exit 1
}

# Of the suite of clones.
suite_references()
{
	export SLUICE_DECOYS=
	SLUICE_RECIPES=$root/tests/fixtures/busybox reference_files linux \
		"$build/bin/sluice-agent"
	SLUICE_RECIPES=$root/tests/fixtures/reference reference_files hostile \
		"$build/tests/hostile_agent"
}

# Lines of a script for dom0: no domain of ours is left, nor a word in the
# ledger.
nothing_left()
{
	cat <<'END'
left=$(xl list) || exit 1
[ "$(echo "$left" | wc -l)" = 2 ] || { echo "left: $left"; exit 1; }
left=$(xenstore-ls /sluice) || exit 1
[ "$left" = 'vm = ""' ] || { echo "left in the ledger: $left"; exit 1; }
END
}
