#!/bin/bash
# shellcheck disable=SC2119,SC2016
# Files behind links: fetched and judged, by rules that no server can bend.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin t_links
command -v openssl >/dev/null || skip "no openssl here"
deploy --set links.enabled=true --set links.allow=127.0.0.1 \
	--set links.file=2MiB --set links.timeout=4s --set links.redirects=2 \
	--set feed.queues=1 --set feed.limits= --set worker.in_flight=2
must_start clamd

# The server is told apart from Sluice by its user: it has its own.
mkdir "$dir/web"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 \
	-keyout "$dir/web/key" -out "$dir/web/cert" 2>/dev/null
python3 "$root/tests/support/web_server.py" "$dir/web" "$dir/web/cert" \
	"$dir/web/key" 2>"$dir/web/errors" &
server=$!
own_clean_up()
{
	kill "$server" 2>/dev/null
}
until_is 10 yes eval '[ -s "$dir/web/port" ] && echo yes' || {
	bad "the web server"
	exit 1
}
port=$(cat "$dir/web/port")
tls=$(cat "$dir/web/tls")
web=http://127.0.0.1:$port

# mail LINK...: a mail with these links in its text
mail()
{
	printf 'From: a@a.test\nTo: b@b.test\nSubject: links\n\nsee\n'
	printf '%s\n' "$@"
}

# judge LINK...: its judgement is in $dir/judged
judge()
{
	mail "$@" >"$dir/links.eml"
	"$sluice" scan --json -c "$conf" "$dir/links.eml" >"$dir/judged" \
		2>"$dir/judged.err"
}

# field PATH: of that judgement, as "links.0.why"
field()
{
	python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."):
    o = o[int(k)] if k.isdigit() else o.get(k, "")
print(o)' "$dir/judged" "$1" 2>/dev/null || echo "no judgement"
}

# leads WHAT VERDICT LINK [WHY]: one link, and what comes of it
leads()
{
	judge "$3"
	is "$1" "$2" "$(field verdict)"
	[ -z "${4-}" ] && return
	case $(field links.0.why) in
	*"$4"*) ok "$1: said so" ;;
	*) bad "$1: '$(field links.0.why)', nothing of '$4'" ;;
	esac
}

# 1. What comes back is judged as a part of the mail.
leads "a harmless file" clean "$web/good.pdf"
is "it was fetched" True "$(field links.0.fetched)"
leads "a virus" virus "$web/eicar.pdf"
case $(field reason) in
*"behind $web/eicar.pdf"*) ok "its link is named" ;;
*) bad "its link is not named: $(field reason)" ;;
esac
leads "a virus in an archive" virus "$web/eicar.zip"
leads "a program in an archive" ext "$web/program.zip"
leads "a program by the server's name for it" ext "$web/named.pdf"
leads "a virus that the server packs" virus "$web/packed.pdf"
leads "a virus in what the server calls mail" virus "$web/structured.pdf"
leads "a virus behind two redirects" virus "$web/twice.pdf"
leads "a virus of a server that knows no HEAD" virus "$web/nohead.pdf"
leads "a virus without its end" virus "$web/cut.pdf"
judge "$web/good.pdf" "$web/gone.pdf" "$web/eicar.pdf"
is "the last of several links" virus "$(field verdict)"

# 2. Where no link leads.  All of them stay on this host even if the rules
# should fail; tests/unit/test_fetch_address.c has the other ranges.
no="its address is not to be asked"
leads "another address of this host" clean \
	"http://127.0.0.2:$port/eicar.pdf" "$no"
leads "the same, as a number" clean "http://0x7f000002:$port/eicar.pdf" "$no"
leads "one that is not even there" clean \
	"http://127.8.8.8:$port/eicar.pdf" "$no"
leads "IPv6 loopback" clean "http://[::1]:$port/eicar.pdf" "$no"
leads "an IPv4 address in IPv6" clean \
	"http://[::ffff:127.0.0.1]:$port/eicar.pdf" "$no"
leads "a redirect to another address" clean "$web/to-private.pdf" "$no"
leads "a redirect to a mapped address" clean "$web/to-mapped.pdf" "$no"
leads "a redirect to a number" clean "$web/to-number.pdf" "$no"
leads "a redirect to a file" clean "$web/to-file.pdf" "no address of the web"
leads "a redirect to FTP" clean "$web/to-ftp.pdf" "no address of the web"
leads "a redirect to a mail server" clean "$web/to-mail.pdf" "its port 25"
leads "a redirect to an act" clean "$web/to-act.pdf" "means an act"
leads "a redirect without end" clean "$web/loop.pdf" "links.redirects"
leads "a name that is none" clean "http://none.invalid/x.pdf" "no address"
leads "a certificate of its own" clean "https://127.0.0.1:$tls/eicar.pdf" \
	"certificate"
leads "a redirect with a password" virus "$web/to-user.pdf"
leads "a cookie and a lock" clean "$web/cookie.pdf" "answered 401"

# 3. Too much, too long, not true.
leads "too large" clean "$web/large.zip" "larger than links.file"
leads "larger than HEAD said" clean "$web/liar.zip" "larger than links.file"
leads "without end" clean "$web/endless.zip" "larger than links.file"
leads "a bomb" clean "$web/bomb.pdf" "larger than links.file"
leads "drop by drop" clean "$web/slow.zip" "links.timeout"
leads "silence" clean "$web/silent.zip" "links.timeout"
leads "shorter than it is" clean "$web/short.pdf"
is "only what was said is taken" 20 "$(field links.0.bytes)"
leads "headers without end" clean "$web/headers.zip" "too many headers"
leads "no HTTP" clean "$web/garbage.zip" "HTTP/0.9"
leads "nobody there" clean "http://127.0.0.1:1/x.pdf" "port 1 "

# 4. What the server has seen.
requests=$dir/web/requests
is "nothing but HEAD and GET" "" \
	"$(grep -v '^HEAD \|^GET ' "$requests")"
is "nothing told: no cookie, no password, no referer" "" \
	"$(awk 'NF > 2' "$requests")"
is "HEAD before every GET" "" "$(awk '
	$1 == "HEAD" { asked[$2]++ }
	$1 == "GET" && --asked[$2] < 0 { print }' "$requests")"
is "no GET of what HEAD says is too large" "" \
	"$(grep '^GET /large.zip' "$requests")"
judge "$web/unsubscribe.pdf" "$web/x.pdf?token=1" "$web/page.html" \
	"$web/x.pdf?u=9f86d081884c7d659a2feaa0c55ad015"
is "links that do something are not asked" "" \
	"$(grep 'unsubscribe\|token\|page\|9f86' "$requests")"
is "and such mail is clean" clean "$(field verdict)"
n=$(wc -l <"$requests")
printf 'From: a@a.test\nContent-Type: text/plain; name=x.exe\n\n%s\n' \
	"$web/good.pdf" >"$dir/links.eml"
"$sluice" scan --json -c "$conf" "$dir/links.eml" >"$dir/judged" 2>&1
is "a mail that is refused anyway" ext "$(field verdict)"
is "asks for nothing" "$n" "$(wc -l <"$requests")"

# 5. The environment is not asked either.
export http_proxy=http://127.0.0.2:$port all_proxy=http://127.0.0.2:$port
leads "a proxy in the environment is none" virus "$web/eicar.pdf"
unset http_proxy all_proxy

# 6. hold: a link that wasn't fetched keeps the mail.
sed 's/^\(\tunfetched = \).*/\1"hold"/' "$conf" >"$dir/hold.conf"
plain=$conf
conf=$dir/hold.conf
leads "hold: fetched" clean "$web/good.pdf"
leads "hold: not fetched" ext "$web/gone.pdf"
case $(field reason) in
"held: $web/gone.pdf not fetched"*) ok "hold: said so" ;;
*) bad "hold: $(field reason)" ;;
esac
judge "$web/good.pdf" "$web/good.pdf?2" "$web/good.pdf?3" \
	"$web/good.pdf?4" "$web/good.pdf?5" "$web/good.pdf?6"
is "hold: more links than are fetched" ext "$(field verdict)"
conf=$plain

# 7. Off, nothing is asked.
sed '/^links {/,/^}/s/^\(\tenabled = \).*/\1false/' "$conf" >"$dir/off.conf"
n=$(wc -l <"$requests")
conf=$dir/off.conf
leads "off: not fetched" clean "$web/eicar.pdf"
is "off: nothing is asked" "$n" "$(wc -l <"$requests")"
conf=$plain

sed 's/^\(\tallow = \).*/\1"127.0.0.1 localhost"/' "$conf" >"$dir/wrong.conf"
"$sluice" config check -c "$dir/wrong.conf" >"$dir/check.out" 2>&1
is "a network that is none is refused" 100 $?
grep -q "links.allow: localhost" "$dir/check.out" &&
	ok "and named" || bad "and not named: $(cat "$dir/check.out")"

# 8. Through the spool: the virus goes where viruses go, and slow links hold
# only their own mail.
must_start
put()
{ # id link...
	local id=$1
	shift
	printf '%s\n' "$@" | put_df "$id"
	qf_text "$id" | put_qf "$id"
}
put wLNK000001 "$web/eicar.pdf"
eventually 20 "a mail with a link to a virus is in virus/" virus \
	whereis wLNK000001
for i in 1 2 3 4 5 6 7 8; do
	put "wLNK00010$i" "$web/silent.zip?$i"
done
sleep 0.5
since=${EPOCHREALTIME/./}
for i in 1 2 3 4 5 6; do
	put "wLNK00020$i" "nothing to see"
done
passed()
{
	grep -c '"id":"hand-wLNK00020' "$place/log/sink.jsonl"
}
eventually 3 "mail without links passes mail whose links are slow" 6 passed
echo "   $(((${EPOCHREALTIME/./} - since) / 1000)) ms for six of them," \
	"behind eight that wait"
is "the slow ones still wait" 8 "$(waiting)"
drained 20
audit
grep -q '"links":\[{' "$spool"/journal/worker-1 &&
	ok "the journal has the links" || bad "no links in the journal"
finish
