# SPDX-License-Identifier: BSD-2-Clause
"""What the strict stand-ins of vendors have in common.

A stand-in answers by answer(request); a path that it does not know is a 404 that also stands
in `unknown`, so that a suite can fail of it. fault(match, kind) makes the next request whose
"METHOD path" has `match` go wrong: lose (carried out, no answer), half (carried out, half of
the answer), page (a log-in page with 200), later (429, Retry-After in seconds), laterdate
(429, as a date), or a triple (status, headers, body).
"""
import base64
import email.utils
import json
import os
import subprocess
import tempfile
import threading
import time
import urllib.parse

from . import web


class Request:
    def __init__(self, method, target, headers, body):
        parts = urllib.parse.urlsplit(target)
        self.method, self.path, self.headers, self.body = method, parts.path, headers, body
        self.answer = None  # of the stand-in itself, where no fault made another
        self.raw_query = parts.query
        self.query = {k: v[-1] for k, v in urllib.parse.parse_qs(
            parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)).items()}

    def json(self):
        return json.loads(self.body.decode("utf-8"))

    def type(self):
        return (self.headers.get("Content-Type") or "").split(";")[0].strip().lower()

    def basic(self):
        word, _, value = (self.headers.get("Authorization") or "").partition(" ")
        return base64.b64decode(value).decode() if word == "Basic" else None

    def bearer(self):
        word, _, value = (self.headers.get("Authorization") or "").partition(" ")
        return value if word == "Bearer" else None

    def parts(self):
        """[(name, filename or None, type, bytes)] of multipart/form-data."""
        kind, _, rest = self.headers["Content-Type"].partition(";")
        assert kind == "multipart/form-data", kind
        boundary = rest.split("boundary=")[1].strip().encode()
        pieces = (b"\r\n" + self.body).split(b"\r\n--" + boundary)
        assert pieces[0] == b"" and pieces[-1] in (b"--\r\n", b"--"), "multipart is broken"
        found = []
        for piece in pieces[1:-1]:
            head, _, data = piece[2:].partition(b"\r\n\r\n")
            name = filename = None
            kind = "text/plain"
            for line in head.decode("utf-8").split("\r\n"):
                field, _, value = line.partition(":")
                if field.lower() == "content-disposition":
                    name = value.split('name="')[1].split('"')[0]
                    if 'filename="' in value:
                        filename = value.split('filename="')[1].split('"')[0]
                elif field.lower() == "content-type":
                    kind = value.strip()
            found.append((name, filename, kind, data))
        return found


class Answer:
    def __init__(self, status, body):
        self.status, self.body = status, body


class Refuse(Exception):
    def __init__(self, status, body, headers=()):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers


class Vendor:
    def __init__(self):
        self.lock = threading.RLock()
        self.faults = []
        self.requests = []  # (Request, status)
        self.unknown = []
        self.broken = []  # what broke the contract in a way the vendor would not tell
        vendor = self

        class Handler(web.Handler):
            def handle_one(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                vendor._serve(self, Request(self.command, self.path, self.headers, body))
            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

        self.server = web.Server(Handler)
        self.url = self.server.url

    def answer(self, request):
        raise NotImplementedError

    def fault(self, match, kind, count=1):
        with self.lock:
            self.faults.extend([[match, kind]] * count)

    def _fault(self, request):
        for i, (match, _) in enumerate(self.faults):
            if match in f"{request.method} {request.path}":
                return self.faults.pop(i)[1]
        return None

    def _carry_out(self, request):
        try:
            return self.answer(request)
        except Refuse as r:
            return r.status, r.body, r.headers
        except (KeyError, ValueError, AssertionError, TypeError) as e:
            self.broken.append(f"{request.method} {request.path}: {e!r}")
            return 400, {"broken": repr(e)}, ()

    def _serve(self, handler, request):
        headers = ()
        with self.lock:
            fault = self._fault(request)
            if fault == "page":
                status, body, headers = 200, b"<html>log in</html>", [("Content-Type", "text/html")]
            elif fault == "later":
                status, body, headers = 429, {}, [("Retry-After", "7")]
            elif fault == "laterdate":
                date = email.utils.formatdate(time.time() + 90, usegmt=True)
                status, body, headers = 429, {}, [("Retry-After", date)]
            elif isinstance(fault, tuple):
                status, headers, body = fault
            else:
                status, body, headers = self._carry_out(request)
                request.answer = Answer(status, body)
            self.requests.append((request, status))
        data = body if isinstance(body, bytes) else \
            b"" if body is None else json.dumps(body).encode()
        if fault == "lose":
            handler.close_connection = True
            return
        handler.send_response(status)
        names = [k.lower() for k, _ in headers]
        if "content-type" not in names and data:
            handler.send_header("Content-Type", "application/json;charset=UTF-8")
        for name, value in headers:
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:len(data) // 2] if fault == "half" else data)
        if fault == "half":
            handler.close_connection = True

    def not_found(self, request):
        self.unknown.append(f"{request.method} {request.path}")
        raise Refuse(404, {"unknown": request.path})

    def seen(self, method, path):
        return [r for r, _ in self.requests if r.method == method and r.path == path]

    def stop(self):
        self.server.stop()


CALL = {"ticket": {"id": "IT-1", "corr": "mt-0123456789abcdef0123456789abcdef", "desk": "it",
                   "subject": "Printer \U0001f600", "text": "it is broken\nGr\u00fc\u00dfe\n\nAnn\n",
                   "requester": "ann@example.org", "requester_name": "Ann Lee",
                   "type": "incident", "group": "net", "state": "new", "priority": 2,
                   "fields": {"site": "Berlin"}}}


class Driver:
    """Runs operations of one section by tests/itsm/itsm_drive."""

    def __init__(self, build, vendor, kind, stanza, secret="s3cret-word", client=None):
        self.build, self.vendor = build, vendor
        self.dir = tempfile.TemporaryDirectory(prefix="tkt-vendor-")
        lines = [f'type = "{kind}"', f'url = "{vendor.url}"', "timeout = 30s",
                 f'secret = "file:{self._secret("secret", secret)}"']
        if client is not None:
            lines.append(f'client_secret = "file:{self._secret("client", client)}"')
        self.conf = f"{self.dir.name}/conf"
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write('desk "it" {\n    addresses = {"it@example.org"}\n    prefix = "IT"\n}\n')
            f.write('itsm "x" {\n' + "\n".join(lines) + "\n" + stanza + "\n}\n")

    def _secret(self, name, value):
        path = f"{self.dir.name}/{name}"
        with open(path, "w", encoding="ascii") as f:
            f.write(value)
        os.chmod(path, 0o400)
        return path

    def file(self, data, name="a.png", kind="image/png"):
        path = f"{self.dir.name}/file"
        with open(path, "wb") as f:
            f.write(data)
        return {"path": path, "name": name, "type": kind}

    def __call__(self, op, comment=None, file=None, **ticket):
        call = {"ticket": dict(CALL["ticket"], **ticket)}
        if comment is not None:
            call["comment"] = comment
        if file is not None:
            call["file"] = file
        run = subprocess.run([f"{self.build}/tests/itsm/itsm_drive", self.conf, "x", op],
                             input=json.dumps(call), capture_output=True, text=True,
                             timeout=180, check=False)
        assert run.returncode == 0, run.stderr
        result = json.loads(run.stdout)
        for word in ("s3cret-word", "cl1ent-word"):
            assert word not in result["error"]
        return result

    def good(self, op, **more):
        result = self(op, **more)
        assert result["ok"], result["error"]
        return result["seen"]

    def stop(self):
        self.dir.cleanup()
