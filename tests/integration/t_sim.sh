#!/bin/sh
# shellcheck disable=SC2016 # the expressions are perl's
# sluice-sim: each sub-command gives an answer that can be checked, and bad
# input a clear error.
#
# usage: t_sim.sh [PROGRAM]     (build/bin/sluice-sim)

set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd) || exit 1
sim=${1:-${SLUICE_BUILD:-$here/../../build}/bin/sluice-sim}
dir=$(mktemp -d "${TMPDIR:-/tmp}/t_sim.XXXXXX") || exit 1
failed=0
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM

[ -x "$sim" ] || {
	echo "no program at $sim" >&2
	exit 1
}
perl -MJSON::PP -e 1 2>/dev/null || {
	echo "skipped: no perl with JSON::PP here"
	exit 77
}

# The dual-Gaussian mail server of VirScan's paper.
service=0.09,0.00021276595744680851
sizes=gaussmix:0.9,2000,400,0.1,50000,10000
mail="--rate 1.39 --service $service --sizes $sizes"

bad() {
	echo "FAILED: $*"
	failed=1
}

# expect CODE WHAT ARGUMENT...: output goes to $dir/out and $dir/err
expect() {
	want=$1 what=$2
	shift 2
	"$sim" "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	if [ $got -eq "$want" ]; then
		echo "ok: $what"
	else
		bad "$what: exit code $got, not $want"
		sed 's/^/    /' "$dir/out" "$dir/err"
	fi
}

# says FILE TEXT...: $dir/FILE has each of them
says() {
	file=$1
	shift
	for text; do
		grep -qF -e "$text" "$dir/$file" || {
			bad "no '$text' in $file:"
			sed 's/^/    /' "$dir/$file"
		}
	done
}

# holds WHAT EXPRESSION: of perl, with @o the JSON lines of $dir/out
holds() {
	perl -MJSON::PP -e 'my $e = pop; open F, "<", pop or die;
		our @o = map { decode_json($_) } <F>;
		my $r = eval $e; die $@ if $@; exit !$r' "$dir/out" "$2" || {
		bad "$1: not so: $2"
		sed 's/^/    /' "$dir/out"
	}
}

# refuses CODE WORD WORD ARGUMENT...: the error has both words and advice
refuses() {
	want=$1 one=$2 two=$3
	shift 3
	expect "$want" "refused: $*" "$@"
	says err "$one" "$two" "write "
}

# 1. The formulas, against what was published and what they must satisfy.
# shellcheck disable=SC2086 # $mail is several words
{
expect 0 "wait" wait $mail --json
holds "the published wait" 'abs($o[0]{wait_mean_s} - 2.4919) < 0.0005'
holds "every key" '!grep { !exists $o[0]{$_} } qw(policy wait_mean_s ci99_s
	wait_p50_s wait_p95_s wait_p99_s utilisation queues stable limits
	messages_per_s)'
holds "the limits in force" '"@{$o[0]{limits}}" eq "2000 10000 50000"'
holds "every queue" '@{$o[0]{queues}} == 4 && !defined
	$o[0]{queues}[3]{limit_bytes} && $o[0]{queues}[0]{limit_bytes} == 2000'
holds "the mean is that of the queues" 'my $w = 0;
	$w += $_->{share} * $_->{wait_mean_s} for @{$o[0]{queues}};
	abs($w - $o[0]{wait_mean_s}) < 1e-6'
expect 0 "wait as a table" wait $mail
says out "MEAN WAIT" feed4 none
expect 0 "wait as values" wait $mail --csv
says out "policy,queue,limit_bytes" "size,4,,0.05"
refuses 100 --policy steal wait $mail --policy steal

# 2. The simulation, against the formula, and itself.
expect 0 "wait of an easier mail" wait --rate 1 --service 0.1,1e-4 \
	--sizes exp:6800 --workers 2 --limits 9000 --json
formula=$(sed 's/.*"wait_mean_s":\([0-9.e-]*\),"ci.*/\1/' "$dir/out")
expect 0 "simulate it" simulate --rate 1 --service 0.1,1e-4 --sizes exp:6800 \
	--workers 2 --limits 9000 --policy size --messages 1e6 --json
holds "they agree" "abs(\$o[0]{wait_mean_s} - $formula) < 2 * \$o[0]{ci99_s}"
holds "a speed" '$o[0]{messages_per_s} > 0 && $o[0]{messages} >= 1e6'
holds "waits in order" '$o[0]{wait_p50_s} <= $o[0]{wait_p95_s} &&
	$o[0]{wait_p95_s} <= $o[0]{wait_p99_s}'
expect 0 "every policy" simulate $mail --policy all --messages 1e5 --json \
	--limits 6431,50000
holds "a line each" 'join(",", map { $_->{policy} } @o) eq
	"size,size+load,least-work,small-first,steal"'
sed 's/"messages_per_s":[^,}]*//' "$dir/out" >"$dir/once"
expect 0 "again, with one thread" simulate $mail --policy all \
	--messages 1e5 --json --limits 6431,50000 --threads 1
sed 's/"messages_per_s":[^,}]*//' "$dir/out" >"$dir/twice"
cmp "$dir/once" "$dir/twice" || bad "a seed gave two results"
expect 0 "how many workers" simulate $mail --policy least-work \
	--messages 1e5 --target-p99 5 --json
holds "enough" '$o[0]{meets_target} && $o[0]{wait_p99_s} <= 5'
n=$(sed 's/.*"workers":\([0-9]*\).*/\1/' "$dir/out")
expect 0 "one less" simulate $mail --policy least-work --messages 1e5 \
	--workers $((n - 1)) --json
holds "are too few" '$o[0]{wait_p99_s} > 5'
expect 0 "with progress" simulate $mail --policy least-work --progress \
	--messages 1e5

"$sim" simulate $mail --policy least-work --messages 1e12 --json \
	>"$dir/out" 2>"$dir/err" &
running=$!
sleep 1
kill -INT $running
wait $running
[ $? -eq 111 ] || bad "an interrupted run ends otherwise"
holds "what there is" '$o[0]{messages} > 0 && $o[0]{wait_mean_s} > 0'
says err interrupted "least-work is of"

# 3. What no queue can stand.
for c in wait simulate; do
	expect 1 "$c: too much mail" $c $mail --rate 3 --json
	holds "unstable" '!$o[0]{stable} && !defined $o[0]{wait_mean_s} &&
		!defined $o[0]{wait_p99_s} && $o[0]{utilisation} > 1.1'
	says err --rate "3 messages a second" "write less"
	expect 1 "$c: too much for one queue" $c $mail --limits 100,200,300 \
		--policy size --json
	holds "unstable" '!$o[0]{stable} && !defined $o[0]{ci99_s}'
	says err --limits feed4
done
expect 1 "optimize: too much mail" optimize $mail --rate 3 --policy size --json
holds "unstable" '!$o[0]{stable} && !defined $o[0]{wait_mean_s}'

# 4. The best limits.
expect 0 "optimize" optimize $mail --policy size --json --messages 1e5
holds "as published" 'abs($o[0]{wait_mean_s} - 1.708) < 1e-3'
holds "and there are better ones" '$o[0]{better}{wait_mean_s} < 0.97'
best=$(sed 's/.*"better":.*"wait_mean_s":\([0-9.e-]*\)}.*/\1/' "$dir/out")
limits=$(sed 's/.*"better":{"limits":\[\([0-9,]*\)\].*/\1/' "$dir/out")
expect 0 "what the formula says of them" wait $mail --limits "$limits" --json
holds "the same" "abs(\$o[0]{wait_mean_s} / $best - 1) < 1e-4"
expect 0 "recommend" recommend $mail --policy size,least-work \
	--messages 1e5 --half-width 0.2 --json
holds "one of two" '@o == 2 && grep({ $_->{recommended} } @o) == 1'
holds "the bound is one" '!grep { $_->{gap} < 0 } @o'
# Ten million messages don't tell it so well; it goes on until they do.
expect 0 "optimize to 1 %" optimize $mail --policy least-work --json
holds "to 1 %" '$o[0]{ci99_s} <= 0.01 * $o[0]{wait_mean_s}'
# Hardly anybody waits: to 1 % of so little would take 4e8 messages.
echo 1000 >"$dir/one"
expect 0 "hardly any wait" optimize --rate 1 --service 0.02,1e-4 \
	--sizes "list:$dir/one" --policy least-work --json
holds "to 1e-4 of a service" '$o[0]{messages} < 1e7 &&
	$o[0]{ci99_s} <= 1.2e-5'
expect 0 "as many as were asked for" optimize $mail --policy least-work \
	--messages 1e5 --json
holds "no more" '$o[0]{messages} < 2e5'
}

# 5. Replay: one worker, whose waits are plain sums.
printf '0 10 2\n1 10 2 1\n2 10 2 3 1\n100 10 2\n' >"$dir/trace"
expect 0 "replay" replay "$dir/trace" --workers 1 --json
holds "0, 1, 2 and 0 seconds" 'abs($o[0]{wait_mean_s} - 0.75) < 1e-9 &&
	abs($o[0]{wait_max_s} - 2) < 0.05 && $o[0]{messages} == 4'
holds "what was measured" '$o[0]{measured}{wait_mean_s} == 2 &&
	$o[0]{measured}{wait_p50_s} == 1 && $o[0]{measured}{wait_p95_s} == 3'
expect 0 "a part of it" replay "$dir/trace" --workers 1 --from 1 --json
holds "0, 1 and 0 seconds" 'abs($o[0]{wait_mean_s} - 1 / 3) < 1e-9'
expect 0 "less time than work" replay "$dir/trace" --workers 1 --to 2 --json
holds "0, 1 and 2 seconds" '$o[0]{stable} && $o[0]{wait_mean_s} == 1'
printf '0 1000 1.0\n0.5 1000 1.0\n1.0 1000 1.0\n' >"$dir/burst"
expect 0 "a burst" replay "$dir/burst" --workers 1 --json
holds "0, 0.5 and 1 s" '$o[0]{stable} && $o[0]{wait_mean_s} == 0.5 &&
	$o[0]{wait_max_s} == 1 && $o[0]{utilisation} == 1'
[ -s "$dir/err" ] && bad "a burst is complained of"
printf '7 10 1\n7 10 1\n7 10 1\n' >"$dir/burst"
expect 0 "all at once" replay "$dir/burst" --workers 2 --policy least-work \
	--json
holds "0, 0 and 1 s" 'abs($o[0]{wait_mean_s} - 1 / 3) < 1e-9 &&
	$o[0]{utilisation} == 0.75'
seq 1 2000 | sed 's/$/ 10 2/' >"$dir/flood"
expect 1 "a flood" replay "$dir/flood" --workers 1 --json
holds "known waits" '!$o[0]{stable} && $o[0]{wait_mean_s} == 999.5 &&
	$o[0]{wait_max_s} == 1999 && $o[0]{utilisation} == 1'
says err --workers "2 times as much work as 1 workers" "write at least"
{
	seq 1 1990 | sed 's/$/ 10 2/'
	printf '9000 10 2\n'
} >"$dir/flood"
expect 0 "a flood that ends" replay "$dir/flood" --workers 1 --json
# At first the feed doesn't know how long a scan takes.
{
	seq 1 50 | sed 's/$/00 10 2/'
	printf '6000 10 2\n6001 10 2\n6002 10 2\n'
} >"$dir/learned"
expect 0 "more workers" replay "$dir/learned" --policy least-work \
	--target-p99 0.5 --json
holds "two are enough" '$o[0]{workers} == 2 && $o[0]{wait_max_s} == 0'
expect 1 "never so many workers" replay "$dir/trace" --workers 1 \
	--limits none --policy size --target-p99 1e-6
says err --target-p99 "write more"
refuses 100 trace "write the name" replay
refuses 100 "no message" "other times" replay "$dir/trace" --from 2026-01-01
printf '5 10 2\n4 10 2\n' >"$dir/back"
refuses 100 "$dir/back:2" "goes back" replay "$dir/back"
printf '5 10 nan\n' >"$dir/nan"
refuses 100 "$dir/nan:1" nan replay "$dir/nan"
printf '5 10 2\0junk\n6 10 2\n' >"$dir/nul"
refuses 100 "$dir/nul:1" NUL replay "$dir/nul"
expect 0 "what a trace has itself" replay "$dir/trace" --workers 1 \
	--tail .5,9 --hits .5 --seed 3 --rate 9
says err "--tail is left out" "--hits is" "--seed is" "--rate is"
: >"$dir/empty"
expect 100 "an empty trace" replay "$dir/empty"
says err "$dir/empty" "no message"
expect 100 "no such trace" replay "$dir/none"
says err "$dir/none"

# 6. Wrong options: each error names option and value.
while read -r option value word; do
	# shellcheck disable=SC2086
	refuses 100 "$option" "${word:-$value}" simulate $mail \
		"$option" "$value"
done <<EOT
--rate -1
--rate 0
--rate nan
--rate 1e999
--rate 1.39x
--service 0.09
--service -1,0 -1
--service 0,0
--service 0.09,inf inf
--limits 2000,1000,50000 1000
--limits 2000,2000 not more
--limits 1,2,3,4 too many
--limits 2000,,50000 ""
--workers 0
--workers 65
--workers 2.5
--policy fifo
--policy size,size twice
--slots 0
--speeds 1,1 2 speeds
--speeds 1,1,1,0 above 0
--tail 2,60 above 1
--tail 0.1
--hits 1.5
--patience -1
--patience 2.5 whole
--seed 9007199254740993 above
--messages 0
--messages many
--half-width 0
--threads -1
--seed x
--target-p99 0
EOT
while read -r spec word; do
	expect 100 "refused: --sizes $spec" wait --rate 1 --service 1,0 \
		--sizes "$spec"
	says err --sizes "$word"
done <<EOT
exp exp
exp:-5 -5
exp:nan nan
gaussmix:0.5,2000,400 0.5
normal:1,2 normal
list:$dir/none none
list:$dir/empty empty
EOT
refuses 100 --rate missing wait --service 1,0 --sizes exp:5
refuses 100 --service missing wait --rate 1 --sizes exp:5
refuses 100 --sizes missing wait --rate 1 --service 1,0
refuses 100 --limits "not for 5" wait --rate 1 --service 1e-3,0 \
	--sizes exp:5 --workers 5
expect 1 "no mean" simulate --rate 1 --service 1,1 --sizes pareto:0.9,1
says err --sizes pareto:0.9,1 infinite "write "
# No variance: stable, an infinite mean, and the field to blame.
while read -r c; do
	# shellcheck disable=SC2086
	expect 0 "no variance: $c" $c --rate 1 --service .02,1e-4 \
		--sizes pareto:1.5,1000 --json
	holds "an infinite mean" '!grep { $_->{policy} eq "size" &&
		(!$_->{stable} || defined $_->{wait_mean_s}) } @o'
	says err --sizes "variance of pareto:1.5,1000 is infinite" "write a l"
	grep -q "keep growing" "$dir/err" && bad "$c: grows"
done <<EOT
wait
simulate --policy size --messages 1e4
optimize --policy size --messages 1e4
recommend --policy size,least-work --messages 1e4 --half-width 0.5
EOT
expect 0 "a single queue has no limits" wait --rate 1 --service 0.5,0 \
	--sizes exp:5 --workers 1 --limits "" --json
holds "M/D/1" 'abs($o[0]{wait_mean_s} - 0.25) < 1e-6 && !@{$o[0]{limits}}'
refuses 100 --limits "4 workers" wait --rate 1 --service 0.5,0 --sizes exp:5 \
	--limits ""
expect 100 "no such command" guess
expect 100 "no command"
for c in wait simulate optimize recommend replay plot; do
	expect 0 "$c teaches" $c --help
	says out "sluice-sim $c " "Exit status"
done

# Half an answer is none.
if [ -c /dev/full ]; then
	# shellcheck disable=SC2086
	for c in "wait $mail" "wait $mail --json" "wait --help" --help \
		"simulate $mail --messages 1e4 --csv"; do
		"$sim" $c >/dev/full 2>"$dir/err"
		got=$?
		[ $got -eq 111 ] || bad "$c > /dev/full: exit code $got"
		says err "standard output" "not complete"
	done
fi

# 7. Pictures.
# shellcheck disable=SC2086
(PATH=/nonexistent "$sim" plot sizes --sizes $sizes --output "$dir/a.svg" \
	>"$dir/out" 2>"$dir/err")
[ $? -eq 111 ] || bad "no gnuplot isn't the system's trouble"
says err gnuplot-nox
refuses 100 --output "a.jpg" plot sizes --sizes $sizes --output a.jpg
refuses 100 --output missing plot sizes --sizes $sizes
refuses 100 pie "write wait" plot pie
refuses 100 --sizes "is infinite" plot wait --service 1,1 \
	--sizes pareto:0.9,1 --output "$dir/none.svg"
refuses 100 --sizes "variance of" plot wait --service 1,1 --policy size \
	--sizes pareto:1.5,1 --output "$dir/none.svg"
if command -v gnuplot >/dev/null; then
	for end in svg png; do
		expect 0 "plot sizes, $end" plot sizes --sizes $sizes \
			--output "$dir/sizes.$end"
		expect 0 "plot wait, $end" plot wait --service $service \
			--sizes $sizes --policy size,least-work --rate 1.39 \
			--messages 2e4 --output "$dir/wait.$end"
		expect 0 "plot trace, $end" plot trace "$dir/trace" \
			--output "$dir/trace.$end"
	done
	for kind in sizes wait trace; do
		head -c 4 "$dir/$kind.png" | grep -q PNG || bad "$kind.png"
		says $kind.svg "<svg" "</svg>"
	done
	says sizes.svg "Sizes of messages: gaussmix" Distribution Density \
		"exponential, mean 27" "feed3: 50000"
	says wait.svg "Mean wait against load" "rate 1.39" least-work
	says trace.svg "Predicted against measured" "as measured" mean
	[ -z "$(find "$dir" -name '*.new-*')" ] || bad "a half picture stays"
else
	echo "not tried: no gnuplot here"
fi

[ $failed -eq 0 ] && echo "all ok"
exit $failed
