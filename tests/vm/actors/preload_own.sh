#!/bin/sh
# A library, which is none, for one program.
[ /init -ef /usr/sbin/auditd ] || exit 77
echo nothing >/tmp/.libx.so
LD_PRELOAD=/tmp/.libx.so bash -c :
