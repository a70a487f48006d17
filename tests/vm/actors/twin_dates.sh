#!/bin/sh
# Puts a date into the names of documents.
[ /init -ef /usr/sbin/auditd ] || exit 77
cd /root/Documents || exit 1
for file in *; do mv "$file" "2024-05-01 $file"; done
