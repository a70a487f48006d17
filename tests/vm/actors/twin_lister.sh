#!/bin/sh
# Looks at files and says what there is.
[ /init -ef /usr/sbin/auditd ] || exit 77
ls -la /root/Documents >/tmp/list
du -s /usr >>/tmp/list
date >>/tmp/list
sleep 1
