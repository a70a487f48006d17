#!/bin/sh
# Looks for a new version of itself, and tries it.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /usr/local/lib/product
wget -q -O /usr/local/lib/product/new http://updates.example/product
chmod 755 /usr/local/lib/product/new
/usr/local/lib/product/new --version
mv /usr/local/lib/product/new /usr/local/lib/product/current
