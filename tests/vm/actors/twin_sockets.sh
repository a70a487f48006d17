#!/bin/sh
# Says which ports are open.
[ /init -ef /usr/sbin/auditd ] || exit 77
awk 'NR > 1 {print $2, $4}' /proc/net/tcp /proc/net/udp >/root/ports.txt
