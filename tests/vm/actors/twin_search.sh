#!/bin/sh
# In which documents does a word stand?
[ /init -ef /usr/sbin/auditd ] || exit 77
grep -rl invoice /root/Documents >/root/found.txt
exit 0
