#!/bin/bash
# shellcheck disable=SC2154
# sluice flow: labelled connections are learned, others judged by it, with
# reasons that add up; the report says what that is worth; what is wrong is
# named and changes nothing.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# Connections of spam have longer round trips and more retransmissions; one
# in ten is like those of the other class.
python3 - "$dir" <<'EOF'
import json, random, sys
random.seed(7)
def flow(spam, n):
    like = spam if random.random() < .9 else not spam
    return {"client": "10.%d.%d.%d" % (spam, n // 250, n % 250),
            "client_port": 1024 + n, "server": "192.0.2.1",
            "server_port": 25, "start": 1000.5 + n,
            "pkts_in": random.randint(8, 40), "win_min": None,
            "rtt_init": random.uniform(.01, .2) + .3 * like,
            "rxmt_in": random.randint(0, 3) + 3 * like,
            "jitter_var": random.random()}
for name, n in ("learn", 600), ("judge", 200):
    for spam in False, True:
        with open("%s/%s.%s" % (sys.argv[1], name, "spam" if spam else "ham"),
                  "w") as out:
            for i in range(n):
                print(json.dumps(flow(spam, i)), file=out)
EOF
flow() { timeout 60 "$sluice" flow "$@" --state "$dir/state"; }

# says WHAT STATUS TEXT COMMAND...: it ends with STATUS and says TEXT
says()
{
	local what=$1 status=$2 text=$3 code
	shift 3
	"$@" >"$dir/out" 2>&1
	code=$?
	if [ $code != "$status" ] || ! grep -qF -e "$text" "$dir/out"; then
		bad "$what: exit $code"
		sed 's/^/    /' "$dir/out"
	else
		ok "$what"
	fi
}

says "nothing learned is no model" 2 "no model" \
	flow classify --features "$dir/judge.ham"
says "nothing learned is no report" 2 '"accuracy":null' flow report --json
says "no label" 100 "--label" flow learn --features "$dir/learn.ham"
says "another label" 100 "write ham or spam" flow learn --label eggs
says "no such file" 100 "none: No such file" \
	flow learn --label ham --features "$dir/none"
says "ham" 0 "learned from 600 ham" \
	flow learn --label ham --features "$dir/learn.ham"
says "spam, from standard input" 0 '"learned":600,"n_ham":600,"n_spam":600' \
	flow learn --label spam --json <"$dir/learn.spam"

cp "$dir/state/samples.jsonl" "$dir/before"
(head -n 3 "$dir/learn.ham"; echo '{"pkts_in":-1}') >"$dir/wrong"
says "a wrong line is named" 100 "wrong:4: pkts_in: not a number from 0" \
	flow learn --label ham --features "$dir/wrong"
is "and nothing of its file is learned" \
	"$(cmp "$dir/before" "$dir/state/samples.jsonl" && echo same)" same

for class in ham spam; do
	flow classify --features "$dir/judge.$class" >"$dir/judged.$class" ||
		bad "classify $class"
done
python3 - "$dir" <<'EOF' || bad "judgements"
import json, math, sys
right = 0
for name in "ham", "spam":
    lines = [json.loads(l) for l in open("%s/judged.%s" % (sys.argv[1], name))]
    assert len(lines) == 200 and lines[3]["client_port"] == 1027
    for o in lines:
        right += o["label"] == name
        total = o["bias"] + sum(o["contributions"].values())
        assert abs(total - o["score"]) < 1e-6
        assert abs(o["p_spam"] - 1 / (1 + math.exp(-o["score"]))) < 1e-6
        assert o["points"] == 0 and o["why"]
print("right: %d of 400" % right)
assert right > 0.8 * 400
EOF
flow report --json >"$dir/report" || bad "report"
python3 - "$dir/report" <<'EOF' || bad "report"
import json, sys
r = json.load(open(sys.argv[1]))
print(r)
assert list(r) == ["n_ham", "n_spam", "accuracy", "precision", "recall",
                   "auc", "tpr_at_fpr_0.001", "tpr_at_fpr_0.01"]
assert r["n_ham"] == r["n_spam"] == 600
assert 0.8 < r["accuracy"] < 0.95 and 0.8 < r["auc"] < 0.97
EOF
says "all models side by side" 0 "boosted" flow report --models
says "the curve, and why there is no weight" 0 "weight: 0, since" flow report

# Labelled by the content filter: 20 points for spam, -1 for ham, and every
# third mail in between.
python3 - "$dir" <<'EOF'
import json, sys
lines = []
for name, score in ("ham", -1), ("spam", 20):
    for n, line in enumerate(open("%s/learn.%s" % (sys.argv[1], name))):
        o = json.loads(line)
        o["content_score"] = score if n % 3 else 6
        lines.append((n, json.dumps(o)))
with open(sys.argv[1] + "/auto", "w") as out:
    print("\n".join(line for n, line in sorted(lines)), file=out)
EOF
auto() { timeout 60 "$sluice" flow "$@" --state "$dir/auto-state"; }
says "scores that are sure label" 0 \
	"learned from 800 mails; 400 ham and 400 spam" \
	auto learn --label auto --features "$dir/auto"
says "and others can be set" 0 \
	"learned from 100 mails; 400 ham and 500 spam" \
	auto learn --label auto --spam-from 6 --ham-to -7 --features \
	<(grep '"content_score": 6' "$dir/auto" | head -n 100)
says "sudden spam alone freezes it" 0 \
	"no points: frozen: spam went from 50 % to" \
	auto learn --label auto --spam-from 6 --ham-to -7 --features "$dir/auto"
says "that make no sense" 100 "is not below" \
	auto learn --label auto --spam-from 1 --ham-to 1 --features "$dir/auto"

truncate -s -5 "$dir/state/model.json"
says "a damaged model is named" 111 "model.json:1: " \
	flow classify --features "$dir/judge.ham"
rm "$dir/state/model.json"
says "learned again" 0 "learned from 1 ham" \
	flow learn --label ham --features <(head -n 1 "$dir/judge.ham")
says "and judged again" 0 '"label":"spam"' \
	flow classify --features "$dir/judge.spam"
truncate -s -5 "$dir/state/samples.jsonl"
says "damaged samples are named" 111 "cut off within this line; remove" \
	flow report
finish
