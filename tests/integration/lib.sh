# shellcheck shell=bash disable=SC2016
# tests/integration/lib.sh - read by the tests that run a whole deployment: a
# directory of one's own, two sendmails, clamd, the sink and Sluice.
#
# A test says  . "$(dirname "$0")/lib.sh"  and then:
#   begin NAME            make $dir; everything is stopped and removed at exit
#   deploy [OPTION...]    tools/setup for $place with free ports of its own
#   part start|stop ...   tools/deployment $place
#   ok, bad, is, eventually, finish
# Environment: SLUICE_BUILD, the build directory; KEEP=1 keeps $dir in any
# case (a failure keeps it too).

set -u -o pipefail
export LC_ALL=C
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 1
export SLUICE_BUILD=${SLUICE_BUILD:-$root/build}
# Configurations take no relative paths.
[ ! -d "$SLUICE_BUILD" ] || SLUICE_BUILD=$(cd "$SLUICE_BUILD" && pwd)
# shellcheck disable=SC2034 # used by those who read this file
sluice=$SLUICE_BUILD/bin/sluice
traffic=$SLUICE_BUILD/bin/sluice-traffic
failed=0
dir=
places=()

skip()
{
	echo "skipped: $*"
	exit 77
}

ok()
{
	echo "ok: $*"
}

bad()
{
	echo "FAILED: $*"
	failed=1
}

# is WHAT WANT GOT
is()
{
	if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: '$3', not '$2'"; fi
}

# most WHAT LIMIT GOT: GOT is a number, at most LIMIT
most()
{
	if [ "$3" -le "$2" ] 2>/dev/null; then
		ok "$1 ($3)"
	else
		bad "$1: $3, more than $2"
	fi
}

# until_is SECONDS WANT COMMAND...: does it print WANT within that time?
until_is()
{
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000)) want=$2
	shift 2
	until [ "$("$@" 2>/dev/null)" = "$want" ]; do
		[ "${EPOCHREALTIME/./}" -lt $end ] || return 1
		sleep 0.05
	done
}

# eventually SECONDS WHAT WANT COMMAND...
eventually()
{
	local patience=$1 what=$2 want=$3
	shift 3
	if until_is "$patience" "$want" "$@"; then
		ok "$what"
	else
		bad "$what: '$("$@" 2>&1)', not '$want' within $patience s"
	fi
}

clean_up()
{
	local p
	for p in "${places[@]}"; do
		[ -f "$p/etc/deployment" ] && "$root/tools/deployment" "$p" stop
		rm -rf "$(wake_of "$p")"
	done
	type own_clean_up >/dev/null 2>&1 && own_clean_up
	if [ -n "${KEEP-}" ] || [ $failed -ne 0 ]; then
		echo "kept: $dir"
	else
		rm -rf "$dir"
	fi
}

wake_of()
{
	sed -n 's/^wake \(\/run\/sluice-.*\)/\1/p' "$1/etc/deployment" \
		2>/dev/null | grep . || echo "$1/no-wake"
}

begin()
{
	local program
	[ "$(id -u)" = 0 ] || skip "not root"
	for program in clamd m4 perl /usr/libexec/sendmail/sendmail; do
		command -v "$program" >/dev/null || skip "no $program here"
	done
	for program in sluice sluice-feed sluice-worker sluice-cell \
	    sluice-book sluice-traffic; do
		[ -x "$SLUICE_BUILD/bin/$program" ] || {
			echo "no program at $SLUICE_BUILD/bin/$program" >&2
			exit 1
		}
	done
	# Not below /tmp, which is memory on some hosts: no place for mail.
	dir=$(mktemp -d "${SLUICE_TEST_DISK:-/var/tmp}/$1.XXXXXX") || exit 1
	chmod 755 "$dir"
	place=$dir/place
	trap clean_up EXIT
	trap 'failed=1; exit 1' INT TERM
}

# N ports that are free now.
free_ports()
{
	perl -MIO::Socket::INET -e 'my @s = map { IO::Socket::INET->new(
	    Listen => 1, LocalAddr => "127.0.0.1") or die } 1 .. shift;
	    print join(" ", map { $_->sockport } @s), "\n"' "$1"
}

# Makes $place; sets $smtp, the address that takes mail.
deploy()
{
	local in out
	# However full this machine's disk is.
	read -r in out <<<"$(free_ports 2)"
	places+=("$place")
	"$root/tools/setup" --prefix "$place" --listen "127.0.0.1:$in" \
	    --next-hop "127.0.0.1:$out" --hostname mx.example.test \
	    --set gate.full_disk=100 --set gate.resume_disk=99 "$@" \
	    >"$dir/setup.out" 2>&1 || {
		cat "$dir/setup.out"
		bad "tools/setup"
		exit 1
	}
	smtp=127.0.0.1:$in
	conf=$place/etc/sluice.conf
	spool=$place/spool
}

part()
{
	"$root/tools/deployment" "$place" "$@"
}

must_start()
{
	part start "$@" || {
		bad "tools/deployment start $*"
		exit 1
	}
}

# How many complete messages lie in these directories of the spool?
count()
{
	local d
	for d; do
		find "$spool/$d" -mindepth 1 -maxdepth 1 -type f -name 'qf*' \
			-size +0
	done | wc -l
}

feeds()
{
	(cd "$spool" && echo feed[0-9]*)
}

# What Sluice has still to do, and what it has to do together with OUT.
waiting()
{
	# shellcheck disable=SC2046
	count in $(feeds)
}

undelivered()
{
	# shellcheck disable=SC2046
	count in $(feeds) out
}

# drained SECONDS: all judged, all delivered
drained()
{
	eventually "$1" "nothing waits any more" 0 undelivered
}

# Where is the message?  Its directories, or nothing.
whereis()
{ # queue id
	local d
	for d in "$spool"/*/; do
		[ ! -e "${d}qf$1" ] || basename "$d"
	done | tr '\n' ' ' | sed 's/ $//'
}

# How often did the sink get the message?
arrived()
{ # X-Traffic-Id
	grep -v '"event":"cut"' "$place/log/sink.jsonl" 2>/dev/null |
		grep -c "\"id\":\"$1\""
}

# Prints a qf as sendmail writes it, for a message with the id hand-$1.
# $2..: recipients
qf_text()
{
	local name=$1 rcpt
	shift
	printf 'V8\nT%s\nK0\nN0\nP30000\n' "$(date +%s)"
	printf 'F8bs\n$_localhost [127.0.0.1]\n$rESMTP\n$sclient.test\n'
	printf '${daemon_flags}\nS<hand@client.test>\n'
	for rcpt in "${@:-u1@rcpt.test}"; do printf 'rRFC822; %s\nRPFD:<%s>\n' \
	    "$rcpt" "$rcpt"; done
	printf 'H??From: hand@client.test\nH??To: u1@rcpt.test\n'
	printf 'H??Subject: by hand\nH??X-Traffic-Id: hand-%s\n.\n' "$name"
}

# A message by hand, as user sluice: put_df and then put_qf, from their inputs.
put_df()
{ # id
	cat >"$spool/in/df$1" && chown sluice:sluice "$spool/in/df$1" &&
		chmod 600 "$spool/in/df$1"
}

put_qf()
{ # id: complete, then there at once
	cat >"$spool/in/tf$1" && chown sluice:sluice "$spool/in/tf$1" &&
		chmod 600 "$spool/in/tf$1" &&
		mv "$spool/in/tf$1" "$spool/in/qf$1"
}

# The string that every scanner knows; no file of ours holds it whole.
eicar()
{
	# shellcheck disable=SC2016
	printf '%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$' \
		'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
}

send()
{
	"$traffic" send --to "$smtp" --log "$dir/sent" "$@" \
		>"$dir/send.out" 2>&1
}

# A mail whose file is standard input.
mail_with()
{ # X-Traffic-Id, name of the file
	printf 'From: a@client.test\nTo: b@rcpt.test\nSubject: %s\n' "$1"
	printf 'X-Traffic-Id: %s\nMIME-Version: 1.0\nContent-Type: ' "$1"
	printf 'application/octet-stream; name="%s"\n' "$2"
	printf 'Content-Disposition: attachment\n'
	printf 'Content-Transfer-Encoding: base64\n\n'
	base64
}

# Posts $dir/NAME.eml; its queue id in $id.
post_mail()
{ # NAME
	id=$("$root/tools/quickstart.mail" send "$smtp" "$dir/$1.eml")
	[ -n "$id" ] || bad "$1 was not taken"
}

# Serves a directory by HTTP on loopback, at $port, until $web is ended.
serve_directory()
{ # directory
	python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$1" \
		>"$dir/web.out" 2>&1 &
	web=$!
	until_is 10 1 grep -c "port [0-9]" "$dir/web.out" ||
		bad "no web server"
	# shellcheck disable=SC2034 # used by those who read this file
	port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' "$dir/web.out")
}

# Makes $dir/odd: files that a mailer can easily spoil.  No CR without LF, no NUL: those
# sendmail itself refuses at the door.
odd_mail()
{
	local d=$dir/odd
	mkdir "$d" && cd "$d" || exit 1
	printf 'From: a@b\nSubject: 8 bit\n\nf\374r \303\244\377\200\n' >eightbit
	printf 'From: a@b\nSubject: dots\n\n.\n..\n.a\n...\n' >dots
	printf 'From: a@b\nSubject: no newline at the end\n\nlast' >nonewline
	printf 'From: a@b\nSubject: no body\n' >nobody
	printf 'From: a@b\nSubject: blank\n\n\n\n\n' >blank
	printf 'From: a@b\nSubject: from\n\nFrom here\n>From there\n' >from
	printf 'From: a@b\nSubject: blanks \nX-Tab:\tt\t\n\nend  \n\t\n' >blanks
	(printf 'From: a@b\nSubject: long line\n\n' &&
		head -c 70000 /dev/zero | tr '\0' y && echo) >longline
	(printf 'From: a@b\nSubject: folded\nX-Folded: a\n b\n\tc\n' &&
		printf ' %s\n' d e f && printf '\nbody\n') >folded
	printf 'From: a@b\nsubject: case\nX-lower: 1\nX-UPPER: 2\n\nx\n' >case
	printf '%s\n' 'From: a@b' 'MIME-Version: 1.0' \
		'Content-Type: multipart/mixed; boundary=x' '' '--x' '' \
		'never closed' >broken1
	printf '%s\n' 'From: a@b' 'MIME-Version: 1.0' \
		'Content-Type: text/plain; charset=utf-8' \
		'Content-Transfer-Encoding: base64' '' 'aGVsbG8=' '====' \
		'bm90' >broken2
	cd / || exit 1
}

# check_mail WHAT OPTION...: what was sent against what has arrived
check_mail()
{
	local what=$1
	shift
	if "$traffic" check --sent "$dir/sent" --sink "$place/log/sink.jsonl" \
	    --json "$@" >"$dir/check.out" 2>&1; then
		ok "$what"
	else
		bad "$what:"
		sed 's/^/    /' "$dir/check.out"
	fi
}

# The audit balances, and says so by its exit status.
audit()
{
	"$sluice" audit -c "$conf" --json >"$dir/audit.out" 2>"$dir/audit.err"
	local code=$?
	if [ $code = 0 ] && grep -q '"balance[sd]*": *true' "$dir/audit.out"; then
		ok "the audit balances"
	else
		bad "the audit: exit $code"
		sed 's/^/    /' "$dir/audit.out" "$dir/audit.err"
	fi
}

# A number of the audit's.
audited()
{ # key
	sed -n "s/.*\"$1\": *\([0-9][0-9]*\).*/\1/p" "$dir/audit.out"
}

# The first field of that name in the last journal line of a message.
last_line()
{ # queue id
	grep -h "\"$1\"" "$spool"/journal/* | tail -n 1
}

# Of a deployment with clones.
clones()
{ # state -> how many are in it
	"$sluice" vm list -j -c "$conf" 2>/dev/null |
		grep -o "\"state\":\"$1\"" | wc -l
}

is_running()
{
	[ "$(clones running)" -gt 0 ] && echo yes
}

# A role, or what it runs, of this deployment.
child_pid()
{ # how its command line begins; of forks of it the first
	pgrep -o -f "^$1 -c $place/run/sluice.conf.active\$"
}

finish()
{
	[ $failed -eq 0 ] && echo "all ok"
	exit $failed
}
