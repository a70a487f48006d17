#!/bin/bash
# `sluice scan` gives for a file the verdict and the evidence that the spool
# path gave for the message: of generated mail always, and of a sample of the
# corpus where there is one (SLUICE_SHARED, by default ../shared).
#
# CORPUS_COUNT messages of the corpus are taken (100).
# shellcheck disable=SC2119,SC2016,SC2317,SC2013 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

half=$((${CORPUS_COUNT:-100} / 2))

# $half files below a directory, drawn at random, always the same
sample()
{
	find "$1" -type f ! -name '*.json' ! -name '*.md' | sort |
		perl -e 'srand 5; my @l = <STDIN>; for (1 .. $ARGV[0]) {
		    print splice(@l, int rand @l, 1) if @l }' "$half"
}

begin t_scan_same
deploy
must_start clamd sluice in # no OUT: what is clean stays in out/

send --count 80 --seed 21 --eicar 8 --ext-share 0.1 --attach-share 0.4 \
	--spam-share 0.05 --max-bytes 1000000 ||
	bad "send: $(cat "$dir/send.out")"

corpus=${SLUICE_SHARED:-$root/../shared}/corpus/dev-corpus.tar.xz
if [ -f "$corpus" ] && command -v xz >/dev/null; then
	mkdir "$dir/corpus"
	tar -C "$dir/corpus" --no-same-owner -xJf "$corpus"
	# Half of them are made to be misread.
	sample "$dir/corpus/mime-torture" >"$dir/list"
	sample "$dir/corpus" >>"$dir/list"
	send --list "$dir/list" --skip-bare-cr --seed 22 ||
		grep -q accepted "$dir/send.out" ||
		bad "send: $(cat "$dir/send.out")"
	[ "$(grep -c '"class":"corpus".*"status":"accepted"' "$dir/sent")" \
		-ge $((half * 16 / 10)) ] ||
		bad "little of the corpus was accepted"
else
	echo "skipped: the corpus: no $corpus"
fi
eventually 60 "all is judged" 0 waiting

mkdir "$dir/mail"
find "$spool"/{out,virus,ext,spam,error} -name 'qf*' -print0 |
	xargs -0 "$root/tests/integration/mail_of.pl" "$dir/mail" ||
	bad "mail_of.pl"
accepted=$(grep -c '"status":"accepted"' "$dir/sent")
is "every message has its file" "$accepted" \
	"$(find "$dir/mail" -name '*.eml' | wc -l)"
find "$dir/mail" -name '*.eml' | sort |
	xargs "$sluice" scan -c "$conf" --json >"$dir/scanned" 2>"$dir/scan.err"
[ -s "$dir/scan.err" ] && sed 's/^/    /' "$dir/scan.err"
is "scan says something of each" "$accepted" "$(wc -l <"$dir/scanned")"
if "$root/tests/integration/same_evidence.pl" "$dir/scanned" \
    "$spool"/journal/worker-* >"$dir/same"; then
	ok "$(tail -n 1 "$dir/same")"
else
	bad "scan and spool differ"
	head -c 6000 "$dir/same"
	tail -n 1 "$dir/same"
fi
grep -q ' virus' "$dir/same" || bad "no virus among them"
grep -q ' ext' "$dir/same" || bad "no refused name among them"

# Exit codes: 0 all clean, 1 any hit, 2 any unknown.
clean=$(find "$spool/out" -name 'qf*' | head -n 1)
clean=$dir/mail/$(basename "$clean" | cut -c 3-).eml
hit=$(find "$spool/virus" -name 'qf*' | head -n 1)
hit=$dir/mail/$(basename "$hit" | cut -c 3-).eml
"$sluice" scan -c "$conf" "$clean" >/dev/null 2>&1
is "exit code of a clean file" 0 $?
"$sluice" scan -c "$conf" "$clean" "$hit" >/dev/null 2>&1
is "exit code with a virus" 1 $?
part stop clamd
"$sluice" scan -c "$conf" "$clean" >/dev/null 2>&1
is "exit code without clamd" 2 $?
finish
