#!/bin/bash
# Real clones by a Xen that shares no memory: Debian's own hypervisor.  The
# probe says so, each clone is restored whole, and the suite passes.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin t_xen_stock
suite_references

cat >"$work/script" <<EOF
#!/bin/sh
for name in linux hostile; do
	./xen_reference \$name linux >said || { cat said; exit 1; }
	cat said
	grep -q 'each clone restored whole: the hypervisor was built without' \
		said || { echo "the probe doesn't say why"; exit 1; }
done
./clones xen linux hostile sample_hello || exit 1
$(nothing_left)
EOF
"$here/xen-host" run -n -t 1500 ${KEEP:+-k "$KEEP"} "$work/script" \
	"$build/tests/xen_reference" "$build/tests/clones" \
	"$build/tests/sample_hello" \
	"$build/xen-references/linux" "$build/xen-references/hostile"
