#!/bin/bash
# Updates of models as their two sides use them: a repository learns, numbers,
# compares and signs; a site checks, installs and takes back.  Files are
# compared octet for octet.
# shellcheck disable=SC2119,SC2317 source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

seed=${SEED:-1}

# documents DIR N SEED: lists of features, some of them common, most their own
documents()
{
	mkdir -p "$1"
	perl -e 'my ($dir, $n, $seed) = @ARGV;
		srand $seed;
		for my $i (1 .. $n) {
			open my $f, ">", "$dir/$seed-$i" or die "$dir: $!";
			print $f "common", int(rand(5000)), "\n" for 1 .. 300;
			print $f "own", int(rand(1e9)), "\n" for 1 .. 300;
		}' "$1" "$2" "$3" || exit 1
}

learn()
{ # OPTION... : what the repository's master has learned
	"$sluice" model train --input features --keep-point "$@" \
		>"$dir/train.out" 2>&1 || {
		cat "$dir/train.out"
		exit 1
	}
}

model()
{
	"$sluice" model "$@" >"$dir/out" 2>"$dir/err"
}

# refused WHAT WORDS COMMAND...: status 1, says so, and the site has not changed
refused()
{
	local what=$1 words=$2 status
	shift 2
	cp "$site" "$dir/before"
	model "$@"
	status=$?
	is "$what: status" 1 $status
	if grep -q "$words" "$dir/err"; then
		ok "$what: $(cut -c1-100 "$dir/err")"
	else
		bad "$what: no '$words' in: $(cat "$dir/err")"
	fi
	is "$what: nothing has changed" "" "$(cmp "$site" "$dir/before" 2>&1)"
}

same()
{ # WHAT FILE FILE
	is "$1" "" "$(cmp "$2" "$3" 2>&1)"
}

command -v openssl >/dev/null || skip "no openssl: tools/packages test"
begin t_model_update
site=$dir/site/model
mkdir "$dir/site"
for name in good other; do
	(umask 077 && openssl genpkey -algorithm ed25519 -out "$dir/$name") ||
		exit 1
	openssl pkey -in "$dir/$name" -pubout -out "$dir/$name.pub" || exit 1
done
cat >"$dir/conf" <<END
mef {
	model = "$site"
	keys = "$dir/other.pub $dir/good.pub"
}
END

# 1. The repository: two hundred documents, then one in a hundred more.
documents "$dir/malicious" 100 "$seed"
documents "$dir/benign" 100 $((seed + 1000))
documents "$dir/more" 1 $((seed + 2000))
documents "$dir/fewer" 1 $((seed + 3000))
learn --malicious "$dir/malicious" --benign "$dir/benign" -o "$dir/master1"
learn --base "$dir/master1" --malicious "$dir/more" --benign "$dir/fewer" \
	-o "$dir/master2"
learn --base "$dir/master2" --forget --benign "$dir/fewer" -o "$dir/master3"
for i in 1 2 3; do
	model prune --floor 2 --release $i -o "$dir/r$i" "$dir/master$i" ||
		bad "prune: $(cat "$dir/err")"
done
model diff -o "$dir/whole1" --whole "$dir/r1" || bad "whole: $(cat "$dir/err")"
model diff -o "$dir/u12" "$dir/r1" "$dir/r2" || bad "diff: $(cat "$dir/err")"
model diff -o "$dir/u23" "$dir/r2" "$dir/r3" || bad "diff: $(cat "$dir/err")"
model diff -o "$dir/m12" "$dir/master1" "$dir/master2" || bad "master"
same "the same update again" "$dir/u12" <(
	model diff -o "$dir/again" "$dir/r1" "$dir/r2" && cat "$dir/again")
# The model's file is 111 MB whatever it has learned, so the stricter question:
# of all that there is to send, packed.
model diff -o "$dir/all" --whole "$dir/master1" || bad "$(cat "$dir/err")"
most "an update for 1 % more is less than 5 % of all, in ten thousandths" 499 \
	$(($(stat -c %s "$dir/m12") * 10000 / $(stat -c %s "$dir/all")))

# 2. A site takes nothing that is not signed, then its first model.
cp "$dir/r3" "$site"
refused "not signed" "is not signed" apply -c "$dir/conf" "$dir/whole1"
rm "$site"
for update in whole1 u12 u23 m12; do
	model sign -s "$dir/good" "$dir/$update" || bad "sign $update"
done
model verify -c "$dir/conf" "$dir/u12" || bad "verify: $(cat "$dir/err")"
model apply -c "$dir/conf" "$dir/whole1" || bad "apply: $(cat "$dir/err")"
same "the whole model" "$site" "$dir/r1"

# 3. There and back.
model apply -c "$dir/conf" "$dir/u12" || bad "apply: $(cat "$dir/err")"
same "release 2 by its update" "$site" "$dir/r2"
model apply -c "$dir/conf" "$dir/u23" || bad "apply: $(cat "$dir/err")"
same "release 3, where one was forgotten" "$site" "$dir/r3"
model revert -c "$dir/conf" || bad "revert: $(cat "$dir/err")"
same "release 2 by the former model" "$site" "$dir/r2"
model revert -c "$dir/conf" "$dir/u12" || bad "revert: $(cat "$dir/err")"
same "release 1 by the update" "$site" "$dir/r1"
is "release 2 is held" 2 "$(cat "$site.held")"

# 4. What is refused.
refused "a wrong base" "not the model here" apply -c "$dir/conf" "$dir/u23"
refused "an old one" "is release 1 already" apply -c "$dir/conf" "$dir/whole1"
refused "no former" "there is no" revert -c "$dir/conf"
refused "a key that is not trusted" "none of the 1 pinned" \
	apply -c "$dir/conf" -k "$dir/other.pub" "$dir/u12"
head -c 1000 "$dir/u12" >"$dir/cut"
refused "cut off" "cut: .*cut off" apply -c "$dir/conf" "$dir/cut"
{ cat "$dir/u12" && echo; } >"$dir/longer"
refused "a longer one" "follows its end" apply -c "$dir/conf" "$dir/longer"
perl -pe 'BEGIN { $/ = undef } substr($_, 500, 1) ^= "\1"' "$dir/u12" \
	>"$dir/damaged"
refused "damaged" "damaged" apply -c "$dir/conf" "$dir/damaged"
# Signed by another, who then writes the trusted key into it.
cp "$dir/u12" "$dir/forged"
model sign -s "$dir/other" "$dir/forged"
dd if="$dir/u12" of="$dir/forged" bs=1 skip=248 seek=248 count=32 \
	conv=notrunc status=none
refused "forged" "is bad" apply -c "$dir/conf" "$dir/forged"
same "nothing is left beside the model" <(cd "$dir/site" && echo *) \
	<(echo model model.held model.lock)

# 5. And it still works; info says what it is.
model apply -c "$dir/conf" "$dir/u12" || bad "apply: $(cat "$dir/err")"
same "release 2 again" "$site" "$dir/r2"
model info -j "$dir/u12"
is "info" 2 "$(sed -n 's/.*"to":{"release":\([0-9]*\).*/\1/p' "$dir/out")"

# 6. From a web server, which is a directory of files.
mkdir "$dir/web"
serve_directory "$dir/web"
own_clean_up()
{
	kill "$web" 2>/dev/null
}
cat >>"$dir/conf" <<END
links {
	allow = "127.0.0.1"
}
site {
	fetch_user = "nobody"
}
END
sed -i "s|^mef {|&\n\turl = \"http://127.0.0.1:$port/from-%r?site=1\"|" "$dir/conf"
rm "$site" "$site".*
cp "$dir/whole1" "$dir/web/from-0"
model poll -c "$dir/conf" || bad "poll: $(cat "$dir/err")"
same "the first model" "$site" "$dir/r1"
cp "$dir/u12" "$dir/web/from-1"
model poll -c "$dir/conf" || bad "poll: $(cat "$dir/err")"
same "the next release" "$site" "$dir/r2"
model poll -c "$dir/conf" || bad "poll: $(cat "$dir/err")"
is "and no more" 1 "$(grep -c "nothing newer" "$dir/out")"
rm "$site" "$site".*
model poll -c "$dir/conf" || bad "poll: $(cat "$dir/err")"
same "both at once" "$site" "$dir/r2"
model revert -c "$dir/conf" || bad "revert: $(cat "$dir/err")"
model poll -c "$dir/conf" || bad "poll: $(cat "$dir/err")"
is "what was taken back is not installed again" 1 \
	"$(grep -c "taken back" "$dir/out")"
same "but stays away" "$site" "$dir/r1"
model diff -o "$dir/whole3" --whole "$dir/r3" || bad "whole: $(cat "$dir/err")"
model sign -s "$dir/good" "$dir/whole3" || bad "sign: $(cat "$dir/err")"
cp "$dir/whole3" "$dir/web/from-0"
model poll -c "$dir/conf" || bad "poll: $(cat "$dir/err")"
same "until there is a later one, as a whole" "$site" "$dir/r3"
cp "$dir/r1" "$site"
cp "$dir/forged" "$dir/web/from-1"
refused "a forged one from the web" "is bad" poll -c "$dir/conf"
cp "$dir/cut" "$dir/web/from-1"
refused "half of one from the web" "cut off" poll -c "$dir/conf"
own_clean_up
wait "$web" 2>/dev/null
model poll -c "$dir/conf"
is "no web server: try again" 111 $?
# The role that asks has no path to read, and apply does that already.
sed "s|url = \"http:.*|url = \"file://$dir/web/from-%r\"|" "$dir/conf" \
	>"$dir/file.conf"
cp "$dir/u12" "$dir/web/from-1"
model poll -c "$dir/file.conf"
is "a file is no address" 100 $?
is "which is said, and what to do" 1 \
	"$(grep -c "only http and https .* sluice model apply" "$dir/err")"
same "and nothing is installed" "$site" "$dir/r1"

# 7. A master, which was never published, by hand.
cp "$dir/master1" "$site"
model apply -c "$dir/conf" "$dir/m12" || bad "apply: $(cat "$dir/err")"
same "a master" "$site" "$dir/master2"
model revert -c "$dir/conf" "$dir/m12" || bad "revert: $(cat "$dir/err")"
same "and back" "$site" "$dir/master1"
finish
