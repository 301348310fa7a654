# SPDX-License-Identifier: BSD-2-Clause
"""nginx in front of a stand-in: TLS under a certificate of the suite's own, and HTTP/2.

Each connection ends with a GOAWAY after `requests` of them. log() tells of every request
that was answered: when it began and ended, on which connection, by which protocol."""
import os
import shutil
import subprocess
import urllib.parse
from dataclasses import dataclass

from .tls import make_ca, make_cert
from .util import free_port, port_open, stop, wait_for

CONF = """daemon off;
{user}worker_processes 1;
pid {root}/pid;
error_log {root}/error.log;
events {{ worker_connections 512; }}
http {{
    log_format plain "$msec $request_time $connection $server_protocol $request_method $status";
    access_log {root}/access.log plain;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/other;
    uwsgi_temp_path {root}/other;
    scgi_temp_path {root}/other;
    upstream desk {{ server {target}; keepalive 32; }}
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        keepalive_requests {requests};
        client_max_body_size 64m;
        location / {{
            proxy_pass http://desk;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_next_upstream off;
        }}
    }}
}}
"""


@dataclass
class Line:
    begin: float
    end: float
    connection: str
    protocol: str
    method: str
    status: int


class Nginx:
    def __init__(self, root, target, requests=1000):
        """target: "http://127.0.0.1:80"."""
        self.root, self.requests = root, requests
        self.target = urllib.parse.urlsplit(target).netloc
        os.makedirs(root, exist_ok=True)
        self.ca_file = make_ca(root)
        self.cert, self.key = make_cert(root, "front")
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.process = None

    @staticmethod
    def program():
        return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")

    @classmethod
    def missing(cls):
        return None if cls.program() else "no nginx: HTTP/2 is not tried"

    def start(self):
        with open(f"{self.root}/conf", "w", encoding="ascii") as f:
            f.write(CONF.format(user="user root;\n" if os.geteuid() == 0 else "", root=self.root,
                                target=self.target, port=self.port, cert=self.cert, key=self.key,
                                requests=self.requests))
        self.process = subprocess.Popen(
            [self.program(), "-p", self.root, "-c", f"{self.root}/conf", "-e",
             f"{self.root}/error.log"], stdin=subprocess.DEVNULL)
        wait_for("nginx", self._up)
        return self

    def _up(self):
        if self.process.poll() is not None:
            with open(f"{self.root}/error.log", encoding="utf-8") as f:
                raise RuntimeError(f.read()[-2000:])
        return port_open(self.port)

    def log(self):
        with open(f"{self.root}/access.log", encoding="ascii") as f:
            lines = [line.split() for line in f if line.endswith("\n")]
        return [Line(float(end) - float(took), float(end), connection, protocol, method, int(status))
                for end, took, connection, protocol, method, status in lines
                if protocol != "-"]

    def kill(self):
        """At once, with its worker: what is under way gets no answer."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True,
                                  text=True, check=False).stdout.split()
        self.process.kill()
        for pid in children:
            try:
                os.kill(int(pid), 9)
            except ProcessLookupError:  # one that had begun anew has ended
                pass
        self.process.wait()
        wait_for("its end", lambda: not port_open(self.port))

    def stop(self):
        stop(self.process)
