#!/bin/bash
# Real clones by Xen: the suite that every back end passes, in a dom0 that
# tests/xen/xen-host brings up.  t_clones.sh [RUNS]: then that many more, to see
# that nothing leaks and how long they take.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin t_xen_clones
export SLUICE_DECOYS=
SLUICE_RECIPES=$root/tests/fixtures/busybox reference_files linux \
	"$build/bin/sluice-agent"
SLUICE_RECIPES=$root/tests/fixtures/reference reference_files hostile \
	"$build/tests/hostile_agent"

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
