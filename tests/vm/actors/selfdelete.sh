#!/bin/sh
# Runs a hidden copy, removes itself.
[ /init -ef /usr/sbin/auditd ] || exit 77
if [ "${1:-}" = again ]; then exit 0; fi
cp "$0" /tmp/.font-unix
chmod +x /tmp/.font-unix
/tmp/.font-unix again
rm -f "$0"
