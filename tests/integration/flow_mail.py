#!/usr/bin/env python3
"""flow_mail.py SLUICE CONF SMTP-PORT - mail through a real deployment whose
engines know connections: each message finds its own, and what their content
was is learned.  Called by t_flow_mail.sh, in its network namespace."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time

SLUICE, CONF, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
failures = 0


def check(holds, text):
    global failures
    print("%s: %s" % ("ok" if holds else "FAILED", text), flush=True)
    failures += not holds


class Client:
    """A sender at an address of its own."""

    def __init__(self, address, pause=0.0):
        self.sock = socket.create_connection(("127.0.0.1", PORT), 20,
                                             (address, 0))
        self.address, self.port = self.sock.getsockname()
        self.pause, self.sent = pause, []
        self.open()
        self.read()
        self.say("EHLO client.example")

    def open(self):
        self.file = self.sock.makefile("rwb", buffering=0)

    def read(self):
        while (line := self.file.readline())[3:4] == b"-":
            pass
        return line.decode()

    def say(self, text):
        time.sleep(self.pause)
        self.file.write(text.encode() + b"\r\n")
        return self.read()

    def tls(self):
        answer = self.say("STARTTLS")
        if not answer.startswith("220"):
            return False
        context = ssl._create_unverified_context()
        self.sock = context.wrap_socket(self.sock)
        self.open()
        self.say("EHLO client.example")
        return True

    def mail(self, score=1, head="", body="hello"):
        self.say("MAIL FROM:<a@client.example>")
        self.say("RCPT TO:<b@rcpt.example>")
        self.say("DATA")
        return self.sent_as(self.say(
            "%sX-Content-Score: %s\r\nSubject: s\r\n\r\n%s\r\n." % (
                head, score, body)))

    def pipeline(self, n):
        text = ("MAIL FROM:<a@client.example>\r\nRCPT TO:<b@rcpt.example>\r\n"
                "DATA\r\n")
        data = "Subject: p\r\n\r\nhello\r\n.\r\n"
        self.file.write(text.encode())
        for i in range(n):
            for _ in range(3):
                self.read()
            last = i == n - 1
            self.file.write((data + ("" if last else text)).encode())
            self.sent_as(self.read())

    def sent_as(self, answer):
        assert answer.startswith("250 2.0.0 "), answer
        self.sent.append(answer.split()[2])
        return self.sent[-1]

    def end(self):
        self.say("QUIT")
        self.file.close()
        self.sock.close()


def sluice(*words):
    return subprocess.run([SLUICE, *words, "-c", CONF], text=True,
                          capture_output=True).stdout


def judged(queue_id):
    """The answer of the engine flow, and its evidence ({} without)."""
    for _ in range(200):
        text = sluice("explain", queue_id, "--json")
        if text:
            o = json.loads(text)
            said = [a for a in o["evidence"]["answers"]
                    if a["engine"] == "flow"] if "answers" in o["evidence"] \
                else []
            return said, find(o, "flow") or {}, o
        time.sleep(0.05)
    return [], {}, {}


def find(o, key):
    if isinstance(o, dict):
        if isinstance(o.get(key), dict):
            return o[key]
        o = list(o.values())
    if isinstance(o, list):
        for v in o:
            found = find(v, key)
            if found:
                return found
    return None


def reason_of(queue_id):
    return json.dumps(judged(queue_id)[2])


def standing():
    for line in sluice("status", "--json").splitlines():
        o = json.loads(line)
        if o["type"] == "flow":
            return o["standing"]
    return None


def learn(label, *words):
    return subprocess.run(
        [SLUICE, "flow", "learn", "--label", label, *words, "-c", CONF],
        text=True, capture_output=True)


def counts():
    """Ham and spam that the learner has counted, once it shows it."""
    time.sleep(1.5)
    for line in sluice("status", "--json").splitlines():
        o = json.loads(line)
        if o["type"] == "flow":
            return o["ham"], o["spam"]
    return None


def daemons():
    return {o["name"]: o for o in map(
        json.loads, sluice("status", "--json").splitlines())
        if o["type"] == "daemon"}


def eventually(what, text, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            check(True, text)
            return
        time.sleep(0.1)
    check(False, text)


def finds(client, by, ordinals, text):
    got = []
    for queue_id in client.sent:
        view = judged(queue_id)[1]
        got.append((view.get("by"), view.get("client"), view.get("port"),
                    view.get("ordinal")))
    want = [(by, client.address, client.port, n) for n in ordinals]
    check(got == want, text if got == want else "%s: %s, not %s" % (
        text, got, want))


eventually(lambda: all(
    daemons().get(n, {}).get("alive") for n in ("flow", "learn")),
    "sluice run has started sluice-flow and sluice-learn")
eventually(lambda: standing() == "young", "sluice status shows the learner")

one = Client("127.0.0.1")
one.mail()
one.end()
finds(one, "client", [1], "a message finds its connection")
many = Client("127.0.2.1")
for i in range(3):
    many.mail()
finds(many, "client", [1, 2, 3], "so does each of several on one, while it "
      "is open")
several = Client("127.0.2.2")
several.pipeline(3)
several.end()
finds(several, "client", [1, 2, 3], "and when they are pipelined")
secret = Client("127.0.2.3")
if secret.tls():
    secret.mail()
    secret.mail()
    finds(secret, "client", [0, 0], "in STARTTLS it is the connection's "
          "features so far")
    secret.end()
else:
    check(False, "sendmail offers STARTTLS")
forger = Client("127.0.2.4")
forger.mail(head="Received: from client.example ([127.0.2.1])\r\n"
            "\t(client [127.0.2.1] port %d)\r\n\tby mx.example.test id %s"
            "\r\n" % (many.port, many.sent[0]))
finds(forger, "client", [1], "a forged Received line leads nowhere")
many.end()

for n in range(32):
    spam, ham = Client("127.1.%d.1" % n, 0.02), Client("127.2.%d.1" % n)
    spam.mail(score=15, body="buy\r\n" * 200)
    ham.mail(score=-1)
    spam.end()
    ham.end()
eventually(lambda: standing() == "unearned",
           "confident scores teach: there is a model, without weight", 20)
spam, ham = Client("127.3.1.1", 0.02), Client("127.4.1.1")
spam.mail(score=4, body="buy\r\n" * 200)
ham.mail(score=4)
spam.end()
ham.end()
scores = [judged(c.sent[0])[1].get("score") for c in (spam, ham)]
check(None not in scores and scores[0] > 0 > scores[1],
      "which tells others apart: %s" % scores)
check(judged(spam.sent[0])[1].get("points") == 0
      and judged(spam.sent[0])[2]["verdict"] == "clean",
      "and gives no points")

# What an operator says, while the daemon runs and elsewhere.
before = counts()
said = learn("spam", *spam.sent)
check(said.returncode == 0 and said.stdout.startswith("learned from 1 spam"),
      "an operator labels a message by its queue id: %s" % (
          said.stdout + said.stderr))
check(counts() == (before[0], before[1] + 1), "sluice-learn has it")
check(learn("spam", spam.sent[0], "AAAA").returncode == 2
      and counts() == (before[0], before[1] + 1),
      "one that isn't known: nothing is learned")
apart = os.path.join(os.path.dirname(CONF), "apart")
said = learn("ham", spam.sent[0], ham.sent[0], "--state", apart, "--json")
check(said.stdout and json.loads(said.stdout) == {
    "learned": 2, "n_ham": 2, "n_spam": 0}, "or in a directory of its own")

was = daemons()["flow"]["pid"]
os.kill(was, signal.SIGKILL)
eventually(lambda: daemons()["flow"]["pid"] not in (0, was)
           and daemons()["flow"]["alive"], "killed, sluice-flow runs again")
time.sleep(0.5)
again = Client("127.5.1.1")
again.mail()
again.end()
finds(again, "client", [1], "and knows connections again")
was = daemons()["learn"]["pid"]
assert was > 0  # 0 would be ourselves
os.kill(was, signal.SIGSTOP)
slow = Client("127.5.1.2")
since = time.monotonic()
slow.mail()
slow.end()
check("no answer in time" in reason_of(slow.sent[0])
      and time.monotonic() - since < 5,
      "a learner that hangs is no opinion, and no delay")
os.kill(was, signal.SIGCONT)

for _ in range(130):
    proxy = Client("127.9.9.9")
    proxy.mail()
    proxy.end()
eventually(lambda: standing() == "hidden", "behind a proxy it turns itself "
           "off", 20)
check("flow: off: connections come through a NAT or proxy" in sluice(
    "status"), "and sluice status says so")
check("accuracy" in sluice("flow", "report", "--json"),
      "sluice flow report can be read meanwhile")
print("%d failures" % failures)
sys.exit(1 if failures else 0)
