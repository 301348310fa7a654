# SPDX-License-Identifier: BSD-2-Clause
"""The backend znuny (and otobo, otrs) against a strict stand-in."""
from harness.contract import CONF, PERM, TEMP, Contract, a_ticket
from harness.fake_znuny import Znuny

SECTION = """    type = "znuny"
    url = "{url}/znuny/nph-genericinterface.pl/Webservice/TicketMilter"
    user = "mailer"
    project = "Raw"
    groups = {{"net=Network"}}
    fields = {{"Site={{{{fields.site}}}}", "Ticket.SLA={{{{fields.sla}}}}"}}"""


class TestZnuny(Contract):
    stand_in = Znuny
    section = SECTION
    create_line = "POST /znuny/nph-genericinterface.pl/Webservice/TicketMilter/Ticket "
    pending, closed, nobody = "pending reminder", "closed successful", "99"

    def made(self, fake):
        return list(fake.tickets.values())

    def holds(self, fake, kind):
        t = self.made(fake)[0]
        return {"text": t["articles"][0]["Body"],
                "notes": [(a["Body"], a["IsVisibleForCustomer"] == 1) for a in t["articles"]],
                "files": dict(f for a in t["articles"] for f in a["files"]),
                "state": t["State"]}[kind]

    def test_a_ticket_has_queue_customer_and_fields(self, fake, drive):
        assert drive("create", a_ticket(fields={"site": "Berlin", "sla": "Gold"}))["ok"]
        t = self.made(fake)[0]
        assert (t["Queue"], t["CustomerUser"], t["SLA"]) == ("Network", "ann@example.org", "Gold")
        assert t["Priority"] == "4 high" and t["State"] == "new"
        assert {"Name": "Site", "Value": "Berlin"} in t["DynamicField"]
        assert t["articles"][0]["From"] == '"Ann" <ann@example.org>'
        self.end(fake)

    def test_an_error_with_200_is_an_error(self, fake, drive):
        for code, kind in (("AuthFail", CONF), ("AccessDenied", PERM),
                           ("InvalidParameter", PERM), ("TicketCreate", TEMP)):
            fake.plan("answer", self.create_line, status=200, body={"Error": {
                "ErrorCode": f"TicketCreate.{code}",
                "ErrorMessage": "TicketCreate: User could not be authenticated!"}})
            result = drive("create", a_ticket())
            assert not result["ok"] and result["class"] == kind
            assert f"TicketCreate.{code}" in result["error"]
            assert result["unauthorized"] == (code == "AuthFail")
        assert drive("create", a_ticket(group="net", fields={"site": "x"}))["ok"]
        fake.queues.remove("Network")
        result = drive("create", a_ticket())
        assert result["class"] == PERM and "Queue" in result["error"]
        self.end(fake)

    def test_a_fault_is_told(self, fake, drive):
        fake.plan("answer", self.create_line, status=500,
                  body={"faultcode": "Server", "faultstring": "mapping went wrong"})
        result = drive("create", a_ticket())
        assert result["class"] == TEMP and "mapping went wrong" in result["error"]
        self.end(fake)

    def test_a_search_that_ignores_the_field_finds_nothing(self, fake, drive):
        ticket = a_ticket()
        assert drive("create", ticket)["ok"] and drive("create", a_ticket())["ok"]
        fake.many = False
        assert drive("find", ticket)["seen"]["external"] == "123"
        fake.many = True
        fake.fields.clear()  # the search for it now brings all
        assert drive("find", a_ticket())["seen"]["external"] == ""
        assert drive("find", ticket)["seen"]["external"] == "123"
        self.end(fake)

    def test_a_file_beyond_the_cap_is_named_in_a_note(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        result = drive("attach", ticket, file=("huge.bin", bytes(10 * 1024 * 1024 + 1), "a/b"))
        assert result["ok"], result
        assert self.holds(fake, "files") == {}
        assert self.holds(fake, "notes")[1] == (
            "huge.bin (10485761 bytes) is too large to send here.", False)
        self.end(fake)

    def test_an_empty_file_goes_too(self, fake, drive):
        ticket = self.known(t := a_ticket(), drive("create", t))
        assert drive("attach", ticket, file=("none.txt", b"", "text/plain"))["ok"]
        assert self.holds(fake, "files") == {"none.txt": b""}
        self.end(fake)
