/* SPDX-License-Identifier: BSD-2-Clause
 * Whom the border's results are about: alignment by organisation, forged fields that
 * count for nothing, and ARC only where it was asked for.
 */
#include "base/buf.h"
#include "base/util.h"
#include "message/authres.h"
#include "message/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void domains_align_by_the_organisation_that_registered_them(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        bool aligned;
    } rows[] = {
        {"customer.example", "customer.example", true},
        {"mail.customer.example", "customer.example", true},
        {"mail.customer.example", "news.customer.example", true},
        {"MAIL.Customer.Example", "customer.example.", true},
        {"customer.example", "evil-customer.example", false},
        {"customer.example.evil.example", "customer.example", false},
        {"a.customer.co.uk", "b.customer.co.uk", true},
        {"customer.co.uk", "evil.co.uk", false},
        /* a public suffix is nobody's */
        {"co.uk", "customer.co.uk", false},
        {"co.uk", "co.uk", true},
        {"a.github.io", "b.github.io", false},
        {"github.io", "a.github.io", false},
        {"x.a.github.io", "a.github.io", true},
        {"b\xc3\xbc"
         "cher.example",
         "mail.xn--bcher-kva.example", true},
        {"example", "example", false},
        {"", "customer.example", false},
        {"", "", false},
        {".", ".", false},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        if (tkt_domains_align(rows[i].a, rows[i].b) != rows[i].aligned ||
            tkt_domains_align(rows[i].b, rows[i].a) != rows[i].aligned) {
            fail_msg("%s and %s", rows[i].a, rows[i].b);
        }
    }
}

static struct tkt_message read_mail(const char *header, bool believes_arc)
{
    static const char *const ids[] = {"mx.example.test"};
    static const char *const sealers[] = {"lists.example"};
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(64 * 1024);
    struct tkt_message_options opt = {.authserv_ids = ids,
                                      .authserv_id_count = 1,
                                      .arc_sealers = sealers,
                                      .arc_sealer_count = believes_arc ? 1 : 0};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_message msg;

    tkt_buf_addf(&raw, "%sFrom: Ann <ann@customer.example>\r\n\r\nHello\r\n", header);
    tkt_message_limits_default(&opt.limits);
    struct tkt_message_source src = {.data = raw.data, .fd = -1, .size = raw.len};
    assert_int_equal(tkt_message_parse(&src, &opt, &msg, &err), 0);
    return msg;
}

static void check(const char *header, bool believes_arc, enum tkt_auth dkim,
                  enum tkt_auth dmarc, bool aligned)
{
    struct tkt_message msg = read_mail(header, believes_arc);

    if (msg.dkim != dkim || msg.dmarc != dmarc || msg.auth_aligned != aligned) {
        fail_msg("dkim %d dmarc %d aligned %d for\n%s", msg.dkim, msg.dmarc,
                 msg.auth_aligned, header);
    }
    tkt_message_release(&msg);
}

static void only_the_borders_topmost_field_counts(void **state)
{
    (void)state;
    check("Authentication-Results: mx.example.test; dkim=pass header.d=customer.example"
          "\r\n",
          false, TKT_AUTH_PASS, TKT_AUTH_NONE, true);
    check("Authentication-Results: mx.example.test;\r\n dkim=pass (ok)\r\n"
          " header.d=\"mail.customer.example\"; dmarc=pass header.from=customer.example"
          "\r\n",
          false, TKT_AUTH_PASS, TKT_AUTH_PASS, true);
    check("Authentication-Results: forged.example; dmarc=pass "
          "header.from=customer.example\r\n",
          false, TKT_AUTH_NONE, TKT_AUTH_NONE, false);
    check("Authentication-Results: mx.example.test.evil.example; dmarc=pass "
          "header.from=customer.example\r\n",
          false, TKT_AUTH_NONE, TKT_AUTH_NONE, false);
    check("Authentication-Results: mx.example.test; dmarc=fail "
          "header.from=customer.example\r\n"
          "Authentication-Results: mx.example.test; dmarc=pass "
          "header.from=customer.example\r\n",
          false, TKT_AUTH_NONE, TKT_AUTH_FAIL, false);
    check("Authentication-Results: mx.example.test; dkim=pass header.d=evil.example\r\n",
          false, TKT_AUTH_PASS, TKT_AUTH_NONE, false);
    check("Authentication-Results: mx.example.test (dmarc=pass); "
          "x=\"dmarc=pass header.from=customer.example\"\r\n",
          false, TKT_AUTH_NONE, TKT_AUTH_NONE, false);
}

#define SEAL(i, d) "ARC-Seal: i=" i "; a=rsa-sha256; cv=pass; d=" d "; s=x; b=eHg=\r\n"
#define RESULTS(i)                                                                       \
    "ARC-Authentication-Results: i=" i "; mx.lists.example; dkim=pass "                  \
    "header.d=customer.example; dmarc=pass header.from=customer.example\r\n"
#define BORDER(arc)                                                                      \
    "Authentication-Results: mx.example.test; arc=" arc "; dkim=fail "                   \
    "header.d=customer.example; dmarc=fail header.from=customer.example\r\n"

static void arc_counts_where_the_border_and_the_administrator_say_so(void **state)
{
    (void)state;
    const enum tkt_auth pass = TKT_AUTH_PASS;
    const enum tkt_auth fail = TKT_AUTH_FAIL;

    check(BORDER("pass") SEAL("1", "lists.example") RESULTS("1"), true, pass, pass, true);
    check(BORDER("pass") SEAL("1", "lists.example") RESULTS("1"), false, fail, fail,
          false);
    check(BORDER("fail") SEAL("1", "lists.example") RESULTS("1"), true, fail, fail,
          false);
    check(BORDER("pass") SEAL("1", "evil.example") RESULTS("1"), true, fail, fail, false);
    /* only the last sealer, and only its own results */
    check(BORDER("pass") SEAL("2", "evil.example") SEAL("1", "lists.example")
              RESULTS("1"),
          true, fail, fail, false);
    check(BORDER("pass") SEAL("2", "lists.example") SEAL("1", "evil.example")
              RESULTS("1"),
          true, fail, fail, false);
    check(BORDER("pass") SEAL("1", "lists.example") RESULTS("1") RESULTS("1"), true, fail,
          fail, false);
    /* no border, no chain */
    check(SEAL("1", "lists.example") RESULTS("1"), true, TKT_AUTH_NONE, TKT_AUTH_NONE,
          false);
    check(BORDER("pass") SEAL("99", "lists.example") RESULTS("99"), true, fail, fail,
          false);
}

int main(void)
{
    struct tkt_err err = TKT_ERR_INIT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_align_by_the_organisation_that_registered_them),
        cmocka_unit_test(only_the_borders_topmost_field_counts),
        cmocka_unit_test(arc_counts_where_the_border_and_the_administrator_say_so),
    };
    if (tkt_message_parser_init(&err) < 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
