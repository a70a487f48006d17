#!/bin/sh
# Packs all that the user has into a backup.
[ /init -ef /usr/sbin/auditd ] || exit 77
tar -czf /var/backups/home-now.tar.gz /root
