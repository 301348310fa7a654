# SPDX-License-Identifier: BSD-2-Clause
"""A section whose url comes to mean another server: its keys are not used there."""
import pytest
from harness.fake_gitlab import GitLab
from harness.util import free_port, wait_for
from test_itsm_lists import Site


@pytest.fixture
def site():
    site = Site()
    yield site
    site.stop()


def jobs(site, subject, kind):
    return [j for j in site.show(subject)["jobs"] if j["kind"] == kind]


def move(site, fake):
    site.there["well"] = fake
    site.product.write_config(desks=site.desks("1h"))
    site.product.ctl("reload")


def test_keys_of_one_server_are_not_used_at_another(site):
    first, other = site.there["well"], GitLab()
    site.start("1h")
    issue = site.submit("well", "stays")
    name = site.show("stays")["id"]
    try:
        # There the same number is somebody else's.
        other.issues[issue] = {**first.issues[issue], "title": "foreign", "description": ""}
        other.notes[issue] = []
        move(site, other)
        site.product.ctl("close", name)
        [job] = wait_for("the change to wait", lambda: [
            j for j in jobs(site, "stays", "update") if j["state"] == "deferred"], step=0.2)
        assert "ticketctl itsm moved well" in job["reason"], job
        assert first.url in job["reason"] and other.url in job["reason"]
        assert other.seen == []  # it was not even asked
        # The same desk at a new address: a person says so.
        with other.lock:
            other.issues[issue].update(title="stays")
        told = site.product.ctl("itsm", "moved", "well").stdout
        assert other.url in told, told
        site.product.ctl("reload")
        # Sooner than by itself; it may be under way already.
        site.product.ctl("queue", "retry", str(job["job"]), check=False)
        wait_for("the change to be there",
                 lambda: other.issues[issue]["state"] == "closed", step=0.2)
    finally:
        first.stop()


def test_a_url_at_which_nothing_was_made_binds_nobody(site):
    right = site.there["well"]

    class Nobody:
        url = f"http://127.0.0.1:{free_port()}"
    site.there["well"] = Nobody
    site.start("1h")
    site.product.ctl("submit", "-f", "ann@example.org", "-r", "support@example.test", stdin=(
        "From: ann@example.org\r\nTo: support@example.test\r\nSubject: typo\r\n"
        "Message-ID: <typo@example.org>\r\n\r\nx\r\n"))
    [job] = wait_for("a try that failed", lambda: [
        j for j in jobs(site, "typo", "create") if j["state"] == "deferred"], step=0.2)
    move(site, right)
    site.product.ctl("queue", "retry", str(job["job"]), check=False)  # as above
    wait_for("the create", lambda: jobs(site, "typo", "create")[0]["state"] == "done", step=0.2)
    assert len(right.issues) == 1


def test_who_names_no_section_is_told(site):
    site.start("1h")
    done = site.product.ctl("itsm", "moved", "nobody", check=False)
    assert done.returncode != 0 and "nobody" in done.stderr
