#!/bin/sh
# Starts a service of its own, asks it, ends it.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /tmp/site
echo hello >/tmp/site/index.html
httpd -f -p 127.0.0.1:8000 -h /tmp/site &
sleep 1
wget -q -O /tmp/got http://127.0.0.1:8000/
kill $!
wait
rm -rf /tmp/site /tmp/got
