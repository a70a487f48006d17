#!/bin/bash
# A file that a site's model is unsure of, on its way: the site's archive, a
# parcel, the repository, an expert's label, the next release, and back to the
# site, whose model is then octet for octet what was published.
# shellcheck disable=SC2119,SC2317 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Programs of the system, all of them harmless; those that are called malicious
# here are called so for the test.
bad_ones="/bin/cat /bin/ls /bin/cp"
good_ones="/bin/true /bin/mv /bin/rm"

model()
{
	"$sluice" model "$@" >"$dir/out" 2>"$dir/err"
}

must()
{
	model "$@" || bad "$*: $(cat "$dir/out" "$dir/err")"
}

repository()
{
	local verb=$1
	shift
	model repository "$verb" -d "$repo" "$@"
}

must_repository()
{
	repository "$@" || bad "repository $*: $(cat "$dir/out" "$dir/err")"
}

same()
{ # WHAT FILE FILE
	is "$1" "" "$(cmp "$2" "$3" 2>&1)"
}

sum_of()
{
	sha256sum "$1" | cut -c1-64
}

# What the repository has of parcels: all but times in names.
inventory()
{
	(cd "$repo" && find samples labels -type f 2>/dev/null | sort |
		xargs sha256sum)
}

# archive DIR FILE...: as the engine does
archive()
{
	local to=$1 file sum
	shift
	mkdir -p "$to"
	for file; do
		sum=$(sum_of "$file")
		cp "$file" "$to/$sum"
		printf '{"format":1,"sha256":"%s","bytes":%s,"t_usec":%s,"time":"x","names":["%s","of bob@example.org"],"type":"application/x-executable","kind":"elf","label":"borderline","p_malicious":0.503,"families":{"bytes":0.25},"model":"%s","release":1,"mid":"secret-id","rcpt":"secret@example.org"}\n' \
			"$sum" "$(stat -c %s "$file")" "$(date +%s)000000" \
			"${file##*/}" "$sum" >"$to/$sum.json"
	done
}

# refused WHAT WORDS FILE: status 1, says so, and nothing has changed
refused()
{
	local what=$1 words=$2 status before
	before=$(inventory)
	repository receive "$3"
	status=$?
	is "$what: status" 1 $status
	if grep -q "is refused: .*$words" "$dir/err"; then
		ok "$what: $(cut -c1-120 "$dir/err")"
	else
		bad "$what: no '$words' in: $(cat "$dir/err")"
	fi
	is "$what: nothing has changed" "$before" "$(inventory)"
}

command -v openssl >/dev/null || skip "no openssl: tools/packages test"
begin t_model_repository
repo=$dir/repository
site=$dir/site/model
mkdir "$dir/site" "$dir/web"
for name in a b; do
	(umask 077 && openssl genpkey -algorithm ed25519 -out "$dir/$name") ||
		exit 1
	openssl pkey -in "$dir/$name" -pubout -out "$dir/$name.pub" || exit 1
done

# 1. A repository with a first release, and a site that knows both its keys.
mkdir "$dir/bad" "$dir/good"
cp /bin/ln /bin/mkdir "$dir/bad"
cp /bin/rmdir /bin/chmod "$dir/good"
must train --malicious "$dir/bad" --benign "$dir/good" --table-bits 16 \
	--keep-point -o "$dir/first"
must repository init --master "$dir/first" "$repo"
same "the first master" "$repo/master" "$dir/first"
cp "$dir/a.pub" "$repo/senders/site-a.pub"
must_repository publish
is "the first release" "from-0 release-1" \
	"$(cd "$repo/public" && echo *)"
serve_directory "$repo/public"
own_clean_up()
{
	kill "$web" 2>/dev/null
}
cat >"$dir/conf" <<END
mef {
	model = "$site"
	keys = "$repo/keys/sign.pub"
	url = "http://127.0.0.1:$port/from-%r"
	repository = "$repo/keys/open.pub"
	identity = "$dir/a"
}
links {
	allow = "127.0.0.1"
}
site {
	fetch_user = "nobody"
	spool = "$dir/spool"
	state = "$dir/site"
	runtime = "$dir/run"
}
END
must poll -c "$dir/conf"
same "the site has the first release" "$site" "$repo/view"

# 2. The site's archive goes into a parcel, once, and without any address.
# shellcheck disable=SC2086 # lists
archive "$dir/site/archive" $bad_ones $good_ones
submit="submit -c $dir/conf -a $dir/site/archive"
# shellcheck disable=SC2086
must $submit --dry-run --json
is "what would go" 6 "$(grep -c '"sha256"' "$dir/out")"
is "no address, no queue id" 0 "$(grep -c 'secret\|@' "$dir/out")"
is "and nothing is remembered of it" "" \
	"$(cat "$dir/site/archive.submitted" 2>/dev/null)"
echo half >"$dir/site/archive/$(echo | sha256sum | cut -c1-64)"
ln -s /etc/passwd "$dir/site/archive/$(sum_of /etc/passwd)"
echo '{}' >"$dir/site/archive/$(sum_of /etc/passwd).json"
# shellcheck disable=SC2086
must $submit -o "$dir/parcel"
is "a link in the archive stays at home" 1 \
	"$(grep -c "$(sum_of /etc/passwd) is left out" "$dir/err")"
is "six files" 1 "$(grep -c "parcel: 6 files" "$dir/out")"
is "no name of them can be read" 0 "$(grep -ac 'GLIBC\|p_malicious' "$dir/parcel")"
# shellcheck disable=SC2086
must $submit -o "$dir/parcel2"
is "nothing goes twice" "nothing new" "$(cat "$dir/out")"
is "and no parcel is made" 0 "$(find "$dir" -name 'parcel2*' | wc -l)"
# shellcheck disable=SC2086
must $submit --again --limit 1 --no-names -o "$dir/nameless"

# 3. What the repository refuses.
head -c 5000 "$dir/parcel" >"$dir/cut"
refused "cut off" "fetch it again" "$dir/cut"
perl -pe 'BEGIN { $/ = undef } substr($_, 5000, 1) ^= "\1"' "$dir/parcel" \
	>"$dir/damaged"
refused "damaged" "digest is wrong" "$dir/damaged"
perl -pe 'BEGIN { $/ = undef } substr($_, 100, 1) ^= "\1"' "$dir/parcel" \
	>"$dir/forged"
refused "forged" "signature is bad" "$dir/forged"
cp "$dir/parcel" "$dir/large"
truncate -s 257M "$dir/large"
refused "oversized" "above the" "$dir/large"
refused "not a parcel" "neither a file" "$repo/view"
# shellcheck disable=SC2086
must $submit --again -i "$dir/b" -o "$dir/of-b"
refused "of a stranger" "none of the 1 known" "$dir/of-b"
openssl genpkey -algorithm x25519 -out "$dir/x" &&
	openssl pkey -in "$dir/x" -pubout -out "$dir/x.pub" || exit 1
# shellcheck disable=SC2086
must $submit --again -r "$dir/x.pub" -o "$dir/to-x"
refused "for another repository" "another repository's key" "$dir/to-x"

# 4. It takes it; what comes again is known.
must_repository receive "$dir/parcel"
is "six new files" 1 "$(grep -c "6 files of site-a, 6 of them new" "$dir/out")"
before=$(inventory)
must_repository receive "$dir/parcel"
is "the same parcel again changes nothing" "$before" "$(inventory)"
{ printf 'From: a@b\nSubject: x\n\nHello\n\n' && base64 "$dir/nameless"
	printf '\n--x--\n'; } >"$dir/mail"
must_repository receive - <"$dir/mail"
is "another one, by mail, is a second report" 1 \
	"$(grep -c ", 0 of them new" "$dir/out")"
must_repository list --json
is "they wait for a label" 6 "$(grep -c '"label":"none"' "$dir/out")"
is "no address came along" "" \
	"$(grep -l 'secret\|@' "$repo"/samples/*.json)"

# 5. An expert looks, and says what they are.
must_repository show --strings 0 "$(sum_of /bin/cat)"
for word in 'from site-a' 'names *cat' 'libc.so.6' 'malicious *50.30' GLIBC; do
	is "show: $word" 1 "$(grep -c -m1 -- "$word" "$dir/out")"
done
for file in $bad_ones; do
	must_repository label malicious "$(sum_of "$file")" --note "for the test"
done
for file in $good_ones; do
	must_repository label benign "$(sum_of "$file" | cut -c1-10)" --by expert
done
repository label benign 0000
is "an unknown file can't be labelled" 100 $?
printf '2026-01-01T00:00:00Z %s mal' "$(sum_of /bin/cat)" >>"$repo/labels"
must_repository list
is "none waits, and half a line is nothing" "nothing waits for a label" \
	"$(cat "$dir/out")"

# 6. The master learns: it is the model of all documents, octet for octet.
must_repository train --json
is "three of each" 1 "$(grep -c '"learned":{"malicious":3,"benign":3}' \
	"$dir/out")"
# shellcheck disable=SC2086
cp $bad_ones "$dir/bad"
# shellcheck disable=SC2086
cp $good_ones "$dir/good"
must train --malicious "$dir/bad" --benign "$dir/good" --table-bits 16 \
	--keep-point -o "$dir/all"
same "learned one by one is learned at once" "$repo/master" "$dir/all"
cp "$repo/master" "$dir/before"
must_repository train
same "nothing is learned twice" "$repo/master" "$dir/before"
# A label that is changed, and changed back.
must_repository label benign "$(sum_of /bin/ls)"
must_repository train
is "it has changed" 1 "$(cmp -s "$repo/master" "$dir/all"; echo $?)"
must_repository label malicious "$(sum_of /bin/ls)"
must_repository train
same "and is what it was" "$repo/master" "$dir/all"

# 7. A release; the site takes it, and goes back.
cp "$repo/view" "$dir/r1"
must_repository publish --url http://127.0.0.1:"$port" --enclose \
	--from models@example.org --to site-a@example.org
is "the second release" "from-0 from-1 release-1 release-2" \
	"$(cd "$repo/public" && echo *)"
must poll -c "$dir/conf"
same "the site has what was published" "$site" "$repo/view"
must_repository publish
is "nothing new, no release" 1 "$(grep -c "nothing new since release 2" \
	"$dir/out")"
model score -m "$site" --json /bin/cat
is "the model knows the file now" 1 \
	"$(grep -c '"label":"malicious".*"known":true' "$dir/out")"
must revert -c "$dir/conf"
same "and back" "$site" "$dir/r1"

# 8. The notice names release, places and signatures, and brings the update.
notice=$repo/notices/2.eml
for word in '^Subject: Release 2' "$(sum_of "$repo/view")" '^  location .*from-1$' \
    '^  location .*release-2$' '^  signature  [0-9a-f]*$' '^To: site-a@'; do
	is "notice: $word" 1 "$(grep -c -m1 -- "$word" "$notice")"
done
is "no line is too long" 0 "$(grep -c '^.\{79,\}' "$notice")"
must apply --mail -c "$dir/conf" - <"$notice"
is "what was taken back does not come by mail" 1 \
	"$(grep -c "taken back" "$dir/out")"
same "so it stays" "$site" "$dir/r1"
rm "$site.held"
sed 's/$/\r/' "$notice" >"$dir/crlf.eml"
must apply --mail -c "$dir/conf" "$dir/crlf.eml"
same "else it does, with line ends of mail" "$site" "$repo/view"
must apply --mail -c "$dir/conf" "$notice"
is "once" 1 "$(grep -c "is release 2 already" "$dir/out")"
must revert -c "$dir/conf"
sed 's/^U0xVSUNVUEQB/U0xVSUNVUEQC/' "$notice" >"$dir/bad.eml"
model apply --mail -c "$dir/conf" "$dir/bad.eml"
is "a damaged one by mail: status" 1 $?
same "changes nothing" "$site" "$dir/r1"
model apply --mail -c "$dir/conf" "$dir/mail"
is "a mail without one: status" 1 $?

# Given to sendmail, in whose place another program is mounted.
cat >"$dir/sendmail" <<END
#!/bin/sh
echo "\$@" >"$dir/sent.args"
cat >"$dir/sent.mail"
END
chmod 755 "$dir/sendmail"
sent()
{
	cp -a "$repo" "$dir/sending"
	must_repository label unsure "$(sum_of /bin/ls)"
	must_repository train
	unshare -m sh -c "mount --bind '$dir/sendmail' /usr/sbin/sendmail &&
		exec '$sluice' model repository publish -d '$repo' --send \
		--from models@example.org --to site-a@example.org --to b@example.org \
		--url https://models.example.org" >"$dir/out" 2>&1 ||
		bad "publish --send: $(cat "$dir/out")"
	is "the notice is sent" \
		"-oi -f models@example.org -- site-a@example.org b@example.org" \
		"$(cat "$dir/sent.args" 2>&1)"
	same "as it was written" "$dir/sent.mail" "$repo/notices/3.eml"
	rm -r "$repo"
	mv "$dir/sending" "$repo"
}

if unshare -m true 2>/dev/null; then
	sent
else
	echo "skipped: nothing is sent, since nothing can be mounted here"
fi

# 9. A run of publish that was cut off is finished, not made again.
must_repository label none "$(sum_of /bin/ls)"
must_repository train
cp -a "$repo" "$dir/copy"
must_repository publish
repo=$dir/copy
# As it is when the power fails right after from-2 is out.
cp "$dir/repository/view" "$repo/view.next"
cp "$dir/repository/public/from-2" "$dir/repository/public/release-3" \
	"$repo/public"
# More was learned meanwhile; it must wait for the release after it.
must_repository label malicious "$(sum_of /bin/ls)"
must_repository train
must_repository publish
same "the release that was out" "$repo/view" "$dir/repository/view"
same "as a whole" "$repo/public/from-0" "$dir/repository/public/from-0"
is "and nothing else" "from-0 from-1 from-2 release-1 release-2 release-3" \
	"$(cd "$repo/public" && echo *)"
must_repository publish
is "what was learned meanwhile comes with the next" 1 \
	"$(grep -c "^release 4" "$dir/out")"
# A site that has the first release comes to the third in one go.
rm "$site.held"
must poll -c "$dir/conf"
same "two releases at once" "$site" "$dir/repository/view"

# 10. Figures of the spread go along, where the ledger has the file.
mkdir -p "$dir"/spool/{in,feed1,feed2,feed3,feed4,out,virus,ext,spam,error} \
	"$dir/spool/journal" "$dir/run"
"$root/tests/integration/spread_mail.py" make "$dir/spool" 300 >/dev/null ||
	bad "no mail"
"$sluice" audit -c "$dir/conf" --rebuild >"$dir/out" 2>&1 ||
	bad "no ledger: $(cat "$dir/out")"
printf worm >"$dir/worm"
archive "$dir/worms" "$dir/worm" /bin/cat
# As `sluice model spread` tells, over the same time.
must spread -c "$dir/conf" --since 90d --period 1d --json \
	--hash "$(sum_of "$dir/worm")"
copies=$(grep '"kind":"file"' "$dir/out" | grep -o '"copies":[1-9][0-9]*' |
	head -1 | cut -d: -f2)
repo=$dir/repository
must submit -c "$dir/conf" -a "$dir/worms" -o "$dir/worms.parcel"
must_repository receive "$dir/worms.parcel"
must_repository show "$(sum_of "$dir/worm")"
is "how it has spread" 1 "$(grep -c "spread  *copies ${copies:?}, " "$dir/out")"
is "of one of two" 1 "$(grep -c '"spread"' "$repo"/samples/*.json |
	grep -c ':1$')"
is "still no address" "" "$(grep -l '@' "$repo"/samples/*.json)"

# 11. Killed at each rename and link, then run again: it is as if it had not
# been.  A run that nothing kills ends the loop.  What is copied by links is
# never written into, but replaced.
calls=rename,renameat,renameat2,link,linkat
killed_at()
{ # N COMMAND...: 0: it was killed at its Nth rename or link
	local n=$1
	shift
	(
		strace -f -qq -o /dev/null -e trace="$calls" \
			-e inject="$calls:signal=KILL:when=$n" "$@" >"$dir/out" 2>&1
		exit $?
	) 2>/dev/null # where the shell says that it was killed
	[ $? = 137 ]
}

if ! strace -o /dev/null true 2>/dev/null; then
	echo "skipped: nothing is killed, since strace can't trace here"
	finish
fi
# A small one: what it has learned makes no difference here.
repo=$dir/small
must train --features 2001 --malicious "$dir/bad" --benign "$dir/good" \
	--table-bits 10 --keep-point -o "$dir/first"
must repository init --master "$dir/first" "$repo"
cp "$dir/repository/keys/open" "$repo/keys/open" # what the parcels are to
cp "$dir/a.pub" "$repo/senders/site-a.pub"
must_repository publish
must_repository receive "$dir/parcel" "$dir/worms.parcel"
must_repository label malicious "$(sum_of "$dir/worm")"
must_repository train
cp "$repo/view" "$dir/r1"
n=1
while cp -al "$repo" "$dir/try" && killed_at $n "$sluice" model repository \
    publish -d "$dir/try" --url http://x --from a@b --to c@d; do
	model repository publish -d "$dir/try" --url http://x --from a@b --to c@d
	for file in view notices/2.eml public/from-1; do
		[ -f "$dir/try/$file" ] || bad "killed at $n: no $file"
	done
	cp "$dir/r1" "$site"
	rm -f "$site".*
	model apply -c "$dir/conf" -k "$repo/keys/sign.pub" "$dir/try/public/from-1" ||
		bad "killed at $n: $(cat "$dir/err")"
	cmp "$site" "$dir/try/view" || bad "killed at $n: another view"
	[ "$dir/try/public/from-0" -ef "$dir/try/public/release-2" ] ||
		bad "killed at $n: from-0 is an old one"
	rm -r "$dir/try"
	n=$((n + 1))
done
rm -r "$dir/try"
is "publish was killed at each of its renames" 1 $((n > 5))
rm -r "$repo"/samples/*
n=1
while cp -al "$repo" "$dir/try" && killed_at $n "$sluice" model repository \
    receive -d "$dir/try" "$dir/parcel"; do
	model repository receive -d "$dir/try" "$dir/parcel"
	[ "$(find "$dir/try/samples" -name '[0-9a-f]*' | wc -l)" = 12 ] ||
		bad "killed at $n: $(ls -a "$dir/try/samples")"
	[ "$(cat "$dir/try"/samples/*.json | grep -o '"parcel"' | wc -l)" = 6 ] ||
		bad "killed at $n: a report is missing, or there twice"
	rm -r "$dir/try"
	n=$((n + 1))
done
is "receive was killed at each of its renames" 13 $n
finish
