#!/bin/bash
# Wrapped mail through two real sendmails: what arrives at the next hop encloses
# what `sluice scan` is given of the message before, byte for byte.  The wrapping
# is asked for by hand (wrapper.c).
# shellcheck disable=SC2119,SC2016,SC2317,SC2013 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

begin t_wrap
deploy --queues 1
mkdir "$dir/got" "$dir/mail" "$dir/inner"
must_start in # nobody takes it out of in/

odd_mail
send --count 40 --seed 31 --eicar 3 --ext-share 0.2 --attach-share 0.5 \
	--max-bytes 2000000 || bad "send: $(cat "$dir/send.out")"
send --corpus "$dir/odd" --seed 32 || bad "send: $(cat "$dir/send.out")"
accepted=$(grep -c '"status":"accepted"' "$dir/sent")
eventually 10 "all are in in/" "$accepted" count in
find "$spool/in" -name 'qf*' -print0 |
	xargs -0 "$root/tests/integration/mail_of.pl" "$dir/mail" ||
	bad "mail_of.pl"

is "all are wrapped" "$accepted" "$("$SLUICE_BUILD/tests/wrapper" "$spool" 1 \
	"$place/etc/wrap.txt")"
find "$spool/feed1" "$spool/in" -type f | grep . && bad "something is left"
chown -R sluice:sluice "$spool/journal"
SLUICE_SINK_OPTIONS="--store $dir/got" must_start clamd sink out sluice
drained 60
is "all have arrived" "$accepted" "$(find "$dir/got" -name '*.eml' | wc -l)"

find "$dir/got" -name '*.eml' -print0 |
	xargs -0 "$root/tests/integration/enclosed.pl" "$dir/inner" ||
	bad "not all are wrapped as they should be"
sums() # directory
{
	find "$1" -type f -exec sha256sum {} + | cut -d ' ' -f 1 | sort
}
is "each encloses its original, byte for byte" "$(sums "$dir/mail")" \
	"$(sums "$dir/inner")"
grep -q '^Content-Transfer-Encoding: 8bit$' "$dir"/got/*.eml ||
	bad "no 8-bit message among them"

# The scanner reads through its own wrapping: every part of the original.
parts() # directory
{
	find "$1" -name '*.eml' -print0 | sort -z | xargs -0 "$sluice" scan \
		-c "$conf" --engines policy,clamd --json 2>/dev/null |
		grep -o '"sha256":"[0-9a-f]*"' | sort -u
}
parts "$dir/mail" >"$dir/parts.mail"
parts "$dir/got" >"$dir/parts.got"
[ "$(wc -l <"$dir/parts.mail")" -gt 30 ] || bad "scan says nothing"
is "scan finds every part in the wrapped mail" "" \
	"$(comm -23 "$dir/parts.mail" "$dir/parts.got")"

audit
is "the ledger has them in out" "$accepted" "$(audited out)"
finish
