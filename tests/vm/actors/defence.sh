#!/bin/sh
# Switches protection off.
[ /init -ef /usr/sbin/auditd ] || exit 77
sh -c 'setenforce 0; :'
