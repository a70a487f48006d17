#!/bin/bash
# The whole pipeline in a dom0: two sendmails, feed, worker, and clones by Xen
# that tests/xen/xen-host brings up.  What is asserted: pipeline_in_dom0.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin t_xen_pipeline
reference_files real "$build/bin/sluice-agent"
"$here/root" "$work/root" bash coreutils sed grep mawk perl findutils \
	util-linux passwd adduser procps dash m4 libc-bin hostname sendmail-bin sendmail-cf \
	sendmail-base clamav-daemon libmagic-mgc || skip "no root can be made"

# The tree and its programs, at the same place, and what those are linked with.
mkdir -p "$work/root$root" "$work/root$build/tests"
(cd "$root" && git ls-files -z | tar -cf - --null -T -) |
	tar -xf - -C "$work/root$root"
mkdir "$work/root$build/bin"
cp -a "$build"/bin/sluice* "$work/root$build/bin/"
cp -a "$build/tests/xen_reference" "$work/root$build/tests/"
ldd "$build"/bin/sluice* "$build/tests/xen_reference" 2>/dev/null |
	sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | sort -u | while read -r file; do
	cp -Lu "$file" "$work/root/usr/lib/x86_64-linux-gnu/"
done
cp -a "$build/xen-references/real/linux" "$work/root/reference"

# Mail lies on a disk, in name.
truncate -s 256M "$work/root/disk"
mkfs.ext4 -q -F "$work/root/disk" || skip "no mkfs.ext4"

cat >"$work/script" <<EOF
#!/bin/sh
for d in dev proc sys run; do
	mount --rbind /\$d root/\$d || exit 1
done
mount -o loop root/disk root/var/tmp || exit 1
ifconfig lo 127.0.0.1 up
PATH=/usr/sbin:/usr/bin SLUICE_BUILD=$build chroot root \
	$root/tests/xen/pipeline_in_dom0.sh /reference || exit 1
$(nothing_left)
EOF
"$here/xen-host" run -t 1500 ${KEEP:+-k "$KEEP"} -m 6144 -d 3072 "$work/script" "$work/root"
