# SPDX-License-Identifier: BSD-2-Clause
"""The ServiceNow backend against a strict stand-in of its documented contract."""
import hashlib
import os

import pytest
from conftest import BUILD
from harness.fake_servicenow import ServiceNow
from harness.judge import judge_or_skip
from harness.vendor import CALL, Driver

KEY = CALL["ticket"]["corr"]
STANZA = '''user = "us"
groups = {"net=Network Team", "ghost=No Such Team"}
fields = {"u_site={{fields.site}}"}'''


@pytest.fixture
def now():
    vendor = ServiceNow()
    yield vendor
    vendor.stop()
    assert vendor.unknown == [] and vendor.broken == []


def driver(now, stanza=STANZA, **more):
    return Driver(BUILD, now, "servicenow", stanza, **more)


def only(now, table="incident"):
    rows = list(now.tables[table].values())
    assert len(rows) == 1
    return rows[0]


def journal(now):
    return [(r["element"], r["value"]) for r in now.tables["sys_journal_field"].values()]


def test_an_incident_has_caller_group_key_and_priority(now):
    seen = driver(now).good("create")
    row = only(now)
    assert seen["external"] == f"incident/{row['sys_id']}" and seen["number"] == row["number"]
    assert row["correlation_id"] == KEY and row["correlation_display"] == "ticket-milter"
    assert now.tables["sys_user"][row["caller_id"]]["user_name"] == "ann"
    assert row["assignment_group"] == now.net and row["u_site"] == "Berlin"
    assert (row["impact"], row["urgency"], row["priority"]) == ("1", "2", "2")
    assert row["short_description"] == "Printer \U0001f600"
    assert row["description"] == CALL["ticket"]["text"]


def test_a_request_goes_into_its_own_table(now):
    seen = driver(now).good("create", type="request")
    row = only(now, "sc_request")
    assert seen["external"].startswith("sc_request/") and row["requested_for"]


def test_the_vendors_own_tables_have_each_column(now):
    judge = judge_or_skip(BUILD)
    drive = driver(now)
    for kind in ("incident", "request"):
        ext = drive.good("create", type=kind, subject="\U0001f600" * 300, text="\u00e4 x" * 9000)["external"]
        drive.good("comment", external=ext, comment={"text": "x" * 9000, "public": True})
        drive.good("comment", external=ext, comment={"text": "x", "public": False})
        for state in ("pending", "resolved"):
            drive.good("update", external=ext, state=state, priority=1)
        drive.good("close", external=ext)
    now.may_make_users = True
    driver(now, STANZA + "\nrequester = create").good("create", requester="new@example.org",
                                                      requester_name="New One")
    rows = [(f"servicenow/{r.path.split('/')[5]}", r.json()) for r, _ in now.requests
            if "/table/" in r.path and r.method != "GET"]
    assert {name for name, _ in rows} == {
        "servicenow/incident", "servicenow/sc_request", "servicenow/sys_user"}
    faults = [c for bad in judge.verdicts(rows) for c in bad]
    assert not faults, faults


ORDER = '''user = "us"
types = {"request=catalog:0123456789abcdef0123456789abcdef"}
fields = {"site={{fields.site}}"}'''


def test_a_request_may_be_an_order_of_the_catalog(now):
    seen = driver(now, ORDER).good("create", type="request")
    row = only(now, "sc_request")
    [order] = now.orders
    assert order["variables"] == {"site": "Berlin"} and order["sysparm_quantity"] == "1"
    assert now.tables["sys_user"][order["sysparm_requested_for"]]["user_name"] == "ann"
    assert seen["external"] == f"sc_request/{row['sys_id']}" and seen["number"] == row["number"]
    assert row["correlation_id"] == KEY and row["description"] == CALL["ticket"]["text"]
    assert driver(now, ORDER).good("find", type="request")["external"] == seen["external"]


def test_an_order_that_is_refused_tells_why_and_makes_nothing(now):
    now.variables = {"site", "size"}
    result = driver(now, ORDER)("create", type="request")
    assert not result["ok"] and "Mandatory Variables" in result["error"]
    assert not now.tables["sc_request"]


def test_an_order_whose_request_got_no_key_is_never_made_again(now):
    now.insert("sc_request", {})
    result = driver(now, ORDER)("find", type="request")
    assert not result["ok"] and KEY in result["error"] and not result["unsure"]
    assert driver(now, ORDER).good("find")["external"] == ""  # an incident may be made


def test_who_is_not_known_stands_in_the_text_and_an_unknown_group_in_a_note(now):
    driver(now).good("create", requester="bob@example.org", requester_name="Bob", group="ghost")
    row = only(now)
    assert "caller_id" not in row and "assignment_group" not in row
    assert row["description"].startswith("From: Bob <bob@example.org>\n\n")
    assert journal(now) == [("work_notes", 'There is no group "No Such Team" here.\n')]


def test_two_users_with_one_address_are_none(now):
    now.add("sys_user", name="Other", email="ann@example.org", user_name="o", active="true")
    driver(now).good("create")
    assert "caller_id" not in only(now)


def test_an_address_cannot_widen_a_query(now):
    driver(now).good("create", requester="x^ORname=Ann Lee")
    assert "caller_id" not in only(now)
    assert not now.seen("GET", "/api/now/v2/table/sys_user")


@pytest.mark.parametrize("allowed", [True, False])
def test_a_user_is_made_by_policy_where_that_is_allowed(now, allowed):
    now.may_make_users = allowed
    driver(now, STANZA + "\nrequester = create").good("create", requester="bob@example.org",
                                                    requester_name="Bob Roe")
    assert ("caller_id" in only(now)) == allowed
    assert len(now.seen("POST", "/api/now/v2/table/sys_user")) == 1


def test_long_and_wide_texts_fit(now):
    text = "\U0001f600\u00e4" * 3000
    driver(now).good("create", subject="\U0001f600" * 300, text=text)
    row = only(now)
    assert len(row["short_description"]) == 160
    assert row["description"].endswith("\n[...]")
    assert journal(now) == [("work_notes", text)]


def test_a_lost_answer_is_found_by_the_key(now):
    drive = driver(now)
    now.fault("POST /api/now/v2/table/incident", "lose")
    lost = drive("create")
    assert not lost["ok"] and lost["unsure"]
    assert drive.good("find")["number"] == only(now)["number"]


def test_rows_that_do_not_show_the_key_are_no_hit(now):
    drive = driver(now)
    now.insert("incident", {"correlation_id": "other", "short_description": "x"})
    now.matching = lambda table, query: list(now.tables[table].values())
    assert drive.good("find")["external"] == ""


@pytest.mark.parametrize("kind", ["half", "page"])
def test_half_an_answer_and_a_page_leave_doubt(now, kind):
    now.fault("POST /api/now/v2/table/incident", kind)
    result = driver(now)("create")
    assert not result["ok"] and result["class"] == 1 and result["unsure"]


@pytest.mark.parametrize("kind,least,most", [("later", 7, 9), ("laterdate", 80, 110)])
def test_later_is_obeyed_in_both_forms(now, kind, least, most):
    now.fault("POST /api/now/v2/table/incident", kind)
    result = driver(now)("create")
    assert result["class"] == 1 and not result["unsure"]
    assert least <= result["retry_after"] <= most


def test_a_refusal_is_permanent_and_tells_the_words(now):
    now.fault("POST /api/now/v2/table/incident", (403, (), {
        "error": {"message": "Operation Failed", "detail": "ACL Exception Insert Failed"},
        "status": "failure"}))
    result = driver(now)("create")
    assert result["class"] in (2, 3) and "ACL Exception Insert Failed" in result["error"]
    assert not result["unsure"] and not result["retry_after"]


def test_comments_are_public_or_internal(now):
    drive = driver(now)
    ext = drive.good("create")["external"]
    drive.good("comment", external=ext, comment={"text": "seen \U0001f600", "public": True})
    drive.good("comment", external=ext, comment={"text": "psst", "author": "b@x", "author_name": "B"})
    assert journal(now) == [("comments", "seen \U0001f600"), ("work_notes", "B <b@x>:\npsst")]
    notes = drive.good("fetch", external=ext)["notes"]
    assert {(n["text"], n["public"]) for n in notes} == {
        ("seen \U0001f600", True), ("B <b@x>:\npsst", False)}


def test_a_large_file_arrives_whole_and_once(now):
    drive = driver(now)
    ext = drive.good("create")["external"]
    data = os.urandom(5 << 20)
    file = drive.file(data, name="\u00e4 b&c.png")
    now.fault("POST /api/now/attachment/file", "lose")
    assert drive("attach", external=ext, file=file)["unsure"]
    drive.good("attach", external=ext, file=file)
    stored = list(now.files.values())
    assert len(stored) == 1 and stored[0]["hash"] == hashlib.sha256(data).hexdigest()
    assert stored[0]["file_name"] == "\u00e4 b&c.png" and stored[0]["content_type"] == "image/png"
    assert drive.good("fetch", external=ext)["files"] == ["\u00e4 b&c.png"]


def test_update_sends_what_differs_and_looks_at_the_state(now):
    drive = driver(now)
    ext = drive.good("create", group="")["external"]
    drive.good("update", external=ext, state="resolved", priority=1)
    row = only(now)
    assert (row["state"], row["priority"], row["assignment_group"]) == ("6", "1", now.net)
    assert row["close_code"] and row["close_notes"]
    before = len(now.requests)
    drive.good("update", external=ext, state="resolved", priority=1)
    assert all(r.method == "GET" for r, _ in now.requests[before:])
    drive.good("update", external=ext, state="pending")
    assert only(now)["state"] == "3"
    seen = drive.good("fetch", external=ext)
    assert (seen["state"], seen["group"], seen["priority"]) == ("3", "Network Team", "2")
    drive.good("close", external=ext)
    assert only(now)["state"] == "7"


def test_an_import_row_that_failed_is_a_refusal_although_201(now):
    stanza = 'user = "us"\noptions = {"import_table=u_mail", "import_target=incident"}'
    drive = driver(now, stanza)
    seen = drive.good("create")
    assert drive.good("create")["external"] == seen["external"]  # it coalesces
    assert drive.good("find")["number"] == seen["number"] == only(now)["number"]
    now.import_status = "error"
    result = drive("create")
    assert result["class"] == 2 and "No transform entry" in result["error"]


def test_check_names_what_is_missing(now):
    now.insert("incident", {"short_description": "x"})
    good = driver(now, 'user = "us"\ngroups = {"net=Network Team"}\n'
                  'fields = {"u_site={{fields.site}}"}')
    assert "group Network Team" in good.good("check")["told"]
    assert 'no group "No Such Team"' in driver(now)("check")["error"]
    wrong = driver(now, 'user = "us"\nfields = {"u_sight={{fields.site}}"}')("check")
    assert wrong["class"] == 3 and "u_sight" in wrong["error"]
    denied = driver(now, secret="s3cret-word-wrong")("check")
    assert denied["unauthorized"] and "User Not Authenticated" in denied["error"]
    for table in now.tables.values():
        assert len(table) < 3  # nothing was made


def test_an_api_key_and_both_grants_get_in(now):
    driver(now, "auth = header\n" + STANZA.split("\n", 1)[1]).good("create")
    token = f'token_url = "{now.url}/oauth_token.do"\nclient_id = "cl"\n'
    driver(now, "auth = oauth_client\n" + token, client="cl1ent-word").good("create")
    driver(now, 'auth = oauth_password\nuser = "us"\n' + token, client="cl1ent-word").good("create")
    assert now.fetches == ["client_credentials", "password"]
    assert len(now.tables["incident"]) == 3
