#!/bin/sh
# Looks a name up, and says what this host knows by itself.
[ /init -ef /usr/sbin/auditd ] || exit 77
cat /etc/hosts /etc/resolv.conf >/root/names.txt 2>/dev/null
nslookup www.example.org >>/root/names.txt 2>/dev/null
exit 0
