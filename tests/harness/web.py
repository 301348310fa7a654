# SPDX-License-Identifier: BSD-2-Clause
"""The HTTP server below every stand-in: many callers at once, no delay of its own."""
import http.server
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    """Derived from by each stand-in; connections stay open as they do at the vendors'."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: the second is not held back

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # of 5, the sixth caller at once is heard a second later

    def __init__(self, handler, port=0):
        super().__init__(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()
