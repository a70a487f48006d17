#!/usr/bin/env python3
"""flow_learn.py BIN DIRECTORY - a sluice-learn that runs: who may ask, what it
learns, that it makes its models while it answers, and what a crash, a restart
and a damaged file cost."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import flow_daemon

BIN, PLACE = sys.argv[1:]
random.seed(5)
failures = 0


def check(holds, text):
    global failures
    print("%s %s" % ("ok    " if holds else "FAILED", text))
    failures += not holds


with open(PLACE + "/conf", "w") as f:
    f.write('site {\n spool = "%s/spool"\n state = "%s/state"\n'
            ' runtime = "%s/run"\n flow_user = "nobody"\n'
            ' engines_user = "nobody"\n}\nflow {\n interface = "lo"\n'
            ' learn_spam = 10\n learn_ham = 0.5\n weight = 2.5\n}\n'
            % (PLACE, PLACE, PLACE))
for name in ("spool", "run"):
    os.makedirs(os.path.join(PLACE, name))


class Daemon(flow_daemon.Daemon):
    def __init__(self):
        super().__init__(BIN + "/sluice-learn", PLACE + "/conf",
                         PLACE + "/log")

    def end(self, how):
        return super().end(how, 20)


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(10)
    s.connect(PLACE + "/run/flow/learn.sock")
    return s


line = None


def ask(text):
    line.send(text.encode())
    return line.recv(4096).decode()


def flow(n, spam):
    """Spam comes from further away and is late; from a network each."""
    rtt = random.uniform(.2, .5) if spam else random.uniform(.01, .1)
    return ("client=10.%d.%d.%d port=%d start=%d.5 at=9 pkts_in=%d "
            "rtt_init=%.4f rxmt_in=%d idle_max=%.3f win_min=null" % (
                spam, n // 250, n % 250, 1024 + n, n, random.randint(8, 40),
                rtt, random.randint(0, 2) + 2 * spam, random.random()))


def learn(n, spam):
    return ask("learn content=%s %s" % (14 if spam else 0.25, flow(n, spam)))


def score(text):
    return json.loads(text.split("score=")[1].split(" ")[0])


def status(name):
    run = subprocess.run([BIN + "/sluice", "flow", *name.split(), "-c",
                          PLACE + "/conf"], capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def field(pid, name):
    with open("/proc/%d/status" % pid) as f:
        return dict(l.rstrip("\n").split(":\t", 1) for l in f
                    if ":\t" in l)[name]


def as_somebody_else():
    pid = os.fork()
    if pid == 0:
        os.setuid(4242)
        try:
            s = connect()
            s.send(b"judge pkts_in=1")
            os._exit(1 if s.recv(100) else 0)
        except OSError:
            os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


daemon = Daemon()
check(daemon.said(": ready"), "it starts with nothing learned")
check(field(daemon.process.pid, "Uid").split()[1] != "0"
      and field(daemon.process.pid, "Seccomp") == "2"
      and field(daemon.process.pid, "CapEff") == "0" * 16,
      "it is not root any more, and has a filter and no capability")
owner = os.stat(PLACE + "/state/flow")
check(owner.st_uid == int(field(daemon.process.pid, "Uid").split()[1])
      and owner.st_mode & 0o777 == 0o700, "what is learned is its user's")
line = connect()
check(ask("judge " + flow(1, 1)).startswith(
    "opinion score=null points=0 above=0 why=too few"), "no model yet")
check(ask("learn content=5 " + flow(1, 1)) == "unsure",
      "a score in between teaches nothing")
check(ask("learn content=10 " + flow(1, 1)) == "learned label=spam"
      and ask("learn content=0.5 " + flow(1, 0)) == "learned label=ham",
      "the limits are the configured ones")
check(ask("remember me") == "none reason=bad-question"
      and ask("x" * 2049) == "none reason=bad-question",
      "nonsense is told so")
check(as_somebody_else(), "another user gets no answer")

for n in range(2, 30):
    learn(n, 1), learn(n, 0)
for _ in range(100):
    if "score=null" not in ask("judge " + flow(99, 1)):
        break
    time.sleep(0.05)
spam, ham = score(ask("judge " + flow(98, 1))), score(
    ask("judge " + flow(97, 0)))
check(spam > 0 > ham, "20 of each make a model (%.2f, %.2f)" % (spam, ham))
worst = 0
for n in range(30, 400):
    since = time.monotonic()
    learn(n, 1), learn(n, 0)
    worst = max(worst, time.monotonic() - since)
print("       longest two answers while models are made: %.1f ms"
      % (worst * 1e3))
for _ in range(100):
    opinion = ask("judge " + flow(401, 1))
    if "points=2.5 above=1" in opinion:
        break
    learn(n, 1), learn(n, 0)
    n += 1
check("points=2.5 above=1 why=r" in opinion,
      "what the record earns are the points of the configuration: " + opinion)
check("points=0 above=0 why=not more like spam" in ask(
    "judge " + flow(402, 0)), "ham gets none")
code, text = status("learn --label ham --features /dev/null")
check(code == 111 and "sluice-learn runs" in text,
      "an operator's learning is refused meanwhile")
code, text = status("report --json")
check(code in (0, 2) and "accuracy" in text, "but the report can be read")

before = ask("judge client=10.9.9.9 port=1 start=1 rtt_init=0.3 rxmt_in=2")
check(daemon.end(signal.SIGTERM) == 0, "it ends when asked to")
daemon = Daemon()
check(daemon.said(": ready"), "and starts again")
line = connect()
check(before == ask(
    "judge client=10.9.9.9 port=1 start=1 rtt_init=0.3 rxmt_in=2"),
    "with the same opinion, to the last digit")
check(status("report")[1].find("weight: 2.5 points above") > 0,
      "the report says what was earned")
for n in range(500, 640):
    learn(n, 1), learn(n, 0)
time.sleep(1.5)
daemon.end(signal.SIGKILL)
daemon = Daemon()
check(daemon.said(": ready"), "it starts after a crash")
with open(daemon.log) as f:
    first = [l for l in f if ": ready" in l][0]
check(int(first.split("ham=")[1].split()[0]) >= 480,
      "which has lost little: " + first.split("learn ", 1)[1].strip())
other = Daemon()
check(other.process.wait(10) == 111 and other.said("Address already in use"),
      "a second one is refused")
line = connect()
for n in range(120):
    ask("judge client=192.0.2.9 port=%d start=%d rtt_init=0.01" % (n, n))
opinion = ask("judge client=10.1.2.3 rtt_init=0.3")
check("why=one client carries" in opinion,
      "behind a NAT it turns itself off, and says so: " + opinion)
daemon.end(signal.SIGTERM)
with open(PLACE + "/state/flow/samples.jsonl", "r+") as f:
    f.write("[")
daemon = Daemon()
check(daemon.process.wait(10) == 111 and daemon.said("samples.jsonl:1:"),
      "a damaged file is named, and not used")
print("%d failures" % failures)
sys.exit(1 if failures else 0)
