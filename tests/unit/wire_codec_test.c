/* SPDX-License-Identifier: BSD-2-Clause
 * common/wire: what goes into a request or a reply comes out, and nothing else.
 */
#include "unit/wire_test.h"

/* ---- codecs ---- */

static void send_and_decode(const struct tkt_wire_request *req, int fd,
                            struct tkt_wire_request *got)
{
    struct tkt_wire_packet p;
    struct tkt_wire_packet q;
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_wire_request_encode(req, fd, &p, &err), 0);
    assert_int_equal(tkt_wire_send(pair[0], &p, soon(), &err), 0);
    tkt_wire_packet_release(&p);
    tkt_wire_packet_init(&q);
    assert_int_equal(tkt_wire_recv(pair[1], &q, soon(), &err), 1);
    int rc = tkt_wire_request_decode(&q, got, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    tkt_wire_packet_release(&q);
}

static void a_request_comes_out_as_it_went_in(void **state)
{
    (void)state;
    struct tkt_wire_rcpt rcpts[] = {{"IT@example.test", false},
                                    {"hr+x@example.test", true}};
    struct tkt_wire_field fields[] = {{"Subject", 1, " a\n\tb = \xff%"},
                                      {"X-Ticket-ID", 2, ""}};
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE,
                                   .generation = UINT64_MAX,
                                   .remaining_ms = 8000,
                                   .hook = "milter",
                                   .queue_id = "4Fx",
                                   .mta_host = "mx.example.test",
                                   .sender = "gr\xc3\xbc\xc3\x9f"
                                             "e@example.test",
                                   .rcpts = rcpts,
                                   .rcpt_count = 2,
                                   .other_rcpts = 7,
                                   .client_addr = "IPv6:::1",
                                   .client_name = "localhost",
                                   .helo = "he\xfflo",
                                   .tls = "TLSv1.3",
                                   .tls_subject = "CN=a\nb",
                                   .auth_login = "joe",
                                   .mail_time_s = 1790000000,
                                   .leadspc = true,
                                   .smtp_path = true,
                                   .fields = fields,
                                   .field_count = 2};
    struct tkt_wire_request got;
    int fd = memfd_with("message");

    send_and_decode(&req, fd, &got);
    close(fd);
    assert_int_equal(got.verb, TKT_WIRE_RESERVE);
    assert_true(got.generation == UINT64_MAX);
    assert_int_equal(got.remaining_ms, 8000);
    assert_string_equal(got.hook, "milter");
    assert_string_equal(got.queue_id, "4Fx");
    assert_string_equal(got.mta_host, "mx.example.test");
    assert_string_equal(got.sender, req.sender);
    assert_int_equal(got.rcpt_count, 2);
    assert_string_equal(got.rcpts[0].addr, "IT@example.test");
    assert_false(got.rcpts[0].relayed);
    assert_string_equal(got.rcpts[1].addr, "hr+x@example.test");
    assert_true(got.rcpts[1].relayed);
    assert_int_equal(got.other_rcpts, 7);
    assert_string_equal(got.client_addr, "IPv6:::1");
    assert_string_equal(got.client_name, "localhost");
    assert_string_equal(got.helo, "he\xef\xbf\xbdlo");
    assert_string_equal(got.tls, "TLSv1.3");
    assert_string_equal(got.tls_subject, "CN=a\nb");
    assert_string_equal(got.auth_login, "joe");
    assert_true(got.mail_time_s == 1790000000);
    assert_true(got.leadspc && got.smtp_path && !got.dry_run && !got.untagged);
    assert_int_equal(got.field_count, 2);
    assert_string_equal(got.fields[0].name, "Subject");
    assert_int_equal(got.fields[0].index, 1);
    assert_string_equal(got.fields[0].value, fields[0].value);
    assert_string_equal(got.fields[1].name, "X-Ticket-ID");
    assert_int_equal(got.fields[1].index, 2);
    assert_string_equal(got.fields[1].value, "");
    assert_string_equal(got.hold, "");
    tkt_wire_request_release(&got);
}

static void what_a_script_asks_for_comes_out_as_it_went_in(void **state)
{
    (void)state;
    const char *tags[] = {"a", "b c"};
    const char *fields[TKT_WIRE_WANTS_MAX + 1] = {"site=hq\n"};
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE,
                                   .hook = "sieve",
                                   .personal = true,
                                   .per_recipient = true,
                                   .wants = {.desk = "it",
                                             .default_desk = "hr",
                                             .type = "request",
                                             .group = "Net",
                                             .category = "vpn",
                                             .subcategory = "client",
                                             .assignee = "bob",
                                             .requester = "ann@example.test",
                                             .summary = "gr\xc3\xbcn",
                                             .priority = 2,
                                             .tags = tags,
                                             .tag_count = 2,
                                             .fields = fields,
                                             .field_count = 1}};
    struct tkt_wire_request got;
    struct tkt_wire_packet p;
    int fd = memfd_with("message");

    send_and_decode(&req, fd, &got);
    assert_true(got.personal && got.per_recipient);
    assert_string_equal(got.wants.desk, "it");
    assert_string_equal(got.wants.default_desk, "hr");
    assert_string_equal(got.wants.type, "request");
    assert_string_equal(got.wants.group, "Net");
    assert_string_equal(got.wants.category, "vpn");
    assert_string_equal(got.wants.subcategory, "client");
    assert_string_equal(got.wants.assignee, "bob");
    assert_string_equal(got.wants.requester, "ann@example.test");
    assert_string_equal(got.wants.summary, req.wants.summary);
    assert_int_equal(got.wants.priority, 2);
    assert_int_equal(got.wants.tag_count, 2);
    assert_string_equal(got.wants.tags[1], "b c");
    assert_int_equal(got.wants.field_count, 1);
    assert_string_equal(got.wants.fields[0], "site=hq\n");
    tkt_wire_request_release(&got);

    for (size_t i = 0; i <= TKT_WIRE_WANTS_MAX; i++) {
        fields[i] = "x=y";
    }
    req.wants.field_count = TKT_WIRE_WANTS_MAX + 1;
    assert_int_equal(tkt_wire_request_encode(&req, fd, &p, NULL), -1);
    close(fd);
}

static void the_small_verbs_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct tkt_wire_request got;
    struct tkt_wire_request confirm = {
        .verb = TKT_WIRE_CONFIRM, .hold = "h-1", .untagged = true};
    struct tkt_wire_request lookup = {
        .verb = TKT_WIRE_LOOKUP, .token = "abc234", .rcpt = "it+abc234@example.test"};
    struct tkt_wire_request ping = {.verb = TKT_WIRE_PING, .token = "x"};

    send_and_decode(&confirm, -1, &got);
    assert_int_equal(got.verb, TKT_WIRE_CONFIRM);
    assert_string_equal(got.hold, "h-1");
    assert_true(got.untagged);
    tkt_wire_request_release(&got);
    send_and_decode(&lookup, -1, &got);
    assert_int_equal(got.verb, TKT_WIRE_LOOKUP);
    assert_string_equal(got.token, "abc234");
    assert_string_equal(got.rcpt, "it+abc234@example.test");
    tkt_wire_request_release(&got);
    send_and_decode(&ping, -1, &got);
    assert_int_equal(got.verb, TKT_WIRE_PING);
    tkt_wire_request_release(&got);
}

static void a_thousand_recipients_and_a_60_kb_subject_arrive_whole(void **state)
{
    (void)state;
    static struct tkt_wire_rcpt rcpts[1000];
    static char addrs[1000][64];
    static char subject[60000];
    struct tkt_wire_request got;
    struct tkt_wire_field field = {"Subject", 1, subject};

    for (size_t i = 0; i < 1000; i++) {
        snprintf(addrs[i], sizeof(addrs[i]), "recipient-%zu@some.domain.example.test", i);
        rcpts[i] = (struct tkt_wire_rcpt){addrs[i], i % 3 == 0};
    }
    memset(subject, 0xe4, sizeof(subject) - 1);
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE,
                                   .rcpts = rcpts,
                                   .rcpt_count = 1000,
                                   .fields = &field,
                                   .field_count = 1};
    int fd = memfd_with("message");
    send_and_decode(&req, fd, &got);
    close(fd);
    assert_int_equal(got.rcpt_count, 1000);
    for (size_t i = 0; i < 1000; i++) {
        assert_string_equal(got.rcpts[i].addr, addrs[i]);
        assert_int_equal(got.rcpts[i].relayed, i % 3 == 0);
    }
    assert_string_equal(got.fields[0].value, subject);
    tkt_wire_request_release(&got);
}

static enum tkt_err_class request_class(const char *text, int fd)
{
    struct tkt_wire_packet p;
    struct tkt_wire_request got;
    struct tkt_err err = TKT_ERR_INIT;

    tkt_wire_packet_init(&p);
    tkt_buf_adds(&p.body, text);
    if (fd >= 0) {
        tkt_wire_packet_take_fd(&p, fd);
    }
    int rc = tkt_wire_request_decode(&p, &got, &err);
    tkt_wire_packet_release(&p);
    if (rc == 0) {
        tkt_wire_request_release(&got);
    }
    return rc == 0 ? TKT_ERR_NONE : err.class;
}

static void wrong_requests_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "v=2\nverb=ping\n",
                                      "verb=ping\n",
                                      "v=1\n",
                                      "v=1\nverb=nonsense\n",
                                      "v=1\nverb=ping\nremaining-ms=4294967296\n",
                                      "v=1\nverb=ping\nremaining-ms=-1\n",
                                      "v=1\nverb=ping\ngeneration=18446744073709551616\n",
                                      "v=1\nverb=ping\ngeneration=\n",
                                      "v=1\nverb=ping\nhelo=%ff\n",
                                      "v=1\nverb=ping\nleadspc=yes\n",
                                      "v=1\nverb=ping\nfield=1 Sub ject:x\n",
                                      "v=1\nverb=ping\nfield=1 Subject\n",
                                      "v=1\nverb=ping\nfield=x Subject:x\n",
                                      "v=1\nverb=ping\nfield=1 :x\n",
                                      "v=1\nverb=reserve\n",
                                      "v=1\nverb=ping\nother-rcpts=3000000000\n"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        assert_int_equal(request_class(bad[i], -1), TKT_ERR_PERM);
    }
    assert_int_equal(request_class("v=1\nverb=ping\nnew-thing=1\n", -1), TKT_ERR_NONE);
    assert_int_equal(request_class("v=1\nverb=ping\n", memfd_with("x")), TKT_ERR_PERM);
    assert_int_equal(request_class("v=1\nverb=reserve\n", memfd_with("x")), TKT_ERR_NONE);
    int write_only = open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(request_class("v=1\nverb=reserve\n", write_only), TKT_ERR_PERM);
}

static void counts_and_lengths_have_caps_in_both_directions(void **state)
{
    (void)state;
    struct tkt_wire_packet p;
    struct tkt_err err = TKT_ERR_INIT;
    static struct tkt_wire_rcpt rcpts[TKT_WIRE_RCPTS_MAX + 1];
    struct tkt_wire_request got;

    for (size_t i = 0; i < TKT_ARRAY_LEN(rcpts); i++) {
        rcpts[i].addr = "a@b";
    }
    struct tkt_wire_request req = {
        .verb = TKT_WIRE_PING, .rcpts = rcpts, .rcpt_count = TKT_WIRE_RCPTS_MAX};
    assert_int_equal(tkt_wire_request_encode(&req, -1, &p, &err), 0);
    assert_int_equal(tkt_wire_request_decode(&p, &got, &err), 0);
    tkt_wire_request_release(&got);
    tkt_buf_adds(&p.body, "rcpt=one@more\n");
    assert_int_equal(tkt_wire_request_decode(&p, &got, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    tkt_wire_packet_release(&p);
    req.rcpt_count++;
    assert_int_equal(tkt_wire_request_encode(&req, -1, &p, &err), -1);

    static char longest[TKT_WIRE_STRING_MAX + 10];
    memset(longest, 'a', sizeof(longest) - 1);
    req = (struct tkt_wire_request){.verb = TKT_WIRE_PING, .helo = longest};
    send_and_decode(&req, -1, &got);
    assert_int_equal(strlen(got.helo), TKT_WIRE_STRING_MAX);
    tkt_wire_request_release(&got);
    tkt_wire_packet_init(&p);
    tkt_buf_adds(&p.body, "v=1\nverb=ping\n");
    tkt_wire_add(&p.body, "helo", longest);
    assert_int_equal(tkt_wire_request_decode(&p, &got, &err), -1);
    tkt_wire_packet_release(&p);
}

static void a_reply_comes_out_as_it_went_in(void **state)
{
    (void)state;
    struct tkt_wire_ticket tickets[] = {
        {"it", "IT-1", "", "created", "ops", "vpn", "https://d/IT-1", "", 3},
        {"hr", "HR-2", "h9", "existing", "", "", "", "HR-2", 1}};
    struct tkt_wire_edit edits[] = {{TKT_WIRE_DELETE, 2, "X-Ticket-ID", ""},
                                    {TKT_WIRE_CHANGE, 1, "Subject", " [IT-1] a\n b"},
                                    {TKT_WIRE_INSERT, 0, "X-Ticket-ID", " IT-1"},
                                    {TKT_WIRE_ADDRCPT, 0, NULL, "ops@example.test"},
                                    {TKT_WIRE_DELRCPT, 0, NULL, "it@example.test"}};
    struct tkt_wire_desk desks[] = {{"it", "it@example.test", "+-", true, false, true},
                                    {"hr", "@hr.example.test", "", false, true, false}};
    struct tkt_wire_reply rep = {.status = TKT_WIRE_STALE,
                                 .generation = 4,
                                 .text = "hello",
                                 .tickets = tickets,
                                 .ticket_count = 2,
                                 .edits = edits,
                                 .edit_count = 5,
                                 .smtp_code = 552,
                                 .smtp_xcode = "5.3.4",
                                 .smtp_text = "too big",
                                 .desks = desks,
                                 .desk_count = 2,
                                 .message_max = 1000,
                                 .deadline_ms = 8000,
                                 .rcpt_lookup = true,
                                 .tag_pattern = "\\[(IT)-[0-9]+\\]",
                                 .ticket = "IT-9",
                                 .why = "valid"};
    struct tkt_wire_packet p;
    struct tkt_wire_reply got;
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_wire_reply_encode(&rep, &p, &err), 0);
    assert_int_equal(tkt_wire_reply_decode(&p, &got, &err), 0);
    tkt_wire_packet_release(&p);
    assert_int_equal(got.status, TKT_WIRE_STALE);
    assert_true(got.generation == 4 && got.message_max == 1000 &&
                got.deadline_ms == 8000);
    assert_string_equal(got.text, "hello");
    assert_int_equal(got.ticket_count, 2);
    assert_string_equal(got.tickets[0].id, "IT-1");
    assert_string_equal(got.tickets[0].desk, "it");
    assert_string_equal(got.tickets[0].group, "ops");
    assert_string_equal(got.tickets[1].hold, "h9");
    assert_string_equal(got.tickets[1].status, "existing");
    assert_string_equal(got.tickets[1].group, "");
    assert_string_equal(got.tickets[0].category, "vpn");
    assert_string_equal(got.tickets[0].url, "https://d/IT-1");
    assert_string_equal(got.tickets[0].ref, "");
    assert_string_equal(got.tickets[1].ref, "HR-2");
    assert_int_equal(got.tickets[0].priority, 3);
    assert_int_equal(got.edit_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(got.edits[i].kind, edits[i].kind);
        assert_string_equal(got.edits[i].value, edits[i].value);
    }
    assert_string_equal(got.edits[0].name, "X-Ticket-ID");
    assert_int_equal(got.edits[0].index, 2);
    assert_int_equal(got.smtp_code, 552);
    assert_string_equal(got.smtp_xcode, "5.3.4");
    assert_string_equal(got.smtp_text, "too big");
    assert_int_equal(got.desk_count, 2);
    assert_string_equal(got.desks[0].delimiters, "+-");
    assert_true(got.desks[0].on_failure_accept && !got.desks[0].off);
    assert_string_equal(got.desks[1].address, "@hr.example.test");
    assert_true(!got.desks[1].on_failure_accept && got.desks[1].off);
    assert_true(got.desks[0].limited && !got.desks[1].limited);
    assert_true(got.rcpt_lookup);
    assert_string_equal(got.tag_pattern, rep.tag_pattern);
    assert_string_equal(got.ticket, "IT-9");
    assert_string_equal(got.why, "valid");
    tkt_wire_reply_release(&got);
}

static void wrong_replies_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "v=1\n",
                                      "v=1\nstatus=fine\n",
                                      "v=1\nstatus=ok\nticket.desk=it\n",
                                      "v=1\nstatus=ok\ndesk.off=1\n",
                                      "v=1\nstatus=ok\nticket.priority=1\n",
                                      "v=1\nstatus=ok\nsmtp-code=250\n",
                                      "v=1\nstatus=ok\nsmtp-code=600\n",
                                      "v=1\nstatus=ok\nticket=a\nticket.priority=6\n",
                                      "v=1\nstatus=ok\nchange=Subject\n",
                                      "v=1\nstatus=ok\naddrcpt=%ff\n"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        struct tkt_wire_packet p;
        struct tkt_wire_reply got;
        struct tkt_err err = TKT_ERR_INIT;
        tkt_wire_packet_init(&p);
        tkt_buf_adds(&p.body, bad[i]);
        assert_int_equal(tkt_wire_reply_decode(&p, &got, &err), -1);
        assert_int_equal(err.class, TKT_ERR_PERM);
        tkt_wire_packet_release(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(a_request_comes_out_as_it_went_in),
        WITH_PAIR(what_a_script_asks_for_comes_out_as_it_went_in),
        WITH_PAIR(the_small_verbs_come_out_as_they_went_in),
        WITH_PAIR(a_thousand_recipients_and_a_60_kb_subject_arrive_whole),
        cmocka_unit_test(wrong_requests_are_refused),
        WITH_PAIR(counts_and_lengths_have_caps_in_both_directions),
        cmocka_unit_test(a_reply_comes_out_as_it_went_in),
        cmocka_unit_test(wrong_replies_are_refused),
    };
    return cmocka_run_group_tests_name("wire_codec_test", tests, NULL, NULL);
}
