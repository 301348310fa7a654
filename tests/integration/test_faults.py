# SPDX-License-Identifier: BSD-2-Clause
"""What happens when: every row of the fault table, with a real Postfix in front."""
import os
import signal
import subprocess
import threading
import time

import pytest
from conftest import BUILD, Site, skip_without_postfix
from harness.mta import Postfix
from harness.product import DAEMON_UID, DESKS, GROUP_ID, MILTER_UID, Product
from harness.product import program as program_path
from harness.smtp import header, send
from harness.util import as_user, stop, wait_for

DESK = "support@example.test"
ANN = "ann@customer.example"


@pytest.fixture
def make_site(root):
    skip_without_postfix()
    made = []

    def make(settings="", chroot=False, **parts):
        product = Product(root, BUILD, **parts)
        postfix = Postfix(root, chroot=chroot, settings=(
            f"smtpd_milters = {product.milter_socket}\n" + settings))
        made.append(Site(root, product, postfix))
        return made[-1]
    yield make
    for s in made:
        s.mta.stop()
        s.product.stop()
        print(s.product.log("ticketd")[-3000:])
        print(s.product.log("milter")[-3000:])


def ids(site):
    return [t["id"] for t in site.product.tickets()]


def test_ticketd_down_means_451_and_no_mail_is_lost(make_site, mail):
    site = make_site(milter="    deadline = 4s\n")
    site.product.start()
    site.mta.start()
    message = mail("down")
    stop(site.product.ticketd)
    answer = send(site.mta.port, ANN, DESK, message)
    assert answer.code == 451, answer
    # others are not held up by it
    assert send(site.mta.port, ANN, "joe@example.test", mail("x")).code == 250
    site.product.start_ticketd()
    wait_for("it to be taken", lambda: send(site.mta.port, ANN, DESK, message).code == 250)
    assert len(ids(site)) == 1


def test_on_failure_accept_takes_the_mail_in_later_by_the_same_key(make_site, mail):
    site = make_site(milter="    deadline = 4s\n",
                     desks=DESKS.replace('prefix = "IT"',
                                         'prefix = "IT"\n    on_failure = "accept"'))
    site.product.start()
    site.mta.start()
    message = mail("later")
    stop(site.product.ticketd)
    assert send(site.mta.port, ANN, DESK, message).code == 250
    missed = f"{site.product.root}/milter/missed"
    assert len(os.listdir(missed)) >= 1
    site.product.start_ticketd()
    wait_for("missed mail to become a ticket", lambda: len(ids(site)) == 1)
    wait_for("spool to be empty", lambda: not os.listdir(missed))
    assert send(site.mta.port, ANN, DESK, message).code == 250
    assert len(ids(site)) == 1


def test_a_restart_of_ticketd_costs_no_451(make_site, mail):
    site = make_site()
    site.product.start()
    site.mta.start()
    answers = []

    def stream():
        for i in range(40):
            answers.append(send(site.mta.port, ANN, DESK, mail(f"m{i}")).code)
    t = threading.Thread(target=stream)
    t.start()
    for _ in range(3):
        time.sleep(0.3)
        stop(site.product.ticketd)
        site.product.start_ticketd()
    t.join()
    assert set(answers) == {250}
    assert len(ids(site)) == 40


def test_kill_of_ticketd_loses_and_doubles_nothing(make_site, mail):
    site = make_site()
    site.product.start()
    site.mta.start()
    messages = [mail(f"m{i}") for i in range(60)]
    codes = {}

    def stream():
        for i, m in enumerate(messages):
            codes[i] = send(site.mta.port, ANN, DESK, m).code
    t = threading.Thread(target=stream)
    t.start()
    for _ in range(4):
        time.sleep(0.25)
        site.product.ticketd.send_signal(signal.SIGKILL)
        site.product.ticketd.wait()
        site.product.start_ticketd()
    t.join()
    for i, m in enumerate(messages):
        if codes[i] != 250:
            assert send(site.mta.port, ANN, DESK, m).code == 250
    assert len(ids(site)) == len(messages)
    assert site.product.ctl("verify", check=False).returncode == 0


def test_kill_of_the_milter_means_451_then_success(make_site, mail):
    site = make_site()
    site.product.start()
    site.mta.start()
    site.product.milter.send_signal(signal.SIGKILL)
    site.product.milter.wait()
    message = mail("milter gone")
    answer = send(site.mta.port, ANN, DESK, message)
    assert 400 <= answer.code < 500
    site.product.start_milter()
    wait_for("service", lambda: send(site.mta.port, ANN, DESK, message).code == 250)
    assert len(ids(site)) == 1


def test_a_full_disk_means_451_and_recovers(make_site, mail, root):
    site = make_site()
    site.product.prepare()
    store = f"{site.product.root}/store"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=3m,uid={DAEMON_UID},"
                              f"gid={GROUP_ID},mode=700", "tmpfs", store], check=False)
    if mounted.returncode != 0:
        pytest.skip("cannot mount a tmpfs here")
    try:
        site.product.start_ticketd()
        site.product.start_milter()
        site.mta.start()
        answers, sent = [], 0
        for i in range(40):
            answer = send(site.mta.port, ANN, DESK, mail(f"fill {i}", body=b"y" * 60 + b"\r\n"
                                                         + b"x" * 70 * 1024 * 3 + b"\r\n"))
            answers.append(answer.code)
            sent += answer.code == 250
            if answer.code != 250:
                break
        assert answers[-1] == 451, answers
        assert len(ids(site)) == sent
        subprocess.run(["mount", "-o", "remount,size=64m", store], check=True)
        assert send(site.mta.port, ANN, DESK, mail("space again")).code == 250
        assert len(ids(site)) == sent + 1
    finally:
        site.product.stop()
        subprocess.run(["umount", store], check=False)


def test_a_dead_parser_still_makes_a_ticket_that_is_analysed_later(make_site, mail):
    site = make_site()
    site.product.start()
    site.mta.start()
    stopping = threading.Event()

    def hunt():
        while not stopping.is_set():
            subprocess.run(["pkill", "-KILL", "-P", str(site.product.ticketd.pid)], check=False)
            time.sleep(0.02)
    t = threading.Thread(target=hunt)
    t.start()
    try:
        for i in range(5):
            assert send(site.mta.port, ANN, DESK, mail(f"unparsed {i}")).code == 250
    finally:
        stopping.set()
        t.join()
    assert len(ids(site)) == 5
    wait_for("later analysis", lambda: all(
        t["analysed"] for t in site.product.tickets()), step=0.5)


def test_a_wrong_configuration_is_refused_with_its_line(make_site, mail):
    site = make_site()
    site.product.start()
    site.mta.start()
    with open(site.product.config, "a", encoding="utf-8") as f:
        f.write('\nlog_levle = "info"\n')
    for program in ("ticketd", "ticket-milter"):
        done = subprocess.run([program_path(BUILD, program), "-t", "-c", site.product.config],
                              capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert f"{site.product.config}:" in done.stderr and "log_levle" in done.stderr
    # a reload keeps the old one
    site.product.ticketd.send_signal(signal.SIGUSR1)
    site.product.milter.send_signal(signal.SIGUSR1)
    for which in ("ticketd", "milter"):
        wait_for(f"a line of {which}", lambda w=which: "log_levle" in site.product.log(w))
    assert site.product.ticketd.poll() is None and site.product.milter.poll() is None
    assert send(site.mta.port, ANN, DESK, mail("still here")).code == 250


def test_a_reload_brings_new_desks(make_site, mail):
    site = make_site()
    site.product.start()
    site.mta.start()
    assert send(site.mta.port, ANN, "new@example.test", mail("before")).code == 250
    assert ids(site) == []
    site.product.write_config(desks=DESKS + 'desk "new" { addresses = {"new@example.test"} '
                                            'prefix = "NEW" }\n')
    site.product.ticketd.send_signal(signal.SIGUSR1)
    site.product.milter.send_signal(signal.SIGUSR1)
    wait_for("the new desk", lambda: send(site.mta.port, ANN, "new@example.test",
                                          mail("after")).code == 250 and ids(site), step=0.3)
    assert ids(site)[0].startswith("NEW-")


def test_second_instances_are_refused(make_site):
    site = make_site()
    site.product.start()
    for program in ("ticketd", "ticket-milter"):
        uid = DAEMON_UID if program == "ticketd" else MILTER_UID
        done = subprocess.run(as_user(uid, GROUP_ID, [program_path(BUILD, program), "-f", "-c",
                                                      site.product.config]),
                              capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode != 0 and done.stderr
    assert site.product.ctl("ping").returncode == 0


def test_a_chrooted_smtpd_finds_the_relative_socket(make_site, mail):
    site = make_site(chroot=True)
    spool = f"{site.mta.root}/spool/ticket-milter"
    os.makedirs(spool)
    os.chown(spool, 61802, GROUP_ID)
    for p in (site.mta.root, f"{site.mta.root}/spool", spool):
        os.chmod(p, 0o755)
    site.product.milter_socket = f"unix:{spool}/milter.sock"
    site.mta.settings = "smtpd_milters = unix:ticket-milter/milter.sock\n"
    site.product.start()
    site.mta.start()
    assert send(site.mta.port, ANN, DESK, mail("chroot")).code == 250
    assert len(ids(site)) == 1


def test_a_tcp_socket_works_without_the_stalls(make_site, mail):
    from harness.util import free_port, port_open
    port = free_port()
    site = make_site(milter_socket=f"inet:{port}@127.0.0.1")
    site.mta.settings = f"smtpd_milters = inet:127.0.0.1:{port}\n"
    site.product.prepare()
    site.product.start_ticketd()
    site.product.start_milter(wait=False)
    wait_for("milter port", lambda: port_open(port))
    site.mta.start()
    assert send(site.mta.port, ANN, DESK, mail("tcp")).code == 250
    (ticket,) = ids(site)
    wait_for("delivery", site.mta.mails)
    assert header(site.mta.mails()[0], "Subject").startswith(f"[{ticket}] tcp".encode())


def test_stop_answers_what_is_in_flight(make_site, mail):
    site = make_site()
    site.product.start()
    site.mta.start()
    codes = []
    threads = [threading.Thread(target=lambda i=i: codes.append(
        send(site.mta.port, ANN, DESK, mail(f"drain {i}")).code)) for i in range(8)]
    for t in threads:
        t.start()
    time.sleep(0.05)
    stop(site.product.milter)
    for t in threads:
        t.join()
    accepted = codes.count(250)
    assert len(ids(site)) >= accepted
