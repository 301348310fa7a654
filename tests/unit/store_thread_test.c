/* SPDX-License-Identifier: BSD-2-Clause
 * What threading keeps in the store: named mails, other trackers' tags, prints, what was
 * learned about senders; and an older database, which becomes one of today.
 */
#include "store/thread.h"
#include "tests/unit/store_fixture.h"

static void hash_of(const char *text, unsigned char out[TKT_SHA256_LEN])
{
    tkt_sha256(text, strlen(text), out);
}

struct traced { /* a sample with traces */
    struct sample m;
    struct tkt_store_traces traces;
    struct tkt_store_thread_key named[2];
    char *ids[2];
    struct tkt_strings foreign;
    char *logo;
};

static void traced_init(struct traced *t, const char *text)
{
    memset(t, 0, sizeof(*t));
    sample_init(&t->m, text);
    hash_of("never@seen.example", t->named[0].hash);
    t->ids[0] = (char *)"JIRA-123";
    t->ids[1] = (char *)"#77";
    t->foreign = (struct tkt_strings){t->ids, 2};
    t->logo = (char *)"1.2";
    t->traces = (struct tkt_store_traces){.named = t->named,
                                          .named_count = 1,
                                          .foreign_scope = "example.org",
                                          .foreign_ids = &t->foreign,
                                          .print = UINT64_C(0xfedcba9876543210),
                                          .tail_lines = 3,
                                          .logos = {&t->logo, 1}};
    t->m.in.traces = &t->traces;
}

static int by_named(struct fixture *f, const char *id, const char *address,
                    struct tkt_reader_ticket *out, int max)
{
    unsigned char hash[TKT_SHA256_LEN];

    hash_of(id, hash);
    return tkt_reader_by_named(f->reader, hash, address, out, max, NULL);
}

static int by_foreign(struct fixture *f, const char *scope, const char *ref,
                      struct tkt_reader_ticket *out, int max)
{
    return tkt_reader_by_foreign(f->reader, scope, ref, "anna@example.org", out, max,
                                 NULL);
}

static void show(struct fixture *f, const char *id, struct tkt_buf *out)
{
    tkt_buf_reset(out);
    assert_int_equal(tkt_reader_show_json(f->reader, id, out, NULL), 0);
}

/* ---- traces ------------------------------------------------------------------------- */

static void traces_of_a_message_are_found_again(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(65536);
    struct tkt_reader_ticket found[4];
    struct tkt_store_print prints[4];
    struct traced t;
    unsigned lines = 0;

    traced_init(&t, "one");
    reserve_ok(f, &t.m);
    assert_int_equal(by_named(f, "never@seen.example", "anna@example.org", found, 4), 1);
    assert_int_equal(found[0].ticket, t.m.out[0].ticket);
    assert_true(found[0].is_participant);
    assert_int_equal(by_named(f, "never@seen.example", "eve@example.org", found, 4), 1);
    assert_false(found[0].is_participant);
    assert_int_equal(by_named(f, "other@seen.example", "", found, 4), 0);

    assert_int_equal(by_foreign(f, "example.org", "JIRA-123", found, 4), 1);
    assert_string_equal(found[0].id, "IT-1");
    assert_int_equal(by_foreign(f, "example.org", "#77", found, 4), 1);
    assert_int_equal(by_foreign(f, "example.com", "JIRA-123", found, 4), 0);
    assert_int_equal(by_foreign(f, "example.org", "JIRA-12", found, 4), 0);

    assert_int_equal(tkt_reader_prints(f->reader, NOW - 1, prints, 4, NULL), 1);
    assert_true(prints[0].print == t.traces.print);
    assert_string_equal(prints[0].desk, "it");
    assert_int_equal(prints[0].at_ms, NOW);
    assert_int_equal(tkt_reader_prints(f->reader, NOW, prints, 4, NULL), 0);

    assert_int_equal(
        tkt_reader_learned(f->reader, t.m.out[0].message, &lines, &text, NULL), 1);
    assert_int_equal(lines, 3);
    assert_string_equal(tkt_buf_str(&text), "1.2");
    tkt_buf_reset(&text);
    assert_int_equal(tkt_reader_subject(f->reader, t.m.out[0].ticket, &text, NULL), 1);
    assert_string_equal(tkt_buf_str(&text), "printer on fire");
    show(f, "IT-1", &text);
    assert_non_null(strstr(tkt_buf_str(&text),
                           "\"foreign\":[{\"ref\":\"#77\",\"scope\":\"example.org\"},"));
    assert_non_null(
        strstr(tkt_buf_str(&text), "\"signature_lines\":3,\"logos\":\"1.2\""));
    assert_clean(f);
}

static void a_plain_new_mail_leaves_no_rows_of_its_traces(void **state)
{
    struct fixture *f = *state;
    struct traced t;

    traced_init(&t, "one");
    t.traces.named_count = 0;
    t.foreign.count = 0;
    t.traces.tail_lines = 0;
    t.traces.logos.count = 0;
    reserve_ok(f, &t.m);
    assert_int_equal(count_of(f, "named"), 0);
    assert_int_equal(count_of(f, "foreign_refs"), 0);
    assert_int_equal(count_of(f, "learned"), 0);
    assert_int_equal(count_of(f, "senders"), 0);
    assert_int_equal(number(f, "SELECT count(*) FROM tickets WHERE print IS NOT NULL"),
                     1);
}

static void an_unverified_note_draws_no_other_mail_into_its_ticket(void **state)
{
    struct fixture *f = *state;
    struct tkt_reader_ticket found[4];
    struct sample first;
    struct traced t;

    make(f, &first, "one");
    traced_init(&t, "two");
    sample_decide(&t.m, TKT_ACTION_APPEND_UNVERIFIED, first.out[0].ticket);
    reserve_ok(f, &t.m);
    assert_int_equal(by_named(f, "never@seen.example", "", found, 4), 0);
    assert_int_equal(by_foreign(f, "example.org", "JIRA-123", found, 4), 0);
    assert_int_equal(count_of(f, "learned"), 1);
    assert_int_equal(number(f, "SELECT count(*) FROM tickets WHERE print IS NOT NULL"),
                     0);
}

static void tags_follow_a_merge_and_a_split(void **state)
{
    struct fixture *f = *state;
    struct tkt_reader_ticket found[4];
    struct sample first;
    struct traced t;
    char id[48];

    make(f, &first, "one");
    traced_init(&t, "two");
    sample_decide(&t.m, TKT_ACTION_APPEND, first.out[0].ticket);
    reserve_ok(f, &t.m);
    assert_int_equal(
        tkt_store_split(f->store, "IT-1", t.m.out[0].message, "joe", NOW, id, NULL), 0);
    assert_int_equal(by_foreign(f, "example.org", "JIRA-123", found, 4), 1);
    assert_string_equal(found[0].id, id);
    assert_int_equal(tkt_store_merge(f->store, id, "IT-1", "joe", NOW, NULL), 0);
    assert_int_equal(by_foreign(f, "example.org", "JIRA-123", found, 4), 1);
    assert_string_equal(found[0].id, "IT-1");
    assert_clean(f);
}

static void at_most_so_many_named_mails_are_kept(void **state)
{
    struct fixture *f = *state;
    struct tkt_store_thread_key keys[20];
    struct traced t;

    traced_init(&t, "one");
    for (size_t i = 0; i < TKT_ARRAY_LEN(keys); i++) {
        char id[32];
        snprintf(id, sizeof(id), "m%zu@x", i);
        hash_of(id, keys[i].hash);
    }
    t.traces.named = keys;
    t.traces.named_count = TKT_ARRAY_LEN(keys);
    reserve_ok(f, &t.m);
    assert_int_equal(count_of(f, "named"), TKT_STORE_NAMED_MAX);
}

/* ---- decisions ------------------------------------------------------------------------ */

static void what_is_only_offered_is_an_event(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(65536);
    struct sample a;
    struct sample b;
    struct sample c;

    make(f, &a, "one");
    sample_init(&b, "two");
    b.decision.similar = a.out[0].ticket;
    reserve_ok(f, &b);
    assert_string_equal(b.out[0].status, "created");
    show(f, "IT-2", &text);
    assert_non_null(strstr(tkt_buf_str(&text), "ticket.similar"));
    assert_non_null(strstr(tkt_buf_str(&text), "{\"to\":\"IT-1\"}"));
    assert_non_null(strstr(tkt_buf_str(&text), "\"links\":[]"));

    sample_init(&c, "three");
    sample_decide(&c, TKT_ACTION_APPEND, a.out[0].ticket);
    c.decision.split_suggested = true;
    c.in.subject = "another matter";
    reserve_ok(f, &c);
    assert_string_equal(c.out[0].id, "IT-1");
    show(f, "IT-1", &text);
    assert_non_null(strstr(tkt_buf_str(&text), "ticket.split_suggested"));
    assert_non_null(strstr(tkt_buf_str(&text), "{\"subject\":\"another matter\"}"));
    assert_clean(f);
}

static void an_answer_that_its_desk_refuses_is_a_refused_ticket_beside(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(65536);
    struct sample a;
    struct sample b;

    make(f, &a, "one");
    int64_t jobs = count_of(f, "jobs");
    sample_init(&b, "two");
    sample_decide(&b, TKT_ACTION_REFUSE, a.out[0].ticket);
    reserve_ok(f, &b);
    assert_string_equal(b.out[0].status, "refused");
    assert_string_equal(b.out[0].id, "IT-2");
    assert_int_equal(b.out[0].state, TKT_STATE_REFUSED);
    assert_int_equal(count_of(f, "jobs"), jobs);
    show(f, "IT-2", &text);
    assert_non_null(strstr(tkt_buf_str(&text), "\"state\":\"refused\""));
    assert_non_null(strstr(tkt_buf_str(&text), "{\"id\":\"IT-1\",\"kind\":\"related\"}"));
    assert_clean(f);
}

static void
a_forwarded_mail_opens_in_its_senders_name_and_keeps_the_forwarder(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(65536);
    struct tkt_reader_ticket found;
    struct sample m;

    sample_init(&m, "one");
    m.desks[0].requester = "kim@customer.example";
    m.desks[0].requester_name = "Kim";
    reserve_ok(f, &m);
    show(f, "IT-1", &text);
    assert_non_null(strstr(tkt_buf_str(&text), "\"requester\":\"kim@customer.example\","
                                               "\"requester_name\":\"Kim\""));
    static const char *const who[] = {"kim@customer.example", "anna@example.org"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(who); i++) {
        assert_int_equal(tkt_reader_by_id(f->reader, "IT-1", who[i], &found, NULL), 1);
        assert_true(found.is_participant);
    }
    assert_clean(f);
}

static void the_assurance_of_each_message_is_shown(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(65536);
    static const char *const words[] = {"login", "aligned", "none", "fail"};

    for (int a = 0; a < TKT_ASSURANCE_COUNT; a++) {
        struct sample m;
        char want[64];
        sample_init(&m, words[a]);
        m.decision.assurance = (enum tkt_assurance)a;
        reserve_ok(f, &m);
        show(f, m.out[0].id, &text);
        snprintf(want, sizeof(want), "\"assurance\":\"%s\"", words[a]);
        assert_non_null(strstr(tkt_buf_str(&text), want));
    }
    struct sample m;
    sample_init(&m, "unanalysed");
    m.desks[0].decision = NULL;
    m.in.analysed = false;
    reserve_ok(f, &m);
    show(f, m.out[0].id, &text);
    assert_non_null(strstr(tkt_buf_str(&text), "\"assurance\":\"\""));

    struct traced t;
    traced_init(&t, "unanalysed");
    struct tkt_store_analysed_in in = {.ticket = m.out[0].ticket,
                                       .message = m.out[0].message,
                                       .decision = &t.m.decision,
                                       .subject = "printer on fire",
                                       .class_name = "human",
                                       .requester = "kim@customer.example",
                                       .requester_name = "Kim",
                                       .traces = &t.traces,
                                       .now_ms = NOW};
    t.m.decision.assurance = TKT_ASSURANCE_FAIL;
    assert_int_equal(tkt_store_analysed(f->store, &in, NULL), 0);
    show(f, m.out[0].id, &text);
    assert_non_null(strstr(tkt_buf_str(&text), "\"assurance\":\"fail\""));
    assert_non_null(strstr(tkt_buf_str(&text), "\"requester\":\"kim@customer.example\""));
    assert_non_null(strstr(tkt_buf_str(&text), "\"ref\":\"JIRA-123\""));
    assert_int_equal(number(f, "SELECT count(*) FROM tickets WHERE print IS NOT NULL"),
                     1);
    assert_clean(f);
}

/* ---- keys ------------------------------------------------------------------------------- */

static void
a_mail_without_message_id_that_is_retried_for_days_stays_one_ticket(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    int64_t hours = 0;

    sample_init(&m, "blind");
    m.in.key_blind = true;
    m.in.has_head_key = false;
    memset(m.in.head_key, 0, sizeof(m.in.head_key));
    reserve_ok(f, &m);
    for (hours = 5; hours < 30 * 24; hours += 5) {
        m.in.now_ms = NOW + hours * HOUR_MS;
        reserve_ok(f, &m);
        assert_string_equal(m.out[0].id, "IT-1");
    }
    /* ... and no longer than any other message. */
    m.in.now_ms = NOW + 30 * DAY_MS;
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-2");
    assert_int_equal(count_of(f, "msgkeys"), 1);
    /* Who pauses longer than that is new. */
    m.in.now_ms += 6 * HOUR_MS;
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-3");
    assert_clean(f);
}

/* ---- senders ------------------------------------------------------------------------------ */

static void senders_are_kept_and_expire(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf data = TKT_BUF_INIT(TKT_STORE_SENDER_MAX);
    static const char big[TKT_STORE_SENDER_MAX + 1];
    unsigned char key[TKT_STORE_SENDER_KEY_LEN];
    int64_t removed = 0;

    for (int i = 0; i < 10; i++) {
        char address[32];
        snprintf(address, sizeof(address), "s%d@x", i);
        tkt_store_sender_key(address, key);
        assert_int_equal(tkt_reader_sender(f->reader, key, &data, NULL), 0);
        assert_int_equal(tkt_store_sender_set(f->store, key, address, strlen(address),
                                              NOW + i * HOUR_MS, NULL),
                         0);
        assert_int_equal(tkt_reader_sender(f->reader, key, &data, NULL), 1);
        assert_string_equal(tkt_buf_str(&data), address);
        tkt_buf_reset(&data);
    }
    assert_int_equal(tkt_store_sender_set(f->store, key, big, sizeof(big), NOW, NULL),
                     -1);
    assert_int_equal(
        tkt_store_senders_expire(f->store, NOW + 3 * HOUR_MS, 100, 2, &removed, NULL), 0);
    assert_int_equal(removed, 2);
    assert_int_equal(
        tkt_store_senders_expire(f->store, NOW + 3 * HOUR_MS, 100, 100, &removed, NULL),
        0);
    assert_int_equal(removed, 1);
    assert_int_equal(tkt_store_senders_expire(f->store, NOW, 4, 100, &removed, NULL), 0);
    assert_int_equal(removed, 3);
    assert_int_equal(number(f, "SELECT min(seen) FROM senders"), NOW + 6 * HOUR_MS);
}

static void who_is_forgotten_leaves_no_traces(void **state)
{
    struct fixture *f = *state;
    unsigned char key[TKT_STORE_SENDER_KEY_LEN];
    struct traced t;
    int64_t count = 0;

    traced_init(&t, "one");
    t.traces.foreign_scope = "anna@example.org";
    reserve_ok(f, &t.m);
    tkt_store_sender_key("anna@example.org", key);
    assert_int_equal(tkt_store_sender_set(f->store, key, "x", 1, NOW, NULL), 0);
    assert_int_equal(
        tkt_store_forget(f->store, "Anna@Example.org", "dpo", NOW, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(count_of(f, "senders"), 0);
    assert_int_equal(count_of(f, "foreign_refs"), 0);
    assert_int_equal(count_of(f, "learned"), 0);
    assert_int_equal(number(f, "SELECT count(*) FROM tickets WHERE print IS NOT NULL"),
                     0);

    traced_init(&t, "two");
    reserve_ok(f, &t.m);
    assert_int_equal(tkt_store_forget(f->store, "IT-2", "dpo", NOW, &count, NULL), 0);
    assert_int_equal(count_of(f, "foreign_refs"), 0);
    assert_int_equal(count_of(f, "learned"), 0);
    assert_clean(f);
}

/* ---- migration ---------------------------------------------------------------------------- */

static void a_database_of_schema_1_goes_on_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(65536);
    struct tkt_reader_ticket found[4];
    struct sample again;
    struct traced t;

    fixture_load(f, "schema_1.sql");
    assert_int_equal(number(f, "SELECT value FROM meta WHERE key = 'schema'"), 1);
    assert_null(tkt_reader_open(f->dir, &err));
    assert_int_equal(err.class, TKT_ERR_TEMP);
    f->store = tkt_store_open(&f->opt, &err);
    assert_non_null(f->store);
    f->reader = tkt_reader_open(f->dir, &err);
    assert_non_null(f->reader);
    assert_int_equal(number(f, "SELECT value FROM meta WHERE key = 'schema'"),
                     TKT_STORE_SCHEMA);
    assert_clean(f);

    sample_init(&again, "one"); /* known from then */
    reserve_ok(f, &again);
    assert_string_equal(again.out[0].status, "existing");
    assert_string_equal(again.out[0].id, "IT-1");
    show(f, "IT-1", &text);
    assert_non_null(strstr(tkt_buf_str(&text), "\"foreign\":[]"));

    traced_init(&t, "new");
    reserve_ok(f, &t.m);
    assert_int_equal(by_foreign(f, "example.org", "JIRA-123", found, 4), 1);
    assert_string_equal(found[0].id, t.m.out[0].id);
    assert_clean(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(traces_of_a_message_are_found_again),
        T(a_plain_new_mail_leaves_no_rows_of_its_traces),
        T(an_unverified_note_draws_no_other_mail_into_its_ticket),
        T(tags_follow_a_merge_and_a_split),
        T(at_most_so_many_named_mails_are_kept),
        T(what_is_only_offered_is_an_event),
        T(an_answer_that_its_desk_refuses_is_a_refused_ticket_beside),
        T(a_forwarded_mail_opens_in_its_senders_name_and_keeps_the_forwarder),
        T(the_assurance_of_each_message_is_shown),
        T(a_mail_without_message_id_that_is_retried_for_days_stays_one_ticket),
        T(senders_are_kept_and_expire),
        T(who_is_forgotten_leaves_no_traces),
        T(a_database_of_schema_1_goes_on_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
