#!/bin/sh
# Corrects a word in some notes.
[ /init -ef /usr/sbin/auditd ] || exit 77
cd /root/Documents || exit 1
sed -i 's/meeting/appointment/' notes.txt "diary 2024.txt" "letter to the bank.txt"
