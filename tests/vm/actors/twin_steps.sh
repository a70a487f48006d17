#!/bin/sh
# Does thirty things one after the other.
[ /init -ef /usr/sbin/auditd ] || exit 77
i=0
while [ $i -lt 30 ]; do
	expr $i \* 3 >>/root/table.txt
	i=$((i + 1))
done
