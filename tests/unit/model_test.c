/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/model.h"

#include "base/hash.h"
#include "base/util.h"
#include "decide/decide.h"
#include "decide/model_file.h"
#include "decide/model_route.h"
#include "decide/policy.h"
#include "train/learn.h"
#include "train/score.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHECKED_FROM                                                                     \
    (offsetof(struct tkt_model_file_head, sha256) + sizeof(unsigned char[TKT_SHA256_LEN]))

/* What the records are made of: each has two of these pieces of its category. */
struct topic {
    const char *category;
    const char *group;
    const char *urgency;
    const char *pieces[6];
};
static const struct topic topics[] = {
    {"password",
     "it",
     "high",
     {"I forgot my password", "reset my password please", "my account is locked",
      "the login does not accept my code", "Passwort vergessen", "sign in fails"}},
    {"printer",
     "it",
     "low",
     {"the printer is jammed", "toner is empty", "printing only blank pages",
      "der Drucker druckt nicht", "paper jam in tray two", "scan to mail is broken"}},
    {"leave",
     "hr",
     "low",
     {"I would like to take a week off", "vacation request for June", "my leave balance",
      "Urlaub im Sommer", "sick note for yesterday", "parental leave"}},
    {"invoice",
     "finance",
     "medium",
     {"the invoice is wrong", "please pay the open bill", "Rechnung fehlt",
      "purchase order for chairs", "travel expenses of May", "the amount is too high"}},
};
#define TOPICS TKT_ARRAY_LEN(topics)
#define PER_TOPIC 30 /* every pair of pieces, in both orders */

struct data {
    struct tkt_learn_record items[TOPICS * PER_TOPIC];
    char texts[TOPICS * PER_TOPIC][160];
    size_t count;
};

static void fill(struct data *d)
{
    d->count = 0;
    for (size_t a = 0; a < 6; a++) {
        for (size_t b = 0; b < 6; b++) {
            for (size_t t = 0; t < TOPICS && a != b; t++) {
                const struct topic *topic = &topics[t];
                snprintf(d->texts[d->count], sizeof(d->texts[0]), "%s. %s.",
                         topic->pieces[a], topic->pieces[b]);
                d->items[d->count] = (struct tkt_learn_record){
                    "",
                    d->texts[d->count],
                    {topic->category, topic->group, topic->urgency}};
                d->count++;
            }
        }
    }
}

static struct data data;
static struct tkt_buf file = TKT_BUF_INIT(TKT_MODEL_FILE_MAX); /* learned of data */

static void learn(const struct tkt_learn_options *opt, struct tkt_buf *out)
{
    struct tkt_err err = TKT_ERR_INIT;

    tkt_buf_reset(out);
    if (tkt_learn(data.items, data.count, opt, out, &err) < 0) {
        fail_msg("%s", err.text);
    }
}

static int make(void **state)
{
    struct tkt_learn_options opt;

    (void)state;
    fill(&data);
    tkt_learn_defaults(&opt);
    opt.date = "2026-11-22";
    learn(&opt, &file);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    tkt_buf_release(&file);
    return 0;
}

static struct tkt_model *open_file(const struct tkt_buf *b)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_model *m = tkt_model_of(b->data, b->len, &err);

    if (m == NULL) {
        fail_msg("%s", err.text);
    }
    return m;
}

static void ask(const struct tkt_model *m, struct tkt_model_work *work,
                const char *subject, const char *text,
                struct tkt_model_choice out[TKT_HEAD_COUNT])
{
    assert_int_equal(tkt_model_ask(m, work, subject, text, -1, true, out), 0);
}

static const char *label_of(const struct tkt_model *m, enum tkt_model_head head,
                            const struct tkt_model_choice *c)
{
    return c->label < 0 ? "" : tkt_model_label(m, head, (size_t)c->label);
}

static void what_was_learned_is_answered_by_all_heads(void **state)
{
    struct tkt_model *m = open_file(&file);
    struct tkt_model_work *work = tkt_model_work_new();
    struct tkt_model_choice c[TKT_HEAD_COUNT];

    (void)state;
    ask(m, work, "", "hello, my PASSWORD was forgotten, how do I reset it", c);
    assert_string_equal(label_of(m, TKT_HEAD_CATEGORY, &c[TKT_HEAD_CATEGORY]),
                        "password");
    assert_string_equal(label_of(m, TKT_HEAD_GROUP, &c[TKT_HEAD_GROUP]), "it");
    assert_string_equal(label_of(m, TKT_HEAD_URGENCY, &c[TKT_HEAD_URGENCY]), "high");
    assert_true(c[TKT_HEAD_CATEGORY].probability > 0.5);
    assert_true(c[TKT_HEAD_CATEGORY].probability <= 1.0);
    assert_true(c[TKT_HEAD_CATEGORY].word_count > 0);
    assert_non_null(memmem(c[TKT_HEAD_CATEGORY].words[0].text,
                           c[TKT_HEAD_CATEGORY].words[0].len, "password", 8));
    ask(m, work, "toner", "", c);
    assert_string_equal(label_of(m, TKT_HEAD_CATEGORY, &c[TKT_HEAD_CATEGORY]), "printer");
    const float *p = tkt_model_probabilities(m, work, TKT_HEAD_CATEGORY);
    double sum = 0;
    for (size_t l = 0; l < TOPICS; l++) {
        sum += (double)p[l];
    }
    assert_true(fabs(sum - 1) < 1e-5);
    tkt_model_work_free(&work);
    tkt_model_close(&m);
}

static void nothing_known_is_not_answered(void **state)
{
    static const char *const texts[] = {"", "   ", "?!", "\xff\xff", "qqqq"};
    struct tkt_model *m = open_file(&file);
    struct tkt_model_work *work = tkt_model_work_new();
    struct tkt_model_choice c[TKT_HEAD_COUNT];

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(texts); i++) {
        ask(m, work, "", texts[i], c);
        for (int h = 0; h < TKT_HEAD_COUNT; h++) {
            assert_int_equal(c[h].label, -1);
            assert_int_equal(c[h].best, -1);
            assert_int_equal(c[h].word_count, 0);
        }
        assert_null(tkt_model_probabilities(m, work, TKT_HEAD_CATEGORY));
    }
    tkt_model_work_free(&work);
    tkt_model_close(&m);
}

static void below_the_threshold_it_does_not_know(void **state)
{
    struct tkt_model *m = open_file(&file);
    struct tkt_model_work *work = tkt_model_work_new();
    struct tkt_model_choice c[TKT_HEAD_COUNT];
    const char *text = "reset my password please";

    (void)state;
    assert_int_equal(tkt_model_ask(m, work, "", text, 1.0, false, c), 0);
    assert_int_equal(c[TKT_HEAD_CATEGORY].label, -1);
    assert_string_equal(
        tkt_model_label(m, TKT_HEAD_CATEGORY, (size_t)c[TKT_HEAD_CATEGORY].best),
        "password");
    assert_int_equal(tkt_model_ask(m, work, "", text, 0, false, c), 0);
    assert_int_not_equal(c[TKT_HEAD_CATEGORY].label, -1);
    /* a word of two categories: no threshold makes that an answer of a 4-label head */
    assert_int_equal(tkt_model_ask(m, work, "", "the is", 0, false, c), 0);
    assert_true(c[TKT_HEAD_CATEGORY].label == -1 ||
                c[TKT_HEAD_CATEGORY].probability >= 2.0 / 5);
    tkt_model_work_free(&work);
    tkt_model_close(&m);
}

static void the_same_records_give_the_same_file_on_any_number_of_processors(void **state)
{
    struct tkt_buf other = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    struct tkt_learn_options opt;

    (void)state;
    for (unsigned workers = 1; workers <= 5; workers += 2) {
        tkt_learn_defaults(&opt);
        opt.date = "2026-11-22";
        opt.workers = workers;
        learn(&opt, &other);
        assert_int_equal(other.len, file.len);
        assert_memory_equal(other.data, file.data, file.len);
    }
    opt.date = "2026-11-23";
    learn(&opt, &other);
    struct tkt_model *a = open_file(&file);
    struct tkt_model *b = open_file(&other);
    assert_string_not_equal(tkt_model_version(a), tkt_model_version(b));
    assert_non_null(strstr(tkt_model_about(b), "2026-11-23"));
    tkt_model_close(&a);
    tkt_model_close(&b);
    tkt_buf_release(&other);
}

static void the_telling_words_of_a_label_are_named(void **state)
{
    struct tkt_model *m = open_file(&file);
    bool found = false;

    (void)state;
    for (size_t l = 0; l < tkt_model_label_count(m, TKT_HEAD_CATEGORY); l++) {
        double before = 1e9;
        for (size_t i = 0; i < TKT_MODEL_TOP; i++) {
            double weight = 0;
            const char *word = tkt_model_top(m, TKT_HEAD_CATEGORY, l, i, &weight);
            if (word != NULL) {
                assert_true(weight <= before);
                before = weight;
                found = found || (strcmp(word, "toner") == 0 &&
                                  strcmp(tkt_model_label(m, TKT_HEAD_CATEGORY, l),
                                         "printer") == 0);
            }
        }
    }
    assert_true(found);
    tkt_model_close(&m);
}

static void it_knows_what_it_has_learned_from(void **state)
{
    struct tkt_model *m = open_file(&file);

    (void)state;
    for (size_t i = 0; i < data.count; i++) {
        assert_true(tkt_model_has_seen(m, tkt_model_print("", data.items[i].text)));
    }
    assert_false(tkt_model_has_seen(m, tkt_model_print("", "something new")));
    assert_false(tkt_model_has_seen(m, tkt_model_print("new", data.items[0].text)));
    tkt_model_close(&m);
}

static void a_size_is_kept_by_leaving_out_what_is_rare(void **state)
{
    struct tkt_buf small = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    struct tkt_learn_options opt;

    (void)state;
    tkt_learn_defaults(&opt);
    opt.size_max = 30000;
    learn(&opt, &small);
    assert_true(small.len < file.len);
    assert_true(small.len < 45000);
    struct tkt_model *m = open_file(&small);
    assert_true(tkt_model_rows(m) > 100);
    tkt_model_close(&m);
    tkt_buf_release(&small);
}

static void too_little_to_learn_from_is_told(void **state)
{
    const struct tkt_learn_record one[] = {{"", "a text", {"only", "", ""}},
                                           {"", "another", {"only", "", ""}}};
    const struct tkt_learn_record empty[] = {{"", "...", {"a", "", ""}},
                                             {"", "!!", {"b", "", ""}}};
    struct tkt_buf out = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_learn_options opt;

    (void)state;
    tkt_learn_defaults(&opt);
    assert_int_equal(tkt_learn(one, 0, &opt, &out, &err), -1);
    assert_int_equal(tkt_learn(one, 2, &opt, &out, &err), -1);
    assert_non_null(strstr(err.text, "at least two"));
    assert_int_equal(tkt_learn(empty, 2, &opt, &out, &err), -1);
    assert_non_null(strstr(err.text, "no words"));
    tkt_buf_release(&out);
}

static void two_records_are_enough_for_a_model(void **state)
{
    const struct tkt_learn_record two[] = {{"", "printer broken", {"a", "", ""}},
                                           {"", "holiday", {"b", "x", ""}}};
    struct tkt_buf out = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    struct tkt_model_work *work = tkt_model_work_new();
    struct tkt_model_choice c[TKT_HEAD_COUNT];
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_learn_options opt;

    (void)state;
    tkt_learn_defaults(&opt);
    assert_int_equal(tkt_learn(two, 2, &opt, &out, &err), 0);
    struct tkt_model *m = open_file(&out);
    assert_int_equal(tkt_model_label_count(m, TKT_HEAD_GROUP), 0);
    ask(m, work, "", "the printer", c);
    assert_string_equal(label_of(m, TKT_HEAD_CATEGORY, &c[TKT_HEAD_CATEGORY]), "a");
    tkt_model_work_free(&work);
    tkt_model_close(&m);
    tkt_buf_release(&out);
}

static void a_megabyte_and_hostile_texts_are_answered(void **state)
{
    enum {
        SIZE = 1024 * 1024
    };
    static const char *const units[] = {"password ", "x", "\xef\xb7\xba", "\xff",
                                        "a b c "};
    struct tkt_model *m = open_file(&file);
    struct tkt_model_work *work = tkt_model_work_new();
    struct tkt_model_choice c[TKT_HEAD_COUNT];
    char *text = malloc(SIZE + 1);

    (void)state;
    assert_non_null(text);
    for (size_t u = 0; u < TKT_ARRAY_LEN(units); u++) {
        for (size_t i = 0; i < SIZE; i++) {
            text[i] = units[u][i % strlen(units[u])];
        }
        text[SIZE] = '\0';
        ask(m, work, text, text, c);
        assert_true(c[0].probability >= 0 && c[0].probability <= 1);
        assert_true(c[0].label >= 0 || u > 0);
    }
    free(text);
    tkt_model_work_free(&work);
    tkt_model_close(&m);
}

/* ---- files ---- */

static void assert_refused(const void *bytes, size_t n, const char *why)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_model *m = tkt_model_of(bytes, n, &err);

    assert_null(m);
    assert_int_equal(err.class, TKT_ERR_CONF);
    if (why != NULL && strstr(err.text, why) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
    }
}

static void foreign_files_are_refused_with_a_reason(void **state)
{
    struct tkt_model_file_head head;
    char *copy = malloc(file.len);

    (void)state;
    assert_non_null(copy);
    assert_refused("", 0, "too short");
    assert_refused("From a mail\n", 12, "too short");
    memset(copy, 'x', file.len);
    assert_refused(copy, file.len, "another kind of file");
    memcpy(copy, file.data, file.len);
    memcpy(&head, copy, sizeof(head));
    head.format++;
    memcpy(copy, &head, sizeof(head));
    assert_refused(copy, file.len, "train it again");
    head.format--;
    head.order = 0x04030201;
    memcpy(copy, &head, sizeof(head));
    assert_refused(copy, file.len, "byte order");
    free(copy);
    struct tkt_err err = TKT_ERR_INIT;
    assert_null(tkt_model_open("/nonexistent/model", &err));
    assert_non_null(strstr(err.text, "/nonexistent/model"));
    assert_null(tkt_model_open("/dev/null", &err));
    assert_non_null(strstr(err.text, "regular"));
    assert_null(tkt_model_open("/", &err));
}

static void every_cut_and_every_changed_byte_is_refused(void **state)
{
    char *copy = malloc(file.len + 1);

    (void)state;
    assert_non_null(copy);
    memcpy(copy, file.data, file.len);
    copy[file.len] = '\0';
    assert_refused(copy, file.len + 1, "something stands behind it");
    for (size_t n = 0; n < file.len; n += n < 512 ? 1 : 997) {
        assert_refused(copy, n, NULL);
    }
    for (size_t i = 0; i < file.len; i += i < 512 ? 1 : 101) {
        copy[i] = (char)(copy[i] ^ 0x10);
        assert_refused(copy, file.len, NULL);
        copy[i] = (char)(copy[i] ^ 0x10);
    }
    free(copy);
}

/* Puts the checksum right, as somebody who means harm would. */
static void seal(char *bytes, size_t n)
{
    struct tkt_model_file_head *head = (void *)bytes;

    tkt_sha256(bytes + CHECKED_FROM, n - CHECKED_FROM, head->sha256);
}

static void assert_lie_is_refused(size_t at, const void *lie, size_t n)
{
    char *copy = malloc(file.len);

    assert_non_null(copy);
    memcpy(copy, file.data, file.len);
    memcpy(copy + at, lie, n);
    seal(copy, file.len);
    assert_refused(copy, file.len, NULL);
    free(copy);
}

static void lies_behind_a_right_checksum_are_refused(void **state)
{
    struct tkt_model_file_head head;
    struct tkt_model_layout layout;
    const uint32_t counts[] = {0, 1, 17, 0x7fffffff, 0x80000000, UINT32_MAX};
    const size_t fields[] = {
        offsetof(struct tkt_model_file_head, rows),
        offsetof(struct tkt_model_file_head, slot_bits),
        offsetof(struct tkt_model_file_head, columns),
        offsetof(struct tkt_model_file_head, labels),
        offsetof(struct tkt_model_file_head, seen),
        offsetof(struct tkt_model_file_head, strings),
    };

    (void)state;
    memcpy(&head, file.data, sizeof(head));
    assert_int_equal(tkt_model_layout(&head, &layout), 0);
    assert_int_equal(layout.size, file.len);
    for (size_t f = 0; f < TKT_ARRAY_LEN(fields); f++) {
        for (size_t i = 0; i < TKT_ARRAY_LEN(counts); i++) {
            assert_lie_is_refused(fields[f], &counts[i], sizeof(counts[i]));
        }
    }
    const float numbers[] = {NAN, INFINITY, -1, 1e30F};
    for (size_t i = 0; i < TKT_ARRAY_LEN(numbers); i++) {
        size_t n = sizeof(numbers[i]);
        assert_lie_is_refused(offsetof(struct tkt_model_file_head, slope), &numbers[i],
                              n);
        assert_lie_is_refused(offsetof(struct tkt_model_file_head, view_weight),
                              &numbers[i], n);
        assert_lie_is_refused(layout.at[TKT_MODEL_PART_IDF] + 8, &numbers[i], n);
        assert_lie_is_refused(layout.at[TKT_MODEL_PART_SCALE] + 4, &numbers[i], n);
    }
    const uint32_t far[] = {head.strings, UINT32_MAX - 1, 0x80000000};
    for (size_t i = 0; i < TKT_ARRAY_LEN(far); i++) {
        assert_lie_is_refused(layout.at[TKT_MODEL_PART_LABELS], &far[i], 4);
        assert_lie_is_refused(layout.at[TKT_MODEL_PART_TOP], &far[i], 4);
        assert_lie_is_refused(offsetof(struct tkt_model_file_head, about), &far[i], 4);
    }
    assert_lie_is_refused(layout.at[TKT_MODEL_PART_STRINGS], "\xff", 1);
    assert_lie_is_refused(layout.at[TKT_MODEL_PART_STRINGS], "a\nb", 3);
    assert_lie_is_refused(file.len - 1, "x", 1);
    const struct tkt_model_slot slot = {0, head.rows};
    assert_lie_is_refused(layout.at[TKT_MODEL_PART_SLOTS], &slot, sizeof(slot));
}

/* ---- scores ---- */

static void scores_are_what_one_counts_by_hand(void **state)
{
    struct tkt_scored items[] = {
        {.probability = 0.9, .truth = 0, .answer = 0, .in_top3 = true, .is_sure = true},
        {.probability = 0.8, .truth = 1, .answer = 1, .in_top3 = true, .is_sure = true},
        {.probability = 0.7, .truth = 1, .answer = 0, .in_top3 = true, .is_sure = true},
        {.probability = 0.1, .truth = -1, .answer = 0, .is_sure = false},
    };
    struct tkt_score s;

    (void)state;
    assert_int_equal(tkt_score_of(items, 4, 3, &s), 0);
    assert_true(fabs(s.accuracy - 0.5) < 1e-9);
    assert_true(fabs(s.top3 - 0.75) < 1e-9);
    assert_true(fabs(s.coverage95 - 0.5) < 1e-9);
    assert_true(fabs(s.sure - 0.75) < 1e-9);
    assert_true(fabs(s.right - 2.0 / 3) < 1e-9);
    /* label 0: 2*1/(3+1); label 1: 2*1/(1+2); label 2 does not occur */
    assert_true(fabs(s.macro_f1 - (0.5 + 2.0 / 3) / 2) < 1e-9);
    assert_int_equal(tkt_score_of(items, 0, 3, &s), 0);
    assert_int_equal(s.n, 0);
}

static void a_label_never_seen_is_wrong_and_no_more(void **state)
{
    struct tkt_model *m = open_file(&file);
    struct tkt_model_work *work = tkt_model_work_new();
    struct tkt_model_choice c[TKT_HEAD_COUNT];

    (void)state;
    ask(m, work, "", "reset my password please", c);
    struct tkt_scored s =
        tkt_score_answer(m, work, TKT_HEAD_CATEGORY, &c[TKT_HEAD_CATEGORY], "never seen");
    assert_int_equal(s.truth, -1);
    assert_false(s.in_top3);
    assert_true(s.answer >= 0);
    s = tkt_score_answer(m, work, TKT_HEAD_CATEGORY, &c[TKT_HEAD_CATEGORY], "password");
    assert_int_equal(s.truth, s.answer);
    assert_true(s.in_top3);
    tkt_model_work_free(&work);
    tkt_model_close(&m);
}

/* ---- decisions ---- */

/* For two desks alike. */
static void decide_with(const struct tkt_model *m, struct tkt_model_memo *memo,
                        const char *subject, const char *text, struct tkt_decisions *out)
{
    static char none[] = "";
    struct tkt_desk_facts desks[2] = {
        {.name = none, .group = none, .type = none, .priority = 3, .opens = UINT32_MAX}};
    struct tkt_facts facts = {.client = none, .desks = desks, .desk_count = 2};
    struct tkt_policy policy = {.model = (struct tkt_model *)(uintptr_t)m, .memo = memo};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_message msg = {.subject = (char *)(uintptr_t)subject,
                              .reply_text = (char *)(uintptr_t)text};

    desks[1] = desks[0];
    msg.from.address = msg.from.name = none;
    msg.sender = msg.forwarded.from = msg.from;
    msg.text = msg.signature = msg.quoted = msg.language = msg.message_id = none;
    facts.auth_login = none;
    facts.person = (struct tkt_person){.name = none,
                                       .department = none,
                                       .company = none,
                                       .title = none,
                                       .location = none,
                                       .manager = none,
                                       .language = none};
    if (tkt_decide(&msg, &facts, &policy, out, &err) < 0) {
        fail_msg("%s", err.text);
    }
}

static void a_decision_says_what_the_model_made_of_it(void **state)
{
    struct tkt_model *m = open_file(&file);
    struct tkt_model_memo *memo = tkt_model_memo_new();
    struct tkt_decisions d;

    (void)state;
    decide_with(m, memo, "Forgot my password", "The login does not accept my code.", &d);
    const struct tkt_decision *one = &d.items[0];
    assert_string_equal(one->category, "password");
    assert_string_equal(one->group, "it");
    assert_int_equal(one->urgency, 1);
    assert_true(one->keywords.count > 0);
    assert_true(one->reason_count >= TKT_HEAD_COUNT);
    assert_int_equal(one->reasons[0].source, TKT_SOURCE_MODEL);
    assert_string_equal(one->reasons[0].by, "category");
    assert_string_equal(one->reasons[0].field, "category");
    assert_string_equal(one->reasons[0].value, "password");
    assert_true(one->reasons[0].permille > 200 && one->reasons[0].permille <= 1000);
    assert_true(one->reasons[0].words.count > 0);
    tkt_decisions_release(&d);
    /* not sure: told, and nothing set */
    tkt_model_set_threshold(m, 1.0);
    decide_with(m, memo, "Forgot my password", "", &d);
    assert_string_equal(d.items[0].category, "");
    assert_string_equal(d.items[0].reasons[0].field, "");
    assert_string_equal(d.items[0].reasons[0].value, "password");
    assert_int_equal(d.items[0].keywords.count, 0);
    tkt_decisions_release(&d);
    tkt_model_memo_free(&memo);
    tkt_model_close(&m);
}

static void desks_share_an_answer_and_messages_do_not(void **state)
{
    static const struct {
        const char *text;
        const char *category;
    } rows[] = {{"reset my password please", "password"},
                {"the printer is jammed", "printer"},
                {"", ""},
                {"reset my password please", "password"}};
    struct tkt_model *m = open_file(&file);
    struct tkt_model_memo *memo = tkt_model_memo_new();
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(1024 * 1024);
    struct tkt_decisions d;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows) * 2; i++) {
        size_t row = i % TKT_ARRAY_LEN(rows);
        tkt_buf_reset(&text); /* in the second half long ones, whose memory goes */
        for (size_t k = 0; k < (i < TKT_ARRAY_LEN(rows) ? 1 : 400); k++) {
            (void)tkt_buf_addf(&text, "%s ", rows[row].text);
        }
        decide_with(m, memo, "", tkt_buf_str(&text), &d);
        assert_int_equal(d.count, 2);
        assert_string_equal(d.items[0].category, rows[row].category);
        assert_string_equal(d.items[1].category, rows[row].category);
        assert_int_equal(d.items[1].reason_count, d.items[0].reason_count);
        tkt_decisions_release(&d);
    }
    tkt_model_memo_free(&memo);
    tkt_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_learned_is_answered_by_all_heads),
        cmocka_unit_test(nothing_known_is_not_answered),
        cmocka_unit_test(below_the_threshold_it_does_not_know),
        cmocka_unit_test(the_same_records_give_the_same_file_on_any_number_of_processors),
        cmocka_unit_test(the_telling_words_of_a_label_are_named),
        cmocka_unit_test(it_knows_what_it_has_learned_from),
        cmocka_unit_test(a_size_is_kept_by_leaving_out_what_is_rare),
        cmocka_unit_test(too_little_to_learn_from_is_told),
        cmocka_unit_test(two_records_are_enough_for_a_model),
        cmocka_unit_test(a_megabyte_and_hostile_texts_are_answered),
        cmocka_unit_test(foreign_files_are_refused_with_a_reason),
        cmocka_unit_test(every_cut_and_every_changed_byte_is_refused),
        cmocka_unit_test(lies_behind_a_right_checksum_are_refused),
        cmocka_unit_test(scores_are_what_one_counts_by_hand),
        cmocka_unit_test(a_label_never_seen_is_wrong_and_no_more),
        cmocka_unit_test(a_decision_says_what_the_model_made_of_it),
        cmocka_unit_test(desks_share_an_answer_and_messages_do_not),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
