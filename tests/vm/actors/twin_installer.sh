#!/bin/sh
# Installs a program and its service, as packages do.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /usr/local/bin /usr/local/share/applications
printf '#!/bin/sh\nexit 0\n' >/usr/local/bin/product
chmod 755 /usr/local/bin/product
printf '[Desktop Entry]\nName=Product\n' >/usr/local/share/applications/product.desktop
printf '[Service]\nExecStart=/usr/local/bin/product\n' >/etc/systemd/system/product.service
/usr/local/bin/product --version
