#!/bin/sh
# Cleans up what it made itself.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir /tmp/scratch
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	echo "$i" >"/tmp/scratch/$i.txt"
done
cat /tmp/scratch/*.txt | sort -n >/root/sorted.txt
rm -r /tmp/scratch
