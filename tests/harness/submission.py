# SPDX-License-Identifier: BSD-2-Clause
"""Mail submission that takes tokens: Dovecot's submission service, with TLS and XOAUTH2, asks a
token server (here too) whether a token is good, and hands mail on to Postfix's smtp-sink."""
import contextlib
import http.server
import json
import os
import shutil
import subprocess
import threading
import urllib.parse

from .dovecot import MAIL_GID, MAIL_UID, TREE
from .tls import make_ca, make_cert
from .util import free_port, port_open, stop, wait_for

CONFIG = """\
base_dir = {r}/run
state_dir = {r}/state
instance_name = submission-{port}
listen = 127.0.0.1
protocols = submission
hostname = submission.example.test
log_path = {r}/dovecot.log
ssl = required
ssl_cert = <{cert}
ssl_key = <{key}
auth_mechanisms = xoauth2 oauthbearer
submission_relay_host = 127.0.0.1
submission_relay_port = {sink}
mail_location = maildir:{r}/mail/%u
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {r}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={r}/home/%u
}}
service submission-login {{
  inet_listener submission {{
    address = 127.0.0.1
    port = {port}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""
OAUTH = """\
introspection_url = {url}/introspect
introspection_mode = post
username_attribute = username
active_attribute = active
active_value = true
"""


class Tokens:
    """Client credentials (RFC 6749) and introspection (RFC 7662)."""

    def __init__(self):
        self.good, self.asked, self.given = set(), [], 0
        self.gives_good = True
        tokens = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers.get("Content-Length") or 0)
                form = dict(urllib.parse.parse_qsl(self.rfile.read(size).decode()))
                status, body = tokens.answer(self.path, form)
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, form):
        if path == "/introspect":
            self.asked.append(form["token"])
            good = form["token"] in self.good
            return 200, {"active": good, **({"username": "desk"} if good else {})}
        if (form.get("grant_type"), form.get("client_id"), form.get("client_secret")) != (
                "client_credentials", "milter", "cl1ent-word"):
            return 401, {"error": "invalid_client"}
        self.given += 1
        token = f"t0ken-{self.given}-{os.urandom(8).hex()}"
        if self.gives_good:
            self.good.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Submission:
    def __init__(self, root):
        self.root = root
        os.makedirs(f"{root}/sink", exist_ok=True)
        os.chmod(f"{root}/sink", 0o777)
        self.ca_file = make_ca(root)
        self.cert, self.key = make_cert(root, "submission")
        self.port, self.sink_port = free_port(), free_port()
        self.tokens = Tokens()
        self.sink = None

    @staticmethod
    def missing():
        if os.geteuid() != 0 or TREE:
            return "XOAUTH2 is tried with Dovecot 2.3, as root"
        for need in ("/usr/lib/dovecot/submission", "/usr/sbin/smtp-sink"):
            if not os.path.exists(need):
                return f"no {need}: XOAUTH2 is not tried"
        return None

    def start(self):
        for name in ("run", "state", "mail", "home"):
            os.makedirs(f"{self.root}/{name}", exist_ok=True)
        for name in ("mail", "home"):
            shutil.chown(f"{self.root}/{name}", MAIL_UID, MAIL_GID)
        with open(f"{self.root}/oauth2.conf", "w", encoding="ascii") as f:
            f.write(OAUTH.format(url=self.tokens.url))
        with open(f"{self.root}/dovecot.conf", "w", encoding="ascii") as f:
            f.write(CONFIG.format(r=self.root, port=self.port, sink=self.sink_port, cert=self.cert,
                                  key=self.key, uid=MAIL_UID, gid=MAIL_GID))
        self.sink = subprocess.Popen(["smtp-sink", "-u", "nobody", "-R", f"{self.root}/sink",
                                      "-d", "%s.", f"127.0.0.1:{self.sink_port}", "20"])
        wait_for("smtp-sink", lambda: port_open(self.sink_port))
        subprocess.run(["dovecot", "-c", f"{self.root}/dovecot.conf"], check=True, timeout=180)
        wait_for("Dovecot", lambda: port_open(self.port))
        return self

    def mails(self):
        """What smtp-sink keeps, with the envelope in X-Mail-Args and X-Rcpt-Args in front."""
        found = []
        for name in sorted(os.listdir(f"{self.root}/sink")):
            with contextlib.suppress(FileNotFoundError):  # of a session that ended without one
                with open(f"{self.root}/sink/{name}", "rb") as f:
                    found.append(f.read())
        return found

    def log(self):
        with open(f"{self.root}/dovecot.log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        subprocess.run(["doveadm", "-c", f"{self.root}/dovecot.conf", "stop"], check=False,
                       capture_output=True, timeout=180)
        stop(self.sink)
        self.tokens.stop()
