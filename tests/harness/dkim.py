# SPDX-License-Identifier: BSD-2-Clause
"""Signs mails by RFC 6376 with openssl(1), verifies them with opendkim(8).

The signer is written from the RFC so that a mistake of ours and one of opendkim's cannot
hide each other; the key comes from a file (TestPublicKeys), never from DNS."""
import base64
import hashlib
import os
import re
import shutil
import subprocess

DOMAIN = "customer.example"
SELECTOR = "sel"


def missing():
    """Why this cannot run here, or None."""
    for tool in ("opendkim", "openssl"):
        if shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            return f"{tool} is not installed (Debian: opendkim, openssl)"
    return None


def _fields(head):
    """[(name, whole field without its last CRLF)] of a header block."""
    fields = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            fields[-1] = (fields[-1][0], fields[-1][1] + b"\r\n" + line)
        else:
            fields.append((line.split(b":", 1)[0].strip().lower(), line))
    return fields


def _canon_field(field, relaxed):
    if not relaxed:
        return field
    name, value = field.split(b":", 1)
    value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip()
    return name.strip().lower() + b":" + value


def _canon_body(body, relaxed):
    if relaxed:
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
        body = b"\r\n".join(lines)
    body = re.sub(rb"(\r\n)*\Z", b"", body)
    return body + b"\r\n" if body or not relaxed else b""


class Dkim:
    def __init__(self, folder):
        self.folder = folder
        self.key = f"{folder}/dkim.pem"
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True,
                       capture_output=True)
        public = subprocess.run(["openssl", "rsa", "-in", self.key, "-pubout", "-outform",
                                 "DER"], check=True, capture_output=True).stdout
        with open(f"{folder}/dkim.pub", "w", encoding="ascii") as f:
            f.write(f"{SELECTOR}._domainkey.{DOMAIN} v=DKIM1; k=rsa; "
                    f"p={base64.b64encode(public).decode()}\n")
        with open(f"{folder}/dkim.conf", "w", encoding="ascii") as f:
            f.write(f"Mode v\nTestPublicKeys {folder}/dkim.pub\n"
                    f"TemporaryDirectory {folder}\n")

    def sign(self, mail, canon="simple/simple", names=(b"from", b"to", b"subject", b"date",
                                                       b"message-id")):
        """The mail (CRLF) with a DKIM-Signature on top."""
        head_canon, body_canon = (c == "relaxed" for c in canon.split("/"))
        head, body = mail.split(b"\r\n\r\n", 1)
        digest = base64.b64encode(
            hashlib.sha256(_canon_body(body, body_canon)).digest()).decode()
        bare = (f"DKIM-Signature: v=1; a=rsa-sha256; c={canon}; d={DOMAIN}; s={SELECTOR};"
                f"\r\n\th={':'.join(n.decode() for n in names)};\r\n\tbh={digest};"
                f"\r\n\tb=").encode()
        fields = _fields(head)
        signed = b""
        for name in names:
            mine = [f for n, f in fields if n == name]
            if mine: # the lowest of its name is the one that is signed first
                signed += _canon_field(mine[-1], head_canon) + b"\r\n"
        signed += _canon_field(bare, head_canon)
        value = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key],
                               input=signed, check=True, capture_output=True).stdout
        return bare + base64.b64encode(value) + b"\r\n" + mail

    def verdict(self, mail):
        """What opendkim says: "pass", "fail", or "none"."""
        path = f"{self.folder}/dkim.eml"
        with open(path, "wb") as f:
            f.write(mail)
        env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        out = subprocess.run(["opendkim", "-x", f"{self.folder}/dkim.conf", "-vv", "-t", path],
                             capture_output=True, text=True, check=False, env=env).stdout
        found = re.search(r"dkim=(\w+)", out)
        return found.group(1) if found else "none"
