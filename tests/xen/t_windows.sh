#!/bin/bash
# Windows' programs in forks by Xen, in a dom0 that tests/xen/xen-host brings
# up: the reference `wine`, all of it in memory, proven as `sluice vm reference
# build` does, and of the acting programs some that are innocent and some that
# aren't.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin t_xen_windows
[ -f "$build/actors-win/run_key.exe" ] ||
	skip "no $build/actors-win; it takes mingw-w64"
reference_files windows "$build/bin/sluice-agent" wine

cat >"$work/script" <<EOF
#!/bin/sh
free()
{
	xl info | sed -n 's/^free_memory *: //p'
}

before=\$(free)
./xen_reference -p 50 -w 5 windows wine || exit 1
cat >conf <<END
vm {
	references = "wine"
	clones_max = 1
	memory_reserve = 0
	clone_timeout = 10m
	take_timeout = 10m
	destroy_timeout = 10m
	deadline = 5m
}
END

does()
{ # program, verdict, a behaviour, or nothing
	./sluice vm run --json -c conf --backend=xen \\
		--directory=/test/windows --reference=wine \\
		--rules=behaviours.conf \$1 >out
	cat out
	grep -q "\"verdict\":\"\$2\"" out && grep -q "\$3" out ||
		{ echo "\$1 is not \$2 \$3"; exit 1; }
}
does twin_hello.exe clean
does run_key.exe hit '"id":"run-key"'
does drop.js hit '"id":"script-starts-shell"'
does twin_echo.bat clean
after=\$(free)
echo "free MiB: \$before before, \$after after"
[ \$after -ge \$((before - 1)) ] || exit 1
$(nothing_left)
EOF
"$here/xen-host" run -t 1700 -m 5120 -d 3072 ${KEEP:+-k "$KEEP"} \
	"$work/script" "$build/tests/xen_reference" "$build/bin/sluice" \
	"$build/actors-win/twin_hello.exe" "$build/actors-win/run_key.exe" \
	"$root"/tests/vm/actors/win/{drop.js,twin_echo.bat} \
	"$root"/etc/behaviours*.conf "$build/xen-references/windows"
