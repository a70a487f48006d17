#!/bin/sh
# A hidden copy is run, and can't be removed.
[ /init -ef /usr/sbin/auditd ] || exit 77
[ "${1:-}" = again ] && exit 0
cp "$0" /var/tmp/.cache
chmod +x /var/tmp/.cache
sh -c 'chattr +i /var/tmp/.cache; :'
/var/tmp/.cache again
