# SPDX-License-Identifier: BSD-2-Clause
"""Service levels: the tick over a million open tickets, and how long a start takes."""
import json
import os
import subprocess
import time

from harness.product import Product
from harness.util import make_root, remove_root


CONF = """
sla "silver" { first_response = {"4h"} resolution = {"40h"} }
desk "it" {
    addresses = {"support@example.test"}
    prefix = "IT"
    sla = "silver"
}
"""


def run(build, emit, quick):
    tickets = 20000 if quick else 1000000
    root = make_root("tkt-bench-")
    product = Product(f"{root}/p", build, desks=CONF, log_level="warning")
    os.makedirs(f"{root}/p")
    os.chmod(f"{root}/p", 0o711)
    product.prepare()
    store = f"{product.root}/store"
    try:
        got = subprocess.run([f"{build}/tests/bench/sla_bench", store, str(tickets)],
                             capture_output=True, text=True, check=False)
        if got.returncode != 0:
            raise RuntimeError(f"sla_bench: {got.stderr[-2000:]}")
        for line in got.stdout.splitlines():
            emit(json.loads(line))
        owner = os.stat(f"{product.root}/run")
        subprocess.run(["chown", "-R", f"{owner.st_uid}:{owner.st_gid}", store], check=True)
        begun = time.monotonic()
        product.start_ticketd()
        emit({"bench": "sla", "what": "start of ticketd until it answers", "tickets": tickets,
              "s": round(time.monotonic() - begun, 2)})
    finally:
        product.stop()
        remove_root(root)
