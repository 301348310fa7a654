# SPDX-License-Identifier: BSD-2-Clause
"""What ticketd shows to who watches: judged by promtool, scraped by a real Prometheus."""
import json
import os
import shutil
import socket
import subprocess
import urllib.error
import urllib.request

import pytest
from conftest import BUILD, SRC
from harness.product import Product
from harness.util import free_port, make_root, remove_root, stop, wait_for

MAIL = (b"From: Ann <ann@customer.example>\r\nTo: support@example.test\r\nSubject: printer %d\r\n"
        b"Message-ID: <metrics.%d@customer.example>\r\n\r\nIt is broken.\r\n")


def get(url, accept=None, method="GET", timeout=180):
    request = urllib.request.Request(url, headers={"Accept": accept} if accept else {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def samples(text):
    rows = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in rows}


def promtool(text):
    if shutil.which("promtool") is None:
        pytest.skip("no promtool: nobody judges the numbers")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          text=True, timeout=180, check=False)
    return done.returncode, done.stdout + done.stderr


class Watched:
    def __init__(self):
        self.root = make_root()
        self.port = free_port()
        self.product = Product(self.root, BUILD, top=(
            f'metrics {{ listen = "127.0.0.1:{self.port}" }}\n'
            'sink "siem" { type = "elasticsearch" url = "http://127.0.0.1:9" }\n'))
        self.url = f"http://127.0.0.1:{self.port}"
        self.product.prepare()
        self.product.start_ticketd()

    def submit(self, number):
        self.product.ctl("submit", "-f", "ann@customer.example", "-r", "support@example.test", text=False,
                         stdin=MAIL % (number, number))

    def stop(self):
        self.product.stop()
        remove_root(self.root)


@pytest.fixture(scope="module")
def watched():
    w = Watched()
    yield w
    w.stop()


def test_numbers_are_well_formed_and_count_what_happened(watched):
    before = samples(get(watched.url + "/metrics")[2])
    for number in range(3):
        watched.submit(number)
    watched.submit(0)
    status, kind, text = get(watched.url + "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    rc, said = promtool(text)
    assert (rc, said) == (0, "")
    now = samples(text)
    assert now['ticket_milter_messages_total{desk="it",class="human",outcome="created"}'] == 3
    assert now['ticket_milter_messages_total{desk="it",class="human",outcome="existing"}'] == 1
    assert now['ticket_milter_requests_total{hook="submit",status="ok"}'] == 4
    assert now['ticket_milter_intake_duration_seconds_count{hook="submit"}'] == 4
    assert now['ticket_milter_intake_duration_seconds_bucket{hook="submit",le="+Inf"}'] == 4
    assert now["ticket_milter_accepted_without_ticket"] == 0
    assert now["ticket_milter_sla_breaches_total"] == 0
    assert now["ticket_milter_commit_batches_total"] > before["ticket_milter_commit_batches_total"]


def test_what_an_alert_counts_is_there_before_it_rises(watched):
    """A counter whose first number is 1 has not risen, to Prometheus."""
    counted = ["sla_breaches_total", "sla_warnings_total", "escalations_total",
               "jobs_parked_total", "commit_failed_total", 'sink_stopped_total{sink="siem"}',
               'sink_events_total{sink="siem",outcome="aside"}']
    for name in counted:
        wait_for(name, lambda: samples(get(watched.url + "/metrics")[2]).get(
            f"ticket_milter_{name}") == 0)


def test_open_metrics_are_given_to_who_asks(watched):
    _, kind, text = get(watched.url + "/metrics", accept="application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    assert "# TYPE ticket_milter_commit_batches counter" in text


def test_nothing_else_is_answered(watched):
    assert get(watched.url + "/")[0] == 404
    assert get(watched.url + "/metrics", method="POST")[0] == 405
    assert get(watched.url + "/../store/tickets.db")[0] == 404


def test_many_idle_connections_do_not_keep_others_out_for_long(watched):
    idle = [socket.create_connection(("127.0.0.1", watched.port)) for _ in range(30)]
    try:
        def answered():
            try:
                return get(watched.url + "/healthz", timeout=5)[0] == 200
            except OSError:
                return False
        wait_for("an answer", answered)
    finally:
        for s in idle:
            s.close()


def test_health_tells_of_mail_without_a_ticket(watched):
    assert get(watched.url + "/healthz") == (200, "text/plain; charset=utf-8", "ok\n")
    folder = f"{watched.product.root}/milter/missed"
    os.makedirs(folder, exist_ok=True)
    path = f"{folder}/00000000000000000001.bad"
    with open(path, "w", encoding="ascii") as f:
        f.write("x")
    try:
        status, _, text = get(watched.url + "/healthz")
        assert status == 503 and "1 accepted messages have no ticket yet" in text
        assert samples(get(watched.url + "/metrics")[2])["ticket_milter_accepted_without_ticket"] == 1
    finally:
        os.unlink(path)
    assert get(watched.url + "/healthz")[0] == 200


def test_a_real_prometheus_scrapes_it_and_takes_the_rules(watched):
    if shutil.which("prometheus") is None:
        pytest.skip("no prometheus")
    rules = f"{SRC}/conf/monitoring/ticket-milter.rules.yml"
    done = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True,
                          timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    folder, port = f"{watched.root}/prometheus", free_port()
    os.makedirs(folder)
    with open(f"{folder}/p.yml", "w", encoding="ascii") as f:
        f.write("global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
                f"rule_files: ['{rules}']\n"
                "scrape_configs:\n- job_name: ticket-milter\n  static_configs:\n"
                f"  - targets: ['127.0.0.1:{watched.port}']\n")
    server = subprocess.Popen(["prometheus", f"--config.file={folder}/p.yml",
                               f"--storage.tsdb.path={folder}/data",
                               f"--web.listen-address=127.0.0.1:{port}"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(path):
        try:
            return json.loads(get(f"http://127.0.0.1:{port}{path}")[2])["data"]
        except (OSError, ValueError):
            return None

    try:
        def scraped():
            data = ask("/api/v1/query?query=ticket_milter_build_info")
            return data and data["result"]
        wait_for("a scrape", scraped)
        asked = set()
        with open(f"{SRC}/conf/monitoring/ticket-milter.grafana.json", encoding="utf-8") as f:
            board = json.load(f)
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                expression = target["expr"].replace("$__rate_interval", "1m")
                query = "/api/v1/query?query=" + urllib.request.quote(expression)
                wait_for(expression, lambda q=query: ask(q) is not None)
                asked.add(expression)
        assert len(asked) >= 10
        groups = wait_for("its rules", lambda: ask("/api/v1/rules"))["groups"]
        assert all(r["health"] in ("ok", "unknown") for g in groups for r in g["rules"])
    finally:
        stop(server)


def test_a_socket_of_this_host_will_do():
    root = make_root()
    product = Product(root, BUILD)
    path = f"{product.root}/run/metrics.sock"
    product.parts["top"] = f'metrics {{ listen = "unix:{path}" }}\n'
    try:
        product.prepare()
        product.start_ticketd()
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            with s.makefile("rb") as f:
                assert b" 200 " in f.readline()
        product.stop()
        assert not os.path.exists(path)
    finally:
        product.stop()
        remove_root(root)


def test_a_place_where_nobody_can_listen_is_told():
    root = make_root()
    product = Product(root, BUILD, top='metrics { listen = "somewhere" }\n')
    try:
        product.prepare()
        done = product.ctl("config", "test", check=False)
        assert done.returncode != 0
        assert '"somewhere" does not fit; write "127.0.0.1:9464"' in done.stderr
    finally:
        product.stop()
        remove_root(root)
