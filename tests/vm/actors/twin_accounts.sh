#!/bin/sh
# Lists who may log in.
[ /init -ef /usr/sbin/auditd ] || exit 77
awk -F: '$7 !~ /nologin|false/ {print $1, $6}' /etc/passwd >/root/accounts.txt
