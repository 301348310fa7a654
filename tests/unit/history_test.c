/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd's memory of earlier mail: prints of texts, what senders' mails have in common.
 */
#include "message/tail.h"
#include "message/words.h"
#include "store/thread.h"
#include "tests/unit/store_fixture.h"
#include "ticketd/core/prints.h"
#include "ticketd/core/senders.h"
#include "ticketd/facts/facts.h"

/* ---- prints ------------------------------------------------------------------------- */

static void the_nearest_print_of_the_desk_is_found(void **state)
{
    (void)state;
    struct tkt_prints *p = tkt_prints_new();

    tkt_prints_add(p, "it", 1, "ann@example.org", 0xff, NOW);
    tkt_prints_add(p, "hr", 2, "ann@example.org", 0xf0, NOW);
    tkt_prints_add(p, "it", 3, "ann@example.org", 0xf7, NOW);
    assert_int_equal(tkt_prints_find(p, "it", 0xf0, NOW), 3);
    assert_int_equal(tkt_prints_find(p, "hr", 0xf0, NOW), 2);
    assert_int_equal(tkt_prints_find(p, "it", 0xff, NOW), 1);
    assert_int_equal(tkt_prints_find(p, "web", 0xff, NOW), 0);
    assert_int_equal(tkt_prints_find(p, "it", 0xffffff, NOW), 0);
    assert_int_equal(tkt_prints_find(p, "it", 0, NOW), 0);
    tkt_prints_add(p, "it", 4, "ann@example.org", 0xff,
                   NOW + 1); /* of two the newer one */
    assert_int_equal(tkt_prints_find(p, "it", 0xff, NOW), 4);
    assert_int_equal(tkt_prints_find(p, "it", 0xff, NOW + TKT_PRINTS_AGE_MS), 4);
    assert_int_equal(tkt_prints_find(p, "it", 0xff, NOW + 1 + TKT_PRINTS_AGE_MS), 0);
    tkt_prints_free(&p);
}

static void people_who_say_the_same_are_counted_once_each(void **state)
{
    struct tkt_prints *p = tkt_prints_new();
    char who[40];

    (void)state;
    assert_int_equal(tkt_prints_affected(p, "it", "ann@example.org", 0xf0, NOW), 1);
    assert_int_equal(tkt_prints_affected(p, "it", "ann@example.org", 0, NOW), 0);
    for (int i = 0; i < 60; i++) {
        snprintf(who, sizeof(who), "%s%d@example.org", i % 2 ? "ann" : "ANN", i / 3);
        tkt_prints_add(p, "it", i, who, 0xf0 ^ (UINT64_C(1) << i % 8), NOW + i);
    }
    tkt_prints_add(p, "it", 90, "", 0xf0, NOW + 1);
    tkt_prints_add(p, "hr", 91, "eve@example.org", 0xf0, NOW + 1);
    tkt_prints_add(p, "it", 92, "eve@example.org", UINT64_MAX, NOW + 1);
    assert_int_equal(tkt_prints_affected(p, "it", "Ann0@example.org", 0xf0, 0), 20);
    assert_int_equal(tkt_prints_affected(p, "it", "bob@example.org", 0xf0, 0), 21);
    assert_int_equal(tkt_prints_affected(p, "it", "bob@example.org", 0xf0, NOW + 56), 2);
    for (int i = 0; i < TKT_PRINTS_MAX; i++) {
        snprintf(who, sizeof(who), "p%d@example.org", i);
        tkt_prints_add(p, "it", i, who, 0xf0, NOW);
    }
    assert_int_equal(tkt_prints_affected(p, "it", "bob@example.org", 0xf0, 0),
                     TKT_PRINTS_SENDERS_MAX);
    tkt_prints_free(&p);
}

static void prints_are_bounded_and_the_oldest_goes_first(void **state)
{
    (void)state;
    struct tkt_prints *p = tkt_prints_new();

    tkt_prints_add(p, "it", 1, "ann@example.org", 0xff, NOW);
    for (int64_t i = 0; i < TKT_PRINTS_MAX - 1; i++) {
        tkt_prints_add(p, "it", 2 + i, "ann@example.org", UINT64_MAX, NOW);
    }
    assert_int_equal(tkt_prints_find(p, "it", 0xff, NOW), 1);
    tkt_prints_add(p, "it", 9999999, "ann@example.org", UINT64_MAX, NOW);
    assert_int_equal(tkt_prints_find(p, "it", 0xff, NOW), 0);
    tkt_prints_free(&p);
}

static void prints_are_there_again_after_a_start(void **state)
{
    struct fixture *f = *state;
    struct tkt_prints *p = tkt_prints_new();
    struct tkt_store_traces traces = {.print = UINT64_C(0xabcdef0123456789)};
    struct sample m;

    sample_init(&m, "one");
    m.in.traces = &traces;
    reserve_ok(f, &m);
    assert_int_equal(tkt_prints_load(p, f->reader, NOW, NULL), 0);
    assert_int_equal(tkt_prints_find(p, "it", traces.print ^ 1, NOW), m.out[0].ticket);
    tkt_prints_free(&p);
    p = tkt_prints_new();
    assert_int_equal(tkt_prints_load(p, f->reader, NOW + TKT_PRINTS_AGE_MS, NULL), 0);
    assert_int_equal(tkt_prints_find(p, "it", traces.print, NOW), 0);
    tkt_prints_free(&p);
}

/* ---- senders ------------------------------------------------------------------------ */

struct mail {
    struct tkt_message msg;
    struct tkt_attachment pictures[2];
};

static void mail(struct mail *m, const char *from, const char *text)
{
    memset(m, 0, sizeof(*m));
    m->msg.from.address = (char *)from;
    m->msg.reply_text = (char *)text;
    m->msg.signature = (char *)"";
    assert_int_equal(tkt_tail_read(&m->msg), 0);
    m->msg.attachments = m->pictures;
}

static void add_picture(struct mail *m, const char *sha256, bool is_inline)
{
    m->pictures[m->msg.attachment_count++] =
        (struct tkt_attachment){.type = (char *)"image/png",
                                .sha256 = (char *)sha256,
                                .part = (char *)"1.2",
                                .is_inline = is_inline};
}

static struct tkt_learned ask(struct fixture *f, struct tkt_senders *s, struct mail *m)
{
    struct tkt_learned out;

    tkt_senders_ask(s, f->reader, &m->msg, &out);
    return out;
}

static void take(struct tkt_senders *s, struct mail *m)
{
    tkt_senders_note(s, &m->msg);
    tkt_message_release(&m->msg);
}

static const char *const texts[] = {"The printer burns.\nRegards,\nAnn\nACME Ltd\n",
                                    "No paper.\nPlease help!\nRegards,\nAnn\nACME Ltd\n",
                                    "Thanks.\nRegards,\nAnn\nACME Ltd\n"};

static void the_third_mail_with_the_same_end_has_a_signature(void **state)
{
    struct fixture *f = *state;
    struct tkt_senders *s = tkt_senders_new();
    struct mail m;

    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        mail(&m, "Ann@Example.org", texts[i]);
        assert_int_equal(ask(f, s, &m).tail_lines, i < 2 ? 0 : 3);
        take(s, &m);
    }
    mail(&m, "ann@example.org",
         "Done.\nBye,\nAnn\nACME Ltd\n"); /* the common part of it */
    assert_int_equal(ask(f, s, &m).tail_lines, 2);
    tkt_message_release(&m.msg);
    mail(&m, "bob@example.org", texts[0]); /* nobody else's */
    assert_int_equal(ask(f, s, &m).tail_lines, 0);
    tkt_message_release(&m.msg);
    tkt_senders_free(&s);
}

static void a_changed_signature_is_learned_anew(void **state)
{
    struct fixture *f = *state;
    struct tkt_senders *s = tkt_senders_new();
    struct mail m;

    for (int i = 0; i < TKT_SENDERS_MAILS; i++) {
        mail(&m, "ann@example.org", texts[0]);
        take(s, &m);
    }
    for (int i = 0; i < TKT_SENDERS_MAILS; i++) {
        mail(&m, "ann@example.org", "Hello.\nAnn Other\nNew Ltd\n");
        assert_int_equal(ask(f, s, &m).tail_lines, i < 2 ? 0 : 2);
        take(s, &m);
    }
    mail(&m, "ann@example.org", texts[0]);
    assert_int_equal(ask(f, s, &m).tail_lines, 0);
    tkt_message_release(&m.msg);
    tkt_senders_free(&s);
}

static void machines_have_no_signature(void **state)
{
    struct fixture *f = *state;
    struct tkt_senders *s = tkt_senders_new();
    struct mail m;

    for (int i = 0; i < 4; i++) {
        mail(&m, "nagios@example.org", texts[0]);
        m.msg.class = TKT_CLASS_AUTO_GENERATED;
        assert_int_equal(ask(f, s, &m).tail_lines, 0);
        take(s, &m);
    }
    assert_false(tkt_senders_changed(s));
    tkt_senders_free(&s);
}

#define LOGO "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PHOTO "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static void a_picture_inside_three_mails_is_a_logo(void **state)
{
    struct fixture *f = *state;
    struct tkt_senders *s = tkt_senders_new();
    struct mail m;

    for (int i = 0; i < 3; i++) {
        mail(&m, "ann@example.org", "hello");
        add_picture(&m, i < 2 ? LOGO : PHOTO, true);
        add_picture(&m, LOGO, true); /* twice in one mail is once */
        assert_true(ask(f, s, &m).logos == (i < 2 ? 0 : 2));
        take(s, &m);
    }
    mail(&m, "ann@example.org", "hello");
    add_picture(&m, LOGO, false); /* attached on purpose */
    assert_true(ask(f, s, &m).logos == 0);
    m.pictures[0].is_inline = true;
    m.pictures[0].type = (char *)"application/pdf";
    assert_true(ask(f, s, &m).logos == 0);
    m.pictures[0].type = (char *)"image/gif";
    assert_true(ask(f, s, &m).logos == 1);
    m.pictures[0].sha256 = (char *)"";
    assert_true(ask(f, s, &m).logos == 0);
    tkt_message_release(&m.msg);
    tkt_senders_free(&s);
}

static int flush(struct tkt_senders *s, struct fixture *f)
{
    bool own = false;

    assert_int_equal(tkt_store_enter(f->store, &own, NULL), 0); /* as ticketd does it */
    int n = tkt_senders_flush(s, f->store, 1000, NOW, NULL);
    assert_int_equal(tkt_store_leave(f->store, own, n, NULL), n);
    tkt_senders_written(s);
    return n;
}

static void what_was_handed_over_is_kept_until_it_is_committed(void **state)
{
    struct fixture *f = *state;
    struct tkt_senders *s = tkt_senders_new();
    struct mail m;

    for (size_t i = 0; i < 2; i++) {
        mail(&m, i == 0 ? "ann@example.org" : "bob@example.org", texts[i]);
        take(s, &m);
    }
    assert_int_equal(tkt_senders_flush(s, f->store, 1, NOW, NULL), 1); /* was undone */
    assert_int_equal(tkt_senders_flush(s, f->store, 1000, NOW, NULL), 2);
    assert_true(tkt_senders_changed(s));
    mail(&m, "bob@example.org", texts[2]); /* before the other is on disk */
    take(s, &m);
    tkt_senders_written(s);
    assert_true(tkt_senders_changed(s));
    assert_int_equal(flush(s, f), 1);
    assert_false(tkt_senders_changed(s));
    assert_int_equal(count_of(f, "senders"), 2);
    tkt_senders_free(&s);
}

static void what_was_learned_outlives_a_restart(void **state)
{
    struct fixture *f = *state;
    struct tkt_senders *s = tkt_senders_new();
    struct mail m;

    for (size_t i = 0; i < 2; i++) {
        mail(&m, "ann@example.org", texts[i]);
        add_picture(&m, LOGO, true);
        take(s, &m);
    }
    assert_true(tkt_senders_changed(s));
    assert_int_equal(flush(s, f), 1);
    assert_false(tkt_senders_changed(s));
    assert_int_equal(flush(s, f), 0);
    tkt_senders_free(&s);

    s = tkt_senders_new();
    mail(&m, "ann@example.org", texts[2]);
    add_picture(&m, LOGO, true);
    assert_int_equal(ask(f, s, &m).tail_lines, 3);
    assert_true(ask(f, s, &m).logos == 1);
    assert_false(tkt_senders_changed(s));
    tkt_message_release(&m.msg);
    tkt_senders_free(&s);
}

static void broken_bytes_in_the_store_are_as_good_as_none(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf data = TKT_BUF_INIT(TKT_STORE_SENDER_MAX);
    unsigned char key[TKT_STORE_SENDER_KEY_LEN];
    struct tkt_senders *s = tkt_senders_new();
    struct mail m;

    for (size_t i = 0; i < 2; i++) {
        mail(&m, "ann@example.org", texts[i]);
        add_picture(&m, LOGO, true);
        take(s, &m);
    }
    assert_int_equal(flush(s, f), 1);
    tkt_senders_free(&s);
    tkt_store_sender_key("ann@example.org", key);
    assert_int_equal(tkt_reader_sender(f->reader, key, &data, NULL), 1);
    for (size_t i = 0; i <= data.len + 1; i++) {
        char bytes[TKT_STORE_SENDER_MAX];
        memcpy(bytes, data.data, data.len);
        size_t n = i;
        if (i < data.len) { /* cut, and then a wild byte instead */
            bytes[i] = (char)0xee;
            n = i % 2 == 0 ? i : data.len;
        } else {
            n = data.len + 1;
            bytes[data.len] = 1;
        }
        assert_int_equal(tkt_store_sender_set(f->store, key, bytes, n, NOW, NULL), 0);
        s = tkt_senders_new();
        mail(&m, "ann@example.org", texts[2]);
        assert_true(ask(f, s, &m).tail_lines <= 3);
        tkt_message_release(&m.msg);
        tkt_senders_free(&s);
    }
}

static void many_senders_stay_within_bounds(void **state)
{
    struct fixture *f = *state;
    struct tkt_senders *s = tkt_senders_new();
    int written = 0;
    int n = 0;

    for (int i = 0; i < 3 * TKT_SENDERS_CACHED; i++) {
        char address[32];
        struct mail m;
        snprintf(address, sizeof(address), "s%d@example.org", i);
        mail(&m, address, "one\ntwo\n");
        take(s, &m);
    }
    while ((n = flush(s, f)) > 0) {
        assert_true(n <= 1000);
        written += n;
    }
    assert_true(written > TKT_SENDERS_CACHED * 9 / 10 && written <= TKT_SENDERS_CACHED);
    assert_int_equal(count_of(f, "senders"), written);
    assert_false(tkt_senders_changed(s));
    tkt_senders_free(&s);
}

static void who_is_forgotten_is_forgotten_in_memory_too(void **state)
{
    struct fixture *f = *state;
    struct tkt_senders *s = tkt_senders_new();
    struct mail m;

    for (int i = 0; i < 3; i++) {
        mail(&m, "ann@example.org", texts[0]);
        take(s, &m);
    }
    tkt_senders_forget(s, "ANN@example.org");
    tkt_senders_forget(s, "IT-12");
    assert_false(tkt_senders_changed(s));
    mail(&m, "ann@example.org", texts[0]);
    assert_int_equal(ask(f, s, &m).tail_lines, 0);
    tkt_message_release(&m.msg);
    assert_int_equal(flush(s, f), 0);
    tkt_senders_free(&s);
}

/* ---- scopes --------------------------------------------------------------------------- */

static void strangers_who_share_a_provider_share_no_tracker(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"jira@customer.example", "customer.example"},
        {"ann@gmail.com", "ann@gmail.com"},
        {"ann@yahoo.co.jp", "ann@yahoo.co.jp"},
        {"ann@web.de", "ann@web.de"},
        {"ann@mail.example", "mail.example"},
        {"nobody", ""},
        {"", ""},
        {"x@", ""},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        char scope[TKT_FACTS_SCOPE_MAX];
        tkt_facts_scope(rows[i][0], scope);
        assert_string_equal(scope, rows[i][1]);
    }
    char longest[1024];
    char scope[TKT_FACTS_SCOPE_MAX];
    snprintf(longest, sizeof(longest), "a@%0*d", TKT_FACTS_SCOPE_MAX, 1);
    tkt_facts_scope(longest, scope);
    assert_string_equal(scope, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_print_of_the_desk_is_found),
        cmocka_unit_test(people_who_say_the_same_are_counted_once_each),
        cmocka_unit_test(prints_are_bounded_and_the_oldest_goes_first),
        T(prints_are_there_again_after_a_start),
        T(the_third_mail_with_the_same_end_has_a_signature),
        T(a_changed_signature_is_learned_anew),
        T(machines_have_no_signature),
        T(a_picture_inside_three_mails_is_a_logo),
        T(what_was_learned_outlives_a_restart),
        T(what_was_handed_over_is_kept_until_it_is_committed),
        T(broken_bytes_in_the_store_are_as_good_as_none),
        T(many_senders_stay_within_bounds),
        T(who_is_forgotten_is_forgotten_in_memory_too),
        cmocka_unit_test(strangers_who_share_a_provider_share_no_tracker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
