#!/bin/bash
# tests/integration/t_spread.sh - sluice model spread over a ledger of many
# attachments: every measure against one that is counted slowly, alarms,
# pseudonyms, and texts that senders chose.
#
# Environment: SLUICE_BUILD; SPREAD_FILES (20000)
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null || skip "no python3 here"
here=$(cd "$(dirname "$0")" && pwd) || exit 1
files=${SPREAD_FILES:-20000}
dir=$(mktemp -d "${SLUICE_TEST_DISK:-/var/tmp}/t_spread.XXXXXX") || exit 1
trap clean_up EXIT
spool=$dir/spool
mkdir -p "$spool"/{in,feed1,feed2,feed3,feed4,out,virus,ext,spam,error} \
	"$spool/journal" "$dir/state" "$dir/run"

# conf [SETTING OF SPREAD...]
conf()
{
	printf 'site {\n\tspool = "%s"\n\tstate = "%s"\n\truntime = "%s"\n}\n' \
		"$spool" "$dir/state" "$dir/run"
	printf 'spread {\n'
	printf '\t%s\n' "$@"
	printf '}\n'
}
conf >"$dir/conf"

spread()
{
	"$sluice" model spread -c "${use:-$dir/conf}" "$@"
}

# The exit status of a command, which says what it likes.
status()
{
	"$@" >"$dir/out" 2>"$dir/err"
	echo $?
}

# CPU milliseconds of a command.
cpu_msec()
{
	local TIMEFORMAT='%U %S'
	{ time "$@" >"$dir/out" 2>"$dir/err"; } 2>&1 |
		awk '{ printf "%d\n", ($1 + $2) * 1000 }'
}

is "without a ledger it says so" 111 "$(status spread)"
grep -q 'audit --rebuild' "$dir/err" || bad "no remedy: $(cat "$dir/err")"

"$here/spread_mail.py" make "$spool" "$files" >"$dir/made" || bad "no mail"
echo "    the ledger made anew: $(cpu_msec "$sluice" audit -c "$dir/conf" \
	--rebuild) ms of CPU"
grep -q "made anew" "$dir/err" || bad "rebuild: $(cat "$dir/err")"

# Measured: 1.5 to 2.5 s for 100,000 on a machine with ten other things to do.
most "ms of CPU for the measures of $(cat "$dir/made") attachments" \
	$((500 + files / 20)) "$(cpu_msec spread --json)"
mv "$dir/out" "$dir/json"
if "$here/spread_mail.py" check "$spool" "$dir/json" >"$dir/checked"; then
	ok "all measures are those that are counted slowly: $(cat "$dir/checked")"
else
	bad "measures:"
	cat "$dir/checked"
fi

is "an alarm is exit status 1" 1 "$(status spread --alarm)"
is "one file alarms" 1 "$(grep -c BURST "$dir/out")"
is "who sends it on is named" 1 "$(grep -c 'sent on by w.*@site.test' "$dir/out")"
worm=$(printf worm | sha256sum | cut -c1-64)
is "a file by the beginning of its hash" 0 \
	"$(status spread --hash "${worm:0:10}")"
grep -q "^$worm" "$dir/out" || bad "not the worm: $(head -3 "$dir/out")"
is "a file that nobody knows" 2 "$(status spread --hash 0123456789abcdef0123)"
is "a hash that is none" 100 "$(status spread --hash xyz)"
is "too many periods" 100 "$(status spread --since 300d --period 1s)"
is "no alarm where nothing came" 0 \
	"$(status spread --alarm --since 1s --period 1s)"

# Terminals: whatever was written into names, lines of plain ASCII.
spread --limit 100000 >"$dir/text"
is "no octet outside of printable ASCII is shown" 0 \
	"$(LC_ALL=C grep -c '[^ -~]' "$dir/text")"
is "a line is a file" "$(($(sed -n 's/^\([0-9]*\) files.*/\1/p' "$dir/text") + 4))" \
	"$(wc -l <"$dir/text")"

# The log, as it is and under keys.
(umask 077 && head -c 32 /dev/urandom >"$dir/key1")
(umask 077 && head -c 32 /dev/urandom >"$dir/key2")
conf "key = \"$dir/key1\"" >"$dir/conf1"
conf "key = \"$dir/key2\"" >"$dir/conf2"
spread --log --since 7d | sort >"$dir/log"
use=$dir/conf1 spread --log --since 7d | sort >"$dir/log1"
use=$dir/conf1 spread --log --since 7d | sort >"$dir/again"
use=$dir/conf2 spread --log --since 7d | sort >"$dir/log2"
logged=$(python3 - "$spool/journal/worker-1" <<-'END'
	import json, sys
	print(sum(len({p["sha256"] for p in json.loads(l)["evidence"]["reading"]
	    ["parts"] if "attachment" in p["flags"]}) for l in open(sys.argv[1])))
	END
)
is "every attachment is logged" "$logged" "$(wc -l <"$dir/log")"
grep -q '@site.test' "$dir/log" || bad "no address in the log"
is "with a key no address is told" 0 "$(grep -c '@' "$dir/log1")"
is "pseudonyms stay" 0 "$(comm -3 "$dir/log1" "$dir/again" | wc -l)"
is "another key, other pseudonyms" 0 "$(comm -12 "$dir/log1" "$dir/log2" | wc -l)"
use=$dir/conf1 spread --alarm >"$dir/text"
is "who sends it on is a number" 1 \
	"$(grep -c 'sent on by [0-9a-f]\{16\} to' "$dir/text")"
chmod 644 "$dir/key1"
is "a key that others read is refused" 100 \
	"$(use=$dir/conf1 status spread)"
printf short >"$dir/key2"
is "a short key is refused" 100 "$(use=$dir/conf2 status spread)"
rm "$dir/key2"
is "no key where one should be" 100 "$(use=$dir/conf2 status spread)"
grep -q urandom "$dir/err" || bad "no remedy: $(cat "$dir/err")"

# What is kept, and that a rebuild tells the same of it.
conf "keep = 1d" >"$dir/conf1"
"$sluice" audit -c "$dir/conf1" --rebuild >/dev/null 2>&1
use=$dir/conf1 spread --log --since 7d | sort >"$dir/again"
kept=$(wc -l <"$dir/again")
if [ "$kept" -gt 0 ] && [ "$kept" -lt "$logged" ]; then
	ok "what is older than spread.keep isn't taken ($kept of $logged)"
else
	bad "spread.keep: $kept of $logged"
fi
is "a rebuild tells the same" 0 "$(comm -13 "$dir/log" "$dir/again" | wc -l)"
finish
