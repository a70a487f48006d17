#!/bin/sh
# Keeps its settings where programs do.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /root/.config/drawing
printf 'colour=blue\nwidth=3\n' >/root/.config/drawing/settings.ini
