#!/usr/bin/env python3
"""fake_spamd.py PORT - a fake of SpamAssassin's spamd: the score of a message
is what its header X-Content-Score says, 0 without one; the threshold is 5.
Only for tests: a real one reads the message."""

import socketserver
import sys


class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        length = int(head.lower().split(b"content-length:")[1].split()[0])
        score = 0.0
        for line in self.rfile.read(length).split(b"\n\n")[0].split(b"\n"):
            if line.lower().startswith(b"x-content-score:"):
                score = float(line.split(b":")[1])
        self.wfile.write(b"SPAMD/1.1 0 EX_OK\r\nContent-length: 4\r\n"
                         b"Spam: %s ; %.1f / 5.0\r\n\r\nFAKE" % (
                             b"True" if score >= 5 else b"False", score))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128


Server(("127.0.0.1", int(sys.argv[1])), Talk).serve_forever()
