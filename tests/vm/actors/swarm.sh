#!/bin/sh
# Programs without end.
[ /init -ef /usr/sbin/auditd ] || exit 77
for n in $(seq 120); do /usr/bin/true; done
