/* SPDX-License-Identifier: BSD-2-Clause
 * common/message: hostile mail is read within its caps, its time and its memory, and
 * nothing is opened once the reader is set up.
 */
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "message/parse.h"
#include "message/phrase.h"

#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define BUDGET_MS (SANITIZED ? 6000 : 300) /* processor time of one message */
#define TRIES 3 /* the quickest counts: a busy machine's processors are slower */
#define MEMORY_MAX_KIB (64 * 1024)
#define INPUT_MAX (64 * 1024 * 1024)

static const char head[] = "From: ann@customer.example\r\nTo: it@desk.example\r\n"
                           "Subject: hostile\r\n";

static struct tkt_message_options options(void)
{
    static const char *const ids[] = {"mx.example.test"};
    static const char *const prefixes[] = {"IT"};
    struct tkt_message_options opt = {.authserv_ids = ids,
                                      .authserv_id_count = 1,
                                      .prefixes = prefixes,
                                      .prefix_count = 1};

    tkt_message_limits_default(&opt.limits);
    return opt;
}

static int64_t cpu_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Reads it within the budget, and what comes out passes the codec. */
static struct tkt_message parse(const struct tkt_buf *raw)
{
    struct tkt_message_options opt = options();
    struct tkt_message_source src = {
        .data = tkt_buf_str(raw), .fd = -1, .size = raw->len};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_message msg;
    struct tkt_message decoded;

    assert_false(raw->failed);
    int64_t took = BUDGET_MS + 1;
    for (int tries = 0; tries < TRIES && took > BUDGET_MS; tries++) {
        int64_t start = cpu_ms();
        if (tries > 0) {
            tkt_message_release(&msg);
        }
        if (tkt_message_parse(&src, &opt, &msg, &err) < 0) {
            fail_msg("%s", err.text);
        }
        took = cpu_ms() - start;
    }
    if (took > BUDGET_MS) {
        fail_msg("%d ms for \"%.100s\"", (int)took, tkt_buf_str(raw));
    }
    TKT_AUTO_BUF struct tkt_buf wire = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    assert_int_equal(tkt_message_encode(&msg, &wire), 0);
    tkt_message_release(&msg);
    if (tkt_message_decode(wire.data, wire.len, &decoded, &err) < 0) {
        fail_msg("%s", err.text);
    }
    return decoded;
}

static bool has_problem(const struct tkt_message *msg, const char *prefix)
{
    for (size_t i = 0; i < msg->problems.count; i++) {
        if (strncmp(msg->problems.items[i], prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}

static void add_times(struct tkt_buf *b, const char *s, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        tkt_buf_adds(b, s);
    }
}

static struct tkt_message parse_text(const char *text)
{
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);

    tkt_buf_adds(&raw, text);
    return parse(&raw);
}

/* ---- the caps ---- */

static void a_field_of_groups_in_groups_is_read_in_time(void **state)
{
    (void)state;
    static const char *const names[] = {"To", "From", "Cc", "Reply-To"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        for (size_t times = 250; times < 200000; times *= 20) {
            TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
            tkt_buf_addf(&raw, "Subject: colons\r\n%s: ", names[i]);
            add_times(&raw, "a:", times);
            tkt_buf_adds(&raw, " x@y.example\r\n\r\ntext\r\n");
            struct tkt_message msg = parse(&raw);
            assert_string_equal(msg.subject, "colons");
            if (times < 16000) { /* below the cap of a field: all of it is read */
                assert_string_equal(msg.text, "text");
                const struct tkt_addresses *list = i == 0   ? &msg.to
                                                   : i == 2 ? &msg.cc
                                                            : &msg.reply_to;
                assert_string_equal(i == 1 ? msg.from.address : list->items[0].address,
                                    "x@y.example");
            }
            tkt_message_release(&msg);
        }
    }
}

static void an_open_quote_hides_nothing(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_adds(&raw,
                 "From: a@b.example\r\nTo: \"open <c@d.example>, e@f.example\r\n\r\n");
    struct tkt_message msg = parse(&raw);
    assert_int_equal(msg.to.count, 2);
    assert_string_equal(msg.to.items[0].address, "c@d.example");
    assert_string_equal(msg.to.items[1].address, "e@f.example");
    tkt_message_release(&msg);
}

static void parts_beyond_the_cap_are_left_out_and_named(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_addf(&raw, "%sContent-Type: multipart/mixed; boundary=b\r\n\r\n", head);
    tkt_buf_adds(&raw, "--b\r\n\r\nfirst text\r\n");
    add_times(&raw, "--b\r\nContent-Type: image/png\r\n\r\nx\r\n", 50000);
    struct tkt_message msg = parse(&raw);
    assert_true(has_problem(&msg, "mime_parts: "));
    assert_string_equal(msg.text, "first text");
    /* the root and the text are parts, too */
    assert_int_equal(msg.attachment_count, TKT_MESSAGE_PARTS_MAX - 2);
    assert_string_equal(msg.attachments[0].part, "2");
    tkt_message_release(&msg);
}

static void add_nested(struct tkt_buf *raw, unsigned depth)
{
    tkt_buf_addf(raw, "%sContent-Type: multipart/mixed; boundary=b0\r\n\r\n", head);
    for (unsigned i = 1; i < depth; i++) {
        tkt_buf_addf(raw, "--b%u\r\nContent-Type: multipart/mixed; boundary=b%u\r\n\r\n",
                     i - 1, i);
    }
    tkt_buf_addf(raw, "--b%u\r\n\r\ndeep text\r\n", depth - 1);
}

static void parts_nested_deeper_than_the_cap_are_one_attachment(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    add_nested(&raw, 32);
    struct tkt_message msg = parse(&raw);
    assert_false(has_problem(&msg, "mime_depth: "));
    assert_string_equal(msg.text, "deep text");
    tkt_message_release(&msg);

    tkt_buf_reset(&raw);
    add_nested(&raw, 33);
    msg = parse(&raw);
    assert_true(has_problem(&msg, "mime_depth: "));
    assert_int_equal(msg.attachment_count, 1);
    tkt_message_release(&msg);

    tkt_buf_reset(&raw);
    add_nested(&raw, 10000);
    msg = parse(&raw);
    assert_true(has_problem(&msg, "mime_depth: "));
    tkt_message_release(&msg);
}

static void a_header_of_too_many_fields_is_read_alone(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_adds(&raw, head);
    add_times(&raw, "To: x@y.example\r\n", 100000);
    tkt_buf_adds(&raw, "\r\nbody\r\n");
    struct tkt_message msg = parse(&raw);
    assert_true(msg.degraded);
    assert_true(has_problem(&msg, "header_count: "));
    assert_string_equal(msg.subject, "hostile");
    assert_string_equal(msg.from.address, "ann@customer.example");
    assert_string_equal(msg.text, "");
    tkt_message_release(&msg);
}

static void a_header_block_beyond_its_cap_is_read_alone(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_adds(&raw, head);
    for (unsigned i = 0; i < 300; i++) {
        tkt_buf_addf(&raw, "X-%u: ", i);
        add_times(&raw, "0123456789", 100);
        tkt_buf_adds(&raw, "\r\n");
    }
    tkt_buf_adds(&raw, "\r\nbody\r\n");
    struct tkt_message msg = parse(&raw);
    assert_true(msg.degraded);
    assert_true(has_problem(&msg, "header_block: "));
    assert_string_equal(msg.subject, "hostile");
    tkt_message_release(&msg);
}

static void a_field_beyond_its_cap_is_cut_and_the_body_read(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_adds(&raw, "From: ann@customer.example\r\nX-Big: ");
    add_times(&raw, "0123456789", 512 * 1024);
    tkt_buf_adds(&raw, "\r\nSubject: behind\r\n\r\nbody\r\n");
    struct tkt_message msg = parse(&raw);
    assert_true(has_problem(&msg, "header: "));
    assert_false(msg.degraded);
    assert_string_equal(msg.subject, "behind");
    assert_string_equal(msg.text, "body");
    tkt_message_release(&msg);
}

static void a_subject_of_60_kb_is_cut_at_a_character(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_adds(&raw, "From: a@b.example\r\nSubject: x");
    add_times(&raw, "\xc3\xa9", 30000);
    tkt_buf_adds(&raw, "\r\n\r\n");
    struct tkt_message msg = parse(&raw);
    assert_in_range(strlen(msg.subject), 32 * 1024 - 8, 32 * 1024);
    assert_true(tkt_utf8_valid(msg.subject, strlen(msg.subject)));
    tkt_message_release(&msg);
}

static void parameters_beyond_the_cap_are_left_out_and_named(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_addf(&raw, "%sContent-Type: text/plain", head);
    for (unsigned i = 0; i < 2000; i++) {
        tkt_buf_addf(&raw, "; name*%u*=a", i);
    }
    tkt_buf_adds(&raw, "\r\n\r\nbody\r\n");
    struct tkt_message msg = parse(&raw);
    assert_true(has_problem(&msg, "mime_params: "));
    assert_string_equal(msg.text, "body");
    tkt_message_release(&msg);
}

static void text_beyond_its_cap_is_cut_and_named(void **state)
{
    (void)state;
    static const char *const types[] = {"text/plain", "text/html"};
    for (size_t i = 0; i < 2; i++) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
        tkt_buf_addf(&raw, "%sContent-Type: %s; charset=utf-8\r\n\r\n", head, types[i]);
        add_times(&raw, "\xe2\x82\xac 0123456789\r\n", 400000);
        struct tkt_message msg = parse(&raw);
        assert_true(msg.text_cut);
        assert_true(has_problem(&msg, "text: "));
        assert_in_range(strlen(msg.text), 700 * 1024, 1024 * 1024);
        tkt_message_release(&msg);
    }
}

static void address_lists_and_references_stop_at_their_caps(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_adds(&raw, "From: a@b.example\r\n");
    for (unsigned field = 0; field < 12; field++) {
        tkt_buf_adds(&raw, "To: first@b.example");
        add_times(&raw, ",\r\n x@y.example", 1800);
        tkt_buf_adds(&raw, "\r\n");
    }
    struct tkt_message msg = parse(&raw);
    assert_int_equal(msg.to.count, TKT_MESSAGE_ADDRS_MAX);
    assert_true(has_problem(&msg, "addresses: "));
    tkt_message_release(&msg);

    tkt_buf_reset(&raw);
    tkt_buf_adds(&raw, "From: a@b.example\r\nReferences:");
    for (unsigned i = 0; i < 200; i++) {
        tkt_buf_addf(&raw, "\r\n <r%u@b.example>", i);
    }
    tkt_buf_adds(&raw, "\r\n\r\n");
    msg = parse(&raw);
    assert_int_equal(msg.references.count, TKT_MESSAGE_REFS_MAX);
    assert_string_equal(msg.references.items[0], "r0@b.example");
    assert_string_equal(msg.references.items[63], "r199@b.example");
    assert_string_equal(msg.references.items[1], "r137@b.example");
    tkt_message_release(&msg);
}

/* ---- nonsense of all kinds, within the budget ---- */

static void repeated_nonsense_is_read_in_time(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *unit;
        size_t times;
    } cases[] = {
        {"Subject: ", "=?", 500000},
        {"Subject: ", "=?utf-8?q?", 100000},
        {"Subject: ", "=?utf-8?Q?a?= ", 100000},
        {"From: ", "=?utf-8?Q?a?= ", 2500},
        {"To: ", "((((", 8000},
        {"To: ", "<<<<", 8000},
        {"To: ", "\"\\", 16000},
        {"To: ", "@", 32000},
        {"To: ", "a,", 16000},
        {"To: ", ";", 32000},
        {"To: ", "=?x?q?=22?=", 3000},
        {"Date: ", "1 ", 16000},
        {"References: ", "<", 32000},
        {"Content-Type: text/plain; ", ";", 30000},
        {"Content-Type: text/plain; a=", "\"", 30000},
        {"Content-Type: text/plain; ", "(", 30000},
        {"Authentication-Results: mx.example.test; ", "=", 30000},
        {"Authentication-Results: mx.example.test; ", "dkim=pass (", 3000},
        {"Authentication-Results: mx.example.test", ";", 30000},
        {"", "\r", 2000000},
        {"", "a", 5000000},
        {"", "a:", 2500000},
        {"", ":\n", 2500000},
        {"", "\xff\xfe", 1000000},
        {"\n", "\n", 5000000},
        {"Content-Type: text/html\n\n", "<", 1000000},
        {"Content-Type: text/html\n\n", "<a", 500000},
        {"Content-Type: text/html\n\n", "<a b=\"", 170000},
        {"Content-Type: text/html\n\n", "<!--", 250000},
        {"Content-Type: text/html\n\n", "&", 1000000},
        {"Content-Type: text/html\n\n", "&a;", 340000},
        {"Content-Type: text/html\n\n", "<div>", 200000},
        {"Content-Type: text/html\n\n", "<script>", 130000},
        {"Content-Type: text/html\n\n", "<pre> \r\n", 120000},
        {"Content-Type: text/html\n\n<a ", "b=c ", 260000},
        {"Content-Transfer-Encoding: base64\n\n", "=", 3000000},
        {"Content-Transfer-Encoding: base64\n\n", "YQ==", 1000000},
        {"Content-Transfer-Encoding: quoted-printable\n\n", "=", 3000000},
        {"Content-Transfer-Encoding: quoted-printable\n\n", "=\t", 1500000},
        {"Content-Type: text/plain; charset=utf-7\n\n", "+", 1000000},
        {"Content-Type: text/plain; charset=iso-2022-jp\n\n", "\x1b$", 500000},
        {"Content-Type: text/plain; charset=utf-16\n\n", "\xd8", 1000000},
        {"Content-Type: text/plain; charset=gb18030\n\n", "\xfe", 1000000},
        {"Content-Type: text/plain; charset=utf-8\n\n", "\xf0\x80", 500000},
        {"Content-Type: multipart/mixed; boundary=b\n\n", "--", 2000000},
        {"Content-Type: multipart/mixed; boundary=b\n\n", "--b\n", 1000000},
        {"Content-Type: multipart/mixed; boundary=b\n\n", "--b--\n", 1000000},
        {"Content-Type: multipart/mixed; boundary=b\n\n", "--c\n", 1000000},
        {"Content-Type: multipart/mixed; boundary=-\n\n", "-\n--\n", 500000},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
        tkt_buf_adds(&raw, cases[i].before);
        add_times(&raw, cases[i].unit, cases[i].times);
        struct tkt_message msg = parse(&raw);
        tkt_message_release(&msg);
    }
}

static void nuls_and_eight_bits_everywhere_give_valid_text(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    unsigned seed = 1;
    static const char *const names[] = {
        "From: ",       "To: ",         "Subject: ", "Date: ",
        "Message-ID: ", "References: ", "List-Id: ", "Content-Type: text/plain; a="};
    for (unsigned round = 0; round < 50; round++) {
        tkt_buf_reset(&raw);
        for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
            tkt_buf_adds(&raw, names[i]);
            for (unsigned k = 0; k < 200; k++) {
                seed = seed * 1103515245 + 12345;
                char c = (char)(seed >> 16);
                tkt_buf_addc(&raw, c == '\n' ? '\0' : c);
            }
            tkt_buf_adds(&raw, "\r\n");
        }
        tkt_buf_adds(&raw, "\r\n");
        for (unsigned k = 0; k < 2000; k++) {
            seed = seed * 1103515245 + 12345;
            tkt_buf_addc(&raw, (char)(seed >> 16));
        }
        struct tkt_message msg = parse(&raw); /* checks what comes out */
        tkt_message_release(&msg);
    }
}

static void an_endless_header_without_a_body_is_read(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_adds(&raw, head);
    add_times(&raw, "X: y\r\n \r\n", 1000000);
    struct tkt_message msg = parse(&raw);
    assert_true(msg.degraded);
    assert_string_equal(msg.subject, "hostile");
    tkt_message_release(&msg);
}

static void every_truncation_of_a_message_is_read(void **state)
{
    (void)state;
    static const char full[] =
        "From: =?utf-8?Q?A?= <a@b.example>\r\nContent-Type: multipart/mixed;\r\n"
        " boundary=\"b\"; x*0*=utf-8''%41\r\nSubject: [IT-1] =?utf-8?B?w6k=?=\r\n\r\n"
        "--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: "
        "quoted-printable\r\n\r\n<p>=41&amp;</p>\r\n--b\r\nContent-Type: image/png; "
        "name=x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n";
    for (size_t n = 0; n < sizeof(full); n++) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(sizeof(full));
        tkt_buf_add(&raw, full, n);
        struct tkt_message msg = parse(&raw);
        tkt_message_release(&msg);
    }
}

/* ---- meaning ---- */

static void subject_ids_are_ours_only_once_each(void **state)
{
    (void)state;
    struct tkt_message msg = parse_text(
        "Subject: Re: [IT-12] [it-13] [XX-5] [IT-012] [IT-12] IT-99 [IT-]\n\n");
    assert_int_equal(msg.subject_ids.count, 2);
    assert_string_equal(msg.subject_ids.items[0], "IT-12");
    assert_string_equal(msg.subject_ids.items[1], "IT-13");
    tkt_message_release(&msg);
}

static void only_the_topmost_trusted_result_counts(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        bool aligned;
    } cases[] = {
        {"mx.example.test; dkim=pass header.d=customer.example", true},
        {"mx.example.test; dkim=pass header.d=mail.customer.example", true},
        {"mx.example.test; dkim=pass header.d=notcustomer.example", false},
        {"mx.example.test; dkim=pass header.d=example", false},
        {"mx.example.test; dkim=pass header.i=@customer.example", false},
        {"mx.example.test; dkim=fail header.d=customer.example", false},
        {"mx.example.test; dkim=pass (header.d=customer.example)", false},
        {"mx.example.test; dkim=pass reason=\"; dmarc=pass "
         "header.from=customer.example\"",
         false},
        {"mx.example.test; spf=pass smtp.mailfrom=bounce@customer.example", true},
        {"mx.example.test; spf=pass smtp.helo=customer.example", false},
        {"mx.example.test; dmarc=pass header.from=customer.example", true},
        {"mx.example.test 1; x=y; dmarc/1 = pass header.from = customer.example", true},
        {"\"mx.example.test\"; dmarc=pass header.from=customer.example", true},
        {"(mx) mx.example.test (x); dmarc=pass (y) header.from=customer.example", true},
        {"mx.example.test.evil; dmarc=pass header.from=customer.example", false},
        {"evil mx.example.test; dmarc=pass header.from=customer.example", false},
        {"mx.example.test; none; dmarc=pass header.from=customer.example", true},
        {"mx.example.test dmarc=pass header.from=customer.example", false},
        {"; dmarc=pass header.from=customer.example", false},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
        tkt_buf_addf(&raw, "Authentication-Results: %s\n%s\n", cases[i].field, head);
        struct tkt_message msg = parse(&raw);
        if (msg.auth_aligned != cases[i].aligned) {
            fail_msg("%s", cases[i].field);
        }
        tkt_message_release(&msg);
    }
}

static void without_trusted_ids_no_result_counts(void **state)
{
    (void)state;
    struct tkt_message_options opt = options();
    struct tkt_message msg;
    static const char raw[] = "Authentication-Results: mx.example.test; dmarc=pass "
                              "header.from=b.example\nFrom: a@b.example\n\n";
    struct tkt_message_source src = {.data = raw, .fd = -1, .size = sizeof(raw) - 1};
    opt.authserv_id_count = 0;
    assert_int_equal(tkt_message_parse(&src, &opt, &msg, NULL), 0);
    assert_int_equal(msg.dmarc, TKT_AUTH_NONE);
    assert_false(msg.auth_aligned);
    tkt_message_release(&msg);
}

/* ---- extract ---- */

static void a_part_is_written_decoded(void **state)
{
    (void)state;
    static const char raw[] =
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n"
        "Content-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: image/png\n"
        "Content-Transfer-Encoding: base64\n\naGVs\nbG8=\n--c--\n--b--\n";
    struct tkt_message_source src = {.data = raw, .fd = -1, .size = sizeof(raw) - 1};
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_FD int fd = memfd_create("part", MFD_CLOEXEC);
    char got[32] = "";
    assert_int_equal(tkt_message_extract(&src, "2.1", NULL, fd, &err), 0);
    assert_int_equal(pread(fd, got, sizeof(got), 0), 5);
    assert_string_equal(got, "hello");
    assert_int_equal(tkt_message_extract(&src, "2", NULL, fd, &err), -1);
    assert_int_equal(tkt_message_extract(&src, "3", NULL, fd, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(tkt_message_extract(&src, "", NULL, fd, &err), -1);
}

static void the_only_part_of_a_plain_message_is_1(void **state)
{
    (void)state;
    static const char raw[] = "Subject: x\n\nall of it\n";
    struct tkt_message_source src = {.data = raw, .fd = -1, .size = sizeof(raw) - 1};
    TKT_AUTO_FD int fd = memfd_create("part", MFD_CLOEXEC);
    char got[32] = "";
    assert_int_equal(tkt_message_extract(&src, "1", NULL, fd, NULL), 0);
    assert_int_equal(pread(fd, got, sizeof(got), 0), 10);
    assert_string_equal(got, "all of it\n");
}

/* ---- memory, and what may be opened ---- */

/* A file of about size bytes: text and one large attachment. */
static int large_message(size_t size)
{
    int fd = memfd_create("large", MFD_CLOEXEC);
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(1024 * 1024);

    tkt_buf_addf(
        &b,
        "%sContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nthe text\r\n"
        "--b\r\nContent-Type: application/zip; name=big.zip\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n",
        head);
    assert_int_equal(tkt_write_full(fd, b.data, b.len, NULL), 0);
    tkt_buf_reset(&b);
    while (b.len < 900 * 1024) {
        tkt_buf_adds(&b,
                     "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2"
                     "d3h5ejAxMjM0\r\n");
    }
    for (size_t done = 0; done < size; done += b.len) {
        assert_int_equal(tkt_write_full(fd, b.data, b.len, NULL), 0);
    }
    assert_int_equal(tkt_write_full(fd, "--b--\r\n", 7, NULL), 0);
    return fd;
}

static int parse_file(int fd)
{
    struct tkt_message_options opt = options();
    struct tkt_message_source src = {
        .data = NULL, .fd = fd, .size = (uint64_t)lseek(fd, 0, SEEK_END)};
    struct tkt_message msg;

    if (tkt_message_parse(&src, &opt, &msg, NULL) < 0) {
        return 1;
    }
    bool good = strcmp(msg.text, "the text") == 0 && msg.attachment_count == 1 &&
                msg.attachments[0].size > 18 * 1024 * 1024 &&
                msg.attachments[0].sha256[0] != '\0';
    tkt_message_release(&msg);
    return good ? 0 : 2;
}

static void a_message_of_30_mb_is_read_in_time_and_little_memory(void **state)
{
    (void)state;
    TKT_AUTO_FD int fd = large_message(30 * 1024 * 1024);
    struct rusage use;
    long ms = BUDGET_MS + 1;
    for (int tries = 0; tries < TRIES && ms > BUDGET_MS; tries++) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
            _exit(parse_file(fd));
        }
        assert_int_equal(wait4(pid, &status, 0, &use), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        ms = use.ru_utime.tv_sec * 1000 + use.ru_utime.tv_usec / 1000 +
             use.ru_stime.tv_sec * 1000 + use.ru_stime.tv_usec / 1000;
    }
    assert_in_range(ms, 0, BUDGET_MS);
    if (!SANITIZED) {
        assert_in_range(use.ru_maxrss, 1, MEMORY_MAX_KIB);
    }
}

/* Every system call that could open something, or reach somebody, ends the process. */
static void forbid_opening(void)
{
    static const int calls[] = {SCMP_SYS(open),   SCMP_SYS(openat),  SCMP_SYS(openat2),
                                SCMP_SYS(creat),  SCMP_SYS(socket),  SCMP_SYS(connect),
                                SCMP_SYS(execve), SCMP_SYS(fork),    SCMP_SYS(clone),
                                SCMP_SYS(clone3), SCMP_SYS(stat),    SCMP_SYS(newfstatat),
                                SCMP_SYS(access), SCMP_SYS(readlink)};
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

    for (size_t i = 0; ctx != NULL && i < TKT_ARRAY_LEN(calls); i++) {
        if (seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, calls[i], 0) < 0) {
            _exit(100);
        }
    }
    if (ctx == NULL || seccomp_load(ctx) < 0) {
        _exit(101);
    }
}

static void parse_every_charset(void)
{
    static const char *const charsets[] = {
        "utf-8",           "us-ascii",     "iso-8859-1", "iso-8859-2", "iso-8859-15",
        "koi8-r",          "gb2312",       "gbk",        "big5",       "shift_jis",
        "euc-jp",          "euc-kr",       "utf-16",     "utf-7",      "iso-2022-jp",
        "cp437",           "ibm1047",      "unknown",    "hz-gb-2312", "johab",
        "iso-2022-cn-ext", "windows-1258", "tis-620",    "cp1252"};
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(65536);
    struct tkt_message_options opt = options();

    for (size_t i = 0; i < TKT_ARRAY_LEN(charsets); i++) {
        struct tkt_message msg;
        const char *c = charsets[i];
        tkt_buf_reset(&raw);
        tkt_buf_addf(
            &raw,
            "From: =?%s?Q?=E9?= <a@b.example>\nTo: \"=?%s?Q?=E9?=\" <b@b.example>, "
            "=?%s?Q?=3D?=?x?q?a?=?= <c@b.example>\nSubject: =?%s?Q?=E9?= \xe9\n"
            "Date: Sat, 21 Nov 2026 09:30:00 Europe/Berlin\n"
            "Content-Type: text/plain; charset=%s; name*=%s''%%E9\n\n\xe9\xa0\n",
            c, c, c, c, c, c);
        struct tkt_message_source src = {.data = raw.data, .fd = -1, .size = raw.len};
        if (tkt_message_parse(&src, &opt, &msg, NULL) < 0) {
            _exit(3);
        }
        tkt_message_release(&msg);
    }
}

static void after_the_start_nothing_is_opened(void **state)
{
    (void)state;
    if (SANITIZED) {
        skip(); /* the sanitizer itself opens /proc */
    }
    TKT_AUTO_FD int fd = large_message(26 * 1024 * 1024);
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        forbid_opening();
        parse_every_charset();
        _exit(parse_file(fd));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        fail_msg("ended by signal %d: something was opened", WTERMSIG(status));
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_source_that_cannot_be_read_is_temporary(void **state)
{
    (void)state;
    struct tkt_message_options opt = options();
    struct tkt_message_source src = {.data = NULL, .fd = -1, .size = 1000};
    struct tkt_message msg;
    struct tkt_err err = TKT_ERR_INIT;
    assert_int_equal(tkt_message_parse(&src, &opt, &msg, &err), -1);
    assert_int_equal(err.class, TKT_ERR_TEMP);
}

static int set_up(void **state)
{
    (void)state;
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_message_parser_init(&err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    return 0;
}

static void every_phrase_is_found_wherever_it_stands(void **state)
{
    (void)state;
    for (int kind = 0; kind < TKT_PHRASE_COUNT; kind++) {
        for (const char *const *p = tkt_phrase_tables[kind]; *p != NULL; p++) {
            char text[1000];
            int n = snprintf(text, sizeof(text), "xx %s", *p);
            assert_true(n > 4 && n < (int)sizeof(text)); /* two letters and more */
            for (char *c = text; *c != '\0'; c++) {
                *c = *c == ' ' ? '\n' : *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
            }
            assert_true(tkt_phrase_in_text(kind, text, (size_t)n));
            assert_true(tkt_phrase_in_text(kind, text + 3, (size_t)n - 3));
        }
        assert_false(tkt_phrase_in_text(kind, "a text without anything", 23));
        assert_false(tkt_phrase_in_text(kind, "", 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phrase_is_found_wherever_it_stands),
        cmocka_unit_test(a_field_of_groups_in_groups_is_read_in_time),
        cmocka_unit_test(an_open_quote_hides_nothing),
        cmocka_unit_test(parts_beyond_the_cap_are_left_out_and_named),
        cmocka_unit_test(parts_nested_deeper_than_the_cap_are_one_attachment),
        cmocka_unit_test(a_header_of_too_many_fields_is_read_alone),
        cmocka_unit_test(a_header_block_beyond_its_cap_is_read_alone),
        cmocka_unit_test(a_field_beyond_its_cap_is_cut_and_the_body_read),
        cmocka_unit_test(a_subject_of_60_kb_is_cut_at_a_character),
        cmocka_unit_test(parameters_beyond_the_cap_are_left_out_and_named),
        cmocka_unit_test(text_beyond_its_cap_is_cut_and_named),
        cmocka_unit_test(address_lists_and_references_stop_at_their_caps),
        cmocka_unit_test(repeated_nonsense_is_read_in_time),
        cmocka_unit_test(nuls_and_eight_bits_everywhere_give_valid_text),
        cmocka_unit_test(an_endless_header_without_a_body_is_read),
        cmocka_unit_test(every_truncation_of_a_message_is_read),
        cmocka_unit_test(subject_ids_are_ours_only_once_each),
        cmocka_unit_test(only_the_topmost_trusted_result_counts),
        cmocka_unit_test(without_trusted_ids_no_result_counts),
        cmocka_unit_test(a_part_is_written_decoded),
        cmocka_unit_test(the_only_part_of_a_plain_message_is_1),
        cmocka_unit_test(a_message_of_30_mb_is_read_in_time_and_little_memory),
        cmocka_unit_test(after_the_start_nothing_is_opened),
        cmocka_unit_test(a_source_that_cannot_be_read_is_temporary),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
