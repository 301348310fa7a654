-- SPDX-License-Identifier: BSD-2-Clause
-- No desk among the recipients: accepted at DATA, before header and body.
local function check(ok, what)
    if not ok then
        mt.echo("FAILED: " .. what)
        error(what)
    end
end

conn = mt.connect(socket, 40, 0.05)
check(conn ~= nil, "connect")
check(mt.conninfo(conn, "client.example.test", "192.0.2.1") == nil, "mt.conninfo")
check(mt.test_option(conn, SMFIP_NR_CONN), "no reply to connect")
check(mt.test_option(conn, SMFIP_NR_HDR), "no reply to header fields")
check(mt.test_option(conn, SMFIP_NR_MAIL), "no reply to MAIL")
check(mt.test_option(conn, SMFIP_NR_RCPT), "no reply to RCPT")
check(mt.test_option(conn, SMFIP_NOUNKNOWN), "no unknown commands")
check(mt.test_action(conn, SMFIF_CHGHDRS), "may change header fields")
check(not mt.test_action(conn, SMFIF_CHGBODY), "does not ask for what it never does")
check(not mt.test_action(conn, SMFIF_ADDRCPT), "no desk adds a recipient")
check(mt.helo(conn, "helo.example.test") == nil, "mt.helo")
check(mt.mailfrom(conn, "<joe@example.test>") == nil, "mt.mailfrom")
check(mt.rcptto(conn, "<ann@example.test>") == nil, "mt.rcptto")
check(mt.rcptto(conn, "<off@example.test>") == nil, "mt.rcptto")
check(mt.data(conn) == nil, "mt.data")
check(mt.getreply(conn) == SMFIR_ACCEPT, "accepted at DATA")
-- the same connection, now with a desk
check(mt.mailfrom(conn, "<joe@example.test>") == nil, "mt.mailfrom")
check(mt.rcptto(conn, "<it@example.test>") == nil, "mt.rcptto")
check(mt.data(conn) == nil, "mt.data")
check(mt.getreply(conn) == SMFIR_CONTINUE, "a desk's message goes on")
mt.disconnect(conn)
