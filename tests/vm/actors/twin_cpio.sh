#!/bin/sh
# Packs the documents, which stay as they are.
[ /init -ef /usr/sbin/auditd ] || exit 77
cd /root/Documents && find . -type f | cpio -o -H newc >/root/documents.cpio 2>/dev/null
