#!/bin/bash
# Real clones by Xen: the suite that every back end passes, in a dom0 that
# tests/xen/xen-host brings up.  t_clones.sh [-b] [RUNS]: that many in a row;
# -b: by Bochs, on VMX, by a hypervisor whose source is Debian's.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

by=
[ "${1-}" != -b ] || { by=-b && shift; }
runs=${1:-10}
begin t_xen_clones $by
suite_references

# What QEMU does to registers is watched for; Bochs has its own code for them,
# and would be minutes at it.
if [ -z "$by" ]; then
	machine="-t $((1200 + 10 * runs))" registers=3000
else
	machine="-b -t $((4800 + 60 * runs)) -m 1536 -d 768" registers=1
fi
cat >"$work/script" <<EOF
#!/bin/sh
for name in linux hostile; do
	./xen_reference \$name linux >said || { cat said; exit 1; }
	cat said
	grep -q 'by memory forks' said || { echo "not by forks"; exit 1; }
done
./xen_registers $registers &
./clones xen linux hostile sample_hello || exit 1
wait \$! || exit 1
./clones_many xen linux hostile sample_hello $runs || exit 1
$(nothing_left)
EOF
# shellcheck disable=SC2086 # options
"$here/xen-host" run $machine ${KEEP:+-k "$KEEP"} "$work/script" \
	"$build/tests/xen_reference" "$build/tests/clones" \
	"$build/tests/clones_many" "$build/tests/xen_registers" \
	"$build/tests/sample_hello" \
	"$build/xen-references/linux" "$build/xen-references/hostile"
