/* SPDX-License-Identifier: BSD-2-Clause
 * Notices as mail: the bytes, what cannot get into them, and that our own parser reads what
 * was meant.
 */
#include "notify/mail.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/parse.h"
#include "notify/mailword.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
/* cmocka.h wants these first */
#include <cmocka.h>

static struct tkt_notice notice(void)
{
    return (struct tkt_notice){.id = "n-1",
                               .to = "ann@example.org",
                               .to_name = "",
                               .role = "requester",
                               .language = "en",
                               .subject = "[IT-12] Printer",
                               .text = "Hello\n",
                               .html = "",
                               .ticket = "IT-12",
                               .at_ms = INT64_C(1795341600000),
                               .thread = "",
                               .from = "it@desk.example",
                               .from_name = "",
                               .reply_to = "",
                               .return_path = "",
                               .message_id = "id.1@desk.example",
                               .in_reply_to = "",
                               .references = ""};
}

static struct tkt_buf out = TKT_BUF_INIT(TKT_MAIL_MAX);

static const char *written(const struct tkt_notice *n)
{
    struct tkt_err err = TKT_ERR_INIT;

    tkt_buf_reset(&out);
    if (tkt_mail_write(n, false, &out, &err) < 0) {
        fail_msg("%s", err.text);
    }
    assert_true(tkt_buf_addc(&out, '\0') == 0);
    out.len--;
    return out.data;
}

/* Lines end with CRLF, none is too long, all is ASCII. */
static void assert_legal(const char *mail, bool ascii)
{
    size_t line = 0;

    for (const char *p = mail; *p; p++) {
        assert_true(!ascii || (unsigned char)*p < 0x80);
        assert_true(*p != '\n' || (p > mail && p[-1] == '\r'));
        assert_true(*p != '\r' || p[1] == '\n');
        line = *p == '\n' ? 0 : line + 1;
        assert_true(line <= TKT_MAIL_LINE_MAX + 1);
    }
}

static void a_plain_notice_has_these_bytes(void **state)
{
    struct tkt_notice n = notice();

    (void)state;
    assert_string_equal(written(&n), "From: it@desk.example\r\n"
                                     "To: ann@example.org\r\n"
                                     "Subject: [IT-12] Printer\r\n"
                                     "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
                                     "Message-ID: <id.1@desk.example>\r\n"
                                     "MIME-Version: 1.0\r\n"
                                     "Content-Type: text/plain; charset=UTF-8\r\n"
                                     "Content-Transfer-Encoding: 7bit\r\n"
                                     "\r\n"
                                     "Hello\r\n");
}

static void subjects_are_encoded_only_where_they_must_be(void **state)
{
    static const char *const rows[][2] = {
        {"[IT-12] Printer", "Subject: [IT-12] Printer\r\n"},
        {"[IT-12] Drucker für Köln ist da",
         "Subject: [IT-12] Drucker =?UTF-8?B?ZsO8ciBLw7Zsbg==?= ist da\r\n"},
        {"=?UTF-8?Q?x?= y", "Subject: =?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?= y\r\n"},
        {"日本語", "Subject: =?UTF-8?B?5pel5pys6Kqe?=\r\n"},
        {"a\r\nBcc: x@y", "Subject: a Bcc: x@y\r\n"},
        {"a\tb  c\x01", "Subject: a b c\r\n"},
        {"a\xc2\x85"
         "b\xe2\x80\xa8"
         "c",
         "Subject: a b c\r\n"},
        {"\xff", "Subject: =?UTF-8?B?77+9?=\r\n"}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_notice n = notice();
        n.subject = rows[i][0];

        if (!strstr(written(&n), rows[i][1])) {
            fail_msg("row %zu: %s", i, out.data);
        }
        assert_legal(out.data, true);
    }
}

static void names_are_atoms_or_quoted_or_encoded(void **state)
{
    static const char *const rows[][2] = {
        {"IT Desk", "To: IT Desk <ann@example.org>\r\n"},
        {"Desk, IT \"x\"", "To: \"Desk, IT \\\"x\\\"\" <ann@example.org>\r\n"},
        {"Jürgen", "To: =?UTF-8?Q?J=C3=BCrgen?= <ann@example.org>\r\n"},
        {"x\r\nBcc: c@d", "To: \"x Bcc: c@d\" <ann@example.org>\r\n"},
        {"a@b", "To: \"a@b\" <ann@example.org>\r\n"}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_notice n = notice();
        n.to_name = rows[i][0];

        if (!strstr(written(&n), rows[i][1])) {
            fail_msg("row %zu: %s", i, out.data);
        }
        assert_legal(out.data, true);
    }
}

static void addresses_are_checked_and_domains_are_a_labels(void **state)
{
    static const char *const good[][2] = {
        {"a@b.example", "a@b.example"},
        {"a+b-c@EXAMPLE.org", "a+b-c@example.org"},
        {"it@grüße.example", "it@xn--gre-6ka8l.example"},
        {"jürgen@x.example", "jürgen@x.example"}};
    static const char *const bad[] = {
        "",        "a",     "@b",      "a@",         "a@b@c d", "a b@c", "a@b\r\n",
        "a\r\n@b", "<a@b>", "a@b>",    "a@b..c",     "a@-b",    ".a@b",  "a.@b",
        "a..b@c",  "a,b@c", "a@b,c@d", "a@[1.2.3.4", "\"a\"@b", "a:b@c", "a@b\xff.org"};
    char room[400];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(good); i++) {
        assert_int_equal(tkt_mail_address(good[i][0], room, sizeof(room)), 0);
        assert_string_equal(room, good[i][1]);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        struct tkt_notice n = notice();
        struct tkt_err err = TKT_ERR_INIT;

        if (tkt_mail_address_ok(bad[i])) {
            fail_msg("%s", bad[i]);
        }
        tkt_buf_reset(&out);
        n.to = bad[i];
        assert_int_equal(tkt_mail_write(&n, false, &out, &err), -1);
        assert_int_equal(err.class, TKT_ERR_PERM);
    }
}

static void further_fields_cannot_be_ours_or_two(void **state)
{
    static const char *const bad[] = {"X-A: b\r\nBcc: c@d",
                                      "Bcc: c@d",
                                      "from: x@y",
                                      "Content-Type: x",
                                      "X A: b",
                                      "X-A",
                                      ": b",
                                      "Resent-To: a"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(bad); i++) {
        const char *const headers[] = {bad[i], NULL};
        struct tkt_notice n = notice();
        struct tkt_err err = TKT_ERR_INIT;

        n.headers = headers;
        tkt_buf_reset(&out);
        assert_int_equal(tkt_mail_write(&n, false, &out, &err), -1);
        assert_int_equal(err.class, TKT_ERR_BUG);
    }
    const char *const good[] = {"Auto-Submitted: auto-replied", NULL};
    struct tkt_notice n = notice();
    n.headers = good;
    assert_non_null(strstr(written(&n), "\r\nAuto-Submitted: auto-replied\r\n"));
}

static void foreign_ids_that_are_none_are_left_out(void **state)
{
    struct tkt_notice n = notice();

    (void)state;
    n.in_reply_to = "a b@c";
    n.references = "<a@b> junk <c\r\nd@e> <f@g";
    assert_null(strstr(written(&n), "In-Reply-To"));
    assert_non_null(strstr(out.data, "\r\nReferences: <a@b>\r\n"));
    TKT_AUTO_BUF struct tkt_buf many = TKT_BUF_INIT(100000);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(tkt_buf_addf(&many, "<id-%d@example.org> ", i), 0);
    }
    n.references = tkt_buf_str(&many);
    assert_non_null(strstr(written(&n), "<id-0@example.org>"));
    assert_null(strstr(out.data, "<id-1@example.org>"));
    assert_non_null(strstr(out.data, "<id-499@example.org>\r\n"));
    assert_legal(out.data, true);
}

static void the_same_notice_makes_the_same_bytes(void **state)
{
    struct tkt_notice n = notice();

    (void)state;
    n.html = "<p>x</p>";
    TKT_AUTO_FREE char *first = strdup(written(&n));
    assert_string_equal(first, written(&n));
}

/* ---- read back --------------------------------------------------------------------------- */

static void read_back(const struct tkt_notice *n, struct tkt_message *msg)
{
    struct tkt_message_source source = {.data = written(n), .fd = -1, .size = out.len};
    struct tkt_message_options options = {0};
    struct tkt_err err = TKT_ERR_INIT;

    tkt_message_limits_default(&options.limits);
    assert_int_equal(tkt_message_parse(&source, &options, msg, &err), 0);
}

static void our_parser_reads_what_was_meant(void **state)
{
    static const char *const subjects[] = {
        "[IT-12] Größe",
        "Ελληνικά και English and 日本語 mixed up for quite a long time so "
        "that it is folded more than once, für immer"};
    static const char *const texts[] = {
        "Hello\n", "From here\n.dot\n trailing \nÜmläut\n",
        "日本語だけの文章です。日本語だけの文章です。\n日本語\n",
        "--=_a0\nnot a boundary\n"};
    const struct tkt_notice_file file = {"Größenübersicht für alle Standorte 2026.pdf",
                                         "application/pdf", "%PDF-1.4\0\xff", 10};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts) * 4; i++) {
        struct tkt_notice n = notice();
        struct tkt_message msg;

        n.subject = subjects[i & 1];
        n.text = texts[i / 4];
        n.html = i & 2 ? "<p>Größe</p>" : "";
        n.files = &file;
        n.file_count = i & 1;
        n.from_name = "Jürgen \"IT\" Müller";
        n.reply_to = "it+token@desk.example";
        n.in_reply_to = "a@b";
        read_back(&n, &msg);
        assert_string_equal(msg.subject, n.subject);
        assert_string_equal(msg.from.name, n.from_name);
        assert_string_equal(msg.from.address, n.from);
        assert_string_equal(msg.reply_to.items[0].address, n.reply_to);
        assert_string_equal(msg.message_id, n.message_id);
        assert_string_equal(msg.in_reply_to.items[0], "a@b");
        assert_int_equal(msg.date_s, n.at_ms / 1000);
        assert_int_equal(msg.problems.count, 0);
        assert_int_equal(strncmp(msg.text, n.text, strlen(n.text) - 1), 0);
        assert_int_equal(msg.attachment_count, n.file_count);
        if (n.file_count) {
            assert_string_equal(msg.attachments[0].name, file.name);
            assert_int_equal(msg.attachments[0].size, file.size);
        }
        assert_legal(out.data, true);
        tkt_message_release(&msg);
    }
}

static void the_program_gets_sender_and_mail_and_its_end_counts(void **state)
{
    static const struct {
        const char *script;
        int rc;
        enum tkt_http_outcome outcome;
        enum tkt_err_class class;
        bool undeliverable;
    } rows[] = {
        {"grep -q '^Subject: .IT-12. Printer$' && [ \"$*\" = '-i -f <> -- "
         "ann@example.org' ] && [ -z \"$SECRET\" ]",
         0, TKT_HTTP_DONE, TKT_ERR_NONE, 0},
        {"echo try later; exit 75", -1, TKT_HTTP_RETRY, TKT_ERR_TEMP, 0},
        {"exit 67", -1, TKT_HTTP_REJECTED, TKT_ERR_PERM, 1},
        {"exit 78", -1, TKT_HTTP_REJECTED, TKT_ERR_CONF, 0},
        {"exec >/dev/null 2>&1; sleep 60 & wait", -1, TKT_HTTP_UNKNOWN, TKT_ERR_TEMP, 0},
        {"sleep 60", -1, TKT_HTTP_UNKNOWN, TKT_ERR_TEMP, 0}};
    char path[] = "/tmp/tkt-mail-XXXXXX";
    char option[64];
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    setenv("SECRET", "x", 1);
    snprintf(option, sizeof(option), "program=%s", path);
    char *options[] = {option};
    char type[] = "mail", none[] = "";
    struct tkt_conf_channel conf = {.type = type,
                                    .url = none,
                                    .user = none,
                                    .ca_file = none,
                                    .cert_file = none,
                                    .key_file = none,
                                    .timeout_ms = 700,
                                    .options = {options, 1}};
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_notice n = notice();
        struct tkt_channel_call call = {
            .conf = &conf, .secret = "", .bearer = "", .notice = &n};
        struct tkt_err err = TKT_ERR_INIT;
        enum tkt_http_outcome outcome;
        FILE *f = fopen(path, "w");

        fprintf(f, "#!/bin/sh\n%s\n", rows[i].script);
        fclose(f);
        assert_int_equal(chmod(path, 0700), 0);
        /* Only those that never end are waited for. */
        conf.timeout_ms = rows[i].outcome == TKT_HTTP_UNKNOWN ? 700 : 30000;
        int rc = tkt_mail_run(&call, &outcome, &err);
        if (rc != rows[i].rc || outcome != rows[i].outcome ||
            err.class != rows[i].class || call.undeliverable != rows[i].undeliverable) {
            fail_msg("row %zu: %s: %s", i, tkt_http_outcome_names[outcome], err.text);
        }
        tkt_wire_arena_release(&call.arena);
    }
    unlink(path);
}

static void sections_are_checked(void **state)
{
    static const struct {
        const char *url, *from, *user, *secret, *option, *proxy;
    } rows[] = {{.from = "no address"},
                {.url = "http://x"},
                {.user = "x"},
                {.url = "smtp://x", .secret = "file:/x"},
                {.url = "smtp://x", .option = "tls=off"},
                {.option = "program=sendmail"},
                {.url = "smtp://x", .option = "program=/bin/true"},
                {.url = "smtp://x", .proxy = "http://p"}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        const char *given[] = {rows[i].url,    rows[i].from,  rows[i].user,
                               rows[i].secret, rows[i].proxy, rows[i].option};
        char room[6][40];
        char *option = room[5];
        struct tkt_err err = TKT_ERR_INIT;

        for (size_t k = 0; k < TKT_ARRAY_LEN(given); k++) {
            snprintf(room[k], sizeof(room[k]), "%s", given[k] ? given[k] : "");
        }
        struct tkt_conf_channel c = {.url = room[0],
                                     .from = room[1],
                                     .user = room[2],
                                     .secret = room[3],
                                     .proxy = room[4],
                                     .to = room[0] + strlen(room[0]),
                                     .options = {&option, option[0] ? 1 : 0}};
        assert_int_equal(tkt_channel_mail.check(&c, &err), -1);
        assert_int_equal(err.class, TKT_ERR_CONF);
    }
}

static int set_up(void **state)
{
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    return tkt_message_parser_init(&err);
}

static int tear_down(void **state)
{
    (void)state;
    tkt_buf_release(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_notice_has_these_bytes),
        cmocka_unit_test(subjects_are_encoded_only_where_they_must_be),
        cmocka_unit_test(names_are_atoms_or_quoted_or_encoded),
        cmocka_unit_test(addresses_are_checked_and_domains_are_a_labels),
        cmocka_unit_test(further_fields_cannot_be_ours_or_two),
        cmocka_unit_test(foreign_ids_that_are_none_are_left_out),
        cmocka_unit_test(the_same_notice_makes_the_same_bytes),
        cmocka_unit_test(our_parser_reads_what_was_meant),
        cmocka_unit_test(the_program_gets_sender_and_mail_and_its_end_counts),
        cmocka_unit_test(sections_are_checked),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
