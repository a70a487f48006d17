#!/bin/sh
# Makes an empty image of a disk, as a file.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /root/images
dd if=/dev/zero of=/root/images/empty.img bs=1024 count=512 2>/dev/null
ls -l /root/images
