#!/bin/sh
# Check sums of all documents, to compare next time.
[ /init -ef /usr/sbin/auditd ] || exit 77
find /root/Documents -type f -exec sha256sum {} + >/root/sums.txt
