#!/bin/sh
# Starts something, has enough of it, and ends it.
[ /init -ef /usr/sbin/auditd ] || exit 77
sleep 30 &
kill $!
wait $! 2>/dev/null
exit 0
