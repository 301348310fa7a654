/* SPDX-License-Identifier: BSD-2-Clause
 * The address of the page that opts out, the page's words, and what is posted there.
 */
#include "base/enc.h"
#include "base/form.h"
#include "base/hash.h"
#include "base/util.h"
#include "ticketd/hook/page.h"
#include "ticketd/mail/optout.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define FORM "application/x-www-form-urlencoded"
#define PARTS "multipart/form-data"

static void add_key(struct tkt_token_keys *keys, const char *secret)
{
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_token_keys_add(keys, secret, strlen(secret), &err), 0);
}

static void make(const struct tkt_token_keys *keys, int64_t ticket, const char *address,
                 char out[TKT_OPTOUT_LEN_MAX + 1])
{
    struct tkt_err err = TKT_ERR_INIT;

    assert_int_equal(tkt_optout_make(keys, ticket, address, out, &err), 0);
}

static bool opens(const struct tkt_token_keys *keys, const char *text,
                  struct tkt_optout *out)
{
    return tkt_optout_open(keys, text, strlen(text), out);
}

static void a_link_names_its_contact_and_shows_nothing_of_it(void **state)
{
    static const char *const addresses[] = {
        "a@b", "ann@customer.example",
        ("j\xc3\xbcrgen@b\xc3\xbc"
         "cher.example"),
        "0123456789@exactly.sixteen.more.or.less.example"};
    struct tkt_token_keys keys = {0};
    char text[TKT_OPTOUT_LEN_MAX + 1];
    char again[TKT_OPTOUT_LEN_MAX + 1];
    struct tkt_optout link;

    (void)state;
    add_key(&keys, "0123456789abcdef-new");
    for (size_t i = 0; i < TKT_ARRAY_LEN(addresses); i++) {
        make(&keys, 17 + (int64_t)i, addresses[i], text);
        make(&keys, 17 + (int64_t)i, addresses[i], again);
        assert_string_equal(text, again);
        assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz234567"), strlen(text));
        assert_true(opens(&keys, text, &link));
        assert_int_equal(link.ticket, 17 + (int64_t)i);
        assert_string_equal(link.address, addresses[i]);
    }
    make(&keys, TKT_TOKEN_TICKET_MAX, "ann@customer.example", text);
    assert_true(opens(&keys, text, &link));
    assert_int_equal(link.ticket, TKT_TOKEN_TICKET_MAX);
    /* Two tickets of one contact, two contacts of one ticket: nothing in common to see. */
    make(&keys, 1, "ann@customer.example", text);
    make(&keys, 2, "ann@customer.example", again);
    size_t same = 0;
    for (size_t i = 2; text[i] != '\0'; i++) {
        same += text[i] == again[i];
    }
    assert_true(same < strlen(text) / 4);
}

static void no_changed_link_is_taken(void **state)
{
    struct tkt_token_keys keys = {0}, other = {0};
    char text[TKT_OPTOUT_LEN_MAX + 1];
    unsigned char bytes[400];
    char coded[700];
    struct tkt_optout link;

    (void)state;
    add_key(&keys, "0123456789abcdef-new");
    add_key(&other, "0123456789abcdef-other");
    make(&keys, 17, "ann@customer.example", text);
    assert_false(opens(&other, text, &link));
    int n = tkt_base32_decode(text, strlen(text), bytes, sizeof(bytes));
    assert_true(n > 33);
    for (int bit = 0; bit < 8 * n; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        tkt_base32_encode(bytes, (size_t)n, coded);
        assert_false(opens(&keys, coded, &link));
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t len = 0; len < strlen(text); len++) {
        assert_false(tkt_optout_open(&keys, text, len, &link));
    }
    memset(coded, 'a', sizeof(coded) - 1);
    coded[sizeof(coded) - 1] = '\0';
    assert_false(opens(&keys, coded, &link));
    assert_false(opens(&keys, "", &link));
    assert_false(opens(&keys, "../../etc", &link));
    assert_false(opens(&(struct tkt_token_keys){0}, text, &link));
}

static void a_link_outlives_a_change_of_the_key(void **state)
{
    struct tkt_token_keys old = {0}, both = {0};
    char text[TKT_OPTOUT_LEN_MAX + 1];
    struct tkt_optout link;

    (void)state;
    add_key(&old, "0123456789abcdef-old");
    make(&old, 17, "ann@customer.example", text);
    add_key(&both, "0123456789abcdef-new");
    add_key(&both, "0123456789abcdef-old");
    assert_true(opens(&both, text, &link));
    assert_string_equal(link.address, "ann@customer.example");
    assert_true(link.is_desks);
}

/* As it stands in mails of then. */
static void a_link_that_was_made_for_all_desks_stays_one(void **state)
{
    struct tkt_token_keys keys = {0};
    struct tkt_optout link = {.is_desks = true};

    (void)state;
    add_key(&keys, "0123456789abcdef-old");
    assert_true(opens(&keys,
                      "cwwwxkk34wfvhmnbolzt5jgbdvanuxpzwxuyenemdepk4rn6th4xtu2bbqc5b3m6oq"
                      "wv2eq3l35xafa",
                      &link));
    assert_false(link.is_desks);
    assert_int_equal(link.ticket, 17);
    assert_string_equal(link.address, "ann@customer.example");
}

static void what_has_no_place_in_a_link_gets_none(void **state)
{
    struct tkt_token_keys keys = {0};
    char text[TKT_OPTOUT_LEN_MAX + 1];
    char longest[TKT_OPTOUT_ADDRESS_MAX + 2];
    struct tkt_optout link;
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    assert_int_equal(tkt_optout_make(&keys, 1, "a@b", text, &err), -1);
    add_key(&keys, "0123456789abcdef-new");
    memset(longest, 'x', sizeof(longest));
    longest[5] = '@';
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(tkt_optout_make(&keys, 1, longest, text, &err), -1);
    longest[sizeof(longest) - 2] = '\0';
    make(&keys, 1, longest, text);
    assert_int_equal(strlen(text), TKT_OPTOUT_LEN_MAX);
    assert_true(opens(&keys, text, &link));
    assert_string_equal(link.address, longest);
    assert_int_equal(tkt_optout_make(&keys, 0, "a@b", text, &err), -1);
    assert_int_equal(tkt_optout_make(&keys, TKT_TOKEN_TICKET_MAX + 1, "a@b", text, &err),
                     -1);
    assert_int_equal(tkt_optout_make(&keys, 1, "", text, &err), -1);
    assert_true(tkt_optout_is_person("ann@x.example"));
    assert_false(tkt_optout_is_person("+4915112345678"));
    assert_false(tkt_optout_is_person("C0123"));
    assert_false(tkt_optout_is_person("@x.example"));
    assert_false(tkt_optout_is_person("ann@"));
    assert_false(tkt_optout_is_person(""));
}

static void the_page_speaks_as_the_browser_asks(void **state)
{
    static const struct {
        const char *accept, *otherwise, *want;
    } rows[] = {{NULL, "de", "de"},
                {NULL, "en", "en"},
                {NULL, "fr", "en"},
                {"de-AT,de;q=0.9,en;q=0.8", "en", "de"},
                {"en-GB,de;q=0.9", "de", "en"},
                {"fr, de ; q=0.3, en;q=0.5", "de", "en"},
                {"fr;q=1, DE;q=0.001", "en", "de"},
                {"de;q=0", "en", "en"},
                {"de;q=0.0,en;q=0", "de", "de"},
                {"deu,den", "en", "en"},
                {"*", "de", "de"},
                {"de;q=x", "en", "en"},
                {"de;q=", "en", "en"},
                {"de;level=1;q=0.4,en;q=0.3", "en", "de"},
                {",,;;q=,de", "en", "de"},
                {"en;q=0.9999", "de", "de"}, /* no number of HTTP's */
                {"", "de", "de"}};
    char longest[3000];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        assert_string_equal(tkt_page_language(rows[i].accept, rows[i].otherwise),
                            rows[i].want);
    }
    memset(longest, ',', sizeof(longest));
    memcpy(longest + sizeof(longest) - 4, "de", 3);
    assert_string_equal(tkt_page_language(longest, "en"), "en");
}

static void only_a_clear_word_changes_anything(void **state)
{
    static const char boundary[] = PARTS "; boundary=\"x y\"";
    static const struct {
        const char *type, *body;
        enum tkt_page_wish want;
    } rows[] = {
        {FORM, "List-Unsubscribe=One-Click", TKT_PAGE_STOP},
        {FORM "; charset=utf-8", "list-unsubscribe=one-click", TKT_PAGE_STOP},
        {NULL, "List-Unsubscribe=One-Click", TKT_PAGE_STOP},
        {FORM, "do=stop", TKT_PAGE_STOP},
        {FORM, "do=again", TKT_PAGE_AGAIN},
        {FORM, "a=b&&do=%61gain", TKT_PAGE_AGAIN},
        {FORM, "do=", TKT_PAGE_NOTHING},
        {FORM, "do", TKT_PAGE_NOTHING},
        {FORM, "do=stop%", TKT_PAGE_NOTHING},
        {FORM, "do=stop%00", TKT_PAGE_NOTHING},
        {FORM, "List-Unsubscribe=Two-Clicks", TKT_PAGE_NOTHING},
        {FORM, "", TKT_PAGE_NOTHING},
        {"application/json", "{\"do\":\"stop\"}", TKT_PAGE_NOTHING},
        {"text/plain", "do=stop", TKT_PAGE_NOTHING},
        {PARTS "; boundary=b1",
         "--b1\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n"
         "One-Click\r\n--b1--\r\n",
         TKT_PAGE_STOP},
        {boundary,
         "preamble\r\n--x y\r\nContent-Type: text/plain\r\ncontent-disposition: "
         "form-data;name=other\r\n\r\nOne-Click\r\n--x y\r\nContent-Disposition: "
         "form-data; name=List-Unsubscribe\r\n\r\nOne-Click\r\n--x y--",
         TKT_PAGE_STOP},
        {PARTS "; boundary=b1",
         "--b1\r\nContent-Disposition: form-data; name=\"do\"\r\n\r\nagain\r\n--b1--",
         TKT_PAGE_AGAIN},
        {PARTS "; boundary=b1",
         "--b1\r\nContent-Disposition: form-data; name=\"do\"\r\n\r\nstop",
         TKT_PAGE_NOTHING},
        {PARTS "; boundary=b1", "--b1--\r\n", TKT_PAGE_NOTHING},
        {PARTS "; boundary=b1", "--b1\r\n--b1\r\n--b1", TKT_PAGE_NOTHING},
        {PARTS "; boundary=", "--\r\n\r\n", TKT_PAGE_NOTHING},
        {PARTS, "do=stop", TKT_PAGE_NOTHING}};
    char many[TKT_PAGE_POST_MAX + 2];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        if (tkt_page_wish(rows[i].type, rows[i].body, strlen(rows[i].body)) !=
            rows[i].want) {
            fail_msg("%s: %s", rows[i].type, rows[i].body);
        }
    }
    memset(many, '&', sizeof(many));
    memcpy(many, "do=stop", 7);
    assert_int_equal(tkt_page_wish(FORM, many, TKT_PAGE_POST_MAX), TKT_PAGE_STOP);
    assert_int_equal(tkt_page_wish(FORM, many, TKT_PAGE_POST_MAX + 1), TKT_PAGE_NOTHING);
    for (size_t i = 0; i + 1 < TKT_PAGE_POST_MAX; i += 2) {
        memcpy(many + i, "a&", 2);
    }
    memcpy(many, "do=stop", 7);
    assert_int_equal(tkt_page_wish(FORM, many, TKT_PAGE_POST_MAX), TKT_PAGE_NOTHING);
}

static void the_page_escapes_names_and_shows_a_part_of_the_address(void **state)
{
    TKT_AUTO_BUF struct tkt_buf page = TKT_BUF_INIT(65536);

    (void)state;
    tkt_page_write(TKT_PAGE_ASK, "en", "<b>Desk</b> & \"co\"", "ann@customer.example",
                   true, &page);
    assert_false(page.failed);
    assert_null(strstr(tkt_buf_str(&page), "<b>"));
    assert_non_null(strstr(tkt_buf_str(&page), "&lt;b&gt;Desk"));
    assert_null(strstr(tkt_buf_str(&page), "ann@"));
    assert_non_null(strstr(tkt_buf_str(&page), "a...@customer.example"));
    assert_non_null(strstr(tkt_buf_str(&page), "value=\"stop\""));
    assert_null(strstr(tkt_buf_str(&page), "<script"));
    tkt_buf_reset(&page);
    tkt_page_write(TKT_PAGE_STOPPED, "de", "", "\xc3\xbc\"<x>@y", true, &page);
    assert_non_null(strstr(tkt_buf_str(&page), "lang=\"de\""));
    assert_non_null(strstr(tkt_buf_str(&page), "\xc3\xbc...@y"));
    assert_non_null(strstr(tkt_buf_str(&page), "value=\"again\""));
    tkt_buf_reset(&page);
    tkt_page_write(TKT_PAGE_UNKNOWN, "en", "", "", true, &page);
    assert_null(strstr(tkt_buf_str(&page), "<form"));
}

static void
a_desks_page_says_so_and_offers_all_of_them_where_there_are_others(void **state)
{
    static const struct {
        enum tkt_page_kind kind;
        const char *says, *button;
        bool all;
    } rows[] = {{TKT_PAGE_ASK, "of this desk and all others", "value=\"stop\"", false},
                {TKT_PAGE_STOPPED, "whatever desk", "value=\"again\"", false},
                {TKT_PAGE_ASK_DESK, "tickets of this desk", "value=\"stop\"", true},
                {TKT_PAGE_STOPPED_DESK, "tickets of this desk", "value=\"again\"", true}};
    TKT_AUTO_BUF struct tkt_buf page = TKT_BUF_INIT(65536);

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        for (int others = 0; others < 2; others++) {
            tkt_buf_reset(&page);
            tkt_page_write(rows[i].kind, "en", "IT", "a@b", others == 1, &page);
            assert_non_null(strstr(tkt_buf_str(&page), rows[i].says));
            assert_non_null(strstr(tkt_buf_str(&page), rows[i].button));
            assert_int_equal(strstr(tkt_buf_str(&page), "value=\"stop-all\"") != NULL,
                             rows[i].all && others == 1);
        }
    }
}

static void the_policy_lets_just_this_style_in(void **state)
{
    unsigned char hash[TKT_SHA256_LEN];
    unsigned char coded[64];
    char want[128];

    (void)state;
    tkt_sha256(tkt_page_style, strlen(tkt_page_style), hash);
    EVP_EncodeBlock(coded, hash, sizeof(hash));
    snprintf(want, sizeof(want), "style-src 'sha256-%s';", (char *)coded);
    assert_non_null(strstr(tkt_page_policy, want));
    assert_non_null(strstr(tkt_page_policy, "default-src 'none'"));
}

static void forms_are_read_as_they_were_meant(void **state)
{
    struct tkt_form f;
    struct tkt_err err = TKT_ERR_INIT;
    static const char body[] = "To=%2B49+30&&Body=a%26b%3Dc+%C3%BC&x&=y&To=2&e=";

    (void)state;
    assert_int_equal(tkt_form_parse(body, strlen(body), 10, &f, &err), 0);
    assert_int_equal(f.count, 6);
    assert_string_equal(tkt_form_get(&f, "To"), "+49 30");
    assert_string_equal(tkt_form_get(&f, "Body"), "a&b=c \xc3\xbc");
    assert_string_equal(tkt_form_get(&f, "x"), "");
    assert_string_equal(tkt_form_get(&f, ""), "y");
    assert_string_equal(f.pairs[4].value, "2");
    assert_string_equal(tkt_form_get(&f, "e"), "");
    assert_null(tkt_form_get(&f, "nothing"));
    tkt_form_release(&f);
    tkt_form_release(&f);
    assert_int_equal(tkt_form_parse(body, strlen(body), 5, &f, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(tkt_form_parse("a=%4", 4, 5, &f, &err), -1);
    assert_int_equal(tkt_form_parse("a=%zz", 5, 5, &f, &err), -1);
    assert_int_equal(tkt_form_parse("a=\0b", 4, 5, &f, &err), -1);
    assert_int_equal(tkt_form_parse("", 0, 5, &f, &err), 0);
    assert_int_equal(f.count, 0);
    tkt_form_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_names_its_contact_and_shows_nothing_of_it),
        cmocka_unit_test(no_changed_link_is_taken),
        cmocka_unit_test(a_link_outlives_a_change_of_the_key),
        cmocka_unit_test(a_link_that_was_made_for_all_desks_stays_one),
        cmocka_unit_test(what_has_no_place_in_a_link_gets_none),
        cmocka_unit_test(the_page_speaks_as_the_browser_asks),
        cmocka_unit_test(only_a_clear_word_changes_anything),
        cmocka_unit_test(the_page_escapes_names_and_shows_a_part_of_the_address),
        cmocka_unit_test(
            a_desks_page_says_so_and_offers_all_of_them_where_there_are_others),
        cmocka_unit_test(the_policy_lets_just_this_style_in),
        cmocka_unit_test(forms_are_read_as_they_were_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
