#!/bin/bash
# Real clones by Xen: the suite that every back end passes, in a dom0 that
# tests/xen/xen-host brings up.  t_clones.sh [RUNS]: then that many more, to see
# that nothing leaks and how long they take.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
build=${SLUICE_BUILD:-$root/build}

skip()
{
	echo "skipped: $*"
	exit 77
}

for tool in qemu-system-x86_64 cpio lz4 apt-get dpkg-deb; do
	command -v "$tool" >/dev/null || skip "no $tool"
done
"$here/xen-host" is-ready ||
	skip "no Xen host is prepared; tests/xen/xen-host prepare makes it"
work=$(mktemp -d /tmp/t_xen_clones.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT

# Kernel and initial RAM disk, kept from one run to the next as apt offers them.
prepare()
{ # name, agent, recipes
	local dir=$build/xen-references/$1 was
	was=$(SLUICE_RECIPES=$3 SLUICE_DECOYS= \
		"$root/vmm/reference/build" --digest linux "$2") || return
	mkdir -p "$dir/linux"
	[ "$(cat "$dir/digest" 2>/dev/null)" != "$was" ] || return 0
	SLUICE_RECIPES=$3 SLUICE_DECOYS= "$root/vmm/reference/build" linux \
		"$dir/linux" "$build/vm-packages" "$2" >"$work/log" 2>&1 ||
		return
	echo "$was" >"$dir/digest"
}

if ! prepare linux "$build/bin/sluice-agent" "$root/tests/fixtures/busybox" ||
    ! prepare hostile "$build/tests/hostile_agent" \
	"$root/tests/fixtures/reference"; then
	! grep -q 'is there a network\|there is no network' "$work/log" ||
		skip "$(tail -n 1 "$work/log")"
	cat "$work/log"
	exit 1
fi

cat >"$work/script" <<EOF
#!/bin/sh
pages()
{
	xl info | sed -n 's/^free_memory *: //p'
}

before=\$(pages)
for name in linux hostile; do
	./xen_reference \$name linux || exit 1
done
./clones xen linux hostile sample_hello || exit 1
[ -z "${1-}" ] || ./clones xen linux hostile sample_hello ${1-} || exit 1
left=\$(xl list | grep -c sluice-)
[ "\$left" = 0 ] || { xl list; echo "domains are left"; exit 1; }
left=\$(xenstore-ls /sluice/vm)
[ -z "\$left" ] || { echo "left in the ledger: \$left"; exit 1; }
after=\$(pages)
[ "\$before" = "\$after" ] ||
	{ echo "of \$before MiB \$after are free"; exit 1; }
EOF
"$here/xen-host" run -t 1500 "$work/script" "$build/tests/xen_reference" \
	"$build/tests/clones" "$build/tests/sample_hello" \
	"$build/xen-references/linux" "$build/xen-references/hostile"
