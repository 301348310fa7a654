/* SPDX-License-Identifier: BSD-2-Clause
 * Parts of ticketd that need no daemon: backoff, the fair pool, the kept envelope, roles,
 * the reading of a hook's message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"
#include "conf/read.h"
#include "ticketd/core/access.h"
#include "ticketd/core/work.h"
#include "ticketd/facts/decided.h"
#include "ticketd/facts/envelope.h"
#include "ticketd/facts/facts.h"
#include "ticketd/intake/incoming.h"
#include "ticketd/jobs/backoff.h"
#include "ticketd/shadow/shadow_count.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* ---- backoff -------------------------------------------------------------------------- */

static void success_is_done_and_what_cannot_work_is_parked(void **state)
{
    const struct tkt_job job = {.attempts = 1, .created_ms = 1000};
    const struct tkt_err none = TKT_ERR_INIT;
    const struct tkt_err perm = {.class = TKT_ERR_PERM};
    const struct tkt_err conf = {.class = TKT_ERR_CONF};
    const struct tkt_err bug = {.class = TKT_ERR_BUG};

    (void)state;
    assert_int_equal(tkt_backoff(&job, &none, 0, 2000).outcome, TKT_JOB_DONE);
    assert_int_equal(tkt_backoff(&job, &perm, 0, 2000).outcome, TKT_JOB_PARK);
    assert_int_equal(tkt_backoff(&job, &conf, 0, 2000).outcome, TKT_JOB_PARK);
    assert_int_equal(tkt_backoff(&job, &bug, 0, 2000).outcome, TKT_JOB_PARK);
}

static void pauses_grow_to_a_limit_and_are_spread(void **state)
{
    const struct tkt_err temp = {.class = TKT_ERR_TEMP};
    int64_t before = 0;

    (void)state;
    for (int attempts = 1; attempts < 40; attempts++) {
        const struct tkt_job job = {.attempts = attempts};
        struct tkt_verdict late = tkt_backoff(&job, &temp, 0, 0);
        struct tkt_verdict early = tkt_backoff(&job, &temp, 1023, 0);

        assert_int_equal(late.outcome, TKT_JOB_DEFER);
        assert_true(late.run_after_ms >= before);
        assert_true(late.run_after_ms <= TKT_BACKOFF_MAX_MS);
        assert_true(early.run_after_ms < late.run_after_ms);
        assert_true(early.run_after_ms >= late.run_after_ms * 3 / 4);
        before = late.run_after_ms;
    }
    assert_int_equal(before, TKT_BACKOFF_MAX_MS);
}

static void retry_after_is_obeyed_and_age_parks(void **state)
{
    const struct tkt_job job = {.attempts = TKT_BACKOFF_TRIES_MIN, .created_ms = 0};
    const struct tkt_job fresh = {.attempts = TKT_BACKOFF_TRIES_MIN - 1};
    const struct tkt_err busy = {.class = TKT_ERR_TEMP, .retry_after_s = 3600};

    (void)state;
    assert_true(tkt_backoff(&job, &busy, 0, 5).run_after_ms >= 3600 * 1000);
    assert_int_equal(tkt_backoff(&job, &busy, 0, TKT_BACKOFF_AGE_MS).outcome,
                     TKT_JOB_DEFER);
    assert_int_equal(tkt_backoff(&job, &busy, 0, TKT_BACKOFF_AGE_MS + 1).outcome,
                     TKT_JOB_PARK);
    assert_int_equal(tkt_backoff(&fresh, &busy, 0, TKT_BACKOFF_AGE_MS + 1).outcome,
                     TKT_JOB_DEFER);
}

/* ---- the fair pool -------------------------------------------------------------------- */

#define PATIENCE_MS 20000

struct task {
    struct tkt_work_item item;
    int millis;
    atomic_bool *gate; /* it runs until this is open */
    atomic_llong ended_us;
};

static atomic_int running_now;
static atomic_int running_most;

static bool becomes(atomic_int *value, int wanted)
{
    int64_t until = tkt_clock_mono_ms() + PATIENCE_MS;

    while (atomic_load(value) != wanted && tkt_clock_mono_ms() < until) {
        usleep(1000);
    }
    return atomic_load(value) == wanted;
}

static void run_task(struct tkt_tools *tools, struct tkt_work_item *item)
{
    struct task *t = (struct task *)item;
    int now = atomic_fetch_add(&running_now, 1) + 1;

    (void)tools;
    if (now > atomic_load(&running_most)) {
        atomic_store(&running_most, now);
    }
    usleep((useconds_t)t->millis * 1000);
    while (t->gate && !atomic_load(t->gate)) {
        usleep(1000);
    }
    atomic_store(&t->ended_us, tkt_clock_mono_us());
    atomic_fetch_sub(&running_now, 1);
}

static void one_key_gets_at_most_half_of_the_threads(void **state)
{
    struct task tasks[12] = {0};
    struct tkt_work *work = tkt_work_start("/nonexistent", 4, 100, NULL);
    atomic_bool gate = false;

    (void)state;
    assert_non_null(work);
    atomic_store(&running_most, 0);
    for (size_t i = 0; i < TKT_ARRAY_LEN(tasks); i++) {
        tasks[i] = (struct task){.item = {.run = run_task, .key = 77}, .gate = &gate};
        assert_int_equal(tkt_work_push(work, &tasks[i].item), 0);
    }
    assert_true(becomes(&running_now, 2));
    usleep(50000); /* a third would have begun */
    atomic_store(&gate, true);
    tkt_work_stop(&work);
    assert_int_equal(atomic_load(&running_most), 2);
    for (size_t i = 0; i < TKT_ARRAY_LEN(tasks); i++) {
        assert_true(tasks[i].ended_us > 0); /* stop runs what waits */
    }
}

static void who_used_much_waits_behind_who_used_little(void **state)
{
    enum {
        SLOW = 6
    };
    struct task slow[SLOW] = {0};
    struct task quick = {.item = {.run = run_task, .key = tkt_work_key("quick.example")}};
    struct tkt_work *work = tkt_work_start("/nonexistent", 1, 100, NULL);
    atomic_bool gate = false;
    int64_t until = tkt_clock_mono_ms() + PATIENCE_MS;

    (void)state;
    for (size_t i = 0; i < SLOW; i++) {
        slow[i] =
            (struct task){.item = {.run = run_task, .key = tkt_work_key("slow.example")},
                          .gate = i == 1 ? &gate : NULL,
                          .millis = i == 0 ? 130 : 1};
        assert_int_equal(tkt_work_push(work, &slow[i].item), 0);
    }
    while (slow[0].ended_us == 0) { /* then what it used is known */
        assert_true(tkt_clock_mono_ms() < until);
        usleep(1000);
    }
    assert_true(becomes(&running_now, 1)); /* the second stands at the gate */
    assert_int_equal(tkt_work_push(work, &quick.item), 0);
    atomic_store(&gate, true);
    tkt_work_stop(&work);
    assert_true(quick.ended_us < slow[3].ended_us);
}

static void heavy_items_leave_threads_to_light_ones_of_the_same_key(void **state)
{
    struct task heavy[6] = {0};
    struct task light = {.item = {.run = run_task, .key = 77}};
    struct tkt_work *work = tkt_work_start("/nonexistent", 6, 100, NULL);
    atomic_bool gate = false;
    int64_t until = tkt_clock_mono_ms() + PATIENCE_MS;

    (void)state;
    atomic_store(&running_most, 0);
    for (size_t i = 0; i < TKT_ARRAY_LEN(heavy); i++) {
        heavy[i] = (struct task){.item = {.run = run_task, .key = 77, .heavy = true},
                                 .gate = &gate};
        assert_int_equal(tkt_work_push(work, &heavy[i].item), 0);
    }
    assert_true(becomes(&running_now, 2));
    usleep(50000); /* a third would have begun */
    assert_int_equal(atomic_load(&running_most), 2);
    assert_int_equal(tkt_work_push(work, &light.item), 0);
    while (light.ended_us == 0) { /* it waits for none of them */
        assert_true(tkt_clock_mono_ms() < until);
        usleep(1000);
    }
    atomic_store(&gate, true);
    tkt_work_stop(&work);
    for (size_t i = 0; i < TKT_ARRAY_LEN(heavy); i++) {
        assert_true(heavy[i].ended_us > light.ended_us);
    }
}

static void full_queue_refuses(void **state)
{
    struct task tasks[4] = {0};
    struct tkt_work *work = tkt_work_start("/nonexistent", 1, 2, NULL);
    int refused = 0;
    atomic_bool gate = false;

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(tasks); i++) {
        tasks[i] = (struct task){.item = {.run = run_task}, .gate = &gate};
        refused += tkt_work_push(work, &tasks[i].item) < 0;
    }
    atomic_store(&gate, true);
    assert_true(refused >= 1);
    tkt_work_stop(&work);
}

static void keys_of_texts_are_never_nobody(void **state)
{
    (void)state;
    assert_true(tkt_work_key("") == 0);
    assert_true(tkt_work_key("a") != 0);
    assert_true(tkt_work_key("a") != tkt_work_key("b"));
}

/* ---- envelope ------------------------------------------------------------------------- */

static void envelope_comes_back_as_it_went(void **state)
{
    struct tkt_wire_rcpt rcpts[] = {{.addr = (char *)"a+\"x\"@example.test"},
                                    {.addr = (char *)"b\\c@example.test"}};
    const struct tkt_wire_request wire = {.hook = (char *)"milter",
                                          .queue_id = (char *)"Q",
                                          .sender = (char *)"ann\n@customer.example",
                                          .rcpts = rcpts,
                                          .rcpt_count = 2,
                                          .client_addr = (char *)"192.0.2.1",
                                          .client_name = (char *)"",
                                          .helo = (char *)"",
                                          .tls = (char *)"",
                                          .tls_subject = (char *)"CN=ann",
                                          .auth_login = (char *)"ann"};
    struct tkt_wire_arena arena = {0};
    struct tkt_envelope e;
    struct tkt_err err = TKT_ERR_INIT;
    char *json = tkt_envelope_make(&wire, &arena);

    (void)state;
    assert_non_null(json);
    assert_int_equal(tkt_envelope_read(json, strlen(json), &e, &err), 0);
    assert_string_equal(e.sender, wire.sender);
    assert_string_equal(e.auth_login, "ann");
    assert_string_equal(e.tls_subject, "CN=ann");
    assert_int_equal(e.rcpt_count, 2);
    assert_string_equal(e.rcpts[0], rcpts[0].addr);
    assert_string_equal(e.rcpts[1], rcpts[1].addr);
    tkt_envelope_release(&e);
    tkt_wire_arena_release(&arena);
    assert_int_equal(tkt_envelope_read("[]", 2, &e, &err), -1);
    assert_int_equal(tkt_envelope_read("", 0, &e, &err), -1);
    assert_int_equal(tkt_envelope_read("{}", 2, &e, &err), 0);
    assert_string_equal(e.sender, "");
    tkt_envelope_release(&e);
}

/* ---- access --------------------------------------------------------------------------- */

static void roles_follow_names_numbers_and_groups(void **state)
{
    char *admins[] = {(char *)"61001"};
    char *agents[] = {(char *)"@61500", (char *)"no-such-user-here"};
    char *readers[] = {(char *)"61002", (char *)"61003"};
    char *hooks[] = {(char *)"61003"};
    const struct tkt_conf_access conf = {.hooks = {hooks, 1},
                                         .admins = {admins, 1},
                                         .agents = {agents, 2},
                                         .readers = {readers, 2}};
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_access *a = tkt_access_new(&conf, &err);
    struct tkt_peer p = {.uid = 61001, .groups = {61001}, .group_count = 1};

    (void)state;
    assert_non_null(a);
    assert_int_equal(tkt_access_role(a, &p), TKT_ROLE_ADMIN);
    assert_false(tkt_access_hook(a, &p));
    p.uid = 61002;
    assert_int_equal(tkt_access_role(a, &p), TKT_ROLE_READER);
    p.groups[1] = 61500; /* the stronger of two rights counts */
    p.group_count = 2;
    assert_int_equal(tkt_access_role(a, &p), TKT_ROLE_AGENT);
    p.uid = 61003;
    assert_true(tkt_access_hook(a, &p));
    p.uid = 61004;
    p.group_count = 1;
    assert_int_equal(tkt_access_role(a, &p), TKT_ROLE_NONE);
    p.uid = 0;
    assert_int_equal(tkt_access_role(a, &p), TKT_ROLE_ADMIN);
    assert_true(tkt_access_hook(a, &p));
    tkt_access_free(&a);
}

/* ---- reading a message ---------------------------------------------------------------- */

static const struct tkt_conf_limits limits = {.message_max = 300000, .inline_max = 1000};

static int read_text(const char *text, size_t len, struct tkt_incoming *in,
                     const struct tkt_keyscan_result **result, struct tkt_keyscan *scan,
                     const char *dir)
{
    struct tkt_err err = TKT_ERR_INIT;
    int fd = tkt_memfd_sealed("m", text, len, &err);

    tkt_incoming_init(in);
    int rc = tkt_incoming_read(in, fd, &limits, dir, scan, INT64_MAX, result, &err);
    close(fd);
    return rc;
}

static void message_above_the_maximum_keeps_only_its_beginning(void **state)
{
    static char text[400000];
    const struct tkt_prefixes none = {0};
    struct tkt_keyscan *scan = tkt_keyscan_new(&none, NULL);
    const struct tkt_keyscan_result *result = NULL;
    unsigned char begin[TKT_SHA256_LEN];
    struct tkt_incoming in;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "Subject: a\r\n\r\n", 14);
    assert_int_equal(read_text(text, sizeof(text), &in, &result, scan, "/nonexistent"),
                     0);
    assert_true(in.truncated);
    assert_int_equal(in.raw_len, 1000);
    assert_memory_equal(in.raw, text, 1000);
    tkt_sha256(text, 1000, begin);
    assert_memory_equal(in.sha256, begin, sizeof(begin));
    assert_int_equal(result->size, sizeof(text)); /* the key is of all of it */
    tkt_incoming_release(&in);
    tkt_keyscan_free(&scan);
}

static void message_is_hashed_as_it_is_kept(void **state)
{
    const char text[] = "Subject: a\r\n\r\nbody\r\n";
    const struct tkt_prefixes none = {0};
    struct tkt_keyscan *scan = tkt_keyscan_new(&none, NULL);
    const struct tkt_keyscan_result *result = NULL;
    unsigned char hash[TKT_SHA256_LEN];
    struct tkt_incoming in;

    (void)state;
    assert_int_equal(read_text(text, strlen(text), &in, &result, scan, "/nonexistent"),
                     0);
    assert_false(in.truncated);
    assert_false(in.has_blob);
    tkt_sha256(text, strlen(text), hash);
    assert_memory_equal(in.sha256, hash, sizeof(hash));
    tkt_incoming_release(&in);
    tkt_keyscan_free(&scan);
}

static void large_message_that_cannot_be_stored_is_temporary(void **state)
{
    static char text[5000];
    const struct tkt_prefixes none = {0};
    struct tkt_keyscan *scan = tkt_keyscan_new(&none, NULL);
    const struct tkt_keyscan_result *result = NULL;
    struct tkt_incoming in;

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_int_equal(read_text(text, sizeof(text), &in, &result, scan, "/nonexistent"),
                     -1);
    tkt_incoming_release(&in);
    tkt_keyscan_free(&scan);
}

/* ---- what a decision becomes ---------------------------------------------------------- */

static void assert_reply(const char *text, const char *want)
{
    char out[TKT_DECIDED_REPLY_MAX + 1];

    tkt_decided_reply(text, out);
    assert_string_equal(out, want);
}

static void a_reply_is_one_line_of_ascii_that_fits(void **state)
{
    char much[TKT_REFUSE_TEXT_MAX + 1];
    char out[TKT_DECIDED_REPLY_MAX + 1];

    (void)state;
    assert_reply("Use https://portal.example/new?a=b",
                 "Use https://portal.example/new?a=b");
    assert_reply(" two\r\n550 lines\t\x01\x7f here ", "two 550 lines here");
    assert_reply("Bitte \xc3\xbc"
                 "ber das Portal, gr\xc3\xb6\xc3\x9f"
                 "er",
                 "Bitte ueber das Portal, groesser");
    assert_reply("\xe2\x82\xac 5, \xf0\x9f\x98\x80, \xff", "? 5, ?, ?");
    assert_reply("", "This address does not take the message");
    assert_reply(NULL, "This address does not take the message");
    assert_reply(" \n ", "This address does not take the message");
    memset(much, 'x', sizeof(much) - 1);
    much[sizeof(much) - 1] = '\0';
    tkt_decided_reply(much, out);
    assert_int_equal(strlen(out), TKT_DECIDED_REPLY_MAX);
    much[300] = ' ';
    tkt_decided_reply(much, out); /* a word is not cut where a blank can be */
    assert_int_equal(strlen(out), 300);
}

static struct tkt_conf *load(const char *text)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = tkt_conf_load_text("f", text, strlen(text), &err);

    assert_string_equal(err.text, "");
    assert_non_null(conf);
    return conf;
}

static void questions_are_the_configurations_in_the_requesters_language(void **state)
{
    static char *missing[] = {(char *)"order", (char *)"asset", (char *)"phone"};
    struct tkt_decision d = {.missing = {missing, 3}, .itsm = (char *)"nowhere"};
    struct tkt_wire_request owner = {0};
    struct tkt_conf *conf = load("desk \"it\" { addresses = {\"it@example.org\"} }\n"
                                 "require \"order\" { question = \"Which order?\""
                                 " question_de = \"Welche Bestellung?\" }\n"
                                 "require \"asset\" { question = \"Which device?\" }\n");

    (void)state;
    assert_string_equal(tkt_decided_question(conf, &d, "de", &owner.arena),
                        "Welche Bestellung?\nWhich device?\nphone");
    assert_string_equal(tkt_decided_question(conf, &d, "", &owner.arena),
                        "Which order?\nWhich device?\nphone");
    d.missing.count = 0;
    assert_null(tkt_decided_question(conf, &d, "de", &owner.arena));
    assert_null(tkt_decided_question(conf, NULL, "de", &owner.arena));
    assert_string_equal(tkt_decided_itsm(conf, &conf->desks[0], &d), "local");
    assert_string_equal(tkt_decided_itsm(conf, &conf->desks[0], NULL), "local");
    tkt_wire_request_release(&owner);
    tkt_conf_free(&conf);
}

static void what_no_rule_does_is_a_fact(void **state)
{
    struct tkt_conf *none = load("desk \"it\" { addresses = {\"it@example.org\"} }\n");
    struct tkt_conf *some = load("desk \"it\" { addresses = {\"it@example.org\"} }\n"
                                 "rule \"r\" { if_subject = {\"x\"} refuse = \"no\" }\n"
                                 "rule \"q\" { set_requester = \"a@example.org\" }\n");

    (void)state;
    assert_int_equal(tkt_conf_never(none),
                     TKT_NEVER_REFUSE | TKT_NEVER_IGNORE | TKT_NEVER_REQUESTER);
    assert_int_equal(tkt_conf_never(some), TKT_NEVER_IGNORE);
    tkt_conf_free(&none);
    tkt_conf_free(&some);
}

/* ---- the shadow's counters ------------------------------------------------------------ */

static void a_shadows_counters_are_bounded_and_tell_the_newest(void **state)
{
    static struct tkt_shadow_counts c;
    struct tkt_buf json = TKT_BUF_INIT(1024 * 1024);
    char group[40];
    char much[3000];

    (void)state;
    memset(much, 'x', sizeof(much) - 1);
    much[sizeof(much) - 1] = '\0';
    for (int i = 0; i < 200; i++) {
        struct tkt_decision old = {.group = (char *)"ops", .why = much};
        struct tkt_decision new = {.group = group, .service = much, .priority = 2};
        char ticket[16];

        snprintf(group, sizeof(group), "g%d", i % 100);
        snprintf(ticket, sizeof(ticket), "IT-%d", i);
        tkt_shadow_count(&c, &old, &new, ticket, "it", 1000 * i);
        tkt_shadow_count(&c, &old, &old, ticket, "it", 1000 * i);
    }
    assert_int_equal(c.compared, 400);
    assert_int_equal(c.differ, 200);
    assert_int_equal(c.parts[TKT_PART_GROUP], 200);
    assert_int_equal(c.parts[TKT_PART_TYPE], 0);
    assert_int_equal(c.move_count, TKT_SHADOW_MOVES_MAX);
    assert_int_equal(c.other_moves, 2 * (100 - TKT_SHADOW_MOVES_MAX));
    (void)tkt_buf_adds(&json, "{\"a\":1"); /* the maximum fits it all */
    tkt_shadow_counts_json(&c, &json);
    (void)tkt_buf_addc(&json, '}');
    cJSON *told = cJSON_Parse(tkt_buf_str(&json));
    const cJSON *examples = cJSON_GetObjectItem(told, "examples");
    assert_int_equal(cJSON_GetArraySize(examples), TKT_SHADOW_EXAMPLES_MAX);
    const cJSON *newest = cJSON_GetArrayItem(examples, 0);
    assert_string_equal(cJSON_GetObjectItem(newest, "ticket")->valuestring, "IT-199");
    const cJSON *side = cJSON_GetObjectItem(newest, "new");
    assert_string_equal(cJSON_GetObjectItem(side, "group")->valuestring, "g99");
    assert_int_equal(strlen(cJSON_GetObjectItem(side, "service")->valuestring),
                     TKT_SHADOW_TEXT_MAX);
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(newest, "old"), "group")->valuestring,
        "ops");
    cJSON_Delete(told);
    tkt_buf_release(&json);
    tkt_shadow_counts_reset(&c);
    assert_int_equal(c.compared, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shadows_counters_are_bounded_and_tell_the_newest),
        cmocka_unit_test(a_reply_is_one_line_of_ascii_that_fits),
        cmocka_unit_test(questions_are_the_configurations_in_the_requesters_language),
        cmocka_unit_test(what_no_rule_does_is_a_fact),
        cmocka_unit_test(success_is_done_and_what_cannot_work_is_parked),
        cmocka_unit_test(pauses_grow_to_a_limit_and_are_spread),
        cmocka_unit_test(retry_after_is_obeyed_and_age_parks),
        cmocka_unit_test(one_key_gets_at_most_half_of_the_threads),
        cmocka_unit_test(who_used_much_waits_behind_who_used_little),
        cmocka_unit_test(heavy_items_leave_threads_to_light_ones_of_the_same_key),
        cmocka_unit_test(full_queue_refuses),
        cmocka_unit_test(keys_of_texts_are_never_nobody),
        cmocka_unit_test(envelope_comes_back_as_it_went),
        cmocka_unit_test(roles_follow_names_numbers_and_groups),
        cmocka_unit_test(message_above_the_maximum_keeps_only_its_beginning),
        cmocka_unit_test(message_is_hashed_as_it_is_kept),
        cmocka_unit_test(large_message_that_cannot_be_stored_is_temporary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
