"""pairs.py DIR COUNT NAME: COUNT messages as sendmail leaves them in in/.

Sizes go round among 500 that are drawn like real mail's, so that any few
thousand in a row cost the same; no two bodies are the same.  Becomes the user
who owns DIR.
"""

import math
import os
import random
import sys
import time

QF = """V8
T{now}
K0
N0
P30300
F8bs
$_client.test [127.0.0.1]
$rESMTP
$sclient.test
${{daemon_flags}}
S<from.{id}@client.test>
rRFC822; to@rcpt.test
RPFD:<to@rcpt.test>
H??Received: from client.test (client.test [127.0.0.1])
\tby mx.example.test (8.17.1/8.17.1) with ESMTP id {id}
\tfor <to@rcpt.test>; Sun, 22 Nov 2026 03:52:00 GMT
H??From: from@client.test
H??To: to@rcpt.test
H??Subject: number {id}
H??X-Traffic-Id: {id}
H??MIME-Version: 1.0
H??Content-Type: text/plain; charset=us-ascii
.
"""
LINE = "Fish swim where the water is, mostly; number {} does so as well.\n"


def put(name, text):
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(fd, text.encode("ascii"))
    os.close(fd)


def main(directory, count, name):
    owner = os.stat(directory)
    os.chdir(directory)
    os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
    draw = random.Random(1)
    sizes = [min(int(math.exp(draw.gauss(8.19, 0.74))), 60000)
             for _ in range(500)]
    now = int(time.time())
    for i in range(count):
        key = f"{name}{i:08d}"
        line = LINE.format(key)
        put("df" + key, line * (sizes[i % 500] // len(line) + 1))
        put("tf" + key, QF.format(now=now, id=key))
        os.rename("tf" + key, "qf" + key)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
