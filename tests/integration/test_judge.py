# SPDX-License-Identifier: BSD-2-Clause
"""The outside judge finds what is wrong: else what it passes would mean nothing."""
import json

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
