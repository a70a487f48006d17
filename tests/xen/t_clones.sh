#!/bin/bash
# Real clones by Xen: the suite that every back end passes, in a dom0 that
# tests/xen/xen-host brings up.  t_clones.sh [RUNS]: that many in a row.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin t_xen_clones
suite_references

cat >"$work/script" <<EOF
#!/bin/sh
for name in linux hostile; do
	./xen_reference \$name linux || exit 1
done
./xen_registers 3000 &
./clones xen linux hostile sample_hello || exit 1
wait \$! || exit 1
./clones_many xen linux hostile sample_hello ${1:-10} || exit 1
$(nothing_left)
EOF
"$here/xen-host" run -t $((1200 + 10 * ${1:-10})) ${KEEP:+-k "$KEEP"} "$work/script" \
	"$build/tests/xen_reference" "$build/tests/clones" \
	"$build/tests/clones_many" "$build/tests/xen_registers" \
	"$build/tests/sample_hello" \
	"$build/xen-references/linux" "$build/xen-references/hostile"
