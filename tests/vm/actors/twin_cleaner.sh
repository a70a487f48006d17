#!/bin/sh
# Makes temporary files and removes them.
[ /init -ef /usr/sbin/auditd ] || exit 77
for n in 1 2 3 4 5 6 7 8; do echo $n >/tmp/work.$n; done
cat /tmp/work.* >/tmp/result
rm -f /tmp/work.*
