#!/bin/sh
# What a support desk asks for: system, disk, memory.
[ /init -ef /usr/sbin/auditd ] || exit 77
{
	uname -a
	cat /etc/os-release
	df
	free
} >/root/system.txt 2>/dev/null
