/* SPDX-License-Identifier: BSD-2-Clause
 * common/message: dates, guessed charsets, caps of the header, the end of a reading in
 * time. What headers say is in the golden messages.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "conf/conf.h"
#include "message/charset.h"
#include "message/date.h"
#include "message/detect.h"
#include "message/jis.h"
#include "message/parse.h"
#include "message/rfc2047.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define INPUT_MAX (64 * 1024 * 1024)

static struct tkt_message_options options(void)
{
    struct tkt_message_options opt = {.prefix_count = 0};

    tkt_message_limits_default(&opt.limits);
    return opt;
}

static struct tkt_message parse(const struct tkt_buf *raw,
                                const struct tkt_message_options *opt)
{
    struct tkt_message_source src = {
        .data = tkt_buf_str(raw), .fd = -1, .size = raw->len};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_message msg;

    assert_false(raw->failed);
    if (tkt_message_parse(&src, opt, &msg, &err) < 0) {
        fail_msg("%s", err.text);
    }
    return msg;
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

/* ---- dates ---- */

static void dates_are_read_in_every_form_that_mail_has(void **state)
{
    static const struct {
        const char *text;
        int64_t s;
    } rows[] = {
        {"Fri, 21 Nov 1997 09:55:06 -0600", 880127706},
        {"21 Nov 1997 09:55:06 -0600", 880127706},
        {"Fri, 21 Nov 97 09:55:06 CST", 880127706},
        {"Fri, 21 Nov 097 09:55:06 -0600", 880127706},
        {"Fri, 21 Nov 1997 09(comment (nested)):   55  :  06 -0600", 880127706},
        {"Fri, 21 Nov 1997 09:55:06 -0600 (CST)", 880127706},
        {"Fri,21 Nov 1997 15:55:06", 880127706},
        {"Fri, 21 Nov 1997 15:55:06 GMT", 880127706},
        {"Fri, 21 Nov 1997 15:55:06 Z", 880127706},
        {"Fri Nov 21 15:55:06 1997", 880127706},
        {"Fri Nov 21 15:55:06 UTC 1997", 880127706},
        {"Friday, 21-Nov-97 15:55:06 GMT", 880127706},
        {"November 21, 1997 3:55:06 PM", 880127706},
        {"1997-11-21T15:55:06Z", 880127706},
        {"1997-11-21T15:55:06.789Z", 880127706},
        {"1997-11-21 16:55:06+01:00", 880127706},
        {"11/21/1997 15:55:06", 880127706},
        {"21.11.1997 15:55:06", 880127706},
        {"Tue, 029 Apr 2019 23:34:45 -0800", 1556609685},
        {"Thu, 1 Jan 1970 00:00:00 +0000", 1}, /* 0 means absent */
        {"Thu, 1 Jan 1970 00:00:10", 10},
        {"1 Jan 70 12:00:10 AM", 10},
        {"Wed, 31 Dec 1969 23:59:59 +0000", -1},
        {"Thu, 29 Feb 2024 00:00:00 +0000", 1709164800},
        {"1 Mar 2000 00:00:00 +0000", 951868800},
        {"31 Dec 9999 23:59:59 +0000", 253402300799},
        {"21 Nov 1997", 880070400},
    };

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        int64_t s = 0;
        if (!tkt_date_read(rows[i].text, strlen(rows[i].text), &s) || s != rows[i].s) {
            fail_msg("\"%s\": %lld", rows[i].text, (long long)s);
        }
    }
}

static void what_names_no_day_is_no_date(void **state)
{
    static const char *const rows[] = {"",
                                       "yesterday",
                                       "Fri, 32 Nov 1997 09:55:06",
                                       "Nov 1997",
                                       "12:00:00",
                                       "21 Foo 1997 00:00:00",
                                       "Fri, 21 Nov 1997 25:00:00",
                                       "Fri, 21 Nov 1997 10:61:00",
                                       "0 Jan 2000",
                                       "\xff\xff\xff"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        int64_t s = 0;
        if (tkt_date_read(rows[i], strlen(rows[i]), &s)) {
            fail_msg("\"%s\": %lld", rows[i], (long long)s);
        }
    }
}

/* ---- charsets ---- */

static void assert_guess(const char *bytes, const char *charset)
{
    const char *got = tkt_charset_detect(bytes, strlen(bytes));

    if (strcmp(got, charset) != 0) {
        fail_msg("\"%s\" is guessed as %s", bytes, got);
    }
}

static void single_accents_are_latin_and_words_are_not(void **state)
{
    (void)state;
    assert_guess("Gr\xfc\xdf"
                 "e",
                 "windows-1252");
    assert_guess("\xc7"
                 "a va \xeatre \xe0 c\xf4t\xe9",
                 "windows-1252");
    assert_guess("\xcf\xf0\xe8\xed\xf2\xe5\xf0", "windows-1251");
    assert_guess("\xf0\xd2\xc9\xce\xd4\xc5\xd2", "koi8-r");
    assert_guess("VPN \xf3\xde\xa3\xd4", "koi8-r");
    assert_guess("plain", "utf-8");
    assert_guess("Gr\xc3\xbc\xc3\x9f"
                 "e",
                 "utf-8");
    assert_guess("\x1b$BF|K\\\x1b(B", "iso-2022-jp");
    assert_guess("\x1b$)C\x0eGQ\x0f", "iso-2022-kr");
}

static void a_character_cut_off_at_the_end_is_no_fault(void **state)
{
    (void)state;
    assert_int_equal(tkt_utf8_count("Gr\xc3\xbc\xc3", 5).bad, 0);
    assert_int_equal(tkt_utf8_count("\xe6\x97\xa5\xe6\x9c", 5).bad, 0);
    assert_int_equal(tkt_utf8_count("\xc3-", 2).bad, 1);
    assert_int_equal(tkt_utf8_count("\xc0\x80\xed\xa0\x80\xf5", 6).bad, 6);
    assert_int_equal(tkt_utf8_count("\xf4\x90\x80\x80", 4).bad, 4);
}

static void unknown_escapes_are_left_to_the_strict_converter(void **state)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100);

    (void)state;
    assert_true(tkt_jis_to_sjis(&out, "\x1b$B$\"\x1b(B!", 9));
    assert_string_equal(tkt_buf_str(&out), "\x82\xa0!");
    assert_false(tkt_jis_to_sjis(&out, "\x1b$A0!\x1b(B", 8));
    assert_false(tkt_jis_to_sjis(&out, "\x1b", 1));
}

static void every_label_of_the_list_has_its_converter(void **state)
{
    static const char *const labels[] = {
        "us-ascii",
        "utf-8",
        "UTF8",
        "iso-8859-1",
        "ISO_8859-1:1987",
        "latin1",
        "iso-8859-2",
        "iso-8859-3",
        "iso-8859-4",
        "iso-8859-5",
        "iso-8859-6",
        "iso-8859-7",
        "iso-8859-8",
        "iso-8859-8-i",
        "iso-8859-9",
        "iso-8859-10",
        "iso-8859-11",
        "iso-8859-13",
        "iso-8859-14",
        "iso-8859-15",
        "iso-8859-16",
        "windows-1250",
        "windows-1251",
        "windows-1252",
        "windows-1253",
        "windows-1254",
        "windows-1255",
        "windows-1256",
        "windows-1257",
        "windows-1258",
        "windows-874",
        "cp1252",
        "x-cp1251",
        "koi8-r",
        "koi8-u",
        "KOI8",
        "tis-620",
        "ibm437",
        "cp850",
        "ibm852",
        "cp855",
        "cp866",
        "macintosh",
        "x-mac-cyrillic",
        "iso-2022-jp",
        "_iso-2022-jp$ESC",
        "iso-2022-jp-2",
        "cp50221",
        "euc-jp",
        "x-euc-jp",
        "shift_jis",
        "x-sjis",
        "windows-31j",
        "gb2312",
        "GBK",
        "gb18030",
        "cp936",
        "big5",
        "big5-hkscs",
        "euc-tw",
        "euc-kr",
        "ks_c_5601-1987",
        "iso-2022-kr",
        "utf-7",
        "unicode-1-1-utf-7",
        "utf-16",
        "utf-16le",
        "utf-16be",
        "utf-32",
        "viscii",
        "tcvn",
        "armscii-8",
        "georgian-ps",
    };

    (void)state;
    assert_int_equal(tkt_charset_init(NULL), 0);
    for (size_t i = 0; i < TKT_ARRAY_LEN(labels); i++) {
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100);
        bool known = false;
        tkt_charset_add(&out, labels[i], strlen(labels[i]), "text", 4, &known);
        if (!known || (strncmp(labels[i], "utf-16", 6) != 0 &&
                       strncmp(labels[i], "utf-32", 6) != 0 &&
                       strcmp(tkt_buf_str(&out), "text") != 0)) {
            fail_msg("%s: \"%s\"", labels[i], tkt_buf_str(&out));
        }
    }
}

/* glibc holds back what a mark may still follow. */
static void the_last_letter_is_not_kept_by_the_converter(void **state)
{
    static const struct {
        const char *label;
        const char *bytes;
        const char *text;
    } rows[] = {
        {"windows-1255", "\xf9\xec\xe5\xed \xe1\xfa",
         "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xd7\x91\xd7\xaa"},
        {"windows-1258", "\xe1m ng", "\xc3\xa1m ng"},
        {"tcvn", "\xb8 ng", "\xc3\xa1 ng"},
        {"big5-hkscs", "\xa4\xa4\x88\x66", "\xe4\xb8\xad\xc3\x8a"},
    };

    (void)state;
    assert_int_equal(tkt_charset_init(NULL), 0);
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100);
        tkt_charset_add(&out, rows[i].label, strlen(rows[i].label), rows[i].bytes,
                        strlen(rows[i].bytes), NULL);
        assert_string_equal(tkt_buf_str(&out), rows[i].text);
    }
}

/* ---- caps ---- */

static void addresses_stop_at_their_limit(void **state)
{
    struct tkt_message_options opt = options();
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);

    (void)state;
    opt.limits.addresses_max = 3;
    tkt_buf_adds(&raw, "From: a@b.example\r\nTo: 1@x.example, 2@x.example\r\n"
                       "To: 3@x.example, 4@x.example\r\nCc: 5@x.example\r\n\r\n");
    struct tkt_message msg = parse(&raw, &opt);
    assert_int_equal(msg.to.count, 3);
    assert_int_equal(msg.cc.count, 1);
    assert_true(has_problem(&msg, "addresses: more than 3 in To"));
    tkt_message_release(&msg);
}

static void references_keep_the_first_and_the_newest(void **state)
{
    struct tkt_message_options opt = options();
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);

    (void)state;
    opt.limits.references_max = 3;
    tkt_buf_adds(&raw,
                 "From: a@b.example\r\nReferences: <1@x> <2@x> <3@x> <4@x>\r\n\r\n");
    struct tkt_message msg = parse(&raw, &opt);
    assert_int_equal(msg.references.count, 3);
    assert_string_equal(msg.references.items[0], "1@x");
    assert_string_equal(msg.references.items[1], "3@x");
    assert_string_equal(msg.references.items[2], "4@x");
    assert_true(has_problem(&msg, "references: more than 3"));
    tkt_message_release(&msg);
}

static void names_are_cut_between_characters(void **state)
{
    struct tkt_message_options opt = options();
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);

    (void)state;
    opt.limits.name_max = 17;
    tkt_buf_adds(&raw, "From: \"");
    for (int i = 0; i < 20; i++) {
        tkt_buf_adds(&raw, "\xc3\xa4"); /* two bytes each */
    }
    tkt_buf_adds(&raw, "\" <a@b.example>\r\nContent-Type: application/pdf; name=\"");
    for (int i = 0; i < 20; i++) {
        tkt_buf_adds(&raw, "\xc3\xa4");
    }
    tkt_buf_adds(&raw, "\"\r\n\r\nx");
    struct tkt_message msg = parse(&raw, &opt);
    assert_int_equal(strlen(msg.from.name), 16);
    assert_true(tkt_utf8_valid(msg.from.name, 16));
    assert_string_equal(msg.from.address, "a@b.example");
    assert_int_equal(msg.attachment_count, 1);
    assert_int_equal(strlen(msg.attachments[0].name), 16);
    tkt_message_release(&msg);
}

static struct tkt_message parse_nested(size_t nested_max, size_t bytes_max)
{
    struct tkt_message_options opt = options();
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);

    opt.limits.nested_max = nested_max;
    opt.limits.nested_bytes_max = bytes_max;
    tkt_buf_adds(&raw, "From: a@b.example\r\nContent-Type: message/rfc822\r\n\r\n"
                       "Subject: 1\r\nContent-Type: message/rfc822\r\n\r\n"
                       "Subject: 2\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
                       "--b\r\nContent-Type: message/rfc822\r\n"
                       "Content-Transfer-Encoding: base64\r\n\r\n"
                       /* "Subject: 3\r\nContent-Type: image/png\r\n\r\nx" */
                       "U3ViamVjdDogMw0KQ29udGVudC1UeXBlOiBpbWFnZS9wbmcNCg0KeA==\r\n"
                       "--b--\r\n");
    return parse(&raw, &opt);
}

static void messages_are_opened_down_to_their_limit(void **state)
{
    (void)state;
    struct tkt_message all = parse_nested(8, 4096);
    struct tkt_message two = parse_nested(2, 4096);
    struct tkt_message small = parse_nested(8, 16);
    assert_int_equal(all.attachment_count, 4);
    assert_string_equal(all.attachments[3].type, "image/png");
    assert_int_equal(all.problems.count, 0);
    assert_int_equal(two.attachment_count, 3);
    assert_true(has_problem(&two, "nested: more than 2"));
    assert_int_equal(small.attachment_count, 3);
    assert_true(has_problem(&small, "nested_bytes: a message inside is larger than 16"));
    tkt_message_release(&all);
    tkt_message_release(&two);
    tkt_message_release(&small);
}

/* Nothing of its text is lost: only what its tags mean. */
static void html_deeper_than_its_limit_is_only_text(void **state)
{
    struct tkt_message_options opt = options();
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);

    (void)state;
    tkt_buf_adds(&raw, "From: a@b.example\r\nContent-Type: text/html\r\n\r\n");
    for (int i = 0; i < 10; i++) {
        tkt_buf_adds(&raw, "<div>deep ");
    }
    tkt_buf_adds(&raw, "<span style=\"display:none\">hidden</span> end");
    struct tkt_message all = parse(&raw, &opt);
    opt.limits.html_depth_max = 4;
    struct tkt_message flat = parse(&raw, &opt);
    assert_null(strstr(all.text, "hidden"));
    assert_non_null(strstr(flat.text, "hidden"));
    assert_non_null(strstr(flat.text, "end"));
    tkt_message_release(&all);
    tkt_message_release(&flat);
}

static void limits_come_from_the_configuration(void **state)
{
    struct tkt_conf_limits conf = {
        .header_max = 2000, .addresses_max = 7, .name_max = 99};
    struct tkt_message_limits limits;
    struct tkt_message_limits usual;

    (void)state;
    tkt_message_limits_default(&usual);
    tkt_message_limits_from(&conf, &limits);
    assert_int_equal(limits.header_max, 2000);
    assert_int_equal(limits.addresses_max, 7);
    assert_int_equal(limits.name_max, 99);
    assert_int_equal(limits.text_max, usual.text_max);
    assert_int_equal(limits.references_max, usual.references_max);
}

/* ---- time ---- */

static void time_that_is_up_ends_the_body_and_not_the_header(void **state)
{
    struct tkt_message_options opt = options();
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);

    (void)state;
    opt.limits.parse_ms = 1;
    tkt_buf_adds(&raw, "From: a@b.example\r\nSubject: slow\r\n"
                       "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
    for (int i = 0; i < 16 * 1024 * 1024; i++) {
        tkt_buf_addc(&raw, '\n');
    }
    struct tkt_message msg = parse(&raw, &opt);
    assert_true(has_problem(&msg, "parse_ms: more than 1 ms"));
    assert_true(msg.degraded);
    assert_string_equal(msg.subject, "slow");
    assert_string_equal(msg.from.address, "a@b.example");
    tkt_message_release(&msg);
}

/* An attachment whose hash would be that of its beginning. */
static void a_hash_that_was_not_finished_in_time_is_none(void **state)
{
    struct tkt_message_options opt = options();
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    static char zeros[65536];

    (void)state;
    opt.limits.parse_ms = 1;
    tkt_buf_adds(&raw, "From: a@b.example\r\nContent-Type: application/pdf\r\n\r\n");
    while (raw.len < (size_t)48 * 1024 * 1024) {
        tkt_buf_add(&raw, zeros, sizeof(zeros));
    }
    struct tkt_message msg = parse(&raw, &opt);
    assert_true(has_problem(&msg, "parse_ms: more than 1 ms"));
    for (size_t i = 0; i < msg.attachment_count; i++) {
        assert_string_equal(msg.attachments[i].sha256, "");
    }
    tkt_message_release(&msg);
}

static void without_a_limit_of_time_all_is_read(void **state)
{
    struct tkt_message_options opt = options();
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);

    (void)state;
    opt.limits.parse_ms = 0;
    tkt_buf_adds(&raw, "From: a@b.example\r\n"
                       "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
    for (int i = 0; i < 512 * 1024; i++) {
        tkt_buf_addc(&raw, '\n');
    }
    tkt_buf_adds(&raw, "end\r\n--b--\r\n");
    struct tkt_message msg = parse(&raw, &opt);
    assert_false(msg.degraded);
    assert_int_equal(msg.problems.count, 0);
    tkt_message_release(&msg);
}

/* ---- IDs ---- */

static void copies_of_a_message_without_an_id_get_the_same_one(void **state)
{
    static const char *const same[] = {
        "From: a@b.example\r\nDate: Sat, 21 Nov 2026 09:30:00 +0100\r\nSubject: one "
        "two\r\n"
        "\r\nsome text\r\n",
        "Received: by mx\nFrom: a@b.example\nDate: Sat, 21 Nov 2026 09:30:00 +0100\n"
        "Subject: one\n two\n\nsome text  \n\n",
    };
    static const char *const others[] = {
        "From: a@b.example\r\nDate: Sat, 21 Nov 2026 09:30:00 +0100\r\nSubject: one "
        "two\r\n"
        "\r\nother text\r\n",
        "From: a@b.example\r\nSubject: one two\r\n\r\nsome text\r\n",
    };
    struct tkt_message_options opt = options();
    char ids[4][100];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
        tkt_buf_adds(&raw, i < 2 ? same[i] : others[i - 2]);
        struct tkt_message msg = parse(&raw, &opt);
        assert_true(msg.message_id_derived);
        assert_true(strlen(msg.message_id) < sizeof(ids[i]));
        strcpy(ids[i], msg.message_id);
        tkt_message_release(&msg);
    }
    assert_string_equal(ids[0], ids[1]);
    assert_string_not_equal(ids[0], ids[2]);
    assert_string_not_equal(ids[0], ids[3]);
    assert_string_not_equal(ids[2], ids[3]);
}

static void an_id_of_its_own_is_not_derived(void **state)
{
    struct tkt_message_options opt = options();
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);

    (void)state;
    tkt_buf_adds(&raw, "From: a@b.example\r\nMessage-ID: <m@b.example>\r\n\r\n");
    struct tkt_message msg = parse(&raw, &opt);
    assert_false(msg.message_id_derived);
    assert_string_equal(msg.message_id, "m@b.example");
    tkt_message_release(&msg);
}

static int set_up(void **state)
{
    (void)state;
    return tkt_message_parser_init(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read_in_every_form_that_mail_has),
        cmocka_unit_test(what_names_no_day_is_no_date),
        cmocka_unit_test(single_accents_are_latin_and_words_are_not),
        cmocka_unit_test(a_character_cut_off_at_the_end_is_no_fault),
        cmocka_unit_test(unknown_escapes_are_left_to_the_strict_converter),
        cmocka_unit_test(every_label_of_the_list_has_its_converter),
        cmocka_unit_test(the_last_letter_is_not_kept_by_the_converter),
        cmocka_unit_test(addresses_stop_at_their_limit),
        cmocka_unit_test(references_keep_the_first_and_the_newest),
        cmocka_unit_test(names_are_cut_between_characters),
        cmocka_unit_test(messages_are_opened_down_to_their_limit),
        cmocka_unit_test(html_deeper_than_its_limit_is_only_text),
        cmocka_unit_test(limits_come_from_the_configuration),
        cmocka_unit_test(time_that_is_up_ends_the_body_and_not_the_header),
        cmocka_unit_test(a_hash_that_was_not_finished_in_time_is_none),
        cmocka_unit_test(without_a_limit_of_time_all_is_read),
        cmocka_unit_test(copies_of_a_message_without_an_id_get_the_same_one),
        cmocka_unit_test(an_id_of_its_own_is_not_derived),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
