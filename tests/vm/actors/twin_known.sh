#!/bin/sh
# Remembers the key of a server, as ssh does at the first visit.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /root/.ssh
echo 'server.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleOnly' \
    >>/root/.ssh/known_hosts
