# SPDX-License-Identifier: BSD-2-Clause
"""A campaign against ticketd and ticket-milter behind a private Postfix: threads at work on them
side by side until all of it is done, and then a count.

A campaign says which threads there are (work), and what has to hold afterwards (check). Of what
any of them raises the first one ends the others, which look at self.failed, and the run.
"""
import os
import random
import signal
import threading
import time

from harness.mta import Postfix
from harness.product import Product
from harness.util import make_root, remove_root


class Campaign:
    name = ""
    postfix_settings = ""  # besides the milter

    def __init__(self, build, mails, seed=None):
        self.build, self.total = build, mails
        self.seed = seed if seed is not None else random.randrange(1 << 32)
        self.random = random.Random(self.seed)
        self.lock = threading.Lock()
        self.failed = None

    def prepare(self):
        """Before anything is started; the Postfix has its port."""

    def work(self):
        """[(function, arguments)]: a thread each."""
        raise NotImplementedError

    def check(self, took):
        """Returns a dict of figures; raises AssertionError when the promise is broken."""
        raise NotImplementedError

    def guarded(self, function, args):
        try:
            function(*args)
        except Exception as e:  # pylint: disable=broad-except
            with self.lock:
                self.failed = self.failed or e

    def kill(self, what):
        """SIGKILL to ticketd or the milter, and a new one."""
        process = getattr(self.product, what)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        getattr(self.product, f"start_{what}")()

    def run_threads(self):
        threads = [threading.Thread(target=self.guarded, args=(function, args))
                   for function, args in self.work()]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if self.failed is not None:
            raise self.failed

    def run(self):
        root = make_root(f"tkt-{self.name}-")
        self.product = Product(root, self.build)
        self.postfix = Postfix(root, settings=(
            f"smtpd_milters = {self.product.milter_socket}\nmilter_connect_timeout = 5s\n"
            f"smtpd_client_connection_count_limit = 0\n{self.postfix_settings}"))
        start = time.monotonic()
        try:
            self.prepare()
            self.product.start()
            self.postfix.start()
            self.run_threads()
            return {"campaign": self.name, "seed": self.seed,
                    **self.check(time.monotonic() - start)}
        except BaseException:
            print(f"seed {self.seed}\n" + self.product.log("ticketd")[-6000:]
                  + self.product.log("milter")[-3000:] + self.postfix.log()[-3000:])
            raise
        finally:
            self.postfix.stop()
            self.product.stop()
            remove_root(root)
