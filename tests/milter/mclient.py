# SPDX-License-Identifier: BSD-2-Clause
"""The MTA's side of the milter protocol, version 6, for what Lua dialogues can't do."""
import socket
import struct

NR_CONN, NR_HELO, NR_MAIL, NR_RCPT = 0x1000, 0x2000, 0x4000, 0x8000
NR_HDR, NR_EOH, NR_BODY = 0x80, 0x40000, 0x80000
LEADSPC = 0x100000
ALL_STEPS = 0x1FFFFF
ALL_ACTIONS = 0x1FF
CONTINUE, ACCEPT, TEMPFAIL, REJECT, REPLY, PROGRESS = b"c", b"a", b"t", b"r", b"y", b"p"
EDITS = b"hmi+-be2q"


class Milter:
    def __init__(self, address, steps=ALL_STEPS, actions=ALL_ACTIONS, timeout=180):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(address)
        self.progress = 0
        self.edits = []
        self._send(b"O", struct.pack(">III", 6, actions, steps))
        code, data = self._recv()
        assert code == b"O", code
        self.version, self.actions, self.steps = struct.unpack(">III", data[:12])
        self.symlist = data[12:]

    def _send(self, code, data=b""):
        self.sock.sendall(struct.pack(">I", len(data) + 1) + code + data)

    def _exactly(self, n):
        out = b""
        while len(out) < n:
            more = self.sock.recv(n - len(out))
            if not more:
                raise EOFError("the milter hung up")
            out += more
        return out

    def _recv(self):
        n = struct.unpack(">I", self._exactly(4))[0]
        data = self._exactly(n)
        return data[:1], data[1:]

    def _step(self, code, data, no_reply):
        self._send(code, data)
        return b"c" if self.steps & no_reply else self._recv()[0]

    def macro(self, stage, **values):
        self._send(b"D", stage + b"".join(
            k.encode() + b"\0" + v.encode() + b"\0" for k, v in values.items()))

    def connect(self, name="client.example.test", addr="192.0.2.1"):
        data = name.encode() + b"\0" + b"4" + struct.pack(">H", 25) + addr.encode() + b"\0"
        return self._step(b"C", data, NR_CONN)

    def helo(self, name="helo.example.test"):
        return self._step(b"H", name.encode() + b"\0", NR_HELO)

    def mail(self, sender="<joe@example.test>"):
        return self._step(b"M", sender.encode() + b"\0", NR_MAIL)

    def rcpt(self, rcpt, mailer=None):
        if mailer is not None:
            self.macro(b"R", **{"{rcpt_mailer}": mailer})
        return self._step(b"R", rcpt.encode() + b"\0", NR_RCPT)

    def data(self, **macros):
        if macros:
            self.macro(b"T", **macros)
        self._send(b"T")
        return self._answer()

    def header(self, name, value):
        return self._step(b"L", name + b"\0" + value + b"\0", NR_HDR)

    def eoh(self):
        return self._step(b"N", b"", NR_EOH)

    def body(self, data):
        for i in range(0, len(data), 65535):
            self._step(b"B", data[i:i + 65535], NR_BODY)

    def send_eom(self):
        self._send(b"E")

    def _answer(self):
        """The final reply; edits and progress on the way are kept."""
        while True:
            code, data = self._recv()
            if code == PROGRESS:
                self.progress += 1
            elif code in [bytes([c]) for c in EDITS]:
                self.edits.append((code, data))
            else:
                self.text = data.rstrip(b"\0").decode()
                return code

    def eom(self):
        self.send_eom()
        return self._answer()

    def abort(self):
        self._send(b"A")

    def quit(self):
        self._send(b"Q")
        self.sock.close()

    def start(self, rcpts=("<it@example.test>",), sender="<joe@example.test>"):
        self.mail(sender)
        for r in rcpts:
            self.rcpt(r)
        return self.data()

    def message(self, subject, rcpts=("<it@example.test>",), body=b"x\r\n"):
        """From MAIL to the answer at end of message."""
        self.edits = []
        code = self.start(rcpts)
        if code != CONTINUE:
            return code
        self.header(b"Subject", b" " + subject)
        self.eoh()
        self.body(body)
        return self.eom()
