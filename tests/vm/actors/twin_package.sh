#!/bin/sh
# Installs a program with a service and a daily job, and asks for news.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /opt/product/bin
printf '#!/bin/sh\nexit 0\n' >/opt/product/bin/product
chmod 755 /opt/product/bin/product
ln -s /opt/product/bin/product /usr/local/bin/product
printf '[Service]\nExecStart=/opt/product/bin/product -d\n' >/etc/systemd/system/product.service
printf '#!/bin/sh\n/opt/product/bin/product --rotate\n' >/etc/cron.daily/product
chmod 755 /etc/cron.daily/product
/opt/product/bin/product --version
wget -q -O /dev/null http://updates.example/news
