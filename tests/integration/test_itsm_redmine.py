# SPDX-License-Identifier: BSD-2-Clause
"""Tickets in a real Redmine: each operation, and once whatever gets lost on the way; and what
its pages make of hostile texts."""
import html
import html.parser
import json
import os
import re
import subprocess

import pytest
from conftest import BUILD
from harness.lossy import Lossy
from harness.redmine import Redmine
from harness.util import make_root, remove_root

CORR = "mt-%032x"
DRIVE = f"{BUILD}/tests/itsm/itsm_drive"


class Site:
    def __init__(self):
        self.root = make_root()
        self.redmine = Redmine(self.root, BUILD).start()
        self.relay = Lossy(self.redmine.port)
        self.serial = 0
        self.secret = f"{self.root}/key"
        with open(self.secret, "w", encoding="ascii") as f:
            f.write(self.redmine.key + "\n")
        os.chmod(self.secret, 0o600)
        self.conf("redmine")

    def conf(self, name, **more):
        keys = {"url": f'"{self.relay.url}"', "secret": f'"file:{self.secret}"',
                "project": '"support"', "types": '{"incident=Bug", "request=Support"}',
                "groups": '{"net=Network"}', "priorities": '{"1=Urgent", "3=Normal"}',
                "fields": '{"Site={{fields.site}}"}', "timeout": "60s", **more}
        path = f"{self.root}/{name}.conf"
        with open(path, "w", encoding="utf-8") as f:
            f.write('itsm "here" {\n    type = "redmine"\n' +
                    "".join(f"    {k} = {v}\n" for k, v in keys.items()) + "}\n")
        return path

    def run(self, op, conf="redmine", check=True, **call):
        done = subprocess.run([DRIVE, f"{self.root}/{conf}.conf", "here", op],
                              input=json.dumps(call), capture_output=True, text=True,
                              check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["ok"] or not check, answer
        return answer

    def ticket(self, **more):
        self.serial += 1
        return {"id": f"IT-{self.serial}", "corr": CORR % self.serial, "subject": "printer",
                "text": "please help\n", "requester": "ann@sender.test",
                "requester_name": "Ann", "type": "incident", "group": "net", "state": "new",
                "priority": 3, "fields": {"site": "Berlin"}, **more}

    def created(self, **more):
        ticket = self.ticket(**more)
        ticket["external"] = self.run("create", ticket=ticket)["seen"]["external"]
        return ticket

    def stop(self):
        self.relay.stop()
        self.redmine.stop()
        print(self.redmine.log())
        remove_root(self.root)


@pytest.fixture(scope="module")
def site():
    reason = Redmine.missing(BUILD)
    if reason:
        pytest.skip(reason)
    site = Site()
    yield site
    site.stop()


@pytest.fixture(autouse=True)
def whole_relay(site):
    yield
    site.relay.clear()


def fields(issue):
    return {f["name"]: f["value"] for f in issue["custom_fields"]}


def test_a_ticket_arrives_with_all_that_is_known(site):
    ticket = site.created(subject="Gr\u00fc\u00dfe \U0001f600\r\nx", text="\u00e4\U0001f600\n", priority=1)
    issue = site.redmine.issue(ticket["external"])
    assert issue["subject"] == "Gr\u00fc\u00dfe \U0001f600  x"
    assert words(issue["description"]) == [
        "<pre>", "Ann", "<ann@sender.test>:", "\u00e4\U0001f600", "</pre>"]
    assert issue["tracker"]["name"] == "Bug" and issue["priority"]["name"] == "Urgent"
    assert issue["assigned_to"]["name"] == "Network"
    assert fields(issue) == {"CorrelationId": ticket["corr"], "Site": "Berlin"}
    assert [w["name"] for w in issue["watchers"]] == ["Ann Test"]


def test_a_subject_that_is_too_long_or_blank_is_no_reason_to_refuse(site):
    long = site.created(subject="\u00e4" * 400)
    assert site.redmine.issue(long["external"])["subject"] == "\u00e4" * 255
    blank = site.created(subject=" ")
    assert site.redmine.issue(blank["external"])["subject"] == blank["id"]


def test_an_unknown_requester_is_made_only_when_asked(site):
    ticket = site.created(requester="new@sender.test", requester_name="New Person")
    assert site.redmine.issue(ticket["external"])["watchers"] == []
    site.conf("create", requester="create")
    ticket = site.ticket(requester="new@sender.test", requester_name="New Person")
    seen = site.run("create", "create", ticket=ticket)["seen"]
    assert [w["name"] for w in site.redmine.issue(seen["external"])["watchers"]] == ["New Person"]


def test_what_was_created_is_found_by_its_key_and_nothing_else_is(site):
    ticket = site.created()
    assert site.run("find", ticket=ticket)["seen"]["external"] == ticket["external"]
    assert site.run("find", ticket=site.ticket())["seen"]["external"] == ""


def test_an_answer_that_got_lost_is_found_and_not_sent_again(site):
    ticket = site.ticket()
    site.relay.lose("POST /issues.json ")
    lost = site.run("create", check=False, ticket=ticket)
    assert not lost["ok"] and lost["unsure"]
    found = site.run("find", ticket=ticket)["seen"]["external"]
    assert found != ""
    mine = [i for i in site.redmine.issues() if fields(i)["CorrelationId"] == ticket["corr"]]
    assert [str(i["id"]) for i in mine] == [found]


def test_what_never_arrived_is_no_doubt_before_the_create_itself(site):
    site.relay.cut("GET /projects/support.json")
    lost = site.run("create", check=False, ticket=site.ticket())
    assert not lost["ok"] and not lost["unsure"] and lost["class"] == 1


def test_comments_are_public_or_private(site):
    ticket = site.created()
    site.run("comment", ticket=ticket, comment={"text": "for all", "public": True})
    site.run("comment", ticket=ticket, comment={"text": "for us", "public": False,
                                                "author": "ann@sender.test", "author_name": "Ann"})
    notes = site.run("fetch", ticket=ticket)["seen"]["notes"]
    assert [(n["text"], n["public"]) for n in notes] == [
        ("Ann <ann@sender.test>:\n\nfor us", False), ("for all", True)]


def test_a_file_arrives_byte_for_byte(site):
    ticket = site.created()
    payload = os.urandom(5 * 1024 * 1024 - 7)
    path = f"{site.root}/file"
    with open(path, "wb") as f:
        f.write(payload)
    name = "B\u00fcro \"1\" & 2.png"
    site.run("attach", ticket=ticket, file={"path": path, "name": name, "type": "image/png"})
    files = site.redmine.issue(ticket["external"])["attachments"]
    assert len(files) == 1 and files[0]["content_type"] == "image/png"
    # Redmine itself replaces what a file system may not like.
    assert files[0]["filename"] == "B\u00fcro _1_ & 2.png"
    url = f"{site.redmine.url}/attachments/download/{files[0]['id']}"
    assert site.redmine.file(url) == payload
    assert site.run("fetch", ticket=ticket)["seen"]["files"] == ["B\u00fcro _1_ & 2.png"]


def test_state_priority_and_group_follow(site):
    ticket = site.created(group="")
    ticket.update(state="pending", priority=1, group="net")
    seen = site.run("update", ticket=ticket)["seen"]
    assert (seen["state"], seen["priority"], seen["group"]) == ("Feedback", "Urgent", "Network")
    site.run("close", ticket=ticket)
    assert site.run("fetch", ticket=ticket)["seen"]["state"] == "Closed"


def test_what_people_change_there_is_seen(site):
    ticket = site.created()
    site.redmine.call("PUT", f"/issues/{ticket['external']}.json", {"issue": {
        "status_id": 3, "assigned_to_id": "me", "notes": "done"}})
    seen = site.run("fetch", ticket=ticket)["seen"]
    assert (seen["state"], seen["assignee"], seen["group"]) == ("Resolved", "Ticketmilter Test", "")
    assert [n["text"] for n in seen["notes"]] == ["done"]


def test_check_tells_what_is_there_and_names_what_is_not(site):
    told = site.run("check")["seen"]["told"]
    assert told == "user ticketmilter\nproject Support"
    for more, words in ((dict(groups='{"net=Nobody"}'), 'group among the project\'s members "Nobody"'),
                        (dict(priorities='{"1=Gigantic"}'), 'priority "Gigantic"'),
                        (dict(types='{"incident=Spam"}'), 'tracker "Spam"'),
                        (dict(states='{"closed=Gone"}'), 'issue status "Gone"'),
                        (dict(fields='{"Room={{fields.room}}"}'), 'custom field "Room"'),
                        (dict(options='{"correlation_field=None"}'), 'custom field "None"')):
        site.conf("wrong", **more)
        answer = site.run("check", "wrong", check=False)
        assert not answer["ok"] and words in answer["error"], answer


def test_refusals_come_in_redmines_own_words(site):
    ticket = site.created()
    ticket["external"] = "999999"
    answer = site.run("comment", check=False, ticket=ticket, comment={"text": "x"})
    assert not answer["ok"] and answer["class"] == 2
    site.conf("due", fields='{"due_date={{fields.site}}"}')
    answer = site.run("create", "due", check=False, ticket=site.ticket())
    assert "Redmine says 422" in answer["error"] and "Due date" in answer["error"], answer


def test_a_wrong_key_is_told_apart(site):
    wrong = f"{site.root}/wrong-key"
    with open(wrong, "w", encoding="ascii") as f:
        f.write("0" * 40 + "\n")
    os.chmod(wrong, 0o600)
    site.conf("wrongkey", secret=f'"file:{wrong}"')
    answer = site.run("create", "wrongkey", check=False, ticket=site.ticket())
    assert answer["unauthorized"] and not answer["unsure"]


# ---- what a person sees there

HOSTILE = r"""!http://evil.test/pixel.png! and !>http://evil.test/a.png(title)!:http://evil.test/
![x](http://evil.test/b.png) <img src="http://evil.test/c.png"> <b>bold</b> <script>x()</script>
"click here":http://evil.test/ [click](http://evil.test/) <http://evil.test/> [r]: http://evil.test/ "x"
http://evil.test/plain www.evil.test https://evil.test mailto:eve@evil.test eve@evil.test ftp://evil.test
#1 ##1 #note-1 #1-1 r1 commit:abc source:a/b user:ann user#1 @ann @ticketmilter (@ann) project:support
version:1.0 attachment:x.png document:"x y" support:r1 [[Wiki]] [[support:Wiki|here]] ![[Wiki]]
{{macro_list}} {{hello_world}} {{collapse(open me) hidden }} {{macro(0)}} {{toc}} {{thumbnail(x.png)}}
{{collapse(a)
</pre>
}}
*strong* _em_ -del- +ins+ ^sup^ ~sub~ %{color:red}span% @code@ ??cite?? **b** __i__ `c` ~~d~~ ==raw== IBM(title)
</pre> <b>out</b> <pre> </PRE > </code> </notextile> <notextile><img src=x></notextile> <code class="ruby">
< pre> <redpre#0> <pre@x> <!-- hidden --> <?php ?> </textarea> & &amp; &lt;b&gt; &#64;ann <ann@sender.test>
h1. heading

bq. quote

bq.:http://evil.test/ quote

p(class#id){color:red}. styled

|_. a |_. b |
| c | d |

* one
** two
# three
> quoted
>> twice

~~~
~~~~~~~~
~~~~~~~~~~~~~~~~
<img src="http://evil.test/d.png"> @ann #1 [x](http://evil.test/)
```
    ```
	```ruby
@ann

heading
=======

---
***
[^1]: note
- [ ] task
<div style="position:fixed">
    indented
:redsh#1: fn1. note[1]
"""
# What the whole page has of its own is elsewhere; these may stand in a text that is shown.
PLAIN = {"div", "p", "pre", "code", "br"}


class Shown(html.parser.HTMLParser):
    """The text and the tags within the first div of that class or id."""

    def __init__(self, page, mark):
        super().__init__()
        self.mark, self.depth, self.text, self.tags = mark, 0, "", set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if self.depth:
            self.tags.add(tag)
            self.depth += tag == "div"
            self.text += "\n" if tag == "br" else ""
        elif self.mark in attrs and not self.tags:
            self.depth = 1
            self.tags.add(tag)

    def handle_endtag(self, tag):
        self.depth -= self.depth > 0 and tag == "div"

    def handle_data(self, data):
        self.text += data if self.depth else ""


def words(text):
    """Where lines end, and what has no width, is the format's."""
    return text.replace("\u200b", "").split()


def of_issue(page):
    """The description stands in a div of its own below the one of that class."""
    return page[page.index('class="description"'):]


# The default is safe where the server is set to CommonMark, as new ones are.
@pytest.mark.parametrize("markup, setting", [("textile", "textile"), ("markdown", "common_mark"),
                                             ("markdown", "markdown"), ("textile", "common_mark")])
def test_a_hostile_text_is_shown_as_it_was_mailed(site, markup, setting):
    site.redmine.set_markup(setting)
    conf = f"text-{setting}"
    site.conf(conf, options=f'{{"markup={markup}"}}')
    try:
        ticket = site.ticket(text=HOSTILE, subject="{{toc}} #1 @ann <b>x</b> !http://evil.test/!")
        ticket["external"] = site.run("create", conf, ticket=ticket)["seen"]["external"]
        note = {"text": HOSTILE, "public": True, "author": "ann@sender.test", "author_name": "Ann"}
        site.run("comment", conf, ticket=ticket, comment=note)
        page = site.redmine.page(ticket["external"])
        for shown in (Shown(of_issue(page), ("class", "wiki")),
                      Shown(page[page.index("-notes"):], ("class", "wiki"))):
            assert shown.tags <= PLAIN, shown.tags
            said = words(shown.text)
            if (markup, setting) == ("textile", "common_mark"):  # shows &amp; as it means
                assert said[:2] == ["Ann", "<ann@sender.test>:"] and said[-1] == "note[1]"
            else:
                assert said == ["Ann", "<ann@sender.test>:", *words(HOSTILE)]
        sent = site.redmine.issue(ticket["external"])["description"]
        assert markup == "textile" or not re.search(r"(^|\W)@\w", sent)  # it tells nobody
        [note] = site.run("fetch", conf, ticket=ticket)["seen"]["notes"]
        assert words(note["text"]) == ["Ann", "<ann@sender.test>:", *words(HOSTILE)]
    finally:
        site.redmine.set_markup("textile")


def test_without_a_format_nothing_but_addresses_is_a_link(site):
    site.redmine.set_markup("")
    site.conf("text-none", options='{"markup=none"}')
    try:
        ticket = site.ticket(text=HOSTILE)
        ticket["external"] = site.run("create", "text-none", ticket=ticket)["seen"]["external"]
        page = site.redmine.page(ticket["external"])
        shown = Shown(of_issue(page), ("class", "wiki"))
        assert shown.tags <= PLAIN | {"a"}, shown.tags
        # Redmine itself escapes twice what stands at the end of an address.
        assert words(html.unescape(shown.text)) == words(
            "Ann <ann@sender.test>: " + html.unescape(HOSTILE))
        part = of_issue(page)[:of_issue(page).index("redsh")]
        links = re.findall(r'<a [^>]*href="([^"]*)"[^>]*>([^<]*)', part[part.index("<p>"):])
        assert links and all(text in href for href, text in links), links
    finally:
        site.redmine.set_markup("textile")
