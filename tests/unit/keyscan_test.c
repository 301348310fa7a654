/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd/keyscan: what is in the key, what is not, and golden values of it.
 */
#include "base/enc.h"
#include "base/util.h"
#include "recode.h"
#include "ticketd/mail/keyscan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

#define HEAD "From: Ann <ann@Customer.EXAMPLE>\nTo: it@example.test\nSubject: Printer\n"
#define ID "Message-ID: <1@customer.example>\n"
#define DATE "Date: Sun, 22 Nov 2026 09:00:00 +0000\n"
#define BODY "\nIt does not work.\n\nAnn\n"
#define MAIL HEAD ID DATE BODY
#define HEX (2 * TKT_SHA256_LEN + 1)

static const char *const own_items[] = {"IT", "HR2"};
static const struct tkt_prefixes own = {own_items, 2};
static struct tkt_keyscan *scan;

static int scan_new(void **state)
{
    (void)state;
    scan = tkt_keyscan_new(&own, NULL);
    return scan == NULL;
}

static int scan_free(void **state)
{
    (void)state;
    tkt_keyscan_free(&scan);
    return 0;
}

static const struct tkt_keyscan_result *look_n(const char *mail, size_t n,
                                               const struct tkt_keyscan_hints *hints)
{
    tkt_keyscan_reset(scan, &own, hints);
    tkt_keyscan_add(scan, mail, n);
    return tkt_keyscan_final(scan);
}

static const struct tkt_keyscan_result *look(const char *mail)
{
    return look_n(mail, strlen(mail), NULL);
}

static void key_of(const char *mail, const struct tkt_keyscan_hints *hints, char out[HEX])
{
    tkt_hex_encode(look_n(mail, strlen(mail), hints)->key, TKT_SHA256_LEN, out);
}

static void assert_same(const char *a, const char *b)
{
    char x[HEX];
    char y[HEX];

    key_of(a, NULL, x);
    key_of(b, NULL, y);
    if (strcmp(x, y) != 0) {
        print_message("different keys:\n%s---\n%s", a, b);
    }
    assert_string_equal(x, y);
}

static void assert_differ(const char *a, const char *b)
{
    char x[HEX];
    char y[HEX];

    key_of(a, NULL, x);
    key_of(b, NULL, y);
    assert_string_not_equal(x, y);
}

static void the_desk_key_is_the_key_and_the_desk(void **state)
{
    unsigned char key[TKT_SHA256_LEN] = {1, 2, 3};
    unsigned char a[TKT_SHA256_LEN];
    unsigned char b[TKT_SHA256_LEN];
    unsigned char want[TKT_SHA256_LEN];
    char text[64] = "tkt-desk-1\n";

    (void)state;
    memcpy(text + 11, key, TKT_SHA256_LEN);
    memcpy(text + 11 + TKT_SHA256_LEN, "it", 2);
    tkt_sha256(text, 11 + TKT_SHA256_LEN + 2, want);
    tkt_keyscan_desk_key(key, "it", a);
    tkt_keyscan_desk_key(key, "hr", b);
    assert_memory_equal(a, want, sizeof(a));
    assert_memory_not_equal(a, b, sizeof(a));
}

/* ---- what the key is made of -------------------------------------------------------- */

static void each_field_of_the_client_is_in_the_key(void **state)
{
    (void)state;
    assert_differ(MAIL, "From: bob@customer.example\nTo: it@example.test\n"
                        "Subject: Printer\n" ID DATE BODY);
    assert_differ(MAIL, HEAD "Message-ID: <2@customer.example>\n" DATE BODY);
    assert_differ(MAIL, HEAD DATE BODY);
    assert_differ(MAIL, HEAD ID "Date: Sun, 22 Nov 2026 09:00:01 +0000\n" BODY);
    assert_differ(MAIL, "From: ann@customer.example\nSubject: Scanner\n" ID DATE BODY);
    assert_differ(MAIL, HEAD ID DATE "\nIt does work.\n\nAnn\n");
    assert_differ(MAIL, "From: Ann@customer.example\nSubject: Printer\n" ID DATE BODY);
}

static void fields_cannot_flow_into_each_other(void **state)
{
    (void)state;
    assert_differ("From: a@b\nSubject: x\nMessage-ID: <12>\nDate: 3\n\n",
                  "From: a@b\nSubject: x\nMessage-ID: <1>\nDate: 23\n\n");
    assert_differ("Subject: x\n\ny\n", "Subject: xy\n\n");
    assert_differ("Subject: 1\n\n", "Date: 1\n\n");
}

static void what_mtas_change_is_not_in_the_key(void **state)
{
    (void)state;
    assert_same(MAIL, "Return-Path: <ann@customer.example>\n"
                      "Received: from a by b with ESMTP id 1; Sun, 22 Nov 2026 09:00:07 "
                      "+0000\n" MAIL);
    assert_same(MAIL, HEAD ID DATE "X-Spam: no\nDKIM-Signature: v=1;\n b=abc\n" BODY);
    assert_same(MAIL, "X-Ticket-ID: IT-4; k=1; h=abc\n" MAIL);
    assert_same(MAIL, DATE ID HEAD BODY);
    assert_same(
        MAIL,
        "from :  \"A. A.\" <ann@customer.example>\nSubject: \tPrinter\n" ID DATE BODY);
    assert_same("From: a@b\nSubject: one two three\n\n",
                "From: a@b\nSubject:  one\n two\t \n\tthree \n\n");
    assert_same(HEAD ID DATE "\nx\n", HEAD ID DATE "\nx");
    assert_same(HEAD ID DATE "\nx\ny\n", HEAD ID DATE "\nx  \t\ny \n\n \n\n");
    assert_same(HEAD ID DATE "\nx\n\ny\n", HEAD ID DATE "\r\nx\r\n\r\ny\r\r\n\r\n");
    assert_differ(HEAD ID DATE "\nx\ny\n", HEAD ID DATE "\nx\n\ny\n");
    assert_differ(HEAD ID DATE "\nx y\n", HEAD ID DATE "\nx  y\n");
}

static void our_tag_is_not_in_the_key(void **state)
{
    (void)state;
    assert_same("From: a@b\nSubject: x\n\n", "From: a@b\nSubject: [IT-12] x\n\n");
    assert_same("From: a@b\nSubject: Re: x\n\n", "From: a@b\nSubject: Re: [hr2-9] x\n\n");
    assert_same("From: a@b\nSubject: Re: [IT-1] x\n\n",
                "From: a@b\nSubject: Re: [IT-12]\n x\n\n");
    assert_same("From: a@b\n\n", "From: a@b\nSubject: [IT-12]\n\n");
    assert_same("From: a@b\nSubject: x [IT-7]\n\n", "From: a@b\nSubject: x\n\n");
    assert_differ("From: a@b\nSubject: [JIRA-1] x\n\n",
                  "From: a@b\nSubject: [JIRA-2] x\n\n");
    assert_differ("From: a@b\nSubject: [HR-1] x\n\n", "From: a@b\nSubject: x\n\n");
}

static void only_the_first_field_of_a_name_counts(void **state)
{
    (void)state;
    assert_same(MAIL, HEAD ID DATE "Subject: other\nFrom: eve@x\nDate: x\n" BODY);
}

/* ---- 8 to 7 bit ----------------------------------------------------------------------*/

#define U8                                                                               \
    "Gr\xc3\xbc\xc3\x9f"                                                                 \
    "e = 100 %  \n\n\xe2\x82\xac x\n"

static void a_coded_body_has_the_key_of_the_plain_one(void **state)
{
    (void)state;
    assert_same(HEAD "Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n" U8,
                HEAD "Content-Type: text/plain\nContent-Transfer-Encoding: "
                     "quoted-printable\n\nGr=C3=BC=c3=9F=\ne =3D 100 %=20=20\n\n"
                     "=E2=82=AC x\n");
    assert_same(HEAD "Content-Type: text/plain\n\n" U8,
                HEAD "Content-Transfer-Encoding: Base64\nContent-Type: text/plain\n\n"
                     "R3LDvMOfZSA9IDEwMCAlICANCg0K4o\nKsIHgNCg==\n");
    assert_same("\na\xff\n", "Content-Transfer-Encoding: quoted-printable\n\na=FF\n");
}

static void base64_of_other_types_stays_as_it_is(void **state)
{
    (void)state;
    assert_differ("Content-Type: image/png\nContent-Transfer-Encoding: base64\n\nQUJD\n",
                  "Content-Type: image/png\n\nABC\n");
    assert_same(
        "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\nQUJD\n",
        "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\nQUJD \r\n\n");
}

static void broken_quoted_printable_stands_for_itself(void **state)
{
    (void)state;
    assert_same("\na=4 ==zz =A\nb=\n", "Content-Transfer-Encoding: quoted-printable\n\n"
                                       "a=3D4 =3D=3Dzz =A\nb=3D\n");
    assert_same("\na=4z==zz=A\nb", "Content-Transfer-Encoding: quoted-printable\n\n"
                                   "a=4z==zz=A\nb=\n");
}

#define PARTS(coding, text)                                                              \
    HEAD "Content-Type: multipart/mixed;\n boundary=\"o u\"\n\npre\n--o u\n"             \
         "Content-Type: multipart/alternative; boundary=in\n\n--in\n" coding "\n" text   \
         "\n--in--\n--o u\nContent-Type: message/rfc822\n\nSubject: in\n" coding         \
         "\n" text "\n--o u--\nepilogue\n"

static void coded_parts_have_the_key_of_plain_ones(void **state)
{
    (void)state;
    assert_same(PARTS("Content-Type: text/html\n", "\xc3\xbc\n"),
                PARTS("Content-Type: text/html\nContent-Transfer-Encoding: "
                      "quoted-printable\n",
                      "=C3=BC\n\n"));
    assert_same(PARTS("Content-Type: text/html;\n charset=x\n", "\xc3\xbc\n"),
                PARTS("content-type:  text/html; charset=x\nX-MIME-Autoconverted: from\n"
                      " 8bit\nContent-Transfer-Encoding: base64\n",
                      "w7w="));
    assert_differ(PARTS("Content-Type: text/html\n", "x\n"),
                  PARTS("Content-Type: text/plain\n", "x\n"));
    assert_differ(PARTS("", "x"), PARTS("", "y"));
}

static void a_coding_on_a_multipart_is_void(void **state)
{
    (void)state;
    assert_same("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n=41\n--b--\n",
                "Content-Type: multipart/mixed; boundary=b\n"
                "Content-Transfer-Encoding: quoted-printable\n\n--b\n\n=41\n--b--\n");
}

static void parts_of_a_digest_are_messages(void **state)
{
    (void)state;
    assert_same(
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\n\xfc\n"
        "--b--\n",
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n"
        "Content-Transfer-Encoding: quoted-printable\n\n=FC\n--b--\n");
}

static void deep_structure_is_taken_as_plain_text(void **state)
{
    TKT_AUTO_BUF struct tkt_buf deep = TKT_BUF_INIT(1 << 16);

    (void)state;
    for (int i = 0; i < 40; i++) {
        tkt_buf_addf(&deep, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i,
                     i);
    }
    tkt_buf_adds(&deep, "Content-Transfer-Encoding: quoted-printable\n\n=41\n");
    assert_true(look(deep.data)->degraded);
    assert_false(look(MAIL)->degraded);
    /* as plain text even the coded form counts */
    TKT_AUTO_BUF struct tkt_buf other = TKT_BUF_INIT(1 << 16);
    tkt_buf_add(&other, deep.data, deep.len - 4);
    tkt_buf_adds(&other, "A\n");
    assert_differ(deep.data, other.data);
}

/* ---- properties ---------------------------------------------------------------------- */

static void random_text(struct tkt_buf *out)
{
    static const char *const bits[] = {"a",   "\xc3\xbc", " ",    "\t",  "\n",
                                       "=",   "==41",     "--",   "--b", "\n\n",
                                       "x y", "word ",    "\xff", "."};
    unsigned n = recode_random(60);

    for (unsigned i = 0; i < n; i++) {
        tkt_buf_adds(out, bits[recode_random(TKT_ARRAY_LEN(bits))]);
    }
    while (out->len > 0 && strchr(" \t\n", out->data[out->len - 1]) != NULL) {
        out->data[--out->len] = '\0';
    }
}

static void add_leaf(struct tkt_buf *out, const struct tkt_buf *text, unsigned coding)
{
    static const char *const names[] = {"8bit", "quoted-printable", "base64"};

    tkt_buf_addf(out, "Content-Type: text/plain\nContent-Transfer-Encoding: %s\n\n",
                 names[coding]);
    if (coding == 1) {
        recode_qp(tkt_buf_str(text), text->len, "\n", out);
    } else if (coding == 2) {
        recode_base64(tkt_buf_str(text), text->len, "\n", out);
    } else {
        tkt_buf_add(out, tkt_buf_str(text), text->len);
    }
}

static void random_mail(struct tkt_buf *out, const struct tkt_buf *text, int coding,
                        bool parts)
{
    tkt_buf_adds(out, HEAD ID);
    if (!parts) {
        add_leaf(out, text, coding >= 0 ? (unsigned)coding : recode_random(3));
        return;
    }
    tkt_buf_adds(out, "Content-Type: multipart/mixed; boundary=\"=_b\"\n\npre\n");
    for (int i = 0; i < 3; i++) {
        tkt_buf_adds(out, "--=_b\n");
        add_leaf(out, text, coding >= 0 ? (unsigned)coding : recode_random(3));
        tkt_buf_adds(out, "\n");
    }
    tkt_buf_adds(out, "--=_b--\n");
}

static void the_key_survives_hops_line_ends_and_chunks(void **state)
{
    (void)state;
    recode_seed();
    for (int round = 0; round < 300; round++) {
        TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(1 << 16);
        TKT_AUTO_BUF struct tkt_buf plain = TKT_BUF_INIT(1 << 18);
        TKT_AUTO_BUF struct tkt_buf coded = TKT_BUF_INIT(1 << 18);
        TKT_AUTO_BUF struct tkt_buf crlf = TKT_BUF_INIT(1 << 18);
        bool parts = recode_random(2);

        random_text(&text);
        random_mail(&plain, &text, 0, parts);
        random_mail(&coded, &text, -1, parts);
        recode_crlf(coded.data, coded.len, &crlf);
        assert_same(plain.data, coded.data);
        assert_same(plain.data, crlf.data);

        unsigned char whole[TKT_SHA256_LEN];
        memcpy(whole, look(crlf.data)->key, sizeof(whole));
        tkt_keyscan_reset(scan, &own, NULL);
        for (size_t at = 0; at < crlf.len;) {
            size_t n = 1 + recode_random(recode_random(2) ? 3 : 200);

            n = n < crlf.len - at ? n : crlf.len - at;
            tkt_keyscan_add(scan, crlf.data + at, n);
            at += n;
        }
        assert_memory_equal(tkt_keyscan_final(scan)->key, whole, sizeof(whole));
    }
}

static void chunks_do_not_matter_around_the_line_cap(void **state)
{
    TKT_AUTO_BUF struct tkt_buf mail = TKT_BUF_INIT(1 << 20);

    (void)state;
    tkt_buf_adds(&mail, HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
                             "Content-Transfer-Encoding: quoted-printable\n\n");
    for (size_t n = 1018; n < 1030; n++) {
        for (size_t i = 0; i < n; i++) {
            tkt_buf_adds(&mail, i % 7 == 3 ? "=" : i % 7 == 4 ? "4" : " ");
        }
        tkt_buf_adds(&mail, "\n--b\nContent-Transfer-Encoding: quoted-printable\n\n");
    }
    unsigned char whole[TKT_SHA256_LEN];
    memcpy(whole, look(mail.data)->key, sizeof(whole));
    for (size_t chunk = 1; chunk < 2100; chunk += chunk < 5 ? 1 : 509) {
        tkt_keyscan_reset(scan, &own, NULL);
        for (size_t at = 0; at < mail.len; at += chunk) {
            tkt_keyscan_add(scan, mail.data + at, TKT_MIN(chunk, mail.len - at));
        }
        assert_memory_equal(tkt_keyscan_final(scan)->key, whole, sizeof(whole));
    }
}

/* ---- fields of our MTA --------------------------------------------------------------- */

#define CLIENT "From: a@b.example\nTo: it@example.test\nSubject: x\n"
#define STAMP "Sun, 22 Nov 2026 12:47:16 +0100 (CET)"
#define AT_S INT64_C(1795348036)
#define PFX_ID "Message-Id: <20261122114716.4FA3C@mx.example.test>\n"
#define PFX_DATE "Date: " STAMP "\n"
#define PFX_TOP                                                                          \
    "Received: from c (c.example [192.0.2.1])\n\tby mx.example.test (Postfix) with "     \
    "ESMTP"                                                                              \
    " id 4FA3C\n\tfor <it@example.test>; " STAMP "\n"
#define LMTP_TOP                                                                         \
    "Received: from mx.example.test\n\tby dc.example.test with LMTP\n\tid abc; " STAMP   \
    "\n"
#define SM_STAMP "Sun, 22 Nov 2026 12:47:16 +0100"
#define SM_TOP                                                                           \
    "Received: from c (c [192.0.2.1])\n\tby mx.example.test (8.17.1.9/8.17.1.9) with "   \
    "SMTP"                                                                               \
    " id 3AMBlG12345\n\tfor <it@example.test>; " SM_STAMP "\n"

static const struct tkt_keyscan_hints pfx = {"4FA3C", "mx.example.test", AT_S, NULL};
static const struct tkt_keyscan_hints sm = {"3AMBlG12345", "mx.example.test", AT_S, NULL};

static const struct {
    const char *what;
    const char *mail;
    const struct tkt_keyscan_hints *hints;
    bool id_is_mta;
    bool date_is_mta;
} mta_rows[] = {
    {"Postfix's own fields in its milter", CLIENT PFX_ID PFX_DATE "\nx\n", &pfx, true,
     true},
    {"the same after the milter, in LMTP", PFX_TOP CLIENT PFX_ID PFX_DATE "\nx\n", NULL,
     true, true},
    {"behind Dovecot's LMTP", LMTP_TOP PFX_TOP CLIENT PFX_ID PFX_DATE "\nx\n", NULL, true,
     true},
    {"milters' fields behind it",
     "X-Ticket-ID: IT-1\n" PFX_TOP CLIENT PFX_ID PFX_DATE "X-Spam: no\n\nx\n", NULL, true,
     true},
    {"a client's Message-ID", CLIENT ID PFX_DATE "\nx\n", &pfx, false, true},
    {"one second late", CLIENT ID "Date: Sun, 22 Nov 2026 11:47:17 +0000 (UTC)\n\nx\n",
     &pfx, false, true},
    {"two seconds late", CLIENT ID "Date: Sun, 22 Nov 2026 11:47:18 +0000 (UTC)\n\nx\n",
     &pfx, false, false},
    {"no zone name: not Postfix's form",
     CLIENT ID "Date: Sun, 22 Nov 2026 11:47:16 +0000\n\nx\n", &pfx, false, false},
    {"a client field behind it", "From: a@b\n" PFX_DATE "Subject: x\n\nx\n", &pfx, false,
     false},
    {"another queue id", CLIENT "Message-Id: <20261122114716.9@mx.example.test>\n\nx\n",
     &pfx, false, false},
    {"another host", CLIENT "Message-Id: <20261122114716.4FA3C@mx.other>\n\nx\n", &pfx,
     false, false},
    {"queue id not behind a dot", CLIENT "Message-Id: <14FA3C@mx.example.test>\n\nx\n",
     &pfx, false, false},
    {"a pair that another Postfix made in the same second",
     PFX_TOP CLIENT "Message-Id: <20261122114716.77@web.example>\n" PFX_DATE "\nx\n",
     NULL, false, false},
    {"... seen in the milter",
     CLIENT "Message-Id: <20261122114716.77@web.example>\n" PFX_DATE "\nx\n", &pfx, false,
     false},
    {"Postfix's pair while the hook's clock is off",
     CLIENT PFX_ID "Date: Sun, 22 Nov 2026 11:47:16 +0000 (UTC)\n\nx\n",
     &(const struct tkt_keyscan_hints){"4FA3C", "mx.example.test", AT_S + 9, NULL}, true,
     true},
    {"Sendmail's own fields after delivery",
     SM_TOP "Date: " SM_STAMP "\nFrom: a@b.example\nMessage-Id: "
            "<202611221147.3AMBlG12345@mx.example.test>\nTo: it@example.test\n"
            "Subject: x\n\nx\n",
     NULL, true, true},
    {"Sendmail's milter shows none of them", CLIENT "\nx\n", &sm, false, false},
    {"Sendmail's Date, the client's Message-ID",
     SM_TOP "Date: " SM_STAMP "\nFrom: a@b.example\n" ID "Subject: x\n\nx\n", NULL, false,
     true},
    {"Sendmail: a client's Date of another second",
     SM_TOP "Date: Sun, 22 Nov 2026 12:47:15 +0100\n" CLIENT ID "\nx\n", NULL, false,
     false},
    {"no Received, no hints", CLIENT PFX_ID PFX_DATE "\nx\n", NULL, false, false},
    {"hints without a queue ID: Received tells", PFX_TOP CLIENT PFX_ID PFX_DATE "\nx\n",
     &(const struct tkt_keyscan_hints){"", "other.example", 1, NULL}, true, true},
    {"what the milter kept, given in again",
     "Received: from c (c [192.0.2.1])\n\tby mx.example.test (ticket-milter) with ESMTP "
     "id "
     "4FA3C;\n\tSun, 22 Nov 2026 11:47:17 +0000\n" CLIENT ID PFX_DATE "\nx\n",
     NULL, false, true},
    {"a milter's hints win over the Received of the host before",
     PFX_TOP CLIENT PFX_ID PFX_DATE "\nx\n",
     &(const struct tkt_keyscan_hints){"77", "mx.example.test", AT_S + 60, NULL}, false,
     false},
};

static void fields_of_our_mta_are_told_from_the_clients(void **state)
{
    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(mta_rows); i++) {
        const struct tkt_keyscan_result *r =
            look_n(mta_rows[i].mail, strlen(mta_rows[i].mail), mta_rows[i].hints);

        if (r->message_id_is_mta != mta_rows[i].id_is_mta ||
            r->date_is_mta != mta_rows[i].date_is_mta) {
            print_message("%s\n", mta_rows[i].what);
        }
        assert_int_equal(r->message_id_is_mta, mta_rows[i].id_is_mta);
        assert_int_equal(r->date_is_mta, mta_rows[i].date_is_mta);
        assert_int_equal(r->blind, r->message_id_is_mta || r->message_id[0] == '\0');
        assert_int_equal(r->has_head_key, !r->blind);
    }
}

static void one_mail_has_one_key_in_every_place_it_is_seen(void **state)
{
    char keys[5][HEX];

    (void)state;
    key_of(CLIENT PFX_ID PFX_DATE "\nx\n", &pfx, keys[0]);
    key_of(PFX_TOP CLIENT PFX_ID PFX_DATE "\nx\n", NULL, keys[1]);
    key_of(CLIENT "\nx\n", &sm, keys[2]);
    key_of(SM_TOP "Date: " SM_STAMP "\nFrom: a@b.example\nMessage-Id: "
                  "<202611221147.3AMBlG12345@mx.example.test>\nSubject: x\n\nx\n",
           NULL, keys[3]);
    key_of(CLIENT "\nx\n", NULL, keys[4]);
    for (int i = 1; i < 5; i++) {
        assert_string_equal(keys[0], keys[i]);
    }
}

/* ---- golden ------------------------------------------------------------------------- */

static const struct {
    const char *mail;
    const char *key;
    const char *head_key; /* NULL: none */
} golden[] = {
#include "keyscan_golden.h"
};

static void the_key_never_changes(void **state)
{
    char hex[HEX];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(golden); i++) {
        const struct tkt_keyscan_result *r = look(golden[i].mail);

        tkt_hex_encode(r->key, TKT_SHA256_LEN, hex);
        assert_string_equal(hex, golden[i].key);
        assert_int_equal(r->has_head_key, golden[i].head_key != NULL);
        if (r->has_head_key) {
            tkt_hex_encode(r->head_key, TKT_SHA256_LEN, hex);
            assert_string_equal(hex, golden[i].head_key);
        }
    }
}

static void a_missing_from_is_the_envelope_sender(void **state)
{
    const struct tkt_keyscan_hints sender = {.sender = "Ann@B.Example"};
    const struct tkt_keyscan_hints null_sender = {.sender = ""};
    char added[HEX];
    char hidden[HEX];

    (void)state;
    key_of("From: Ann@B.example\nSubject: x\n\nx\n", NULL, added);
    key_of("Subject: x\n\nx\n", &sender, hidden);
    assert_string_equal(added, hidden);
    assert_string_equal(look_n("\n", 1, &sender)->from, "Ann@b.example");
    assert_string_equal(look_n("From: a@b\n\n", 11, &sender)->from, "a@b");
    assert_string_equal(look_n("From: <>\n\n", 10, &sender)->from, "");
    assert_string_equal(look_n("\n", 1, &null_sender)->from, "");
}

/* ---- what else is found --------------------------------------------------------------- */

static const struct {
    const char *from;
    const char *want;
} from_rows[] = {
    {"a@B.Example", "a@b.example"},
    {"Ann <Ann@B>", "Ann@b"},
    {"\"x <y@z>\" (c <d@e>) <ann@b>", "ann@b"},
    {"ann@b (Ann)", "ann@b"},
    {"ann @ b", "ann@b"},
    {"a@b, c@d", "a@b"},
    {"Team: a@b, c@d;", "a@b"},
    {"<@hop,@hop2:a@b>", "a@b"},
    {"\"a b\"@c", "\"a b\"@c"},
    {"undisclosed:;", ""},
    {"<>", ""},
    {"joe", "joe"},
    {"\"open <a@b>", ""},
    {"Ann <a@b", "a@b"},
    {"gr\xc3\xbc\xc3\x9f"
     "e@b\xc3\xbc",
     "gr\xc3\xbc\xc3\x9f"
     "e@b\xc3\xbc"},
};

static void from_is_the_first_address(void **state)
{
    char mail[200];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(from_rows); i++) {
        snprintf(mail, sizeof(mail), "From: %s\n\n", from_rows[i].from);
        if (strncmp(from_rows[i].from, "\"open", 5) != 0) {
            assert_string_equal(look(mail)->from, from_rows[i].want);
        } else { /* an open quote: whatever it is, it is bounded and the same again */
            char first[TKT_KEYSCAN_ADDR_MAX + 1];
            snprintf(first, sizeof(first), "%s", look(mail)->from);
            assert_string_equal(look(mail)->from, first);
        }
    }
}

static void references_come_parent_first_and_once(void **state)
{
    const struct tkt_keyscan_result *r =
        look("In-Reply-To: <c@x>\n"
             "References: <a@x> <b@x>\n\t<c@x> <broken\n\n");
    unsigned char hash[TKT_SHA256_LEN];

    (void)state;
    assert_int_equal(r->ref_count, 3);
    assert_string_equal(r->refs[0].id, "c@x");
    assert_string_equal(r->refs[1].id, "b@x");
    assert_string_equal(r->refs[2].id, "a@x");
    tkt_sha256("b@x", 3, hash);
    assert_memory_equal(r->refs[1].hash, hash, sizeof(hash));
}

static void references_never_exceed_their_cap(void **state)
{
    TKT_AUTO_BUF struct tkt_buf mail = TKT_BUF_INIT(1 << 20);

    (void)state;
    tkt_buf_adds(&mail, "References:");
    for (int i = 0; i < 5000; i++) {
        tkt_buf_addf(&mail, " <%d@x>", i);
    }
    tkt_buf_adds(&mail, "\nIn-Reply-To:");
    for (int i = 0; i < 50; i++) {
        tkt_buf_addf(&mail, " <r%d@x>", i);
    }
    tkt_buf_adds(&mail, "\n\n");
    assert_int_equal(look(mail.data)->ref_count, TKT_KEYSCAN_REFS_MAX);
}

static void the_header_tells_what_kind_of_mail_it_is(void **state)
{
    (void)state;
    assert_false(look("Auto-Submitted: no\n\n")->auto_submitted);
    assert_false(look("Auto-Submitted: No (a person)\n\n")->auto_submitted);
    assert_true(look("Auto-Submitted: auto-replied\n\n")->auto_submitted);
    assert_true(look("List-Id: <l.x>\n\n")->is_list);
    assert_true(look("Precedence: list\n\n")->is_list);
    assert_false(look("Precedence: bulk\n\n")->is_list);
    assert_true(look("Content-Type: multipart/report; boundary=b\n\n")->is_report);
    assert_int_equal(look("Content-Type: multipart/signed; boundary=b\n\n")->security,
                     TKT_SECURITY_SIGNED);
    assert_int_equal(look("Content-Type: multipart/encrypted; boundary=b\n\n")->security,
                     TKT_SECURITY_ENCRYPTED);
    assert_int_equal(
        look("Content-Type: application/pkcs7-mime; smime-type=Signed-Data\n\n")
            ->security,
        TKT_SECURITY_SIGNED);
    assert_int_equal(look("Content-Type: application/x-pkcs7-mime\n\n")->security,
                     TKT_SECURITY_ENCRYPTED);
    assert_int_equal(look(MAIL)->security, TKT_SECURITY_NONE);
}

static void the_desk_is_found_in_to_and_cc(void **state)
{
    (void)state;
    (void)look("To: Ann <a@b>, IT <IT@Example.test>\nCc: hr@example.test\n\n");
    assert_true(tkt_keyscan_in_to_cc(scan, "it@example.test"));
    assert_true(tkt_keyscan_in_to_cc(scan, "hr@example.test"));
    assert_false(tkt_keyscan_in_to_cc(scan, "t@example.test"));
    assert_false(tkt_keyscan_in_to_cc(scan, "it@example"));
    assert_false(tkt_keyscan_in_to_cc(scan, ""));
    (void)look("Subject: it@example.test\n\nTo: it@example.test\n");
    assert_false(tkt_keyscan_in_to_cc(scan, "it@example.test"));
}

static void raw_bytes_are_hashed_as_they_came(void **state)
{
    unsigned char want[TKT_SHA256_LEN];
    const char mail[] = "From: a@b\r\n\r\n\0x \r\n\r\n";
    const struct tkt_keyscan_result *r = look_n(mail, sizeof(mail) - 1, NULL);

    (void)state;
    tkt_sha256(mail, sizeof(mail) - 1, want);
    assert_memory_equal(r->sha256, want, sizeof(want));
    assert_int_equal(r->size, sizeof(mail) - 1);
}

static void any_bytes_give_a_result(void **state)
{
    static const char *const odd[] = {
        "",      "\n",     "\r\n",  "x",  ":",   " x\n",   "no\n",  "a b\n",
        "From ", "From: ", "A:\n ", "\r", "a:b", "--\n--", ":x\n\n"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(odd); i++) {
        const struct tkt_keyscan_result *r = look(odd[i]);

        assert_int_equal(r->size, strlen(odd[i]));
        assert_true(r->blind);
    }
    assert_same("\nno header\n", "no header\n");
    assert_same(MAIL, "From ann Sun Nov 22\n" MAIL);
}

static void huge_fields_are_cut_and_said_so(void **state)
{
    TKT_AUTO_BUF struct tkt_buf mail = TKT_BUF_INIT(1 << 22);
    const struct tkt_keyscan_result *r;

    (void)state;
    tkt_buf_adds(&mail, "Subject: ");
    for (int i = 0; i < 100000; i++) {
        tkt_buf_adds(&mail, i % 50 == 49 ? "\n y" : "xyz");
    }
    tkt_buf_adds(&mail, "\nFrom: ");
    for (int i = 0; i < 1000; i++) {
        tkt_buf_adds(&mail, "long");
    }
    tkt_buf_adds(&mail, "@x\n\n");
    r = look(mail.data);
    assert_int_equal(strlen(r->subject), TKT_KEYSCAN_FIELD_MAX);
    assert_string_equal(r->from, "");
    assert_true(r->degraded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_never_changes),
        cmocka_unit_test(the_desk_key_is_the_key_and_the_desk),
        cmocka_unit_test(each_field_of_the_client_is_in_the_key),
        cmocka_unit_test(fields_cannot_flow_into_each_other),
        cmocka_unit_test(what_mtas_change_is_not_in_the_key),
        cmocka_unit_test(our_tag_is_not_in_the_key),
        cmocka_unit_test(only_the_first_field_of_a_name_counts),
        cmocka_unit_test(a_coded_body_has_the_key_of_the_plain_one),
        cmocka_unit_test(base64_of_other_types_stays_as_it_is),
        cmocka_unit_test(broken_quoted_printable_stands_for_itself),
        cmocka_unit_test(coded_parts_have_the_key_of_plain_ones),
        cmocka_unit_test(a_coding_on_a_multipart_is_void),
        cmocka_unit_test(parts_of_a_digest_are_messages),
        cmocka_unit_test(deep_structure_is_taken_as_plain_text),
        cmocka_unit_test(the_key_survives_hops_line_ends_and_chunks),
        cmocka_unit_test(chunks_do_not_matter_around_the_line_cap),
        cmocka_unit_test(fields_of_our_mta_are_told_from_the_clients),
        cmocka_unit_test(one_mail_has_one_key_in_every_place_it_is_seen),
        cmocka_unit_test(a_missing_from_is_the_envelope_sender),
        cmocka_unit_test(from_is_the_first_address),
        cmocka_unit_test(references_come_parent_first_and_once),
        cmocka_unit_test(references_never_exceed_their_cap),
        cmocka_unit_test(the_header_tells_what_kind_of_mail_it_is),
        cmocka_unit_test(the_desk_is_found_in_to_and_cc),
        cmocka_unit_test(raw_bytes_are_hashed_as_they_came),
        cmocka_unit_test(any_bytes_give_a_result),
        cmocka_unit_test(huge_fields_are_cut_and_said_so),
    };
    return cmocka_run_group_tests(tests, scan_new, scan_free);
}
