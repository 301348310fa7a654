# SPDX-License-Identifier: BSD-2-Clause
"""The contract of common/directory, kept by every row of its table against real servers,
and what happens when these fail."""
import json
import os
import signal
import subprocess
import threading
import time

import pytest
from conftest import BUILD
from harness.people import (BASE, PEOPLE, STAGES, LdapStage, PostgresStage, Silent, make_ca,
                            make_cert)
from harness.util import make_root, remove_root, stands_still, wait_for

ASK = f"{BUILD}/tests/directory_ask"


def types():
    if not os.path.exists(ASK):
        return []
    return subprocess.run([ASK, "types"], check=True, capture_output=True,
                          text=True).stdout.split()


def config(stage, **more):
    path = f"{stage.root}/{len(os.listdir(stage.root))}.conf"
    with open(path, "w", encoding="utf-8") as f:
        f.write('desk "it" { addresses = {"it@example.test"} }\n' + stage.section(**more))
    return path


def ask(stage, *addresses, **more):
    """One JSON object an address."""
    out = subprocess.run(stage.wrap([ASK, config(stage, **more), "staff", "ask", *addresses]),
                         capture_output=True, text=True, check=False, timeout=180)
    assert out.returncode == 0, out.stdout + out.stderr
    return [json.loads(line) for line in out.stdout.splitlines()]


def check(stage, **more):
    out = subprocess.run(stage.wrap([ASK, config(stage, **more), "staff", "test"]),
                         capture_output=True, text=True, check=False, timeout=180)
    return out.returncode, out.stdout


@pytest.fixture(scope="module")
def stages():
    """Each kind of server is started once, when it is first wanted."""
    root, made = make_root(), {}

    def get(kind):
        if kind not in made:
            stage = STAGES[kind]
            reason = stage.missing()
            if reason:
                pytest.skip(f"directory {kind}: {reason}")
            made[kind] = stage(f"{root}/{kind}")
            made[kind].start()
        return made[kind]
    try:
        yield get
    finally:
        for stage in made.values():
            stage.stop()
        remove_root(root)


@pytest.fixture
def ldap(stages):
    return stages("ldap")


# ---- the contract ------------------------------------------------------------------------

every_type = pytest.mark.parametrize("kind", types() or ["file"])


def test_every_row_of_the_table_has_a_stage():
    assert types(), "tests/directory_ask is not built: make check_PROGRAMS"
    assert set(types()) <= set(STAGES)


@every_type
def test_people_are_known_with_all_that_is_known_of_them(stages, kind):
    stage = stages(kind)
    for got, p in zip(ask(stage, *[p[0] for p in PEOPLE]), PEOPLE):
        assert got["found"] == 1, got
        assert got["name"] == p[1]
        assert got["department"] == p[2]
        assert got["title"] == p[3]
        assert got["location"] == p[4]
        assert got["manager"] == p[5]
        assert got["language"] == p[6]
        assert sorted(got["groups"]) == sorted(p[7])
        assert not got["vip"]


@every_type
def test_somebody_else_is_not_known(stages, kind):
    assert [a["found"] for a in ask(stages(kind), "nobody@example.test",
                                    "ann@elsewhere.test")] == [0, 0]


@every_type
def test_an_address_is_never_part_of_the_question(stages, kind):
    hostile = ["*", "*@example.test", "a*@example.test", "ann@example.test)(mail=*",
               "ann@example.test)(|(mail=*", "x' or '1'='1@example.test",
               "'; drop table staff; --@example.test", "ann@example.test' --",
               "ann@example.test\\", "\\2a@example.test", "{address}@example.test",
               "$1@example.test", "?1@example.test", "ann@example.test\x01",
               "ann@example.test\n", "(&(mail=ann@example.test))", "a" * 300 + "@example.test",
               "\xff@example.test"]
    stage = stages(kind)
    for got, address in zip(ask(stage, *hostile), hostile):
        assert got["found"] == 0, (address, got)
    assert ask(stage, "ann@example.test")[0]["found"] == 1


@every_type
def test_members_of_a_group_are_very_important(stages, kind):
    got = ask(stages(kind), "boss@example.test", "ann@example.test", vip_groups=["bo?rd"])
    assert [a["vip"] for a in got] == [True, False]


@every_type
def test_a_value_makes_one_very_important(stages, kind):
    got = ask(stages(kind), "boss@example.test", "ann@example.test",
              vip_values=["title=CE*"])
    assert [a["vip"] for a in got] == [True, False]


@every_type
def test_a_test_says_that_it_works(stages, kind):
    code, text = check(stages(kind))
    assert code == 0 and text.startswith("ok "), text


@every_type
def test_an_unknown_field_of_the_map_is_named(stages, kind):
    code, text = check(stages(kind), map=["shoe_size=x"])
    assert code != 0 and text.startswith("configuration:") and "shoe_size" in text


# ---- LDAP ----------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["ldap", "ad"])
def test_other_addresses_of_a_person_are_known(stages, kind):
    got = ask(stages(kind), "ann.alias@example.test")[0]
    assert got["found"] == 1 and got["name"] == "Änn Lee"


def test_ldaps_works_too(ldap):
    assert ask(ldap, "ann@example.test",
               uris=[f"ldaps://127.0.0.1:{ldap.tls_port}"])[0]["found"] == 1


def test_the_user_of_the_process_may_be_who_binds(ldap):
    got = ask(ldap, "ann@example.test", uris=[ldap.ldapi()], bind="external", bind_dn="")
    assert got[0]["found"] == 1, got


def test_a_certificate_may_be_who_binds(ldap):
    cert, key = make_cert(ldap.root, "ticketd")
    got = ask(ldap, "ann@example.test", bind="external", bind_dn="", cert_file=cert,
              key_file=key)
    assert got[0]["found"] == 1, got


def test_groups_are_found_by_what_entries_name_themselves(ldap):
    got = ask(ldap, "ann@example.test", groups="memberof")[0]
    assert sorted(got["groups"]) == ["all-staff", "sales", "sales-emea"]


def test_groups_are_followed_only_so_deep(ldap):
    got = ask(ldap, "ann@example.test", group_depth=2)[0]
    assert sorted(got["groups"]) == ["sales", "sales-emea"]


def test_no_groups_are_asked_for_when_off(ldap):
    assert ask(ldap, "ann@example.test", groups="off")[0]["groups"] == []


def test_another_ca_is_not_believed(ldap):
    other = make_ca(ldap.root, "other")
    for uris in ([f"ldap://127.0.0.1:{ldap.port}"], [f"ldaps://127.0.0.1:{ldap.tls_port}"]):
        got = ask(ldap, "ann@example.test", uris=uris, ca_file=other)[0]
        assert got["found"] == -1 and got["class"] == "temporary", got


def test_the_systems_cas_do_not_know_a_private_one(ldap):
    got = ask(ldap, "ann@example.test", ca_file="")[0]
    assert got["found"] == -1, got


def test_ldap_conf_cannot_say_that_certificates_do_not_matter(ldap, monkeypatch):
    monkeypatch.setenv("LDAPTLS_REQCERT", "never")
    assert ask(ldap, "ann@example.test", ca_file="")[0]["found"] == -1


@pytest.fixture
def make_ldap():
    reason = LdapStage.missing()
    if reason:
        pytest.skip(reason)
    made = []

    def make(**kw):
        root = make_root()
        made.append((root, LdapStage(root, **kw)))
        return made[-1][1]
    try:
        yield make
    finally:
        for root, stage in made:
            stage.stop()
            remove_root(root)


def test_a_certificate_for_another_host_is_refused(make_ldap):
    stage = make_ldap()
    stage.start()
    make_cert(stage.root, "server", san="DNS:elsewhere.test")
    stage.stop()
    stage.launch()
    got = ask(stage, "ann@example.test")[0]
    assert got["found"] == -1, got
    make_cert(stage.root, "server")
    stage.stop()
    stage.launch()
    assert ask(stage, "ann@example.test")[0]["found"] == 1


def test_nothing_is_said_in_the_clear_to_a_server_without_tls(make_ldap):
    stage = make_ldap(tls=False)
    stage.start()
    got = ask(stage, "ann@example.test")[0]
    assert got["found"] == -1 and "starttls" in got["error"], got


def test_a_wrong_password_is_a_fault_of_the_configuration(ldap):
    wrong = f"{ldap.root}/wrong"
    with open(wrong, "w", encoding="utf-8") as f:
        f.write("wrong")
    os.chmod(wrong, 0o600)
    got = ask(ldap, "ann@example.test", password=f"file:{wrong}")[0]
    assert got["found"] == -1 and got["class"] == "configuration", got
    assert "wrong\"" not in got["error"]


def test_a_wrong_filter_or_base_is_a_fault_of_the_configuration(ldap):
    for more in ({"filter": "(mail={address}"}, {"base": "dc=elsewhere"}):
        got = ask(ldap, "ann@example.test", **more)[0]
        assert got["found"] == -1 and got["class"] == "configuration", got


def test_the_next_server_is_asked_when_one_is_gone(ldap):
    with Silent() as silent:
        for dead in (f"ldap://127.0.0.1:{silent.port}", "ldap://127.0.0.1:1"):
            got = ask(ldap, "ann@example.test", "bob@example.test",
                      uris=[dead, f"ldap://127.0.0.1:{ldap.port}"], timeout="8s")
            # The first question finds out, the others need not.
            assert [a["found"] for a in got] == [1, 1]
            assert got[1]["ms"] < 7000


def test_thousands_of_groups_come_page_by_page(make_ldap):
    stage = make_ldap()
    stage.start()
    person = f"uid=ann,ou=people,{BASE}"
    many = "".join(f"member: uid=u{i},ou=people,{BASE}\n" for i in range(1500))
    stage.add("".join(
        f"dn: cn=g{i:04},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: g{i:04}\n"
        f"member: {person}\n\n" for i in range(1200)) +
        # one of them is large, and he is its last member
        f"dn: cn=zz-large,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: zz-large\n"
        f"{many}member: {person}\n\n")
    got = ask(stage, "ann@example.test", vip_groups=["zz-large"], group_depth=2)[0]
    assert got["found"] == 1
    assert len(got["groups"]) == 256  # TKT_PERSON_GROUPS_MAX
    assert got["vip"], "groups beyond those that are kept are looked at"
    got = ask(stage, "ann@example.test", filter="(mail={address})",
              group_filter="(cn=zz-large)", page_size=1)[0]
    assert got["groups"] == ["zz-large"]


def test_ad_pages_of_two(stages):
    got = ask(stages("ad"), "ann@example.test", page_size=2)[0]
    assert sorted(got["groups"]) == ["all-staff", "sales", "sales-emea"]


def test_an_ad_that_is_called_ldap_is_known_again(stages):
    stage = stages("ad")
    text = stage.section().replace("type = ad", "type = ldap")
    stage_section, stage.section = stage.section, lambda **more: text
    try:
        got = ask(stage, "ann@example.test")[0]
        code, says = check(stage)
    finally:
        stage.section = stage_section
    assert sorted(got["groups"]) == ["all-staff", "sales", "sales-emea"]
    assert code == 0 and "groups by chain" in says


# ---- servers that fail ---------------------------------------------------------------------

@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
@pytest.mark.parametrize("starttls", ["yes", "no"])
def test_a_server_that_says_nothing_costs_a_timeout(ldap, scheme, starttls):
    with Silent() as silent:
        start = time.monotonic()
        got = ask(ldap, "ann@example.test", uris=[f"{scheme}://127.0.0.1:{silent.port}"],
                  starttls=starttls, bind="anonymous" if starttls == "no" else "simple",
                  timeout="500ms")
        took = time.monotonic() - start
    assert got[0]["found"] == -1 and got[0]["class"] == "temporary", got
    assert took < 30, took


def test_a_postgresql_that_says_nothing_costs_a_timeout(stages):
    stage = stages("postgresql")
    with Silent() as silent:
        start = time.monotonic()
        got = ask(stage, "ann@example.test", timeout="500ms",
                  database=f"host=127.0.0.1 port={silent.port} user=hr dbname=postgres")
        took = time.monotonic() - start
    assert got[0]["found"] == -1 and got[0]["class"] == "temporary", got
    assert took < 30, took


def begin(stage, **more):
    """An asker that stays: send(address) gives its answer."""
    proc = subprocess.Popen(stage.wrap([ASK, config(stage, **more), "staff", "ask"]),
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(address):
        proc.stdin.write(address + "\n")
        proc.stdin.flush()
        return json.loads(proc.stdout.readline())
    return proc, send


def end(proc):
    proc.stdin.close()
    assert proc.wait(60) == 0
    proc.stdout.close()


def test_slapd_may_die_while_it_is_asked_and_come_back(make_ldap):
    stage = make_ldap()
    stage.start()
    proc, send = begin(stage, timeout="30s")
    assert send("ann@example.test")["found"] == 1
    stage.server.send_signal(signal.SIGSTOP)
    wait_for("slapd to stand still", lambda: stands_still(stage.server.pid))
    killer = threading.Timer(0.5, stage.server.kill)
    killer.start()
    got = send("ann@example.test")
    assert got["found"] == -1 and got["class"] == "temporary", got
    stage.server.wait()
    assert send("ann@example.test")["found"] == -1
    stage.launch()
    assert send("ann@example.test")["found"] == 1
    # A connection that was lost in between costs nothing but a new one.
    stage.stop()
    stage.launch()
    assert send("bob@example.test")["found"] == 1
    end(proc)


def test_slapd_that_stops_answering_costs_a_timeout(make_ldap):
    stage = make_ldap()
    stage.start()
    proc, send = begin(stage, timeout="6s")
    assert send("ann@example.test")["found"] == 1
    stage.server.send_signal(signal.SIGSTOP)
    wait_for("slapd to stand still", lambda: stands_still(stage.server.pid))
    start = time.monotonic()
    got = send("ann@example.test")
    assert got["found"] == -1 and time.monotonic() - start < 30, got
    stage.server.send_signal(signal.SIGCONT)
    wait_for("slapd to be heard again", lambda: send("ann@example.test")["found"] == 1)
    end(proc)


@pytest.fixture
def postgres():
    reason = PostgresStage.missing()
    if reason:
        pytest.skip(reason)
    root = make_root()
    stage = PostgresStage(root)
    try:
        yield stage.start()
    finally:
        stage.stop()
        remove_root(root)


def test_postgresql_may_die_and_come_back(postgres):
    proc, send = begin(postgres)
    assert send("ann@example.test")["found"] == 1
    postgres.server.send_signal(signal.SIGQUIT)
    postgres.server.wait()
    got = send("ann@example.test")
    assert got["found"] == -1 and got["class"] == "temporary", got
    postgres.launch()
    assert send("ann@example.test")["found"] == 1
    end(proc)


def test_a_slow_query_costs_a_timeout(postgres):
    start = time.monotonic()
    got = ask(postgres, "ann@example.test", timeout="1s",
              query="select name, pg_sleep(300) from staff where mail = {address}")
    assert got[0]["found"] == -1 and time.monotonic() - start < 60, got


def test_a_query_that_writes_is_refused(postgres):
    got = ask(postgres, "ann@example.test",
              query="update staff set name = 'x' where mail = {address} returning name")
    assert got[0]["found"] == -1 and got[0]["class"] == "configuration", got
    assert ask(postgres, "ann@example.test")[0]["name"] == "Änn Lee"


def test_a_query_without_its_condition_ends(postgres):
    got = ask(postgres, "ann@example.test", timeout="30s", query="select 'g' || n as groups from"
              " generate_series(1, 3000000) n where {address} <> ''")
    assert got[0]["found"] == 1 and len(got[0]["groups"]) == 256
    assert got[0]["ms"] < 30000


def test_wrong_sql_is_a_fault_of_the_configuration(stages):
    for kind in [k for k in types() if k in ("sqlite", "postgresql", "odbc")]:
        stage = stages(kind)
        got = ask(stage, "ann@example.test", query="select nonsense from {address}")[0]
        assert got["found"] == -1, got
        if kind != "odbc":  # its driver has one code for all
            assert got["class"] == "configuration", got


def test_sqlite_only_reads_and_ends(stages):
    stage = stages("sqlite")
    got = ask(stage, "ann@example.test",
              query="delete from staff where mail = {address} returning name")
    assert got[0]["found"] == -1 and got[0]["class"] == "configuration", got
    start = time.monotonic()
    got = ask(stage, "ann@example.test", timeout="500ms",
              query="with recursive n(i) as (select 1 union all select i + 1 from n)"
                    " select count(*) as name from n where {address} <> ''")
    assert got[0]["found"] == -1 and time.monotonic() - start < 60, got
    assert ask(stage, "ann@example.test")[0]["found"] == 1
