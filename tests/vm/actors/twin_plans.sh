#!/bin/sh
# Shows what is planned.
[ /init -ef /usr/sbin/auditd ] || exit 77
for d in /etc/cron.d /etc/cron.daily /etc/cron.hourly /root/.config/autostart; do
	echo "$d:"
	ls -l "$d" 2>/dev/null
done >/root/plans.txt
cat /etc/crontab >>/root/plans.txt 2>/dev/null
