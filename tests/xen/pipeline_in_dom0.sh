#!/bin/bash
# The whole pipeline on clones by Xen, in dom0: from SMTP by feed, worker and a
# run in a fork of the reference to virus/, or to the next hop.  t_pipeline.sh
# brings it there; the reference's files lie in $1.
# shellcheck disable=SC2317 source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

begin xen_pipeline
# In memory: it needs more room than mail, and nothing of a file system.
vm=/vm
mkdir $vm
cp -a "$1" $vm/linux || exit 1
"$SLUICE_BUILD/tests/xen_reference" $vm linux || {
	bad "no reference"
	exit 1
}

deploy --queues 1 --set worker.engines="policy clamd vm" \
	--set vm.backend=xen --set vm.directory=$vm \
	--set vm.memory_reserve=0 --set vm.ready=1 \
	--set detonate.script_hold=1h
# What policy says of scripts is no matter here.
echo 'allow name *' >"$place/etc/policy.conf"
must_start

post()
{ # name, its file from standard input; its queue id in $id
	mail_with "$1" "$1.py" >"$dir/$1.eml"
	post_mail "$1"
}

post acts <"$root/tests/vm/actors/coder.py"
eventually 240 "a script that acts badly: virus/" virus whereis "$id"
"$sluice" explain -c "$conf" "$id"
post behaves <<'END'
print("hello")
END
eventually 240 "one that doesn't: the next hop" 1 arrived behaves
"$sluice" explain -c "$conf" "$id"
is "the back end" '"backend":"xen"' \
	"$("$sluice" vm list -j -c "$conf" | grep -o '"backend":"xen"')"

# The holder is killed, while a clone stands still and while one runs.  (At each
# other stage: tests/integration/clones_many.c.)
for stage in parked running; do
	eventually 120 "a clone stands still" 1 clones parked
	post "killed-$stage" <<-END
		import time
		# $stage
		end = time.monotonic() + 3
		while time.monotonic() < end:
		    pass
	END
	[ $stage = parked ] || until_is 60 yes is_running || bad "it is not run"
	was=$(child_pid sluice-vmm)
	kill -KILL "$was" || bad "$stage: no such process"
	eventually 240 "killed, one $stage: the message arrives" 1 \
		arrived "killed-$stage"
	[ "$(child_pid sluice-vmm)" != "$was" ] || bad "$stage: it was not killed"
done
eventually 120 "a clone stands still" 1 clones parked
is "no orphan" 0 "$(clones orphan)"

send --count 20 --seed 5 --attach-share 0 || bad "send: $(cat "$dir/send.out")"
drained 120
check_mail "other mail passes" --allow-foreign
audit
part stop || bad "stop"

"$sluice" vm bench --backend xen --directory $vm --samples 20 --clones 16 \
	--files 30 2>"$dir/bench.err" ||
	bad "vm bench: $(cat "$dir/bench.err")"
finish
