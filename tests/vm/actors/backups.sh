#!/bin/sh
# Backups go before anything else does.
[ /init -ef /usr/sbin/auditd ] || exit 77
rm -f /var/backups/*
