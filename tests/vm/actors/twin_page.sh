#!/bin/sh
# Gets a page and keeps its text.
[ /init -ef /usr/sbin/auditd ] || exit 77
wget -q -O /root/page.html http://www.example.org/news.html
sed 's/<[^>]*>//g' /root/page.html >/root/page.txt
