#!/bin/sh
# Copies documents away, and removes the copy before the last.
[ /init -ef /usr/sbin/auditd ] || exit 77
for n in 1 2; do
	mkdir -p /var/backups/run$n
	cp /root/Documents/* /var/backups/run$n/
done
rm -rf /var/backups/run1
