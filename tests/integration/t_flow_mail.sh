#!/bin/bash
# shellcheck disable=SC2154
# Connections in the whole pipeline: a real sendmail takes mail, also in
# STARTTLS, sluice run starts sluice-flow and sluice-learn, each message finds
# its connection, and what a (fake) spam engine says of it is learned.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
for program in openssl python3 m4 /usr/libexec/sendmail/sendmail; do
	command -v "$program" >/dev/null || skip "no $program here"
done
[ "$(id -u)" = 0 ] && unshare --net true 2>/dev/null ||
	skip "no root or no network namespaces"
# A loopback interface on which nobody else talks.
if [ -z "${FLOW_MAIL_INSIDE-}" ]; then
	FLOW_MAIL_INSIDE=1 exec unshare --net "$0" "$@"
fi
ip link set lo up || exit 1
begin t_flow_mail
own_clean_up()
{
	[ -z "${spamd-}" ] || kill "$spamd"
	rm -rf "${certs:?}"
}
mkdir "$dir/templates" && cp "$root"/etc/*.mc "$root"/etc/*.conf \
	"$root"/etc/wrap.txt "$dir/templates" || exit 1
# Where everybody may write, above it, sendmail takes no key.
certs=$(mktemp -d /run/t_flow_mail.XXXXXX) && chmod 755 "$certs" &&
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=mx.example.test \
	    -keyout "$certs/key.pem" -out "$certs/cert.pem" \
	    2>"$dir/openssl" && chmod 600 "$certs/key.pem" &&
	chown sluice "$certs/key.pem" || exit 1
# sendmail offers STARTTLS only with all four.
for what in SERVER_CERT:cert.pem SERVER_KEY:key.pem CACERT:cert.pem CACERT_PATH:.
do
	sed -i "/^OSTYPE/adefine(\`conf${what%%:*}', \`$certs/${what#*:}')dnl" \
		"$dir/templates/in.mc"
done
port=$(free_ports 1)
deploy --templates "$dir/templates" --set "worker.engines=policy spam flow" \
    --set flow.interface=lo --set "spam.address=127.0.0.1:$port"
sed -i "/^flow {/,/^}/s/ports = .*/ports = \"${smtp##*:}\"/" "$conf"
python3 "$(dirname "$0")/fake_spamd.py" "$port" &
spamd=$!
must_start sink out sluice in
python3 "$(dirname "$0")/flow_mail.py" "$sluice" "$conf" "${smtp##*:}" || {
	failed=1
	tail -n 20 "$place/log/sluice.log"
}
drained 20
finish
