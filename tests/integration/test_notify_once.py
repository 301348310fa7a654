# SPDX-License-Identifier: BSD-2-Clause
"""The one gap in which a notice goes out twice: the mail server has answered 250, and ticketd is
killed before it has read that. What comes again is the same mail, by its Message-ID and byte for
byte, so that a mailbox that drops doubles shows it once."""
import contextlib
import signal
import threading

from conftest import BUILD
from harness.product import Product
from harness.sink import Sink
from harness.smtp import header
from harness.util import stands_still, wait_for

DESKS = """\
desk "it" {{ addresses = {{"support@example.test"}} prefix = "IT" }}
channel "mail" {{ type = "mail" url = "smtp://127.0.0.1:{0}" }}
notify "ack" {{ on = {{"created"}} to = {{"requester"}} channel = "mail" }}
"""
KILLS = 3


def test_a_kill_between_the_servers_250_and_our_record_sends_the_same_mail_again(root, mail):
    product, kills, taken = Product(root, BUILD), [], threading.Event()

    @contextlib.contextmanager
    def answering(_):
        """ticketd stands still until the 250 lies in its socket, and reads it never."""
        if len(kills) == KILLS:
            yield
            return
        taken.wait(180)
        wait_for("the one that sent it to be known", product.up)  # to us, who have started it
        daemon = product.ticketd
        daemon.send_signal(signal.SIGSTOP)
        wait_for("ticketd to stand still", lambda: stands_still(daemon.pid))
        yield
        daemon.kill()
        daemon.wait()
        kills.append(daemon.pid)

    with Sink(answering) as sink:
        product.parts["desks"] = DESKS.format(sink.port)
        product.prepare()
        product.start_ticketd()
        try:
            ticket = product.ctl("submit", "-f", "ann@customer.example", "-r", "support@example.test",
                                 stdin=mail("Once").decode()).stdout.split()[0]
            taken.set()
            for n in range(1, KILLS + 1):
                wait_for("the kill", lambda n=n: len(kills) == n)
                product.start_ticketd(wait=n == KILLS)  # else it may be gone before it answers
            told = wait_for("the record", lambda: [
                e["data"] for e in product.json("log", ticket) if e["kind"] == "notice.told"])
            wait_for("nothing left", lambda: product.json("queue", "list") == [])
        finally:
            product.stop()
            print(product.log("ticketd")[-3000:])
        assert len(sink.mails) == KILLS + 1 and len(set(sink.mails)) == 1
        assert [t["message_id"] for t in told] == [
            header(sink.mails[0], "Message-ID").decode().strip("<>")]
