#!/bin/sh
# Begins a project, with a page that says what it is.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /root/project/src
printf 'A program that draws.\n\nRead src/ first.\n' >/root/project/README.txt
printf 'nothing yet\n' >/root/project/src/main.txt
