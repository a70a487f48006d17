#!/bin/bash
# Captures that are cut off, damaged, of another kind or no captures at all: a
# clear error, never a crash, and the flows before the damage are told.
set -eu

flow=$SLUICE_BUILD/bin/sluice-flow
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$SLUICE_BUILD/tests/flow_packets" 20 5 50 >"$dir/whole"

fail()
{
	echo "FAILED: $*"
	exit 1
}

# run NAME: exit status; what it said in out and err
run()
{
	local status=0
	"$flow" -r "$dir/$1" --port 25 --json >"$dir/out" 2>"$dir/err" ||
		status=$?
	echo "$status"
}

# refused NAME WORDS: exit 100, and an error with these words
refused()
{
	[ "$(run "$1")" = 100 ] || fail "$1: exit is not 100: $(cat "$dir/err")"
	grep -q "$2" "$dir/err" || fail "$1: $(cat "$dir/err")"
	[ ! -s "$dir/out" ] || fail "$1: flows out of nothing"
}

[ "$(run whole)" = 0 ] || fail "whole: $(cat "$dir/err")"
[ "$(wc -l <"$dir/out")" = 70 ] || fail "whole: $(wc -l <"$dir/out") flows"
python3 -c 'import json, sys
for line in sys.stdin: json.loads(line)' <"$dir/out" || fail "no JSON"

: >"$dir/empty"
refused empty "not a capture"
head -c 100000 /dev/urandom >"$dir/noise"
printf 'x' | dd of="$dir/noise" conv=notrunc status=none
refused noise "not a capture"
head -c 20 "$dir/whole" >"$dir/header"
refused header "not a capture"
{ head -c 20 "$dir/whole"; printf '\x69\0\0\0'; } >"$dir/wifi"
refused wifi "isn't read"
[ "$(run missing)" = 111 ] || fail "a file that isn't there"
grep -q "missing: No such file" "$dir/err" || fail "$(cat "$dir/err")"

# Cut within a frame, and within its header.
for n in 5000 5003 30 45; do
	head -c $n "$dir/whole" >"$dir/cut"
	[ "$(run cut)" = 111 ] || fail "cut at $n: exit $(run cut)"
	grep -q "truncated" "$dir/err" || fail "cut at $n: $(cat "$dir/err")"
done
head -c 5000 "$dir/whole" >"$dir/cut"
run cut >/dev/null
[ "$(wc -l <"$dir/out")" -gt 20 ] || fail "flows before the cut are lost"

# A frame of 4 GB; then noise in all places.
{ head -c 24 "$dir/whole"; head -c 16 /dev/zero | tr '\0' '\377'; } >"$dir/huge"
[ "$(run huge)" = 111 ] || fail "a frame of 4 GB: $(cat "$dir/err")"
python3 - "$dir" <<'EOF'
import os, random, sys
random.seed(int(os.environ.get("SEED", "1")))
whole = open(sys.argv[1] + "/whole", "rb").read()
for i in range(100):
    noisy = bytearray(whole)
    for _ in range(random.choice((1, 10, 100, 1000))):
        noisy[random.randrange(24, len(noisy))] = random.randrange(256)
    open("%s/noisy%d" % (sys.argv[1], i), "wb").write(noisy)
EOF
for i in $(seq 0 99); do
	status=$(run "noisy$i")
	[ "$status" = 0 ] || [ "$status" = 111 ] ||
		fail "noisy$i: exit $status: $(cat "$dir/err")"
done

# The same as pcapng: whole, cut, with lengths that can't be, and with noise.
python3 - "$dir" <<'EOF'
import os, random, struct, sys
random.seed(int(os.environ.get("SEED", "1")))
whole = open(sys.argv[1] + "/whole", "rb").read()
nano = whole[:4] == b"\x4d\x3c\xb2\xa1"
link, = struct.unpack_from("<I", whole, 20)


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    n = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + n + body + n


head = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
# if_tsresol: units of 10^-9 s
face = block(1, struct.pack("<HHI", link, 0, 65535) +
             struct.pack("<HHB3xHH", 9, 1, 9, 0, 0))
packets, at = [], 24
while at < len(whole):
    sec, part, n, length = struct.unpack_from("<IIII", whole, at)
    at += 16
    nsec = sec * 10**9 + part * (1 if nano else 1000)
    packets.append(block(6, struct.pack(
        "<IIIII", 0, nsec >> 32, nsec & 0xffffffff, n, length) +
        whole[at:at + n]))
    at += n


def write(name, data):
    with open(sys.argv[1] + "/" + name, "wb") as f:
        f.write(data)


ng = head + face + b"".join(packets)
write("ng", ng)
write("ng_cut", ng[:5001])
write("ng_zero", head + face + packets[0] + struct.pack("<II", 6, 0) * 4)
write("ng_huge", head + face + struct.pack("<II", 6, 0xfffffff0) + ng)
write("ng_noface", head + packets[0])
for i in range(100):
    noisy = bytearray(ng)
    for _ in range(random.choice((1, 10, 100, 1000))):
        noisy[random.randrange(28, len(noisy))] = random.randrange(256)
    write("ng_noisy%d" % i, noisy)
EOF
run whole >/dev/null
cp "$dir/out" "$dir/want"
[ "$(run ng)" = 0 ] || fail "pcapng: $(cat "$dir/err")"
cmp "$dir/out" "$dir/want" || fail "pcapng tells other flows than pcap"
for name in ng_cut ng_zero ng_huge ng_noface; do
	status=$(run $name)
	[ "$status" = 111 ] || [ "$status" = 100 ] || fail "$name: exit $status"
	[ -s "$dir/err" ] || fail "$name: it isn't said what is wrong"
done
for i in $(seq 0 99); do
	status=$(run "ng_noisy$i")
	[ "$status" = 0 ] || [ "$status" = 111 ] || [ "$status" = 100 ] ||
		fail "ng_noisy$i: exit $status: $(cat "$dir/err")"
done

# What is wrongly asked for.
for options in "" "-r $dir/whole" "-r $dir/whole --port 0" \
    "-r $dir/whole --port 25,x" "-r $dir/whole --port 70000" \
    "-r $dir/whole --port 25,"; do
	status=0
	# shellcheck disable=SC2086 # words
	"$flow" $options >/dev/null 2>&1 || status=$?
	[ "$status" = 100 ] || fail "sluice-flow $options: exit $status"
done
echo "broken captures are refused or read as far as they go"
