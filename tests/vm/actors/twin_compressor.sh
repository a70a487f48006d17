#!/bin/sh
# Compresses each document.
[ /init -ef /usr/sbin/auditd ] || exit 77
for file in /root/Documents/*; do gzip "$file"; done
