"""What tests of the daemons of connections stand on: a daemon that runs, and a
mail server of a few lines to have connections to."""

import subprocess
import time


class Daemon:
    def __init__(self, program, conf, log):
        self.log = log
        self.command = [program, "-c", conf]
        self.start()

    def start(self):
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log)

    def said(self, text, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with open(self.log) as log:
                if text in log.read():
                    return True
            time.sleep(0.05)
        return False

    def end(self, how, seconds=10):
        self.process.send_signal(how)
        return self.process.wait(seconds)


def serve(listener):
    while True:
        sock = listener.accept()[0]
        f = sock.makefile("rwb", buffering=0)
        f.write(b"220 mx\r\n")
        for line in iter(f.readline, b""):
            verb = line.split()[0]
            if verb == b"DATA":
                f.write(b"354 go\r\n")
                while f.readline() != b".\r\n":
                    pass
                f.write(b"250 2.0.0 QID%d Message accepted for delivery\r\n"
                        % sock.getpeername()[1])
            elif verb == b"QUIT":
                f.write(b"221 bye\r\n")
                break
            else:
                f.write(b"250 ok\r\n")
        f.close()
        sock.close()
