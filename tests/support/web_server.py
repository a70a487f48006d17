#!/usr/bin/env python3
"""web_server.py DIR [CERTIFICATE KEY] - a web server as links lead to:
good, bad and broken in every way that t_links.sh asks for.

It listens on a port of 127.0.0.1 and 127.0.0.2, writes it to DIR/port and one
line for each request to DIR/requests: method, address, and which headers came
that nobody is to be told."""

import gzip
import io
import os
import ssl
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HERE = sys.argv[1]
EICAR = (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STAN"
         b"DARD-ANTIVIRUS-TEST-FILE!$H+H*")
LARGE = 3 << 20  # more than the test's links.file


def zip_of(name, content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr(name, content)
    return out.getvalue()


FILES = {
    "/good.pdf": b"%PDF-1.4\nnothing here\n",
    "/eicar.zip": zip_of("readme.txt", EICAR),
    "/eicar.pdf": EICAR,
    "/program.zip": zip_of("setup.exe", b"MZ and no more"),
    "/unsubscribe.pdf": b"done",
    "/page.html": b"<a>",
}
REDIRECTS = {
    "/to-private.pdf": "http://127.0.0.2:%d/eicar.pdf",
    "/to-mapped.pdf": "http://[::ffff:127.0.0.1]:%d/eicar.pdf",
    "/to-number.pdf": "http://0x7f000002:%d/eicar.pdf",
    "/to-file.pdf": "file:///etc/passwd",
    "/to-ftp.pdf": "ftp://127.0.0.1:%d/eicar.pdf",
    "/to-mail.pdf": "http://127.0.0.1:25/eicar.pdf",
    "/to-act.pdf": "/unsubscribe.pdf",
    "/to-user.pdf": "http://user:secret@127.0.0.1:%d/eicar.pdf",
    "/loop.pdf": "/loop.pdf",
    "/twice.pdf": "/once.pdf",
    "/once.pdf": "/eicar.pdf",
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self):
        told = [h for h in ("Cookie", "Authorization", "Referer", "From",
                            "Proxy-Connection") if h in self.headers]
        with LOCK, open(os.path.join(HERE, "requests"), "a") as f:
            f.write(" ".join([self.command, self.path] + told) + "\n")

    def answer(self, status, headers, body=b"", length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length",
                         len(body) if length is None else length)
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def pour(self, pause):
        """A body without a length or an end."""
        self.send_response(200)
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            while True:
                self.wfile.write(b"x" * (1 if pause else 65536))
                self.wfile.flush()
                time.sleep(pause)
        except OSError:
            pass

    def strange(self):
        path, is_head = self.path.split("?")[0], self.command == "HEAD"
        if path == "/large.zip":
            self.answer(200, [], b"x" * LARGE)
        elif path == "/liar.zip":
            if is_head:
                self.answer(200, [], b"x" * 10)
            else:
                self.answer(200, [], b"x" * LARGE)
        elif path == "/endless.zip":
            self.pour(0)
        elif path == "/slow.zip":
            self.pour(0.2)
        elif path == "/silent.zip":
            time.sleep(30)
        elif path == "/cut.pdf":
            self.answer(200, [], EICAR, length=5000)
        elif path == "/short.pdf":
            self.answer(200, [], EICAR, length=20)
        elif path == "/nohead.pdf":
            if is_head:
                self.answer(405, [])
            else:
                self.answer(200, [], EICAR)
        elif path == "/packed.pdf":
            self.answer(200, [("Content-Encoding", "gzip")],
                        gzip.compress(EICAR))
        elif path == "/bomb.pdf":
            self.answer(200, [("Content-Encoding", "gzip")],
                        gzip.compress(b"x" * (50 << 20)))
        elif path == "/named.pdf":
            self.answer(200, [("Content-Disposition",
                               'attachment; filename="setup.exe"')], b"text")
        elif path == "/structured.pdf":
            self.answer(200, [("Content-Type",
                               'multipart/mixed; boundary="x"'),
                              ("Content-Disposition",
                               'inline; filename="a.pdf')], EICAR)
        elif path == "/cookie.pdf":
            self.answer(302, [("Location", "/locked.pdf"),
                              ("Set-Cookie", "id=1; Path=/")])
        elif path == "/locked.pdf":
            self.answer(401, [("WWW-Authenticate", 'Basic realm="x"')])
        elif path == "/headers.zip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" +
                             b"X-Much: %s\r\n" % (b"x" * 8000) * 40 + b"\r\n")
            self.close_connection = True
        elif path == "/garbage.zip":
            self.wfile.write(b"220 mail.test ESMTP\r\n")
            self.close_connection = True
        else:
            self.answer(404, [], b"none")

    def do_any(self):
        self.note()
        if self.path in FILES:
            self.answer(200, [], FILES[self.path])
        elif self.path in REDIRECTS:
            to = REDIRECTS[self.path]
            self.answer(302, [("Location",
                               to % PORT if "%d" in to else to)])
        else:
            self.strange()

    do_GET = do_HEAD = do_POST = do_PUT = do_OPTIONS = do_DELETE = do_any


LOCK = threading.Lock()
ThreadingHTTPServer.daemon_threads = True
first = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
PORT = first.server_address[1]
second = ThreadingHTTPServer(("127.0.0.2", PORT), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    tls = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tls.socket = context.wrap_socket(tls.socket, server_side=True)
    threading.Thread(target=tls.serve_forever, daemon=True).start()
    with open(os.path.join(HERE, "tls.tmp"), "w") as f:
        f.write("%d\n" % tls.server_address[1])
    os.rename(os.path.join(HERE, "tls.tmp"), os.path.join(HERE, "tls"))
threading.Thread(target=second.serve_forever, daemon=True).start()
open(os.path.join(HERE, "requests"), "w").close()
with open(os.path.join(HERE, "port.tmp"), "w") as f:
    f.write("%d\n" % PORT)
os.rename(os.path.join(HERE, "port.tmp"), os.path.join(HERE, "port"))
first.serve_forever()
