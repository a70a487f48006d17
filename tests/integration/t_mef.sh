#!/bin/bash
# The engine mef in a whole deployment: what a model flags arrives wrapped, what
# it can't tell is archived, what the site lists overrides it, another model
# voids what was known, and neither a damaged model nor a full archive keeps
# mail.
# shellcheck disable=SC2317 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin t_mef
"$root/tools/quickstart.programs" "$sluice" "$dir/programs" \
	>"$dir/programs.out" || skip "$(cat "$dir/programs.out")"
programs=$dir/programs
archive=$dir/archive
model=$dir/model/model
mkdir "$dir/model" "$archive" "$dir/got"
own_clean_up()
{
	umount -l "$archive" 2>/dev/null
}

# Renamed into place, as every tool does it.
put_model()
{ # file
	cp "$1" "$model.new" && mv "$model.new" "$model"
}

deploy --queues 2 --set worker.engines="policy clamd mef" \
	--set mef.model="$model" --set mef.archive="$archive" \
	--set mef.threshold=10 --set mef.known="$dir/known" \
	--set worker.backoff_max=1s
echo 'allow name *' >"$place/etc/policy.conf"
: >"$dir/known"
SLUICE_SINK_OPTIONS="--store $dir/got" must_start

mail()
{ # X-Traffic-Id, file, [name]
	mail_with "$1" "${3-tool.py}" <"$2"
}

# Posts it; its queue id in $id.
post()
{ # X-Traffic-Id, file, [name]
	mail "$@" >"$dir/$1.eml"
	post_mail "$1"
}

verdict()
{ # queue id
	last_line "$1" | sed -n 's/.*"verdict":"\([a-z]*\)".*/\1/p'
}

# The verdict of one more mail with the malicious one.
judged_now()
{
	post once "$programs/new"
	for _ in {1..600}; do
		[ -z "$(verdict "$id")" ] || break
		sleep 0.05
	done
	verdict "$id"
}

# The spool path's verdict, and scan's of the same mail.
judged()
{ # WHAT VERDICT X-Traffic-Id FILE [NAME]
	local what=$1 want=$2
	shift 2
	post "$@"
	eventually 60 "$what: $want" "$want" verdict "$id"
	is "$what: scan says so too" "$want" "$("$sluice" scan -c "$conf" \
		--json "$dir/$1.eml" 2>"$dir/scan.err" |
		sed -n 's/.*"verdict":"\([a-z]*\)".*/\1/p')"
}

got()
{ # X-Traffic-Id: the file that the next hop has
	grep -l "^X-Traffic-Id: $1" "$dir"/got/*.eml 2>/dev/null | head -n 1
}

has_arrived()
{
	[ -n "$(got "$1")" ] && echo yes
}

problems()
{
	"$sluice" status -c "$conf" | grep '^PROBLEM' | grep -o \
		'engine mef \(has no opinion\|goes on with\|knows nothing\)'
}

entries()
{
	find "$archive" -name '*.json' | wc -l
}

# 1. No model: no opinion, which status says.
eventually 60 "status: no model" "engine mef has no opinion" problems
judged "without a model" clean none "$programs/new"
last_line "$id" | grep -q 'no opinion: .*there is no model' ||
	bad "the evidence says nothing of it: $(last_line "$id")"

# 2. A model comes, and nobody is started anew.
put_model "$programs/model"
eventually 60 "status: the model is there" "" problems
is "status says how the model is" '{"type":"model","state":"good"}' \
	"$("$sluice" status -c "$conf" --json | grep '"type":"model"')"
judged "a malicious one" warn bad "$programs/new"
judged "a borderline one" warn between "$programs/between" "tools.py"
judged "a harmless one" clean good /usr/bin/ldd
for name in bad between good; do
	eventually 60 "$name has arrived" yes has_arrived "$name"
done
grep -q '^WARNING: this message' "$(got bad)" &&
	grep -q '"tool.py"' "$(got bad)" &&
	grep -q '^Why: malicious, P ' "$(got bad)" ||
	bad "no warning: $(head -n 40 "$(got bad)")"
grep -q '^Content-Type: message/rfc822' "$(got between)" ||
	bad "the borderline one isn't wrapped"
grep -q 'message/rfc822' "$(got good)" && bad "the harmless one is wrapped"

# 3. The archive: the borderline one alone, octet by octet, with its story.
eventually 60 "one file is archived" 1 entries
sha=$(sha256sum "$programs/between" | cut -c1-64)
cmp "$archive/$sha" "$programs/between" || bad "another file is archived"
is "for user sluice alone" "600 sluice" "$(stat -c '%a %U' "$archive/$sha")"
"$sluice" model archive -c "$conf" --json >"$dir/listed" ||
	bad "model archive: $?"
for word in "\"sha256\":\"$sha\"" '"label":"borderline"' '"names":["tools.py"]' \
    '"kind":"script"' '"model":"[0-9a-f]\{64\}"'; do
	grep -q "${word//[/\\[}" "$dir/listed" 2>/dev/null ||
		grep -q "$word" "$dir/listed" ||
		bad "no $word in $(cat "$dir/listed")"
done
"$sluice" model submit -c "$conf" --dry-run --json >"$dir/would" ||
	bad "model submit: $?"
is "it would go to a repository, with how it has spread" 1 \
	"$(grep -c "\"sha256\":\"$sha\".*\"label\":\"borderline\".*\"spread\":{\"copies\":" "$dir/would")"
is "and nobody's address" 0 "$(grep -c '@\|"mid"' "$dir/would")"
"$sluice" model archive show "${sha:0:10}" -c "$conf" | grep -q "$archive/$sha" ||
	bad "model archive show"

(cat "$programs/new" && echo "# another") >"$dir/explained.py"
post explained "$dir/explained.py"
eventually 60 "one more: warn" warn verdict "$id"
"$sluice" explain -c "$conf" "$id" >"$dir/explained"
grep -q '^      of [a-z]* [0-9a-f]\{16\}: [0-9]* malicious and 0 benign' \
	"$dir/explained" || bad "explain: $(cat "$dir/explained")"

# 4. The same file once more: the table knows it, and says no less.
post again "$programs/new"
eventually 60 "the same once more: warn" warn verdict "$id"
last_line "$id" | grep -q '"engine":"mef","answer":"warn","reason":"[^"]*","known":true,"families"' ||
	bad "it isn't known: $(last_line "$id")"

# 5. The site knows better, both ways.
cat >"$dir/known" <<END2
benign $(sha256sum "$programs/new" | cut -c1-64) # ours
malicious $(sha256sum /usr/bin/ldd | cut -c1-64)
END2
reload()
{
	kill -HUP "$(part pid sluice)"
}
reload
eventually 60 "listed as benign" clean judged_now
judged "listed as malicious" warn listed /usr/bin/ldd
last_line "$id" | grep -q 'this site lists it' || bad "by whom? $(last_line "$id")"
: >"$dir/known"
reload
eventually 60 "and taken off the list again" warn judged_now

# 6. Another model, by which malicious is benign: nothing old is known.
"$sluice" model train --table-bits 16 --benign "$programs/malicious" \
	--malicious "$programs/benign" -o "$dir/reversed" >"$dir/out" 2>&1 ||
	bad "train: $(cat "$dir/out")"
opened=$(grep -c "engine mef on" "$place/log/sluice.log")
put_model "$dir/reversed"
eventually 60 "both workers have another model" $((opened + 2)) \
	grep -c "engine mef on" "$place/log/sluice.log"
judged "by another model" clean other "$programs/new"

# 7. A damaged one: workers go on with what they have, and status says so.
head -c 100000 "$programs/model" >"$model.new"
mv "$model.new" "$model"
eventually 60 "status: a damaged model" "engine mef goes on with" problems
post damaged "$programs/new"
eventually 60 "judged by the former one" clean verdict "$id"
# Who has no former one waits; other mail passes.
reload
eventually 60 "status: nothing to judge by" "engine mef knows nothing" problems
post waits "$programs/new"
waits=$id
printf 'From: a@client.test\nTo: b@rcpt.test\nSubject: x\n\nHello\n' >"$dir/text.eml"
id=$("$root/tools/quickstart.mail" send "$smtp" "$dir/text.eml")
eventually 60 "other mail passes" clean verdict "$id"
is "mail with a program waits" "" "$(verdict "$waits")"
put_model "$programs/model"
eventually 60 "until the model is whole" warn verdict "$waits"

# 8. No room in the archive: said once, and mail goes on.
mount -t tmpfs -o size=16k,mode=700,uid="$(id -u sluice)" none "$archive" &&
	head -c 100000 /dev/zero >"$archive/filler" 2>/dev/null
if mountpoint -q "$archive"; then
	reload
	eventually 60 "status: as before" "" problems
	for i in 1 2 3; do
		(cat "$programs/between" && echo "# $i") >"$dir/full$i.py"
		sed -i "s/archive_labels = .*/archive_labels = \"borderline malicious\"/" "$conf"
	done
	reload
	sleep 2
	for i in 1 2 3; do
		post "full$i" "$dir/full$i.py"
		eventually 60 "mail passes beside a full disk" yes \
			eval '[ -n "$(verdict '"$id"')" ] && echo yes'
	done
	sleep 1
	most "lines about the full disk" 2 \
		"$(grep -c 'archive.*No space left' "$place/log/sluice.log")"
	[ "$(grep -c 'archive.*No space left' "$place/log/sluice.log")" -gt 0 ] ||
		bad "nobody says that the disk is full"
	umount -l "$archive"
else
	echo "no tmpfs to be had: without a full disk"
fi

# 9. Held instead of wrapped.
sed -i 's/malicious = "wrap"/malicious = "hold"/' "$conf"
reload
eventually 60 "held: ext" ext judged_now
post held "$programs/new"
eventually 60 "and it lies there" ext whereis "$id"

# 10. Who sent what: the model's word is in the log of files.
drained 60
"$sluice" model spread -c "$conf" --log --json >"$dir/log" 2>&1
sha_new=$(sha256sum "$programs/new" | cut -c1-64)
grep "$sha_new" "$dir/log" | grep -q '"malicious"' ||
	bad "spread: $(grep "$sha_new" "$dir/log" | head -n 3)"
grep "$sha" "$dir/log" | grep -q '"borderline"' ||
	bad "spread: $(grep "$sha" "$dir/log" | head -n 3)"
audit
finish
