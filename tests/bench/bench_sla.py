# SPDX-License-Identifier: BSD-2-Clause
"""Service levels: the tick over a million open tickets, and how long a start takes."""
import json
import os
import subprocess
import time

from harness.product import Product
from harness.util import make_root, remove_root


def run(build, emit, quick):
    tickets = 20000 if quick else 1000000
    root = make_root("tkt-bench-")
    try:
        product = Product(f"{root}/p", build, log_level="warning")
        os.makedirs(f"{root}/p")
        os.chmod(f"{root}/p", 0o711)
        product.prepare()
        store = f"{root}/store"
        os.makedirs(store)
        got = subprocess.run([f"{build}/tests/bench/sla_bench", store, str(tickets)],
                             capture_output=True, text=True, check=False)
        if got.returncode != 0:
            raise RuntimeError(f"sla_bench: {got.stderr[-2000:]}")
        for line in got.stdout.splitlines():
            emit(json.loads(line))
        start(product, store, tickets, emit)
    finally:
        remove_root(root)


def start(product, store, tickets, emit):
    """The real ticketd over that store, until it answers."""
    subprocess.run(["cp", "-a", f"{store}/.", product.store], check=True)
    subprocess.run(["chown", "-R", "--reference", product.store, product.store], check=False)
    begun = time.monotonic()
    product.start_ticketd()
    emit({"bench": "sla", "what": "start of ticketd", "tickets": tickets,
          "s": round(time.monotonic() - begun, 2)})
    product.stop()
