-- SPDX-License-Identifier: BSD-2-Clause
-- ticketd's edits arrive verbatim; two messages on one connection; the queue id is asked
-- for; forged X-Ticket-* fields go, highest index first.
-- (miltertest 1.6 can't compare a changed field's value: run.py does.)
local function check(ok, what)
    if not ok then
        mt.echo("FAILED: " .. what)
        error(what)
    end
end

conn = mt.connect(socket, 40, 0.05)
check(conn ~= nil, "connect")
check(mt.conninfo(conn, "client.example.test", "192.0.2.1") == nil, "mt.conninfo")
check(mt.test_option(conn, SMFIP_HDR_LEADSPC), "leading blanks")
check(mt.helo(conn, "helo.example.test") == nil, "mt.helo")

local function message(subject, rcpt, extra)
    check(mt.mailfrom(conn, "<joe@example.test>", "SIZE=100") == nil, "mt.mailfrom")
    mt.macro(conn, SMFIC_RCPT, "i", "Q1", "{rcpt_mailer}", "virtual")
    check(mt.rcptto(conn, rcpt) == nil, "mt.rcptto")
    check(mt.data(conn) == nil, "mt.data")
    check(mt.getreply(conn) == SMFIR_CONTINUE, "goes on at DATA")
    check(mt.header(conn, "From", " joe@example.test") == nil, "mt.header")
    if subject ~= nil then
        check(mt.header(conn, "Subject", subject) == nil, "mt.header")
    end
    for _, value in ipairs(extra or {}) do
        check(mt.header(conn, "X-Ticket-ID", value) == nil, "mt.header")
    end
    check(mt.eoh(conn) == nil, "mt.eoh")
    check(mt.bodystring(conn, "one\r\ntwo\r\n") == nil, "mt.bodystring")
    check(mt.eom(conn) == nil, "mt.eom")
end

message(" hello", "<IT@Example.Test>", {" forged", " forged again"})
check(mt.getreply(conn) == SMFIR_ACCEPT, "accepted")
check(mt.eom_check(conn, MT_HDRCHANGE, "Subject"), "Subject")
check(mt.eom_check(conn, MT_HDRINSERT, "X-Ticket-ID", " IT-1"), "X-Ticket-ID")
check(mt.eom_check(conn, MT_HDRDELETE, "X-Ticket-ID"), "the forged ones go")

message(nil, "<it+sub@example.test>")
check(mt.getreply(conn) == SMFIR_ACCEPT, "accepted")
check(mt.eom_check(conn, MT_HDRINSERT, "Subject", " [IT-1]"), "a missing Subject")

message(" folded\n\tsubject", "<it@example.test>")
check(mt.eom_check(conn, MT_HDRCHANGE, "Subject"), "folds")
mt.disconnect(conn)
