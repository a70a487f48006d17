#!/bin/bash
# shellcheck disable=SC2119,SC2016,SC2317,SC2013
# Bad input of every kind: a clear error or a named verdict for each, and
# nothing lost.
#
# It runs in a mount namespace of its own, so that no mount outlives it.  Where
# / is no mount point (a chroot) nothing can be made private: there it undoes
# its mounts itself.
if [ -z "${IN_NAMESPACE-}" ] && [ "$(id -u)" = 0 ] &&
	unshare --mount true 2>/dev/null; then
	IN_NAMESPACE=1 exec unshare --mount "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# refuses WHAT TEXT COMMAND...: it ends with 100 or 111, and says TEXT
refuses()
{
	local what=$1 text=$2 code
	shift 2
	timeout 20 "$@" >"$dir/refuse.out" 2>&1
	code=$?
	if [ $code != 100 ] && [ $code != 111 ]; then
		bad "$what: exit $code"
	elif ! grep -qF -e "$text" "$dir/refuse.out"; then
		bad "$what: nothing of '$text':"
		sed 's/^/    /' "$dir/refuse.out"
	else
		ok "$what"
	fi
}

logged()
{
	grep -c -e "$1" "$place/log/sluice.log"
}

pids_of()
{ # pid: it and its descendants
	local child
	echo "$1"
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		pids_of "$child"
	done
}

# The largest memory that one of Sluice's processes has ever had, in kB.
high_water()
{
	local pid
	for pid in $(pids_of "$(part pid sluice)"); do
		sed -n 's/^VmHWM:[ \t]*\([0-9]*\).*/\1/p' "/proc/$pid/status"
	done 2>/dev/null | sort -n | tail -n 1
}

begin t_badinput
deploy --set feed.scan_interval=1s

# 1. Configurations that are none.
refuses "a configuration that isn't there" "$dir/none" \
	"$sluice" run -c "$dir/none"
refuses "a directory in its place" "$dir" "$sluice" config check -c "$dir"
printf 'site {\n\tspool = "/x"\n}\nfeed {\n\tqueues = 500\n}\n' >"$dir/w"
refuses "a number out of range, with its line" "w:5: feed.queues" \
	"$sluice" run -c "$dir/w"
printf 'site {\n\tspol = "/x"\n}\n' >"$dir/w"
refuses "a name that isn't one, with its line" "w:2: " \
	"$sluice" run -c "$dir/w"
printf 'site {\n\tspool = "/x"\n' >"$dir/w"
refuses "a section without its end" "w:" "$sluice" config check -c "$dir/w"
printf 'worker {\n\tcells = many\n}\n' >"$dir/w"
refuses "no number, with its line" "w:2: worker.cells" \
	"$sluice" run -c "$dir/w"
head -c 3000 /dev/urandom >"$dir/w"
refuses "noise" "w:" "$sluice" run -c "$dir/w"
sed "s|^\([ \t]*rules = \).*|\1\"$dir/rules\"|" "$conf" >"$dir/w"
refuses "attachment rules that aren't there" "$dir/rules" \
	"$sluice" run -c "$dir/w"
(cat "$place/etc/policy.conf" && echo "refuse naem *.x \"no\"") >"$dir/rules"
refuses "a wrong rule, with its line" \
	"rules:$(wc -l <"$dir/rules" | tr -d ' ')" "$sluice" run -c "$dir/w"

# 2. Spools that are none.
mv "$spool" "$dir/away"
refuses "no spool" "$spool" "$sluice" run -c "$conf"
mv "$dir/away" "$spool"
mv "$spool/feed2" "$dir/feed2"
refuses "a spool without a feed queue" "$spool/feed2" \
	"$sluice" run -c "$conf"
: >"$spool/feed2"
refuses "a file in its place" "$spool/feed2" "$sluice" run -c "$conf"
rm "$spool/feed2"
ln -s "$dir/feed2" "$spool/feed2"
refuses "a link in its place" "$spool/feed2" "$sluice" run -c "$conf"
rm "$spool/feed2"
mv "$dir/feed2" "$spool/feed2"
if mount -t tmpfs -o size=1m none "$spool/ext" 2>/dev/null; then
	chown sluice:sluice "$spool/ext"
	refuses "two file systems" "$spool/ext: on another file system" \
		"$sluice" run -c "$conf"
	umount "$spool/ext"
	mount --bind "$spool/out" "$spool/ext"
	refuses "one file system, mounted twice" "$spool/ext" \
		"$sluice" run -c "$conf"
	umount "$spool/ext"
else
	echo "skipped: two file systems: nothing can be mounted here"
fi

# 3. A wrong configuration at SIGHUP: the old one stays in force.
must_start
cp "$conf" "$dir/right"
sed 's/^\(\tlimits = \).*/\1"9 8"/' "$conf" >"$dir/w" && cat "$dir/w" >"$conf"
kill -HUP "$(part pid sluice)"
eventually 5 "a wrong reload is refused" 1 \
	logged "sluice\[[0-9]*\]: reload result=kept-old"
grep "kept-old" "$place/log/sluice.log" | grep -q "sluice.conf:[0-9]" ||
	bad "without its line: $(grep kept-old "$place/log/sluice.log")"
send --count 3 --seed 31 --attach-share 0 || bad "send"
drained 10
cat "$dir/right" >"$conf"
kill -HUP "$(part pid sluice)"
eventually 5 "a right one is taken" 1 \
	logged "sluice\[[0-9]*\]: reload result=accepted"
send --count 3 --seed 32 --attach-share 0 || bad "send"
drained 10
check_mail "mail passes before and after" --expect-out ham

# 4. What can lie in in/ and is no message, or not yet.  "behind" is an
# ordinary message that came after all of it.
mkdir "$spool/in/qf0dirAAAA00001" && echo x | put_df 0dirAAAA00001
echo body >"$dir/link" && ln -s "$dir/link" "$spool/in/qf0lnkAAAA00002" &&
	echo x | put_df 0lnkAAAA00002
mkdir "$spool/in/df0dfdAAAA00003" && qf_text dfd | put_qf 0dfdAAAA00003
qf_text nodf | put_qf 0ndfAAAA00004
echo alone | put_df 0alnAAAA00005
: | put_qf 0empAAAA00006 && echo x | put_df 0empAAAA00006
echo x | put_df 0cutAAAA00007 && qf_text cut | head -c 150 |
	put_qf 0cutAAAA00007
echo x | put_df 0drcAAAA00009 &&
	qf_text drec | sed '2i d/elsewhere' | put_qf 0drcAAAA00009
echo x | put_df 0nuxAAAA00010 &&
	(qf_text nul | head -n -1 && printf 'H??X-N: a\0b\n.\n') |
		put_qf 0nuxAAAA00010
echo x | put_df 0verAAAA00011 &&
	qf_text ver | sed '1s/.*/V99/' | put_qf 0verAAAA00011
: | put_df 0zroAAAA00012 && qf_text zero | put_qf 0zroAAAA00012
echo x | put_df 0bhdAAAA00013 && qf_text behind | put_qf 0bhdAAAA00013

eventually 10 "mail behind it passes" 1 arrived hand-behind
eventually 5 "a body of no octets is a message like others" 1 \
	arrived hand-zero
eventually 5 "a directory as df: error/" error whereis 0dfdAAAA00003
eventually 5 "a qf without df: error/" error whereis 0ndfAAAA00004
eventually 5 "a d record: error/" error whereis 0drcAAAA00009
is "with its df" x "$(cat "$spool/error/df0drcAAAA00009")"
eventually 5 "a NUL in a qf: error/" error whereis 0nuxAAAA00010
eventually 5 "another version of qf: error/" error whereis 0verAAAA00011
is "a cut-off qf, young: left alone" in "$(whereis 0cutAAAA00007)"
is "an empty qf: left alone" in "$(whereis 0empAAAA00006)"
is "a directory as qf: left alone" in "$(whereis 0dirAAAA00001)"
is "a link as qf: left alone" in "$(whereis 0lnkAAAA00002)"
is "and not followed" body "$(cat "$dir/link")"
is "a df without qf: left alone" alone "$(cat "$spool/in/df0alnAAAA00005")"
for id in 0dfdAAAA00003 0ndfAAAA00004 0drcAAAA00009 0nuxAAAA00010 \
    0verAAAA00011; do
	last_line "$id" | grep -q '"to":"error".*"reason":"[^"][^"]*"' ||
		bad "$id: no reason in the journal: $(last_line "$id")"
done
said_of()
{
	logged "$1" | sed 's/^[1-9].*/said/'
}
# Neither raises an event that the feed waits for: a round finds them, and
# rounds may take a thousandth of the time.  One of 50 ms, on a loaded machine,
# puts the next one off by as many seconds.
eventually 90 "the directory is in the log" said said_of 0dirAAAA00001
eventually 10 "and the link" said said_of 0lnkAAAA00002
# Once the writer has finished, the message goes its way.
qf_text cut | put_qf 0cutAAAA00007
eventually 10 "a qf that was completed later passes" 1 arrived hand-cut
rm -r "$spool"/in/?f0dirAAAA00001 "$spool"/in/?f0lnkAAAA00002 \
	"$spool"/in/df0alnAAAA00005 "$spool"/in/?f0empAAAA00006

# 5. A message split by recipients: two qf, one df under two names.
echo shared | put_df 0spaAAAA00021 &&
	ln "$spool/in/df0spaAAAA00021" "$spool/in/df0spbAAAA00022" &&
	qf_text split-a | put_qf 0spaAAAA00021 &&
	qf_text split-b | put_qf 0spbAAAA00022
eventually 5 "of a split envelope the one passes" 1 arrived hand-split-a
eventually 5 "and the other" 1 arrived hand-split-b
eicar | put_df 0vsaAAAA00023 &&
	ln "$spool/in/df0vsaAAAA00023" "$spool/in/df0vsbAAAA00024" &&
	qf_text virus-a | put_qf 0vsaAAAA00023 &&
	qf_text virus-b | put_qf 0vsbAAAA00024
eventually 5 "a split virus: virus/" virus whereis 0vsaAAAA00023
eventually 5 "and virus/" virus whereis 0vsbAAAA00024

# 6. Long headers, many recipients.
echo x | put_df 0hdrAAAA00031 &&
	(qf_text header | head -n -1 && printf 'H??X-Long: ' &&
		head -c 1000000 /dev/zero | tr '\0' y && printf '\n.\n') |
		put_qf 0hdrAAAA00031
eventually 10 "a header of 1 MB passes" 1 arrived hand-header
# shellcheck disable=SC2046
echo x | put_df 0rcpAAAA00032 &&
	qf_text many $(seq -f 'u%.0f@rcpt.test' 10000) | put_qf 0rcpAAAA00032
recipients()
{
	grep '"id":"hand-many"' "$place/log/sink.jsonl" |
		grep -o 'u[0-9]*@rcpt\.test' | sort | uniq -c |
		awk '$1 == 1 { n++ } $1 > 1 { d++ } END { print n+0, d+0 }'
}
eventually 30 "ten thousand recipients, each once" "10000 0" recipients

# 7. Larger than budget.message: 2 GB, told by its size alone.
before=$(high_water)
used=$(df --output=used -k "$spool" | tail -n 1)
: | put_df 0bigAAAA00041 && truncate -s 2G "$spool/in/df0bigAAAA00041" &&
	qf_text big | put_qf 0bigAAAA00041
echo x | put_df 0nxtAAAA00042 && qf_text next | put_qf 0nxtAAAA00042
eventually 5 "2 GB: error/" error whereis 0bigAAAA00041
eventually 5 "and the next passes" 1 arrived hand-next
last_line 0bigAAAA00041 | grep -q "budget.message" ||
	bad "2 GB: reason: $(last_line 0bigAAAA00041)"
most "no process has grown by more than 16 MB, kB" $((before + 16384)) \
	"$(high_water)"
most "and the disk hasn't been filled, kB" $((used + 100000)) \
	"$(df --output=used -k "$spool" | tail -n 1)"
is "2 GB are still there" 2147483648 \
	"$(stat -c %s "$spool/error/df0bigAAAA00041")"
check_mail "nothing of what was sent is lost" --expect-out ham --allow-foreign
audit
grep -q '^fatal ' "$place/log/sluice.log" &&
	bad "$(grep '^fatal ' "$place/log/sluice.log")"
part stop || bad "stop"

# 8. A full disk.
image=$dir/disk.img
truncate -s 40M "$image"
place=$dir/small
mkdir -p "$place/spool"
if ! mkfs.ext4 -q "$image" 2>/dev/null ||
    ! mount -o loop "$image" "$place/spool" 2>/dev/null; then
	echo "skipped: full disk: no loop mounts here"
	finish
fi
rm -f "$dir/sent"
deploy

# First, since time can be set back on it: a qf cut off ten minutes ago.
echo x | put_df 0oldAAAA00008 && qf_text old | head -c 150 |
	put_qf 0oldAAAA00008
umount "$spool"
for field in mtime ctime; do
	debugfs -w -R "set_inode_field /in/qf0oldAAAA00008 \
		$field @$(($(date +%s) - 660))" "$image" 2>/dev/null
done
mount -o loop "$image" "$spool"
must_start clamd sink out sluice in
eventually 5 "a cut-off qf, old: error/" error whereis 0oldAAAA00008
last_line 0oldAAAA00008 | grep -q '"to":"error".*"reason":"[^"][^"]*"' ||
	bad "no reason in the journal: $(last_line 0oldAAAA00008)"
part stop sluice
send --count 40 --seed 41 --attach-share 0.2 --max-bytes 50000 ||
	bad "send: $(cat "$dir/send.out")"
is "forty wait" 40 "$(count in)"
fill()
{
	# What was deleted is free only once the file system's journal says so,
	# and what was written takes its blocks only when it is flushed.
	sync -f "$spool"
	dd if=/dev/zero of="$spool/filler" bs=64k conv=fsync 2>/dev/null
	dd if=/dev/zero of="$spool/filler2" bs=512 conv=fsync 2>/dev/null
	is "the disk is full" 0 \
		"$(df --output=avail -k "$spool" | tail -n 1 | tr -d ' ')"
}

fill
# Before sluice starts: each message that it could still deliver makes room.
send --count 5 --seed 42 --no-retry --attach-share 0
is "on a full disk the sender is told to come back" 5 \
	"$(grep -c '"id":"t42-.*"status":"deferred"' "$dir/sent")"
must_start sluice
sleep 2
# shellcheck disable=SC2046
held=$(count in $(feeds))
echo "# $held wait while the disk is full; restarted meanwhile"
part kill9 sluice
sleep 0.5
part start sluice >"$dir/start.out" 2>&1 &
start=$!
sleep 3
rm "$spool/filler" "$spool/filler2"
wait $start || must_start sluice
drained 60
check_mail "with room again all of it is delivered" --expect-out ham,attach
is "error/ holds the one that was cut off" 1 "$(count error)"
audit
part stop || bad "stop"
umount "$spool" 2>/dev/null || umount -l "$spool"
finish
