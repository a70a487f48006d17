#!/bin/sh
# Looks where it is, waits for nobody to look, and is gone.
[ /init -ef /usr/sbin/auditd ] || exit 77
whoami >/tmp/out
uname -a >>/tmp/out
ifconfig >>/tmp/out
ps aux >>/tmp/out
netstat -tn >>/tmp/out
sh -c 'systemd-detect-virt; :'
sleep 1000
rm -f "$0"
