#!/bin/sh
# Makes a program out of parts, and tests it.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /tmp/build
cd /tmp/build || exit 1
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	echo "echo part $n" | sed 's/part/Part/' >part$n
	grep -q Part part$n || exit 1
done
{ echo '#!/bin/sh'; cat part*; } >program
chmod +x program
./program >log
sort log | uniq -c | wc -l >>log
rm -rf /tmp/build
