/* SPDX-License-Identifier: BSD-2-Clause
 * What leaves, and what does not.
 */
#include "base/buf.h"
#include "base/util.h"
#include "message/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const patterns[] = {"EMP-####", "K?-*", "Projekt @#", "50\\%-@@"};
static const struct tkt_redact_rules all = {true, true, true, patterns,
                                            TKT_ARRAY_LEN(patterns)};

struct row {
    const char *text;
    const char *want; /* NULL: as it was */
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4096);
        size_t times = 0;
        const char *want = rows[i].want != NULL ? rows[i].want : rows[i].text;
        assert_int_equal(
            tkt_redact_add(&out, rows[i].text, strlen(rows[i].text), &all, &times), 0);
        assert_string_equal(tkt_buf_str(&out), want);
        assert_int_equal(times > 0, rows[i].want != NULL);
    }
}

#define CARD "[card number removed]"
#define IBAN "[IBAN removed]"
#define SECRET "[password removed]"

static void card_numbers_go_and_order_numbers_stay(void **state)
{
    static const struct row rows[] = {
        {"Visa 4111111111111111.", "Visa " CARD "."},
        {"4111 1111 1111 1111", CARD},
        {"4111-1111-1111-1111, 5500.0000.0000.0004", CARD ", " CARD},
        {"4111\xc2\xa0"
         "1111\xc2\xa0"
         "1111\xc2\xa0"
         "1111 exp 12/29",
         CARD " exp 12/29"},
        {"3782 822463 10005 or 378282246310005", CARD " or " CARD},
        {"カード4111111111111111です", "カード" CARD "です"},
        {"4111 1111 1111 1111 12/27 123", CARD " 12/27 123"},
        {"4111 1111 1111 1111 4111 1111 1111 1111", CARD " " CARD},
        {"4111111111111111 12 27 4111111111111111", CARD " 12 27 " CARD},
        {"1 4111111111111111 7", "1 " CARD " 7"},
        {"4111111111111111-0001", NULL},
        {"6011000990139424, 3530111333300000, 30569309025904", CARD ", " CARD ", " CARD},
        {"card of order 17: 4111111111111111", "card of order 17: " CARD},
        {"Order no. 4111 1111 1111 1111", "Order no. " CARD},
        /* no card: the check digit, the issuer, the grouping, what it is called */
        {"4111 1111 1111 1112", NULL},
        {"1234567812345670", NULL},
        {"41 11 11 11 11 11 11 11", NULL},
        {"Order 4111111111111111 is late", NULL},
        {"Bestellnummer: 5500000000000004", NULL},
        {"Tracking 4111111111111111, n\xc2\xb0 de commande 4111111111111111", NULL},
        {"IMEI 490154203237518", NULL},
        {"AB-4111111111111111 x4111111111111111 4111111111111111y", NULL},
        {"+49 171 4111 1111, 1.4111111111111111", NULL},
        {"41111111111111114111111111111111", NULL},
        {"2026-11-21 09:30:00 0x4111111111111111", NULL},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void ibans_go(void **state)
{
    static const struct row rows[] = {
        {"DE89370400440532013000", IBAN},
        {"IBAN: DE89 3704 0044 0532 0130 00.", "IBAN: " IBAN "."},
        {"gb82west12345698765432 und NO93 8601 1117 947", IBAN " und " IBAN},
        {"FR14 2004 1010 0505 0001 3M02 606", IBAN},
        {"MT84MALT011000012345MTLCAST001S", IBAN},
        {"DE88370400440532013000", NULL},  /* check digits */
        {"DE893704004405320130001", NULL}, /* too long */
        {"DE8937040044053201300", NULL},   /* too short */
        {"XX89370400440532013000", NULL},
        {"ADE89370400440532013000", NULL},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void passwords_go_behind_the_usual_words(void **state)
{
    static const struct row rows[] = {
        {"password: hunter2", "password: " SECRET},
        {"Password=geheim", "Password=" SECRET},
        {"user bob, pw: s3cret, thanks", "user bob, pw: " SECRET ", thanks"},
        {"My password is hunter2.", "My password is " SECRET "."},
        {"my password is sunshine", "my password is " SECRET},
        {"The password is \"blue sky\" now", "The password is " SECRET " now"},
        {"password for the VPN is Rainy-Day7", "password for the VPN is " SECRET},
        {"Password:\nhunter2\n", "Password:\n" SECRET "\n"},
        {"PIN 1234", "PIN " SECRET},
        {"{\"password\": \"abc\"}", "{\"password\": " SECRET "}"},
        {"https://ann:geheim@host.example/x", "https://ann:" SECRET "@host.example/x"},
        {"Passwort ist Geheim123!", "Passwort ist " SECRET "!"},
        {"Das Passwort f\xc3\xbcr das WLAN lautet: sonne-42",
         "Das Passwort f\xc3\xbcr das WLAN lautet: " SECRET},
        {"Kennwort: sommer", "Kennwort: " SECRET},
        {"mot de passe : Soleil75", "mot de passe : " SECRET},
        {"le mot de passe est Soleil75", "le mot de passe est " SECRET},
        {"la contrase\xc3\xb1"
         "a es Rojo_99",
         "la contrase\xc3\xb1"
         "a es " SECRET},
        {"CONTRASE\xc3\x91"
         "A: Rojo",
         "CONTRASE\xc3\x91"
         "A: " SECRET},
        {"la password \xc3\xa8 Blu_2024", "la password \xc3\xa8 " SECRET},
        {"a senha \xc3\xa9 Azul77", "a senha \xc3\xa9 " SECRET},
        {"wachtwoord: fiets", "wachtwoord: " SECRET},
        {"Has\xc5\x82o to Kot_2024", "Has\xc5\x82o to " SECRET},
        {"l\xc3\xb6senord: h\xc3\xa4st", "l\xc3\xb6senord: " SECRET},
        {"\xd0\x9f\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c: abc", /* Пароль */
         "\xd0\x9f\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c: " SECRET},
        {"\xe5\xaf\x86\xe7\xa0\x81\xef\xbc\x9a"
         "abc123", /* 密码： */
         "\xe5\xaf\x86\xe7\xa0\x81\xef\xbc\x9a" SECRET},
        {"您的密码是abc123 谢谢", "您的密码是" SECRET " 谢谢"},
        /* nothing is told */
        {"the password is not working", NULL},
        {"My password has expired, please help.", NULL},
        {"Das Passwort ist abgelaufen.", NULL},
        {"Passwort funktioniert nicht", NULL},
        {"I forgot my password. Error: 0x80070005", NULL},
        {"Password reset", NULL},
        {"http://host.example:8080/a@b", NULL},
        {"spin 1234 and passing 99", NULL},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void patterns_match_whole_words(void **state)
{
    static const struct row rows[] = {
        {"EMP-1234 emp-0001.", "[removed] [removed]."},
        {"EMP-12345 XEMP-1234", NULL},
        {"Ka-xyz/7, gone", "[removed], gone"},
        {"projekt  A7!", "[removed]!"},
        {"projekt AA7", NULL},
        {"50%-ab 50x-ab", "[removed] 50x-ab"},
    };

    (void)state;
    check(rows, TKT_ARRAY_LEN(rows));
}

static void what_is_switched_off_stays(void **state)
{
    static const struct tkt_redact_rules none = {false, false, false, NULL, 0};
    static const char text[] =
        "4111111111111111 DE89370400440532013000 password: x EMP-1234";
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4096);

    (void)state;
    assert_int_equal(tkt_redact_add(&out, text, sizeof(text) - 1, &none, NULL), 0);
    assert_string_equal(tkt_buf_str(&out), text);
}

/* A text that does not fit is no text: half of it could end in a card number. */
static void nothing_leaves_when_it_does_not_fit(void **state)
{
    static const char text[] = "first words 4111111111111111";
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(16);

    (void)state;
    assert_int_equal(tkt_redact_add(&out, text, sizeof(text) - 1, &all, NULL), -1);
}

static void a_long_secret_goes_whole(void **state)
{
    TKT_AUTO_BUF struct tkt_buf in = TKT_BUF_INIT(65536);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(65536);

    (void)state;
    tkt_buf_adds(&in, "password: ");
    for (int i = 0; i < 5000; i++) {
        tkt_buf_adds(&in, i % 3 == 0 ? "\xc3\xa9" : "x");
    }
    tkt_buf_adds(&in, " end");
    assert_int_equal(tkt_redact_add(&out, in.data, in.len, &all, NULL), 0);
    assert_string_equal(tkt_buf_str(&out), "password: " SECRET " end");
}

/* What makes each finder work most, a quarter of a megabyte of it. */
static void hostile_text_is_still_read(void **state)
{
    static const char *const pieces[] = {"password ",       "pw:",         "4111 ",
                                         "DE89 3704 ",      "Ka-",         "//a:b",
                                         "is password is ", "\xe5\xaf\x86"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(pieces); i++) {
        TKT_AUTO_BUF struct tkt_buf in = TKT_BUF_INIT(1024 * 1024);
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(8 * 1024 * 1024);
        while (in.len < 256 * 1024) {
            tkt_buf_adds(&in, pieces[i]);
        }
        assert_int_equal(tkt_redact_add(&out, in.data, in.len, &all, NULL), 0);
        assert_true(out.len > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(card_numbers_go_and_order_numbers_stay),
        cmocka_unit_test(ibans_go),
        cmocka_unit_test(passwords_go_behind_the_usual_words),
        cmocka_unit_test(patterns_match_whole_words),
        cmocka_unit_test(what_is_switched_off_stays),
        cmocka_unit_test(nothing_leaves_when_it_does_not_fit),
        cmocka_unit_test(a_long_secret_goes_whole),
        cmocka_unit_test(hostile_text_is_still_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
