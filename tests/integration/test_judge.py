# SPDX-License-Identifier: BSD-2-Clause
"""The outside judge finds what is wrong: else what it passes would mean nothing."""
import base64
import hashlib
import hmac
import json
import time

import pytest
from conftest import BUILD
from harness.judge import documents_in, judge_or_skip
from harness.strict import Answer, Request

JIRA = "atlassian.com/jira"


@pytest.fixture(name="judge", scope="module")
def _judge():
    return judge_or_skip(BUILD)


def post(target, body, kind="application/json"):
    data = body if isinstance(body, str) else json.dumps(body)
    return Request("POST", target, {"content-type": kind}, data.encode())


def doc(*content):
    return {"type": "doc", "version": 1, "content": list(content)}


def text(words):
    return {"type": "paragraph", "content": [{"type": "text", "text": words}]}


def test_a_document_is_held_against_its_schema(judge):
    assert judge.documents("adf", [doc(text("hello")), doc()]) == []
    assert judge.documents("adf", [doc(text(""))])
    assert judge.documents("adf", [doc({"type": "text", "text": "loose"})])
    assert documents_in({"update": {"comment": [{"add": {"body": doc()}}]}}) == [doc()]


def test_requests_are_held_against_a_description(judge):
    good = post("/rest/api/3/issue/SUP-1/transitions", {"transition": {"id": "31"}})
    assert judge.requests(JIRA, [good]) == []
    for bad in (post("/rest/api/3/issue/SUP-1/transitions", {"transition": "31"}),
                post("/rest/api/3/issue?update=yes", {"fields": {}}),
                post("/rest/api/3/issue", "summary=x", "text/plain")):
        assert len(judge.requests(JIRA, [bad])) == 1
    assert judge.requests(JIRA, [post("/rest/api/3/nothing", {})]) == []
    assert judge.unknown == {"POST /rest/api/3/nothing"}


def test_what_a_stand_in_answers_is_held_against_it_too(judge):
    request = post("/rest/api/3/issue", {"fields": {"summary": "x"}})
    request.answer = Answer(201, {"id": "10000", "key": "SUP-1", "self": "https://x/1"})
    assert judge.requests(JIRA, [request]) == []
    request.answer = Answer(201, {"id": 10000})
    assert judge.requests(JIRA, [request])
    request.answer = Answer(299, {})
    assert judge.requests(JIRA, [request])


def test_forms_and_members_nobody_described_are_seen(judge):
    form = "application/x-www-form-urlencoded"
    path = "/2010-04-01/Accounts/AC1/Messages.json"
    assert judge.requests("twilio.com/api", [post(path, "To=%2B15&From=%2B14&Body=x", form)]) == []
    assert judge.requests("twilio.com/api", [post(path, "To=%2B15&Form=%2B14", form)])
    issue = post("/api/v4/projects/5/issues", {"title": "x", "titel": "y"})
    assert len(judge.requests("gitlab.com", [issue], prefix=("/api/v4", "/api/v3"))) == 1
    for member, complaints in (("channel", 0), ("chanel", 2)):
        slack = post("/api/chat.postMessage", {member: "C1", "blocks": [{"type": "divider"}]})
        assert len(judge.requests("slack.com", [slack])) == complaints


RUN = {"type": "TextRun", "text": "x"}
TRIGGER = {"routing_key": "k", "event_action": "trigger",
           "payload": {"summary": "s", "source": "d", "severity": "error"}}
MESSAGE = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "1",
           "type": "text", "text": {"body": "x"}}
EVENT = {"@timestamp": "2026-11-23T00:00:00.000Z", "ecs.version": "8.11.0", "event.sequence": 3}
TICKET = {"subject": "x", "description": "y", "requester_id": 3, "status": 2, "priority": 1}


def header(kind):
    return {"text": "x", "blocks": [{"type": "header", "text": {"type": kind, "text": "x"}}]}


def card(*inlines, kind="RichTextBlock"):
    return {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": kind, "inlines": inlines}]}


def signed(key, age_s=0):
    stamp = str(int(time.time()) - age_s)
    mac = hmac.new(base64.b64decode(key), f"a.{stamp}.{{}}".encode(), hashlib.sha256).digest()
    return {"secret": "whsec_bWFkZSB1cA==", "body": "{}", "headers": {
        "webhook-id": "a", "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(mac).decode()}}


# schema: [what passes], [what must not]
DOCUMENTS = {
    "servicenow/incident": (
        [{"short_description": "x" * 160, "caller_id": "0a" * 16, "impact": "1", "u_own": "x",
          "correlation_id": "k", "comments": "x" * 5000}],
        [{"short_description": "x" * 161}, {"caller_id": "Ann"}, {"impact": 1}, {"impact": "high"},
         {"correlation": "k"}, {"reopened_time": "2026-11-23 00:00:00"}]),
    "servicenow/sc_request": ([{"requested_for": "0a" * 16}], [{"caller_id": "0a" * 16}]),
    "pagerduty": (
        [TRIGGER, {"routing_key": "k", "event_action": "resolve", "dedup_key": "d"}],
        [{**TRIGGER, "event_action": "open"}, {**TRIGGER, "payload": {"summary": "s"}},
         {**TRIGGER, "dedupkey": "d"}, {"routing_key": "k", "event_action": "trigger"}]),
    "slack": ([header("plain_text")], [header("mrkdwn"), {"text": "x", "blocks": [{"type": "head"}]}]),
    "teams": ([card(RUN)], [card({**RUN, "size": "huge"}), card(RUN, kind="TextBlocks")]),
    "card": ([card(RUN)], [card({**RUN, "weight": "boldest"}), card(RUN, kind="TextBlocks"),
                           card({"type": "TextRunner", "text": "x"}), {"type": "Card", "body": []}]),
    "whatsapp": ([MESSAGE], [{**MESSAGE, "text": {"text": "x"}}, {**MESSAGE, "type": "template"},
                             {**MESSAGE, "messaging_product": "x"}]),
    "zendesk": (
        [{"ticket": {"subject": "x", "comment": {"body": "b", "public": True}, "external_id": "k"}}],
        [{"ticket": {"subjet": "x"}}, {"ticket": {"tags": "x"}}, {"subject": "x"}]),
    "salesforce": ([{"Subject": "x", "Key__c": "k"}], [{"Subjects": "x"}, {"Subject": 1}]),
    "ecs": ([EVENT, {**EVENT, "event.category": ["email"], "email.from.address": ["a@b"]}],
            [{**EVENT, "event.sequence": "3"}, {**EVENT, "event.seq": 3}, {"ecs.version": "8.11.0"},
             {**EVENT, "ecs.version": "1.0"}, {**EVENT, "printer.name": "x"}]),
    "bulk": ([{"create": {"_index": "i", "_id": "1"}}],
             [{"create": {"index": "i"}}, {"make": {"_index": "i"}}, {"create": {"_id": 1}}]),
    "hec": ([{"time": 1795392000.25, "host": "h", "source": "s", "sourcetype": "_json", "event": EVENT},
             {"time": 1795392000, "event": "x", "index": "main"}],
            [{"time": "now", "event": "x"}, {"time": 1795392000.25, "host": "h", "evnt": EVENT},
             {"time": 1795392000, "event": "x", "indx": "main"}, {"event": "x"},
             {"time": 1795392000250, "event": "x"}]),
    "freshservice/create_ticket": (
        [TICKET, {**TICKET, "tags": ["a"], "custom_fields": {"a": 1}, "group_id": 7}],
        [{**TICKET, "status": 1}, {**TICKET, "tag": "a"}, {**TICKET, "requester_id": "3"},
         {"subject": "x"}]),
}


def test_each_judge_lets_right_documents_pass_and_no_wrong_one(judge):
    # Signatures are judged by their time: they are made now.
    signatures = ([signed("bWFkZSB1cA==")], [signed("b3RoZXIgb25l"), signed("bWFkZSB1cA==", 900)])
    documents = {**DOCUMENTS, "webhook": signatures}
    right = [(name, v) for name, (values, _) in documents.items() for v in values]
    wrong = [(name, v) for name, (_, values) in documents.items() for v in values]
    verdicts = judge.verdicts(right + wrong)
    assert [(one, bad) for one, bad in zip(right, verdicts) if bad] == []
    assert [one for one, bad in zip(wrong, verdicts[len(right):]) if not bad] == []
