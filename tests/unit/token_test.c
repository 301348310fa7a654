/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd/token and ticketd/xid: what verifies, what does not, and why it says so.
 */
#include "base/enc.h"
#include "base/util.h"
#include "ticketd/mail/token.h"
#include "ticketd/mail/xid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

#define NOW INT64_C(1795348036)
#define DAY INT64_C(86400)
#define WEEK (7 * DAY)
/* made apart from the code: see the layout in ticketd/mail/token.h */
#define GOLDEN_TOKEN "diaaaaaafjz4qc5t5bquhuoy73nophrx"
#define SECRET_A "secret a, 16 or more"
#define SECRET_B "secret b, 16 or more"

static struct tkt_token_keys key_a;   /* a alone */
static struct tkt_token_keys key_b;   /* b alone */
static struct tkt_token_keys keys_ba; /* b is newer */

static int make_keys(void **state)
{
    (void)state;
    return tkt_token_keys_add(&key_a, SECRET_A, strlen(SECRET_A), NULL) |
           tkt_token_keys_add(&key_b, SECRET_B, strlen(SECRET_B), NULL) |
           tkt_token_keys_add(&keys_ba, SECRET_B, strlen(SECRET_B), NULL) |
           tkt_token_keys_add(&keys_ba, SECRET_A, strlen(SECRET_A), NULL);
}

static void make(const struct tkt_token_keys *keys, int64_t ticket,
                 char out[TKT_TOKEN_LEN + 1])
{
    assert_int_equal(
        tkt_token_make(keys, ticket, "Ann@b.example", NOW, 26 * WEEK, out, NULL), 0);
}

static enum tkt_token_verdict check(const struct tkt_token_keys *keys, const char *text,
                                    int64_t now_s, struct tkt_token *out)
{
    return tkt_token_verify(keys, text, strlen(text), now_s, out);
}

static void a_token_gives_back_what_was_put_in(void **state)
{
    static const int64_t tickets[] = {1, 255, 65536, 123456789, TKT_TOKEN_TICKET_MAX};
    char text[TKT_TOKEN_LEN + 1];
    struct tkt_token t;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(tickets); i++) {
        make(&key_a, tickets[i], text);
        assert_int_equal(strlen(text), TKT_TOKEN_LEN);
        assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz234567"), TKT_TOKEN_LEN);
        assert_int_equal(check(&key_a, text, NOW, &t), TKT_TOKEN_VALID);
        assert_int_equal(t.ticket, tickets[i]);
        assert_true(t.expires_s >= NOW + 26 * WEEK && t.expires_s < NOW + 27 * WEEK);
    }
}

static void the_token_never_changes(void **state)
{
    char text[TKT_TOKEN_LEN + 1];

    (void)state;
    make(&key_a, 42, text);
    assert_string_equal(text, GOLDEN_TOKEN);
}

static void out_of_range_is_refused(void **state)
{
    const struct tkt_token_keys none = {.count = 0};
    char text[TKT_TOKEN_LEN + 1];
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    assert_int_equal(tkt_token_make(&key_a, 0, "", NOW, DAY, text, &err), -1);
    assert_int_equal(
        tkt_token_make(&key_a, TKT_TOKEN_TICKET_MAX + 1, "", NOW, DAY, text, &err), -1);
    assert_int_equal(tkt_token_make(&key_a, 1, "", NOW, 70000 * WEEK, text, &err), -1);
    assert_int_equal(tkt_token_make(&none, 1, "", NOW, DAY, text, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
}

static void the_party_is_bound_without_regard_to_case(void **state)
{
    char text[TKT_TOKEN_LEN + 1];
    struct tkt_token t;

    (void)state;
    make(&key_a, 7, text);
    assert_int_equal(check(&key_a, text, NOW, &t), TKT_TOKEN_VALID);
    assert_true(tkt_token_is_for(&key_a, &t, "ANN@B.example"));
    assert_false(tkt_token_is_for(&key_a, &t, "bob@b.example"));
    assert_false(tkt_token_is_for(&key_a, &t, ""));
}

static void nobodys_token_is_for_nobody(void **state)
{
    char text[TKT_TOKEN_LEN + 1];
    struct tkt_token t;

    (void)state;
    assert_int_equal(tkt_token_make(&key_a, 7, "", NOW, DAY, text, NULL), 0);
    assert_int_equal(check(&key_a, text, NOW, &t), TKT_TOKEN_VALID);
    assert_false(tkt_token_is_for(&key_a, &t, ""));
}

static void case_is_folded_by_relays_and_does_not_matter(void **state)
{
    char text[TKT_TOKEN_LEN + 1];
    struct tkt_token t;

    (void)state;
    make(&key_a, 7, text);
    for (char *p = text; *p != '\0'; p += 2) {
        *p = *p >= 'a' ? (char)(*p - 0x20) : *p;
    }
    assert_int_equal(check(&key_a, text, NOW, &t), TKT_TOKEN_VALID);
}

static void a_token_expires_at_its_second(void **state)
{
    char text[TKT_TOKEN_LEN + 1];
    struct tkt_token t;

    (void)state;
    make(&key_a, 7, text);
    assert_int_equal(check(&key_a, text, NOW, &t), TKT_TOKEN_VALID);
    assert_int_equal(check(&key_a, text, t.expires_s - 1, &t), TKT_TOKEN_VALID);
    assert_int_equal(check(&key_a, text, t.expires_s, &t), TKT_TOKEN_EXPIRED);
    assert_int_equal(t.ticket, 7);
}

static void every_changed_character_is_noticed(void **state)
{
    char text[TKT_TOKEN_LEN + 1];
    char other[TKT_TOKEN_LEN + 1];
    struct tkt_token t;

    (void)state;
    make(&key_a, 7, text);
    for (size_t i = 0; i < TKT_TOKEN_LEN; i++) {
        memcpy(other, text, sizeof(text));
        other[i] = other[i] == 'b' ? 'c' : 'b';
        assert_int_not_equal(check(&key_a, other, NOW, &t), TKT_TOKEN_VALID);
        if (i >= 2) { /* behind version and key id */
            assert_int_equal(check(&key_a, other, NOW, &t), TKT_TOKEN_FORGED);
        }
    }
}

static void the_newest_key_signs_and_both_verify(void **state)
{
    char old[TKT_TOKEN_LEN + 1];
    char new[TKT_TOKEN_LEN + 1];
    struct tkt_token t;

    (void)state;
    make(&key_a, 7, old);
    make(&keys_ba, 7, new);
    assert_int_equal(check(&keys_ba, old, NOW, &t), TKT_TOKEN_VALID);
    assert_int_equal(t.key, 1);
    assert_true(tkt_token_is_for(&keys_ba, &t, "ann@b.example"));
    assert_int_equal(check(&keys_ba, new, NOW, &t), TKT_TOKEN_VALID);
    assert_int_equal(t.key, 0);
    assert_int_equal(check(&key_b, new, NOW, &t), TKT_TOKEN_VALID);
    assert_int_equal(check(&key_b, old, NOW, &t), TKT_TOKEN_UNKNOWN_KEY);
}

static void keys_of_one_id_are_both_tried(void **state)
{
    struct tkt_token_keys keys = keys_ba;
    char text[TKT_TOKEN_LEN + 1];
    struct tkt_token t;

    (void)state;
    make(&key_a, 7, text);
    keys.key[0].id = keys.key[1].id;
    assert_int_equal(check(&keys, text, NOW, &t), TKT_TOKEN_VALID);
    assert_int_equal(t.key, 1);
}

static void what_is_no_token_is_malformed(void **state)
{
    static const char *const rows[] = {"",
                                       "a",
                                       "cccccccccccccccccccccccccccccccc",
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
                                       "caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                       "caaaaaaaaaaaaaaaaaaaaaaaaaaaaaa="};
    struct tkt_token t;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        if (i != 2) { /* version 1 by chance: forged or unknown */
            assert_int_equal(check(&key_a, rows[i], NOW, &t), TKT_TOKEN_MALFORMED);
        }
        assert_int_not_equal(check(&key_a, rows[i], NOW, &t), TKT_TOKEN_VALID);
    }
    assert_int_equal(tkt_token_verify(&key_a,
                                      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                      "\0\0\0\0\0\0\0\0\0",
                                      32, NOW, &t),
                     TKT_TOKEN_MALFORMED);
}

static void short_or_surplus_keys_are_a_wrong_configuration(void **state)
{
    struct tkt_token_keys keys = keys_ba;
    struct tkt_err err = TKT_ERR_INIT;

    (void)state;
    assert_int_equal(tkt_token_keys_add(&keys, SECRET_A, 20, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    tkt_token_keys_wipe(&keys);
    assert_int_equal(keys.count, 0);
    assert_int_equal(tkt_token_keys_add(&keys, SECRET_A, TKT_TOKEN_SECRET_MIN - 1, &err),
                     -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
}

/* ---- addresses and Message-IDs ------------------------------------------------------- */

static void an_address_with_a_token_is_split_again(void **state)
{
    char token[TKT_TOKEN_LEN + 1];
    char found[TKT_TOKEN_LEN + 1];
    char addr[128];
    char base[128];

    (void)state;
    make(&key_a, 7, token);
    assert_int_equal(tkt_token_address("it@example.test", '+', token, addr, 128), 0);
    assert_true(tkt_token_split(addr, '+', found, base, sizeof(base)));
    assert_string_equal(found, token);
    assert_string_equal(base, "it@example.test");
    assert_false(tkt_token_split(addr, '-', found, base, sizeof(base)));
    assert_int_equal(tkt_token_address("it-x@example.test", '-', token, addr, 128), 0);
    assert_true(tkt_token_split(addr, '-', found, base, sizeof(base)));
    assert_string_equal(base, "it-x@example.test");
    snprintf(addr, sizeof(addr), "it+%s", token); /* an unqualified recipient */
    assert_true(tkt_token_split(addr, '+', found, base, sizeof(base)));
    assert_string_equal(base, "it");
    snprintf(addr, sizeof(addr), "IT+%s@x", "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_false(tkt_token_split(addr, '+', found, base, sizeof(base))); /* version 0 */
    assert_false(tkt_token_split(token, '+', found, base, sizeof(base)));
    assert_false(tkt_token_split("it+foo@example.test", '+', found, base, sizeof(base)));
}

static void an_address_that_would_be_too_long_is_not_made(void **state)
{
    char token[TKT_TOKEN_LEN + 1];
    char addr[256];

    (void)state;
    make(&key_a, 7, token);
    assert_int_equal(
        tkt_token_address("a23456789012345678901234567890b@x", '+', token, addr, 256), 0);
    assert_int_equal(strchr(addr, '@') - addr, TKT_TOKEN_LOCAL_MAX);
    assert_int_equal(
        tkt_token_address("a234567890123456789012345678901b@x", '+', token, addr, 256),
        -1);
    assert_int_equal(tkt_token_address("it@example.test", '+', token, addr, 20), -1);
    assert_int_equal(tkt_token_address("no-at", '+', token, addr, 256), -1);
    assert_int_equal(tkt_token_address("\"a b\"@x", '+', token, addr, 256), -1);
}

static void our_message_ids_are_recognised(void **state)
{
    char token[TKT_TOKEN_LEN + 1];
    char found[TKT_TOKEN_LEN + 1];
    char id[200];
    char other[200];
    char bracketed[256];

    (void)state;
    make(&key_a, 7, token);
    assert_int_equal(tkt_token_message_id(token, "mx.example.test", id, sizeof(id)), 0);
    assert_int_equal(tkt_token_message_id(token, "mx.example.test", other, sizeof(other)),
                     0);
    assert_string_not_equal(id, other);
    assert_true(tkt_token_from_message_id(id, "MX.example.test", found));
    assert_string_equal(found, token);
    snprintf(bracketed, sizeof(bracketed), "<%s>", id);
    assert_true(tkt_token_from_message_id(bracketed, "mx.example.test", found));
    assert_false(tkt_token_from_message_id(id, "mx.example.tes", found));
    assert_false(tkt_token_from_message_id(id, "x.example.test", found));
    assert_false(
        tkt_token_from_message_id("<@mx.example.test>", "mx.example.test", found));
    assert_false(tkt_token_from_message_id("", "", found));
    assert_int_equal(tkt_token_message_id(token, "mx.example.test", id, 40), -1);
}

/* ---- X-Ticket-ID --------------------------------------------------------------------- */

static const unsigned char msg_key[TKT_SHA256_LEN] = {1, 2, 3};
static const unsigned char other_key[TKT_SHA256_LEN] = {1, 2, 4};

static enum tkt_token_verdict xcheck(const char *value, const char *desk,
                                     const unsigned char key[TKT_SHA256_LEN],
                                     int64_t now_s)
{
    char id[TKT_XID_ID_MAX + 1] = "?";
    enum tkt_token_verdict v =
        tkt_xid_verify(&keys_ba, value, desk, key, now_s, 30 * DAY, id);

    assert_string_equal(id, v == TKT_TOKEN_VALID ? "IT-12" : "?");
    return v;
}

static void a_signed_id_is_valid_for_its_message_alone(void **state)
{
    char value[TKT_XID_MAX];

    (void)state;
    assert_int_equal(tkt_xid_make(&keys_ba, "IT-12", "it", msg_key, NOW, value, NULL), 0);
    assert_int_equal(xcheck(value, "it", msg_key, NOW), TKT_TOKEN_VALID);
    assert_int_equal(xcheck(value, "it", other_key, NOW), TKT_TOKEN_FORGED);
    assert_int_equal(xcheck(value, "hr", msg_key, NOW), TKT_TOKEN_FORGED);
    value[3] = '2';
    assert_int_equal(xcheck(value, "it", msg_key, NOW), TKT_TOKEN_FORGED);
}

static void a_signed_id_is_valid_within_the_window(void **state)
{
    char value[TKT_XID_MAX];

    (void)state;
    assert_int_equal(tkt_xid_make(&key_a, "IT-12", "it", msg_key, NOW, value, NULL), 0);
    assert_int_equal(xcheck(value, "it", msg_key, NOW + 30 * DAY), TKT_TOKEN_VALID);
    assert_int_equal(xcheck(value, "it", msg_key, NOW - DAY), TKT_TOKEN_VALID);
    assert_int_equal(xcheck(value, "it", msg_key, NOW + 31 * DAY), TKT_TOKEN_FORGED);
    assert_int_equal(xcheck(value, "it", msg_key, NOW - 2 * DAY), TKT_TOKEN_FORGED);
}

static void blanks_and_folds_do_not_matter(void **state)
{
    char value[TKT_XID_MAX];
    char folded[2 * TKT_XID_MAX];
    char *h;

    (void)state;
    assert_int_equal(tkt_xid_make(&key_a, "IT-12", "it", msg_key, NOW, value, NULL), 0);
    h = strstr(value, " h=");
    snprintf(folded, sizeof(folded), " %.*s\n\t%s \r\n", (int)(h - value), value, h + 1);
    assert_int_equal(xcheck(folded, "it", msg_key, NOW), TKT_TOKEN_VALID);
}

static void other_values_are_malformed(void **state)
{
    static const char *const rows[] = {"",
                                       "IT-12",
                                       "IT-12; k=1",
                                       "IT-12; k=1; h=",
                                       "IT-12; k=x; h=abcdefghijklmnopqrstuvwxyz",
                                       "IT-12; k=1; h=abcdefghijklmnopqrstuvwxy",
                                       "; k=1; h=abcdefghijklmnopqrstuvwxyz",
                                       "IT-12; k=1; h=abcdefghijklmnopqrstuvwxyz; x=1",
                                       "IT\xc3\xbc; k=1; h=abcdefghijklmnopqrs",
                                       "IT-12; k=1; h=abcdefghijklmnopqrstuvwx1z"};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        assert_int_equal(xcheck(rows[i], "it", msg_key, NOW), TKT_TOKEN_MALFORMED);
    }
    assert_int_equal(
        xcheck("IT-12; k=99; h=abcdefghijklmnopqrstuvwxyz", "it", msg_key, NOW),
        TKT_TOKEN_UNKNOWN_KEY);
}

static void an_id_that_is_no_word_is_not_signed(void **state)
{
    char value[TKT_XID_MAX];

    (void)state;
    assert_int_equal(tkt_xid_make(&key_a, "IT 12", "it", msg_key, NOW, value, NULL), -1);
    assert_int_equal(tkt_xid_make(&key_a, "", "it", msg_key, NOW, value, NULL), -1);
    assert_int_equal(tkt_xid_make(&key_a, "IT-1\nX: y", "it", msg_key, NOW, value, NULL),
                     -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_gives_back_what_was_put_in),
        cmocka_unit_test(the_token_never_changes),
        cmocka_unit_test(out_of_range_is_refused),
        cmocka_unit_test(the_party_is_bound_without_regard_to_case),
        cmocka_unit_test(nobodys_token_is_for_nobody),
        cmocka_unit_test(case_is_folded_by_relays_and_does_not_matter),
        cmocka_unit_test(a_token_expires_at_its_second),
        cmocka_unit_test(every_changed_character_is_noticed),
        cmocka_unit_test(the_newest_key_signs_and_both_verify),
        cmocka_unit_test(keys_of_one_id_are_both_tried),
        cmocka_unit_test(what_is_no_token_is_malformed),
        cmocka_unit_test(short_or_surplus_keys_are_a_wrong_configuration),
        cmocka_unit_test(an_address_with_a_token_is_split_again),
        cmocka_unit_test(an_address_that_would_be_too_long_is_not_made),
        cmocka_unit_test(our_message_ids_are_recognised),
        cmocka_unit_test(a_signed_id_is_valid_for_its_message_alone),
        cmocka_unit_test(a_signed_id_is_valid_within_the_window),
        cmocka_unit_test(blanks_and_folds_do_not_matter),
        cmocka_unit_test(other_values_are_malformed),
        cmocka_unit_test(an_id_that_is_no_word_is_not_signed),
    };
    return cmocka_run_group_tests(tests, make_keys, NULL);
}
