#!/bin/sh
# Writes a log of its own and keeps the last lines of it.
[ /init -ef /usr/sbin/auditd ] || exit 77
for i in 1 2 3 4 5 6; do
	echo "step $i" >>/var/log/drawing.log
done
tail -n 3 /var/log/drawing.log >/root/last.log
