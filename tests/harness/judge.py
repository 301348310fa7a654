# SPDX-License-Identifier: BSD-2-Clause
"""An outside judge: what we send, held against descriptions that others wrote.

    judge = judge_or_skip(BUILD)
    assert judge.requests("atlassian.com/jira", fake.seen) == []
    assert judge.documents("adf", bodies) == []

Descriptions: "atlassian.com/jira" (Cloud, v3), "github.com/api.github.com", "gitlab.com" (v3),
"twilio.com/api", "sendgrid.com", "slack.com" (forms; JSON is held against the form's members).
Schemas of documents:
  adf                      Atlassian's document format
  servicenow/TABLE         a row that is written, by the columns of the vendor's SDK
  pagerduty, slack, teams  events, messages of blocks and cards, by types of the vendors
  card                     an adaptive card, by the vendor's parser
  ecs, bulk                a document with ECS names; a line that says what comes, of _bulk
  hec                      an event for Splunk's collector, by the vendor's client
  zendesk, salesforce, whatsapp   bodies of tickets, cases and messages, by others' types
  freshservice/ACTION      create_ticket, add_note_to_ticket, by another's client
  webhook                  {secret, headers, body}, by an implementation of Standard Webhooks
They come from the npm registry (judge.sh, which `bootstrap check` runs); without them the suites
skip aloud.

A description is older than the API: paths that it does not know stand in `judge.unknown`, and a
suite should name the ones that it expects there. It is necessary, not sufficient."""
import json
import os
import shutil
import subprocess
import urllib.parse

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


class Judge:
    def __init__(self, folder):
        self.folder = folder
        self.unknown = set()

    def _ask(self, cases):
        run = subprocess.run(["node", f"{HERE}/judge.js", self.folder], input=json.dumps(cases),
                             capture_output=True, text=True, timeout=300, check=False)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    def verdicts(self, pairs):
        """For each (schema, value) the complaints about it."""
        assert pairs, "nothing to judge"
        return self._ask([{"schema": schema, "value": value} for schema, value in pairs])

    def documents(self, schema, values):
        """Complaints about values, by a schema."""
        return [c for bad in self.verdicts([(schema, v) for v in values]) for c in bad]

    def requests(self, api, requests, prefix=("", ""), answers=True):
        """Complaints about requests (of strict.py or vendor.py) by the description of an API.
        prefix: how paths begin here and how in the description ("/api/v4", "/api/v3"); answers:
        what the stand-in answered is judged too."""
        assert requests, "nothing to judge"
        cases = [_case(api, r, prefix, answers) for r in requests]
        complaints = []
        for case, bad in zip(cases, self._ask(cases)):
            if bad is None:
                self.unknown.add(f"{case['method']} {case['path']}")
            else:
                complaints.extend(bad)
        return complaints


def _case(api, request, prefix, answers):
    headers = {k.lower(): v for k, v in request.headers.items()}
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    assert request.path.startswith(prefix[0]), request.path
    case = {"api": api, "method": request.method, "query": dict(request.query),
            "path": prefix[1] + request.path[len(prefix[0]):]}
    if request.body or kind:
        case["type"] = kind
    if kind.endswith("json") and request.body:
        case["body"] = json.loads(request.body.decode("utf-8"))
    elif kind == "application/x-www-form-urlencoded":
        case["body"] = dict(urllib.parse.parse_qsl(request.body.decode("utf-8"),
                                                   keep_blank_values=True, strict_parsing=True))
    answer = getattr(request, "answer", None)
    if answers and answer is not None:
        case["status"] = answer.status
        if isinstance(answer.body, (dict, list)):
            case["answer"] = answer.body
    return case


def documents_in(value):
    """Each Atlassian document inside a JSON value."""
    if isinstance(value, dict):
        if value.get("type") == "doc" and "version" in value:
            return [value]
        value = list(value.values())
    return [d for v in value for d in documents_in(v)] if isinstance(value, list) else []


def judge_missing(build):
    if shutil.which("node") is None:
        return "no node: nothing is held against outside descriptions"
    if not os.path.exists(f"{build}/peers/judges/made"):
        return "no outside descriptions; tests/harness/judge.sh fetches them"
    return None


def judge_or_skip(build):
    reason = judge_missing(build)
    if reason:
        pytest.skip(reason)
    return Judge(f"{build}/peers/judges")
