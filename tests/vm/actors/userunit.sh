#!/bin/sh
# The user's session starts a program that it hid.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /root/.config/systemd/user
printf '#!/bin/sh\nexit 0\n' >/root/.helper
printf '[Service]\nExecStart=/root/.helper\n' >/root/.config/systemd/user/helper.service
