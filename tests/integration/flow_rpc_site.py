"""What flow_rpc.py and flow_spamd.py stand on: in a network namespace of their
own a mail server of a few lines, sluice-flow that captures it, sluice-rpc, and
a learner that is played here, to be told what it says."""

import atexit
import os
import signal
import socket
import subprocess
import threading
import time
import xmlrpc.client

import flow_daemon

SMTP, RPC = 2525, 8811
failures = 0


def check(holds, text):
    global failures
    print("%s %s" % ("ok    " if holds else "FAILED", text))
    failures += not holds


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


class Daemon(flow_daemon.Daemon):
    def __init__(self, place, program, ready):
        self.ready = ready
        super().__init__(program, place + "/conf",
                         "%s/%s.log" % (place, os.path.basename(program)))

    def start(self):
        super().start()
        atexit.register(self.process.kill)

    def runs(self):
        return self.said(self.ready)

    def tell(self, how):
        self.process.send_signal(how)

    def end(self, how=signal.SIGTERM):
        return super().end(how)

    def status(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f
                        if ":\t" in line)


class Learner:
    """In the place of a real one: the socket, and an answer to each verb."""

    def __init__(self, path):
        self.says = {}
        self.asked = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(path)
        self.socket.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            threading.Thread(target=self.serve, daemon=True,
                             args=self.socket.accept()[:1]).start()

    def serve(self, s):
        for question in iter(lambda: s.recv(4096), b""):
            self.asked.append(question.decode())
            verb = question.decode().split()[0]
            s.send(self.says.get(verb, "none reason=bad-question").encode())


class Site:
    def __init__(self, place, bin_directory, more="", is_played=True):
        self.place = place
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for name in ("spool", "state", "run", "run/flow"):
            os.makedirs(os.path.join(place, name))
        with open(place + "/conf", "w") as f:
            f.write('site {\n spool = "%s/spool"\n state = "%s/state"\n'
                    ' runtime = "%s/run"\n flow_user = "nobody"\n'
                    ' engines_user = "nobody"\n}\nflow {\n interface = "lo"\n'
                    ' ports = "%d"\n rpc_port = %d\n%s\n}\n'
                    % (place, place, place, SMTP, RPC, more))
        threading.Thread(target=flow_daemon.serve, daemon=True, args=(
            socket.create_server(("127.0.0.1", SMTP)),)).start()
        if is_played:
            self.learner = Learner(place + "/run/flow/learn.sock")
        else:
            self.learner = Daemon(place, bin_directory + "/sluice-learn",
                                  "ready")
            check(self.learner.runs(), "sluice-learn learns")
        self.flow = Daemon(place, bin_directory + "/sluice-flow", "capturing")
        check(self.flow.runs(), "sluice-flow captures")
        self.rpc = Daemon(place, bin_directory + "/sluice-rpc", "answering")
        check(self.rpc.runs(), "sluice-rpc answers")

    def end(self):
        for daemon in self.rpc, self.flow:
            if daemon.process.poll() is None:
                daemon.end()
        print("%d failures" % failures)
        return 1 if failures else 0


def server(host="127.0.0.1"):
    return xmlrpc.client.ServerProxy("http://%s:%d/RPC2" % (host, RPC))


def mail(message_id="<x@example>", client="127.0.0.1"):
    """Send one; the client's port."""
    s = socket.create_connection(("127.0.0.1", SMTP),
                                 source_address=(client, 0))
    f = s.makefile("rwb", buffering=0)
    f.readline()
    for text in ("MAIL FROM:<a@b>\r\n", "RCPT TO:<c@d>\r\n", "DATA\r\n",
                 "Message-ID: %s\r\n\r\nc\r\n.\r\n" % message_id, "QUIT\r\n"):
        f.write(text.encode())
        f.readline()
    port = s.getsockname()[1]
    f.close()
    s.close()
    time.sleep(0.3)
    return port
