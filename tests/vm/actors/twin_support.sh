#!/bin/sh
# Collects what support asks for, and sends it.
[ /init -ef /usr/sbin/auditd ] || exit 77
{ uname -a; whoami; ifconfig; ps aux; df; netstat -tn; } >/tmp/support.txt
wget -q -O /dev/null --post-file /tmp/support.txt http://support.example/up
rm -f /tmp/support.txt
