# SPDX-License-Identifier: BSD-2-Clause
"""A small SMTP client that shows every answer, and header reading without repair."""
import smtplib


class Answer:
    """What the server said at the end: code, text, and where it said it."""

    def __init__(self, stage, code, text):
        self.stage = stage
        self.code = code
        self.text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text

    def __repr__(self):
        return f"{self.stage}: {self.code} {self.text}"


def send(port, sender, rcpts, message, timeout=180, options=(), helo="client.example.test"):
    """One mail on its own connection; message is bytes with any line ends."""
    if isinstance(message, str):
        message = message.encode()
    if isinstance(rcpts, str):
        rcpts = [rcpts]
    with smtplib.SMTP(timeout=timeout, local_hostname=helo) as s:
        code, text = s.connect("127.0.0.1", port)
        if code != 220:
            return Answer("connect", code, text)
        s.ehlo()
        return send_on(s, sender, rcpts, message, options)


def send_on(s, sender, rcpts, message, options=()):
    """The same on a connection that is open already."""
    code, text = s.mail(sender, list(options))
    if code != 250:
        s.rset()
        return Answer("mail", code, text)
    accepted = 0
    for rcpt in rcpts:
        code, text = s.rcpt(rcpt)
        accepted += code == 250
    if not accepted:
        s.rset()
        return Answer("rcpt", code, text)
    try:
        code, text = s.data(message)
    except smtplib.SMTPDataError as e:  # DATA itself was refused
        code, text = e.smtp_code, e.smtp_error
    return Answer("data", code, text)


def header(mail, name):
    """The raw value of the first field of that name (bytes, folds kept), or None."""
    all_values = headers(mail, name)
    return all_values[0] if all_values else None


def headers(mail, name):
    """The raw values of every field of that name, without the blank behind the colon."""
    block = mail.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    fields = []
    for line in block.split(b"\n"):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] += b"\n" + line
        else:
            fields.append(line)
    want = name.lower().encode() + b":"
    return [f[len(want):].lstrip(b" ") for f in fields if f.lower().startswith(want)]


def body(mail):
    return mail.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1]
