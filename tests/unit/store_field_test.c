/* SPDX-License-Identifier: BSD-2-Clause
 * What a decision does to a ticket beyond its first columns.
 */
#include "store/sample.h"
#include "tests/unit/store_fixture.h"

static char *one_name[] = {(char *)"order_number"};
static char *two_names[] = {(char *)"order_number", (char *)"asset"};
static struct tkt_field order = {(char *)"order_number", (char *)"4711"};
static struct tkt_field both[] = {{(char *)"order_number", (char *)"4712"},
                                  {(char *)"asset", (char *)"LT-9"}};

static void show(struct fixture *f, const char *id, struct tkt_buf *out)
{
    struct tkt_err err = TKT_ERR_INIT;

    tkt_buf_reset(out);
    assert_int_equal(tkt_reader_show_json(f->reader, id, out, &err), 0);
}

static void assert_shows(struct fixture *f, const char *id, const char *what)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(65536);

    show(f, id, &text);
    if (strstr(tkt_buf_str(&text), what) == NULL) {
        fail_msg("%s: no %s in %s", id, what, tkt_buf_str(&text));
    }
}

static enum tkt_ticket_state state_of(struct fixture *f, const char *id)
{
    struct tkt_reader_ticket t;

    assert_int_equal(tkt_reader_by_id(f->reader, id, "", &t, NULL), 1);
    return t.state;
}

/* A new ticket without two fields, whose author may be asked. */
static void make_asked(struct fixture *f, struct sample *m, const char *text)
{
    sample_init(m, text);
    m->decision.acknowledge = true;
    m->decision.missing = (struct tkt_strings){two_names, 2};
    m->desks[0].question_text = "Please tell us \"more\"";
    m->desks[0].language = "de";
    reserve_ok(f, m);
}

static void answer(struct fixture *f, struct sample *m, int64_t ticket,
                   struct tkt_field *fields, size_t count, const char *text)
{
    sample_init(m, text);
    sample_decide(m, TKT_ACTION_APPEND, ticket);
    m->decision.changes_state = true;
    m->decision.fields = fields;
    m->decision.field_count = count;
    reserve_ok(f, m);
}

static int64_t questions(struct fixture *f, const char *state)
{
    char sql[200];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM jobs WHERE kind = 'question' AND %s",
             state);
    return number(f, sql);
}

static void service_fields_and_keywords_are_kept_and_shown(void **state)
{
    struct fixture *f = *state;
    static char *words[] = {(char *)"vpn", (char *)"zwei w\xc3\xb6rter"};
    TKT_AUTO_BUF struct tkt_buf list = TKT_BUF_INIT(65536);
    struct tkt_list_filter all = {.limit = 10};
    struct sample m;

    sample_init(&m, "one");
    m.decision.service = (char *)"VPN";
    m.decision.fields = both;
    m.decision.field_count = 2;
    m.decision.keywords = (struct tkt_strings){words, 2};
    reserve_ok(f, &m);
    assert_shows(f, "IT-1", "\"service\":\"VPN\"");
    assert_shows(f, "IT-1", "\"keywords\":\"vpn\\u000azwei w\xc3\xb6rter\"");
    assert_shows(f, "IT-1", "\"fields\":{\"asset\":\"LT-9\",\"order_number\":\"4712\"}");
    assert_int_equal(tkt_reader_list_json(f->reader, &all, &list, NULL), 0);
    assert_non_null(strstr(tkt_buf_str(&list), "\"service\":\"VPN\""));
    assert_non_null(strstr(tkt_buf_str(&list), "\"fields\":{\"asset\""));
    make(f, &m, "two");
    assert_shows(f, "IT-2", "\"fields\":{}");
    assert_int_equal(state_of(f, "IT-2"), TKT_STATE_NEW);
    assert_clean(f);
}

static void a_field_that_is_no_field_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct tkt_field odd[] = {{(char *)"UPPER", (char *)"x"},
                              {(char *)"", (char *)"x"},
                              {(char *)"empty", (char *)""},
                              {(char *)"a'b", (char *)"x"}};
    struct sample m;

    sample_init(&m, "one");
    m.decision.fields = odd;
    m.decision.field_count = TKT_ARRAY_LEN(odd);
    reserve_ok(f, &m);
    assert_int_equal(count_of(f, "fields"), 0);
}

static void missing_fields_make_it_pending_and_queue_the_question(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_job jobs[4];
    int n;

    make_asked(f, &m, "one");
    assert_int_equal(m.out[0].state, TKT_STATE_PENDING);
    assert_string_equal(m.out[0].status, "created");
    assert_int_equal(state_of(f, "IT-1"), TKT_STATE_PENDING);
    assert_shows(f, "IT-1", "\"missing\":\"order_number\\u000aasset\"");
    assert_shows(f, "IT-1", "missing: order_number asset");
    n = tkt_store_jobs_claim(f->store, "w", NOW + 1, 1000, jobs, 4, NULL);
    assert_int_equal(n, 2); /* the question does not wait for the create */
    const struct tkt_job *q = strcmp(jobs[0].kind, "question") == 0 ? &jobs[0] : &jobs[1];
    assert_string_equal(q->kind, "question");
    assert_string_equal(q->target, TKT_STORE_CHANNEL);
    assert_string_equal(q->payload, "{\"fields\":[\"order_number\",\"asset\"],"
                                    "\"language\":\"de\","
                                    "\"text\":\"Please tell us \\\"more\\\"\"}");
    tkt_jobs_release(jobs, n);
    assert_clean(f);
}

static void who_cannot_answer_is_not_asked(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "a machine");
    m.decision.missing = (struct tkt_strings){two_names, 2};
    reserve_ok(f, &m);
    assert_int_equal(state_of(f, "IT-1"), TKT_STATE_NEW);
    sample_init(&m, "a bounce");
    m.decision.missing = (struct tkt_strings){two_names, 2};
    m.decision.acknowledge = true;
    m.in.requester = "";
    reserve_ok(f, &m);
    assert_int_equal(state_of(f, "IT-2"), TKT_STATE_NEW);
    sample_init(&m, "a desk on trial");
    m.decision.missing = (struct tkt_strings){two_names, 2};
    m.decision.acknowledge = true;
    m.desks[0].shadow = true;
    reserve_ok(f, &m);
    assert_int_equal(state_of(f, "IT-3"), TKT_STATE_NEW);
    assert_shows(f, "IT-3", "\"missing\":\"order_number\\u000aasset\"");
    assert_int_equal(questions(f, "1"), 0);
}

static void a_held_ticket_asks_once_it_is_confirmed(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "one");
    sample_sieve(&m, "bob@example.com");
    m.decision.missing = (struct tkt_strings){one_name, 1};
    m.decision.acknowledge = true;
    reserve_ok(f, &m);
    assert_int_equal(state_of(f, "IT-1"), TKT_STATE_RESERVED);
    assert_int_equal(questions(f, "1"), 0);
    assert_int_equal(tkt_store_confirm(f->store, m.out[0].hold, false, NOW, NULL), 0);
    assert_int_equal(state_of(f, "IT-1"), TKT_STATE_PENDING);
    assert_int_equal(questions(f, "state = 0"), 1);
    assert_int_equal(tkt_store_confirm(f->store, m.out[0].hold, false, NOW, NULL), 0);
    assert_int_equal(questions(f, "1"), 1);
    assert_clean(f);
}

static void an_answer_with_the_fields_moves_it_on(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample a;

    make_asked(f, &m, "one");
    answer(f, &a, m.out[0].ticket, both, 2, "here they are");
    assert_string_equal(a.out[0].status, "appended");
    assert_int_equal(a.out[0].state, TKT_STATE_OPEN);
    assert_shows(f, "IT-1", "\"missing\":\"\"");
    assert_shows(f, "IT-1", "\"asset\":\"LT-9\"");
    assert_shows(f, "IT-1", "ticket.complete");
    assert_int_equal(questions(f, "state = 2 AND reason = 'the fields are there'"), 1);
    assert_int_equal(
        number(f, "SELECT count(*) FROM events WHERE kind = 'ticket.opened'"), 1);
    assert_clean(f);
}

static void an_answer_with_some_of_them_wakes_a_person_and_keeps_the_rest(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample a;

    make_asked(f, &m, "one");
    answer(f, &a, m.out[0].ticket, &order, 1, "the other I do not know");
    assert_int_equal(state_of(f, "IT-1"), TKT_STATE_OPEN);
    assert_shows(f, "IT-1", "\"missing\":\"asset\"");
    assert_int_equal(questions(f, "state = 0"), 1);
    answer(f, &a, m.out[0].ticket, both, 2, "found it");
    assert_shows(f, "IT-1", "\"missing\":\"\"");
    assert_shows(f, "IT-1", "\"order_number\":\"4711\""); /* said first, stays */
    assert_int_equal(questions(f, "state = 0"), 0);
    assert_clean(f);
}

static void a_strangers_note_fills_nothing_in(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample a;

    make_asked(f, &m, "one");
    sample_init(&a, "I am he");
    sample_decide(&a, TKT_ACTION_APPEND_UNVERIFIED, m.out[0].ticket);
    a.decision.fields = both;
    a.decision.field_count = 2;
    reserve_ok(f, &a);
    assert_int_equal(count_of(f, "fields"), 0);
    assert_int_equal(state_of(f, "IT-1"), TKT_STATE_PENDING);
}

static void a_person_sets_fields_and_the_last_one_moves_it_on(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;
    char much[2000];

    make_asked(f, &m, "one");
    assert_int_equal(
        tkt_store_set(f->store, "IT-1", "field:asset", "LT-1", "ann", NOW, NULL), 0);
    assert_int_equal(state_of(f, "IT-1"), TKT_STATE_PENDING);
    assert_int_equal(
        tkt_store_set(f->store, "IT-1", "field:order_number", "1", "ann", NOW, NULL), 0);
    assert_int_equal(state_of(f, "IT-1"), TKT_STATE_OPEN);
    assert_int_equal(
        tkt_store_set(f->store, "IT-1", "field:asset", "LT-2", "ann", NOW, NULL), 0);
    assert_shows(f, "IT-1", "\"asset\":\"LT-2\"");
    assert_int_equal(tkt_store_set(f->store, "IT-1", "field:asset", "", "ann", NOW, NULL),
                     0);
    assert_shows(f, "IT-1", "\"fields\":{\"order_number\":\"1\"}");
    assert_int_equal(tkt_store_set(f->store, "IT-1", "service", "Mail", "ann", NOW, NULL),
                     0);
    assert_shows(f, "IT-1", "\"service\":\"Mail\"");
    assert_int_equal(tkt_store_set(f->store, "IT-1", "field:A b", "x", "ann", NOW, &err),
                     -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    memset(much, 'x', sizeof(much) - 1);
    much[sizeof(much) - 1] = '\0';
    assert_int_equal(tkt_store_set(f->store, "IT-1", "field:a", much, "ann", NOW, &err),
                     -1);
    assert_clean(f);
}

static void a_ticket_has_at_most_so_many_fields(void **state)
{
    struct fixture *f = *state;
    char names[200][16];
    struct tkt_field fields[200];
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;
    struct sample a;

    for (int i = 0; i < 200; i++) {
        snprintf(names[i], sizeof(names[i]), "f%d", i);
        fields[i] = (struct tkt_field){names[i], (char *)"v"};
    }
    sample_init(&m, "one");
    m.decision.fields = fields;
    m.decision.field_count = 64;
    reserve_ok(f, &m);
    answer(f, &a, m.out[0].ticket, fields + 60, 64, "more");
    answer(f, &a, m.out[0].ticket, fields + 120, 64, "more still");
    assert_int_equal(count_of(f, "fields"), 128);
    assert_int_equal(tkt_store_set(f->store, "IT-1", "field:new", "x", "a", NOW, &err),
                     -1);
    assert_int_equal(tkt_store_set(f->store, "IT-1", "field:f1", "x", "a", NOW, &err), 0);
}

static void what_a_rule_refuses_or_ignores_is_kept_and_tells_nobody(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample a;

    make(f, &m, "one");
    int64_t jobs = count_of(f, "jobs");
    sample_init(&a, "refused");
    a.decision.refused_by_rule = true;
    a.decision.missing = (struct tkt_strings){two_names, 2};
    a.decision.acknowledge = true;
    reserve_ok(f, &a);
    assert_string_equal(a.out[0].status, "refused");
    assert_int_equal(state_of(f, "IT-2"), TKT_STATE_REFUSED);
    sample_init(&a, "ignored");
    a.decision.ignored_by_rule = true;
    reserve_ok(f, &a);
    assert_int_equal(state_of(f, "IT-3"), TKT_STATE_REFUSED);
    sample_init(&a, "an answer that is refused");
    sample_decide(&a, TKT_ACTION_APPEND, m.out[0].ticket);
    a.decision.refused_by_rule = true;
    a.decision.changes_state = true;
    reserve_ok(f, &a);
    assert_int_equal(state_of(f, "IT-4"), TKT_STATE_REFUSED);
    assert_shows(f, "IT-4", "\"links\":[{\"id\":\"IT-1\",\"kind\":\"related\"}]");
    assert_int_equal(number(f, "SELECT count(*) FROM messages WHERE ticket = 1"), 1);
    assert_int_equal(count_of(f, "jobs"), jobs);
    assert_clean(f);
}

static void the_record_of_a_decision_is_an_event_of_the_chain(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf much = TKT_BUF_INIT(65536);
    struct sample m;

    sample_init(&m, "one");
    m.desks[0].record = "{\"desk\":\"it\",\"reasons\":[]}";
    reserve_ok(f, &m);
    assert_shows(f, "IT-1",
                 "\"kind\":\"message.decided\",\"ticket\":\"IT-1\",\"message\":1,"
                 "\"data\":{\"desk\":\"it\",\"reasons\":[]}");
    sample_init(&m, "two");
    while (much.len < 20000) {
        assert_int_equal(tkt_buf_adds(&much, "{\"a\":\"0123456789\"}"), 0);
    }
    m.desks[0].record = tkt_buf_str(&much);
    reserve_ok(f, &m);
    assert_shows(f, "IT-2", "\"data\":{\"cut\":true}");
    make(f, &m, "three");
    assert_int_equal(
        number(f, "SELECT count(*) FROM events WHERE kind = 'message.decided'"), 2);
    assert_clean(f);
}

static void a_later_analysis_brings_fields_and_asks(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct tkt_decision d = {.action = TKT_ACTION_NEW,
                             .why = (char *)"no thread",
                             .service = (char *)"VPN",
                             .acknowledge = true,
                             .fields = &order,
                             .field_count = 1,
                             .missing = {two_names + 1, 1}};
    struct tkt_store_analysed_in in = {.decision = &d,
                                       .question_text = "which?",
                                       .record = "{\"desk\":\"it\"}",
                                       .now_ms = NOW + 5};

    sample_init(&m, "one");
    m.in.analysed = false;
    m.in.analysis_error = "no parser";
    m.desks[0].decision = NULL;
    reserve_ok(f, &m);
    in.ticket = m.out[0].ticket;
    in.message = m.out[0].message;
    assert_int_equal(tkt_store_analysed(f->store, &in, NULL), 0);
    assert_int_equal(state_of(f, "IT-1"), TKT_STATE_PENDING);
    assert_int_equal(questions(f, "state = 0"), 1);
    assert_shows(f, "IT-1", "\"service\":\"VPN\"");
    assert_shows(f, "IT-1", "\"order_number\":\"4711\"");
    assert_shows(f, "IT-1", "\"message.decided\"");
    assert_shows(f, "IT-1", "\"analysed\":true");
    assert_clean(f);
}

static void forgetting_takes_fields_and_record_with_it(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    int64_t count = 0;

    make_asked(f, &m, "one");
    assert_int_equal(
        tkt_store_set(f->store, "IT-1", "field:phone", "555", "ann", NOW, NULL), 0);
    assert_int_equal(tkt_store_forget(f->store, "IT-1", "dpo", NOW, &count, NULL), 0);
    assert_int_equal(count_of(f, "fields"), 0);
    assert_int_equal(number(f, "SELECT count(*) FROM tickets WHERE missing IS NOT NULL"
                               " OR question IS NOT NULL OR keywords IS NOT NULL"),
                     0);
    assert_clean(f);
}

static void a_merge_hands_fields_over(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample a;

    make_asked(f, &m, "one");
    sample_init(&a, "two");
    a.decision.fields = both;
    a.decision.field_count = 2;
    reserve_ok(f, &a);
    assert_int_equal(tkt_store_merge(f->store, "IT-2", "IT-1", "ann", NOW, NULL), 0);
    assert_shows(f, "IT-1", "\"asset\":\"LT-9\"");
    assert_int_equal(state_of(f, "IT-1"), TKT_STATE_OPEN);
    assert_clean(f);
}

/* ---- rehearsals ------------------------------------------------------------------------ */

static void stored_mails_are_given_again_in_their_order(void **state)
{
    struct fixture *f = *state;
    struct tkt_store_sample got[20];
    struct tkt_store_sample_filter all = {0};
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4096);
    struct sample m;
    int64_t at = 0;
    int64_t first = -1;
    int64_t count = 0;
    char name[16];

    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof(name), "mail %d", i);
        sample_init(&m, name);
        m.in.now_ms = NOW + i * 10 * HOUR_MS;
        m.desks[0].record = i % 2 == 0 ? "{\"group\":\"net\"}" : NULL;
        reserve_ok(f, &m);
    }
    answer(f, &m, 3, NULL, 0, "an answer");
    assert_int_equal(tkt_store_comment(f->store, "IT-1", "x", false, "ann", NOW, NULL),
                     0);
    assert_int_equal(tkt_reader_samples(f->reader, &all, got, 20, NULL), 13);
    assert_string_equal(got[0].id, "IT-1");
    assert_true(got[0].is_first);
    assert_string_equal(got[12].id, "IT-3");
    assert_false(got[12].is_first);
    assert_string_equal(got[12].desk, "it");
    assert_int_equal(tkt_reader_record(f->reader, 1, got[0].message, &text, &at, NULL),
                     1);
    assert_string_equal(tkt_buf_str(&text), "{\"group\":\"net\"}");
    assert_int_equal(at, NOW);
    assert_int_equal(tkt_reader_record(f->reader, 2, got[1].message, &text, &at, NULL),
                     0);

    assert_int_equal(tkt_reader_first_since(f->reader, NOW + 50 * HOUR_MS, &first, NULL),
                     0);
    assert_int_equal(first, 6); /* those before came ten hours earlier each */
    assert_int_equal(tkt_reader_first_since(f->reader, 0, &first, NULL), 0);
    assert_in_range(first, 0, 1);
    all.after = 5;
    all.since_ms = NOW + 50 * HOUR_MS;
    all.until_ms = NOW + 70 * HOUR_MS;
    assert_int_equal(tkt_reader_samples(f->reader, &all, got, 20, NULL), 2);
    all = (struct tkt_store_sample_filter){.id = "IT-3"};
    assert_int_equal(tkt_reader_samples(f->reader, &all, got, 20, NULL), 2);
    all = (struct tkt_store_sample_filter){.desk = "hr"};
    assert_int_equal(tkt_reader_samples(f->reader, &all, got, 20, NULL), 0);
    assert_int_equal(tkt_store_forget(f->store, "IT-3", "dpo", NOW, &count, NULL), 0);
    all = (struct tkt_store_sample_filter){.id = "IT-3"};
    assert_int_equal(tkt_reader_samples(f->reader, &all, got, 20, NULL), 0);
    assert_int_equal(tkt_reader_samples(f->reader, &all, got, 3, NULL), 0);
}

static void looking_for_a_time_in_an_empty_store_finds_its_begin(void **state)
{
    struct fixture *f = *state;
    int64_t first = -1;

    assert_int_equal(tkt_reader_first_since(f->reader, NOW, &first, NULL), 0);
    assert_int_equal(first, 0);
}

/* ---- migration ------------------------------------------------------------------------ */

static void a_database_of_schema_2_goes_on_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;

    fixture_load(f, "schema_2.sql");
    assert_int_equal(number(f, "SELECT value FROM meta WHERE key = 'schema'"), 2);
    f->store = tkt_store_open(&f->opt, &err);
    assert_non_null(f->store);
    f->reader = tkt_reader_open(f->dir, &err);
    assert_non_null(f->reader);
    assert_int_equal(number(f, "SELECT value FROM meta WHERE key = 'schema'"),
                     TKT_STORE_SCHEMA);
    assert_clean(f);
    assert_int_equal(state_of(f, "IT-1"), TKT_STATE_NEW);
    assert_int_equal(state_of(f, "IT-2"), TKT_STATE_PENDING);
    assert_int_equal(state_of(f, "IT-3"), TKT_STATE_RESERVED);
    assert_int_equal(state_of(f, "IT-4"), TKT_STATE_REFUSED);
    assert_shows(f, "IT-2", "\"group\":\"net\"");
    assert_shows(f, "IT-2", "\"fields\":{}");
    assert_int_equal(
        tkt_store_set(f->store, "IT-2", "field:asset", "LT-1", "ann", NOW, NULL), 0);
    assert_int_equal(state_of(f, "IT-2"), TKT_STATE_PENDING); /* for another reason */
    answer(f, &m, 2, both, 2, "news");
    assert_shows(f, "IT-2", "\"asset\":\"LT-1\"");
    make_asked(f, &m, "new");
    assert_int_equal(m.out[0].state, TKT_STATE_PENDING);
    assert_clean(f);
}

/* Of one ticket: the jobs in the order of their lane. */
static void assert_jobs(struct fixture *f, int64_t ticket, const char *kinds)
{
    char sql[300];

    snprintf(sql, sizeof(sql),
             "SELECT group_concat(kind, ' ') = '%s' FROM (SELECT kind FROM jobs WHERE "
             "ticket = %lld ORDER BY id)",
             kinds, (long long)ticket);
    if (number(f, sql) != 1) {
        fail_msg("other jobs than %s", kinds);
    }
}

static void a_machines_note_goes_behind_the_create_and_is_nobodys_hand(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "noted");
    m.desks[0].note = "[machine-made] it is about the network";
    reserve_ok(f, &m);
    assert_jobs(f, m.out[0].ticket, "create comment");
    assert_shows(f, m.out[0].id, "it is about the network");

    sample_init(&m, "held");
    sample_sieve(&m, "it@example.org");
    m.desks[0].note = "[machine-made] it is about the network";
    reserve_ok(f, &m);
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE ticket = 2"), 0);
    assert_int_equal(tkt_store_confirm(f->store, m.out[0].hold, false, NOW, NULL), 0);
    assert_jobs(f, m.out[0].ticket, "create comment");

    sample_init(&m, "none");
    m.desks[0].note = "";
    reserve_ok(f, &m);
    assert_jobs(f, m.out[0].ticket, "create");
}

static void refine(struct fixture *f, const struct sample *m, const char *group)
{
    const struct tkt_store_refined_in in = {.ticket = m->out[0].ticket,
                                            .is_answer = true,
                                            .category = "network",
                                            .group = group,
                                            .comment = "",
                                            .event_json = "{}",
                                            .now_ms = NOW};

    assert_int_equal(tkt_store_refined(f->store, &in, NULL), 0);
}

static void assert_group(struct fixture *f, const struct sample *m, const char *group)
{
    char want[100];

    snprintf(want, sizeof(want), "\"group\":\"%s\"", group);
    assert_shows(f, m->out[0].id, want);
}

static void a_later_category_moves_a_ticket_whose_group_nobody_named(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    sample_init(&m, "open");
    m.desks[0].group_is_open = true;
    reserve_ok(f, &m);
    refine(f, &m, "wires");
    assert_group(f, &m, "wires");

    sample_init(&m, "named by a rule");
    m.decision.group = (char *)"paper";
    reserve_ok(f, &m);
    refine(f, &m, "wires");
    assert_group(f, &m, "paper");

    sample_init(&m, "named by a person");
    m.desks[0].group_is_open = true;
    reserve_ok(f, &m);
    assert_int_equal(
        tkt_store_set(f->store, m.out[0].id, "group", "paper", "tom", NOW, NULL), 0);
    refine(f, &m, "wires");
    assert_group(f, &m, "paper");

    sample_init(&m, "categorised before");
    m.desks[0].group_is_open = true;
    m.decision.category = (char *)"hardware";
    m.decision.group = (char *)"front";
    reserve_ok(f, &m);
    refine(f, &m, "wires");
    assert_group(f, &m, "front");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(service_fields_and_keywords_are_kept_and_shown),
        T(a_field_that_is_no_field_is_left_out),
        T(missing_fields_make_it_pending_and_queue_the_question),
        T(who_cannot_answer_is_not_asked),
        T(a_held_ticket_asks_once_it_is_confirmed),
        T(an_answer_with_the_fields_moves_it_on),
        T(an_answer_with_some_of_them_wakes_a_person_and_keeps_the_rest),
        T(a_strangers_note_fills_nothing_in),
        T(a_person_sets_fields_and_the_last_one_moves_it_on),
        T(a_ticket_has_at_most_so_many_fields),
        T(what_a_rule_refuses_or_ignores_is_kept_and_tells_nobody),
        T(the_record_of_a_decision_is_an_event_of_the_chain),
        T(a_later_analysis_brings_fields_and_asks),
        T(forgetting_takes_fields_and_record_with_it),
        T(a_merge_hands_fields_over),
        T(stored_mails_are_given_again_in_their_order),
        T(looking_for_a_time_in_an_empty_store_finds_its_begin),
        T(a_database_of_schema_2_goes_on_as_it_was),
        T(a_machines_note_goes_behind_the_create_and_is_nobodys_hand),
        T(a_later_category_moves_a_ticket_whose_group_nobody_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
