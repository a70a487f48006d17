#!/bin/sh
# Adds its directory to the path of the next session.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /root/bin
echo 'PATH=$PATH:/root/bin' >>/root/.profile
