# SPDX-License-Identifier: BSD-2-Clause
"""A TCP relay in front of an HTTP server that can lose answers.

Each connection is for one request (the server is asked to close it). lose(match, n) lets n
requests whose first line has `match` reach the server and be answered there, and then drops
the connection without a byte of the answer. cut(match, n) drops n before they reach it.
hold() keeps all that comes until free().
"""
import socket
import threading


class Lossy:
    def __init__(self, port):
        self.target = port
        self.lock = threading.Lock()
        self.plans = []  # [what, match, left]
        self.seen = []
        self.open = threading.Event()
        self.open.set()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def lose(self, match, count=1):
        with self.lock:
            self.plans.append(["lose", match, count])

    def cut(self, match, count=1):
        with self.lock:
            self.plans.append(["cut", match, count])

    def hold(self):
        self.open.clear()

    def free(self):
        self.open.set()

    def clear(self):
        self.free()
        with self.lock:
            self.plans.clear()
            self.seen.clear()

    def _plan(self, line):
        with self.lock:
            self.seen.append(line)
            for plan in self.plans:
                if plan[2] > 0 and plan[1] in line:
                    plan[2] -= 1
                    return plan[0]
        return "pass"

    def _serve(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    @staticmethod
    def _request(client):
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(65536)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        fields = {k.lower(): v.strip() for k, _, v in
                  (line.partition(b":") for line in head.split(b"\r\n")[1:])}
        length = int(fields.get(b"content-length", b"0"))
        while len(body) < length:
            more = client.recv(1 << 20)
            if not more:
                return None
            body += more
        lines = [line for line in head.split(b"\r\n")
                 if not line.lower().startswith((b"connection:", b"host:"))]
        return lines[0].decode(), b"\r\n".join(lines) + b"\r\n", body

    def _relay(self, client):
        with client:
            client.settimeout(60)
            try:
                request = self._request(client)
                if request is None:
                    return
                plan = self._plan(request[0])
                self.open.wait(60)
                if plan == "cut":
                    return
                with socket.create_connection(("127.0.0.1", self.target), 60) as server:
                    server.sendall(request[1] + b"Host: 127.0.0.1\r\nConnection: close\r\n\r\n"
                                   + request[2])
                    answer = b""
                    while True:
                        more = server.recv(1 << 20)
                        if not more:
                            break
                        answer += more
                if plan == "pass":
                    client.sendall(answer)
            except OSError:
                return

    def stop(self):
        self.server.close()
