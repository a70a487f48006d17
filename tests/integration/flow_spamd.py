#!/usr/bin/env python3
"""flow_spamd.py BIN DIRECTORY PLUGIN - SpamAssassin's spamd with the plugin
SluiceFlow: whose connection it asks for, what points it gives, and that mail
passes whatever becomes of the daemons.  The learner is played here."""

import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from flow_rpc_site import RPC, Site, check, mail, wait_for

BIN, PLACE, PLUGIN = sys.argv[1:]
SPAMD = 8783
CONF = """
trusted_networks 127.0.0.0/8 192.0.2.0/24
internal_networks 192.0.2.0/24
required_score 5
add_header all Status _YESNO_, score=_SCORE_ required=_REQD_ tests=_TESTS_
use_bayes 0
dns_available no
header   TEST_SPAM X-Test =~ /spam/
score    TEST_SPAM 13
header   TEST_SOME X-Test =~ /some/
score    TEST_SOME 2.5
"""


def start_spamd():
    etc = PLACE + "/spamassassin"
    os.makedirs(etc)
    for name in os.listdir(PLUGIN):
        shutil.copy(PLUGIN + "/" + name, etc)
    with open(etc + "/sluice-flow.cf") as f:
        text = f.read()
    with open(etc + "/sluice-flow.cf", "w") as f:
        f.write(text.replace("sluice_flow_port 0", "sluice_flow_port %d" % RPC)
                .replace("sluice_flow_learn 0", "sluice_flow_learn 1"))
    with open(etc + "/local.cf", "w") as f:
        f.write(CONF)
    # The stock plugin that runs rules, and none that asks the network.
    with open(etc + "/init.pre", "w") as f:
        f.write("loadplugin Mail::SpamAssassin::Plugin::Check\n"
                "loadplugin Mail::SpamAssassin::Plugin::HeaderEval\n")
    os.makedirs(PLACE + "/rules")
    with open(PLACE + "/rules/10.cf", "w") as f:
        f.write("header TEST_ANY From =~ /./\nscore TEST_ANY 0.001\n")
    log = open(PLACE + "/spamd.log", "w")
    p = subprocess.Popen(
        ["spamd", "-x", "-u", "nobody", "-m", "1", "--min-children=1",
         "-L", "-i", "127.0.0.1", "-p", str(SPAMD), "-s", "stderr",
         "--siteconfigpath=" + etc, "--configpath=" + PLACE + "/rules",
         "-H", PLACE, "-D", "sluice-flow"], stderr=log, stdout=log)
    atexit.register(p.kill)
    wait_for(lambda: p.poll() is not None or
             "server started" in open(PLACE + "/spamd.log").read(), 60)
    return p


def spamc(text):
    """Score, rules, the plugin's header, and the seconds that it took."""
    since = time.monotonic()
    with socket.create_connection(("127.0.0.1", SPAMD)) as s:
        s.sendall(b"PROCESS SPAMC/1.5\r\nContent-length: %d\r\n\r\n"
                  % len(text) + text.encode())
        s.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    taken = time.monotonic() - since
    answer = re.sub(r"\r?\n[ \t]+", " ", answer)
    status = re.search(r"^X-Spam-Status: .*?score=(\S+) .*?tests=(\S*)",
                       answer, re.M)
    said = re.search(r"^X-Spam-Sluice-Flow: (.*)$", answer, re.M)
    if not status:
        print(answer)
        print(open(PLACE + "/spamd.log").read())
        return None, "", "", taken
    return (float(status.group(1)), status.group(2),
            said.group(1).strip() if said else "", taken)


def received(ip, port, queue, helo="client.example"):
    return ("Received: from %s (client.example [%s])\n"
            "\t(client [%s] port %d)\n"
            "\tby mx.example (8.17.1.9/8.17.1.9) with ESMTP id %s\n"
            "\tfor <c@d>; Sun, 29 Nov 2026 12:00:00 GMT\n"
            % (helo, ip, ip, port, queue))


def message(*fields):
    return "".join(fields) + (
        "From: <a@b>\nTo: <c@d>\nSubject: x\nMessage-ID: <x@example>\n"
        "Date: Sun, 29 Nov 2026 12:00:00 GMT\n\nc\n")


site = Site(PLACE, BIN, " rpc_teach = true")
judge = "opinion score=2 points=%s above=1 why=idle_max (+0.8)"
site.learner.says = {"judge": judge % 2, "learn": "learned label=spam"}
spamd = start_spamd()
check(spamd.poll() is None, "spamd runs with the plugin")


def asked(verb="judge"):
    return [q for q in site.learner.asked if q.startswith(verb)]


def asked_by_spamd():
    with open(PLACE + "/spamd.log") as f:
        return [line for line in f if "sluice-flow: client [" in line]


# Who sends, and another stranger.
CLIENT, OTHER = "198.51.100.7", "203.0.113.9"
subprocess.run(["ip", "addr", "add", CLIENT + "/32", "dev", "lo"], check=True)
port = mail("<x@example>", CLIENT)
good = received(CLIENT, port, "QID%d" % port)
score, rules, said, taken = spamc(message(good))
print("      ", score, rules, said, "%.3f s" % taken)
check("SLUICE_FLOW" in rules and abs(score - 2) < 0.1,
      "a mail gets the points that its connection has")
check(said.startswith("spam p=0.881 points=2.0 by=client idle_max"),
      "and a field that says why")
check((" client=%s port=%d " % (CLIENT, port)) in asked()[-1],
      "whose mail it was")

site.learner.says["judge"] = judge % 0
score, rules, said, _ = spamc(message(good))
check("SLUICE_FLOW" not in rules and said.startswith("spam p=0.881 "),
      "nothing is given while nothing was earned")
site.learner.says["judge"] = judge % 40
check(abs(spamc(message(good))[0] - 3) < 0.1, "and no more than is allowed")
site.learner.says["judge"] = judge % 2

# Forged: below our own field, within it, and with a Message-ID of one's own.
STRANGE = "<z@example>"
forged_port = mail("<y@example>", CLIENT)
forged = received(CLIENT, forged_port, "QID%d" % forged_port)
n = len(asked())
for helo in "client.example", "(client [%s] port %d)" % (OTHER, forged_port):
    score, rules, said, _ = spamc(message(
        received(OTHER, 7, "ZZZZ1234", helo),
        forged).replace("<x@example>", STRANGE))
    check("SLUICE_FLOW" not in rules and said == "none, unknown" and
          len(asked()) == n and
          "client [%s] port 7 " % OTHER in asked_by_spamd()[-1],
          "a forged field below ours isn't believed, said by " + helo)
score, rules, said, _ = spamc(message("").replace("<x@example>", STRANGE))
check(said == "none, unknown" and "client [] port 0 " in asked_by_spamd()[-1],
      "a mail without fields has no connection")

# Teaching.
n = len(asked("learn"))
spamc(message(good, "X-Test: some\n"))
check(len(asked("learn")) == n, "a mail between ham and spam teaches nothing")
spamc(message(good, "X-Test: spam\n"))
check(wait_for(lambda: len(asked("learn")) > n) and asked("learn")[-1]
      .startswith("learn content=1000 client=%s " % CLIENT),
      "one that the other rules are sure of teaches")
site.learner.says["judge"] = judge % 3
spamc(message(good))
check(wait_for(lambda: len(asked("learn")) == n + 2) and
      "content=-1000" in asked("learn")[-1],
      "by their score alone: what the connection added is left out")

# Nobody there, hung, and back.
site.learner.says["judge"] = judge % 2
site.rpc.tell(signal.SIGSTOP)
score, rules, said, taken = spamc(message(good))
print("       hung: %.3f s, %s" % (taken, said))
check(score is not None and "SLUICE_FLOW" not in rules and
      said == "none, no answer" and taken < 2,
      "a daemon that hangs costs a mail half a second and no verdict")
score, rules, said, taken = spamc(message(good))
check(said == "none, not asked after a failure" and taken < 0.5,
      "and the next ones nothing (%.3f s)" % taken)
site.rpc.tell(signal.SIGCONT)
site.rpc.end()
spamd.terminate()
spamd.wait(20)
shutil.rmtree(PLACE + "/spamassassin")
shutil.rmtree(PLACE + "/rules")
spamd = start_spamd()
score, rules, said, taken = spamc(message(good))
check(score is not None and said.startswith("none, no") and taken < 1,
      "a dead daemon costs no mail (%.3f s)" % taken)
spamd.terminate()
spamd.wait(20)
sys.exit(site.end())
