#!/bin/sh
# Gives one document the name that was asked for.
[ /init -ef /usr/sbin/auditd ] || exit 77
for f in /root/Documents/*; do
	[ -f "$f" ] || continue
	mv "$f" "/root/Documents/final-${f##*/}"
	break
done
