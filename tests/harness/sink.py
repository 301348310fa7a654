# SPDX-License-Identifier: BSD-2-Clause
"""A small LMTP and SMTP server that keeps what it is given, byte for byte."""
import contextlib
import socketserver
import threading


class _Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.say("220 sink LMTP")
        rcpts, lmtp = 0, False
        for line in self.rfile:
            verb = line.split(b" ")[0].strip().upper()
            if verb in (b"LHLO", b"EHLO"):
                lmtp = verb == b"LHLO"
                self.say("250-sink")
                self.say("250 8BITMIME")
            elif verb == b"MAIL":
                rcpts = 0
                self.say("250 ok")
            elif verb == b"RCPT":
                rcpts += 1
                self.say("250 ok")
            elif verb == b"DATA":
                self.say("354 go on")
                self.server.mails.append(self.read_data())
                with self.server.answering(self.server.mails[-1]):
                    for _ in range(rcpts if lmtp else 1):
                        self.say("250 kept")
                        self.wfile.flush()
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def read_data(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


class Sink:
    """with Sink() as sink: sink.port, sink.mails. answering(mail): a context around the answer
    to a mail."""

    def __init__(self, answering=None):
        self.server = _Server(("127.0.0.1", 0), _Session)
        self.server.mails = []
        self.server.answering = answering or (lambda mail: contextlib.nullcontext())
        self.port = self.server.server_address[1]
        self.mails = self.server.mails

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()
