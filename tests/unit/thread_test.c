/* SPDX-License-Identifier: BSD-2-Clause
 * common/decide: which ticket a message belongs to, held against tests/unit/thread_table.txt
 * row by row, and what the table leaves out: machines, splits, likeness, forwards.
 */
#include "base/util.h"
#include "decide/decide.h"
#include "message/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

struct world {
    struct tkt_message msg;
    struct tkt_facts facts;
    struct tkt_candidate c[3];
    struct tkt_desk_facts desk;
    struct tkt_decisions all;
};

static const uint32_t people =
    TKT_CLASS_BIT(TKT_CLASS_HUMAN) | TKT_CLASS_BIT(TKT_CLASS_LIST);
static const uint32_t machines = TKT_CLASS_BIT(TKT_CLASS_AUTO_GENERATED);
static const uint32_t every_class = TKT_CLASS_BIT(TKT_CLASS_COUNT) - 1;

/* A participant's mail with an aligned pass, naming the open ticket 12 by a reference. */
static void world(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->msg.class = TKT_CLASS_HUMAN;
    w->msg.subject = (char *)"Re: [IT-12] Printer on fire";
    w->msg.from.address = (char *)"ann@example.org";
    w->msg.forwarded = (struct tkt_forwarded){
        .from = {(char *)"", (char *)""}, .subject = (char *)"", .text = (char *)""};
    w->msg.auth_aligned = true;
    w->facts.auth_login = (char *)"";
    w->c[0] = (struct tkt_candidate){.ticket = 12,
                                     .id = (char *)"IT-12",
                                     .desk = (char *)"it",
                                     .subject = (char *)"Printer on fire",
                                     .evidence = TKT_EVIDENCE_REFERENCE,
                                     .state = TKT_STATE_OPEN,
                                     .is_participant = true};
    w->facts.candidate_count = 1;
    w->desk = (struct tkt_desk_facts){.name = (char *)"it",
                                      .group = (char *)"ops",
                                      .type = (char *)"incident",
                                      .priority = 3,
                                      .reopen_closed = true,
                                      .opens = people | machines,
                                      .changes_state = people,
                                      .acknowledges = TKT_CLASS_BIT(TKT_CLASS_HUMAN)};
}

/* A second candidate, a copy of the first one with another ticket and evidence. */
static struct tkt_candidate *add(struct world *w, int64_t ticket,
                                 enum tkt_evidence evidence)
{
    struct tkt_candidate *c = &w->c[w->facts.candidate_count++];

    *c = w->c[0];
    c->ticket = ticket;
    c->evidence = evidence;
    return c;
}

/* The one decision; ticketd would believe it. The caller releases w->all. */
static const struct tkt_decision *decide(struct world *w)
{
    struct tkt_err err = TKT_ERR_INIT;

    tkt_decisions_release(&w->all);
    w->facts.candidates = w->c;
    w->facts.desks = &w->desk;
    w->facts.desk_count = 1;
    assert_int_equal(tkt_decide(&w->msg, &w->facts, NULL, &w->all, &err), 0);
    assert_int_equal(tkt_decisions_check(&w->all, &w->facts, &err), 0);
    return &w->all.items[0];
}

static void set_auth(struct world *w, enum tkt_assurance a)
{
    w->facts.login_is_from = a == TKT_ASSURANCE_LOGIN;
    w->msg.auth_aligned = a == TKT_ASSURANCE_PASS;
    w->msg.dmarc = a == TKT_ASSURANCE_FAIL ? TKT_AUTH_FAIL : TKT_AUTH_NONE;
}

/* ---- the table ------------------------------------------------------------------------ */

static const char *const action_words[] = {"new",        "new-linked", "append",
                                           "unverified", "ignore",     "refuse"};

static int word_index(const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return i;
        }
    }
    fail_msg("the table has an unknown word %s", word);
    return -1;
}

static void set_state(struct world *w, char *word)
{
    char *policy = strchr(word, '/');

    w->desk.reopen_closed = policy == NULL || strcmp(policy, "/reopen") == 0;
    w->desk.refuse_closed = policy != NULL && strcmp(policy, "/refuse") == 0;
    if (policy != NULL) {
        *policy = '\0';
    }
    w->c[0].state =
        (enum tkt_ticket_state)word_index(word, tkt_state_names, TKT_STATE_COUNT);
}

static void set_sender(struct world *w, const char *word)
{
    w->c[0].bound_to_sender = strcmp(word, "own-party") == 0;
    w->c[0].is_participant = strcmp(word, "participant") == 0;
    w->facts.is_agent = strcmp(word, "agent") == 0;
}

static void check_row(const char *line)
{
    char f[6][24];
    char state[24];
    struct world w;

    assert_int_equal(
        sscanf(line, "%23s %23s %23s %23s %23s %23s", f[0], f[1], f[2], f[3], f[4], f[5]),
        6);
    snprintf(state, sizeof(state), "%s", f[3]);
    world(&w);
    w.c[0].evidence =
        (enum tkt_evidence)word_index(f[0], tkt_evidence_names, TKT_EVIDENCE_COUNT);
    set_sender(&w, f[1]);
    set_auth(&w, (enum tkt_assurance)word_index(f[2], tkt_assurance_names,
                                                TKT_ASSURANCE_COUNT));
    set_state(&w, state);
    const struct tkt_decision *d = decide(&w);
    if (strcmp(action_words[d->action], f[4]) != 0) {
        fail_msg("%s is decided as %s: %s", line, action_words[d->action], d->why);
    }
    bool touches = d->action != TKT_ACTION_NEW && d->action != TKT_ACTION_IGNORE;
    bool opens = strcmp(f[5], "opens") == 0;
    assert_int_equal(d->ticket, touches ? 12 : 0);
    assert_int_equal(d->changes_state, opens);
    assert_int_equal(d->reopens, opens && w.c[0].state != TKT_STATE_PENDING);
    bool silent = d->action == TKT_ACTION_APPEND_UNVERIFIED ||
                  d->action == TKT_ACTION_REFUSE || strcmp(f[2], "fail") == 0;
    assert_int_equal(d->acknowledge, !silent);
    assert_string_equal(tkt_assurance_names[d->assurance], f[2]);
    assert_false(d->public_comment);
    tkt_decisions_release(&w.all);
}

static void every_row_of_the_table_is_decided_as_written(void **state)
{
    (void)state;
    const char *src = getenv("TKT_SRCDIR");
    char path[4096];
    char line[512];
    unsigned rows = 0;

    snprintf(path, sizeof(path), "%s/tests/unit/thread_table.txt", src ? src : ".");
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '#' && line[0] != '\0' && strncmp(line, "evidence ", 9) != 0) {
            check_row(line);
            rows++;
        }
    }
    fclose(f);
    assert_int_equal(rows, TKT_EVIDENCE_COUNT * 5 * TKT_ASSURANCE_COUNT * 11);
}

/* ---- machines ------------------------------------------------------------------------- */

static void a_machines_answer_never_opens_a_ticket_beside_the_one_it_names(void **state)
{
    (void)state;
    static const enum tkt_class classes[] = {TKT_CLASS_BOUNCE, TKT_CLASS_DELAY,
                                             TKT_CLASS_AUTO_REPLY, TKT_CLASS_CHALLENGE};
    for (size_t i = 0; i < TKT_ARRAY_LEN(classes); i++) {
        for (int policy = 0; policy < 3; policy++) {
            struct world w;
            world(&w);
            w.msg.class = classes[i];
            w.c[0].is_participant = false;
            w.c[0].state = TKT_STATE_CLOSED;
            w.desk.reopen_closed = policy == 0;
            w.desk.refuse_closed = policy == 1;
            w.desk.opens = every_class;
            const struct tkt_decision *d = decide(&w);
            assert_int_equal(d->action, TKT_ACTION_APPEND_UNVERIFIED);
            assert_false(d->reopens || d->changes_state || d->acknowledge);
            w.c[0].is_participant = true;
            d = decide(&w);
            assert_int_equal(d->action, TKT_ACTION_APPEND);
            assert_false(d->reopens || d->changes_state || d->acknowledge);
            tkt_decisions_release(&w.all);
        }
    }
}

static void our_own_mail_that_comes_back_is_ignored_whatever_it_names(void **state)
{
    (void)state;
    struct world w;
    world(&w);
    w.facts.is_own = true;
    w.desk.opens = every_class;
    assert_int_equal(decide(&w)->action, TKT_ACTION_IGNORE);
    assert_int_equal(w.all.items[0].ticket, 0);
    assert_non_null(strstr(w.all.items[0].why, "class own"));
    w.facts.candidate_count = 0;
    assert_int_equal(decide(&w)->action, TKT_ACTION_IGNORE);
    tkt_decisions_release(&w.all);
}

/* ---- which candidate ------------------------------------------------------------------ */

static void a_ticket_that_lives_is_preferred_to_one_that_is_gone(void **state)
{
    (void)state;
    struct world w;
    world(&w);
    w.c[0].state = TKT_STATE_REFUSED;
    w.c[0].evidence = TKT_EVIDENCE_TOKEN;
    add(&w, 13, TKT_EVIDENCE_SUBJECT)->state = TKT_STATE_OPEN;
    const struct tkt_decision *d = decide(&w);
    assert_int_equal(d->ticket, 13);
    assert_int_equal(d->action, TKT_ACTION_APPEND);
    tkt_decisions_release(&w.all);
}

static void likeness_is_told_for_a_new_ticket_and_for_nothing_else(void **state)
{
    (void)state;
    struct world w;
    world(&w);
    add(&w, 9, TKT_EVIDENCE_SIMILAR)->id = (char *)"IT-9";
    const struct tkt_decision *d = decide(&w);
    assert_int_equal(d->ticket, 12);
    assert_int_equal(d->similar, 0);

    w.c[0] = w.c[1];
    w.facts.candidate_count = 1;
    d = decide(&w);
    assert_int_equal(d->action, TKT_ACTION_NEW);
    assert_int_equal(d->ticket, 0);
    assert_int_equal(d->similar, 9);
    assert_non_null(strstr(d->why, "looks like IT-9"));

    w.c[0].desk = (char *)"hr";
    assert_int_equal(decide(&w)->similar, 0);
    tkt_decisions_release(&w.all);
}

/* ---- splits --------------------------------------------------------------------------- */

static void an_answer_about_something_else_is_offered_as_split(void **state)
{
    (void)state;
    static const struct {
        const char *subject;
        bool suggested;
    } rows[] = {
        {"Re: [IT-12] Printer on fire", false},
        {"AW: printer still burns", false},
        {"PRINTER", false},
        {"New laptop for Monday", true},
        {"Re: Fwd: invoices of March", true},
        {"", false}, /* says nothing */
        {"Re: [IT-12]", false},
        {"12345", false},
        {"Фаєр: принтер", true}, /* other words, whatever they mean */
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        for (int e = TKT_EVIDENCE_TOKEN; e <= TKT_EVIDENCE_FOREIGN; e++) {
            struct world w;
            world(&w);
            w.c[0].evidence = (enum tkt_evidence)e;
            w.msg.subject = (char *)rows[i].subject;
            const struct tkt_decision *d = decide(&w);
            bool want = rows[i].suggested && e <= TKT_EVIDENCE_SIBLING;
            assert_int_equal(d->action, TKT_ACTION_APPEND);
            assert_int_equal(d->split_suggested, want);
            assert_int_equal(d->tags.count, want);
            assert_int_equal(strstr(d->why, "split suggested") != NULL, want);
            tkt_decisions_release(&w.all);
        }
    }
}

static void machines_and_new_tickets_are_not_split(void **state)
{
    (void)state;
    struct world w;
    world(&w);
    w.msg.subject = (char *)"Out of office until Monday";
    w.msg.class = TKT_CLASS_AUTO_REPLY;
    assert_false(decide(&w)->split_suggested);
    w.msg.class = TKT_CLASS_HUMAN;
    assert_true(decide(&w)->split_suggested);
    set_auth(&w, TKT_ASSURANCE_FAIL);
    assert_false(decide(&w)->split_suggested);
    tkt_decisions_release(&w.all);
}

/* ---- forwards ------------------------------------------------------------------------- */

static void
a_forward_opens_in_the_senders_name_only_for_whom_the_desk_believes(void **state)
{
    (void)state;
    for (int bits = 0; bits < 8; bits++) {
        for (int a = 0; a < TKT_ASSURANCE_COUNT; a++) {
            struct world w;
            world(&w);
            w.facts.candidate_count = 0;
            w.facts.is_agent = (bits & 1) != 0;
            w.desk.forward_agents = (bits & 2) != 0;
            w.desk.forward_anybody = (bits & 4) != 0;
            set_auth(&w, (enum tkt_assurance)a);
            w.msg.forwarded.is_present = true;
            w.msg.forwarded.from.address = (char *)"kim@customer.example";
            w.msg.forwarded.from.name = (char *)"Kim";
            const struct tkt_decision *d = decide(&w);
            bool believed = (bits & 4) != 0 || (bits & 3) == 3;
            bool want = believed && a <= TKT_ASSURANCE_PASS;
            assert_int_equal(d->action, TKT_ACTION_NEW);
            assert_string_equal(d->requester, want ? "kim@customer.example" : "");
            assert_string_equal(d->requester_name, want ? "Kim" : "");

            w.msg.forwarded.from.address = (char *)"not an address";
            assert_string_equal(decide(&w)->requester, "");
            tkt_decisions_release(&w.all);
        }
    }
}

static void a_forward_into_a_ticket_and_a_machines_forward_keep_their_sender(void **state)
{
    (void)state;
    struct world w;
    world(&w);
    w.facts.is_agent = true;
    w.desk.forward_agents = true;
    w.msg.forwarded.is_present = true;
    w.msg.forwarded.from.address = (char *)"kim@customer.example";
    assert_string_equal(decide(&w)->requester, "");
    w.facts.candidate_count = 0;
    assert_string_equal(decide(&w)->requester, "kim@customer.example");
    w.msg.class = TKT_CLASS_AUTO_GENERATED;
    assert_string_equal(decide(&w)->requester, "");
    tkt_decisions_release(&w.all);
}

/* ---- what a child may not say ----------------------------------------------------------- */

static void a_decision_that_goes_beyond_its_facts_is_not_believed(void **state)
{
    (void)state;
    struct world w;
    struct tkt_err err = TKT_ERR_INIT;
    world(&w);
    add(&w, 9, TKT_EVIDENCE_SIMILAR);
    (void)decide(&w);
    struct tkt_decision *d = &w.all.items[0];
    struct tkt_decision good = *d;

    d->ticket = 9;
    assert_int_equal(tkt_decisions_check(&w.all, &w.facts, &err), -1);
    *d = good;
    d->similar = 9;
    assert_int_equal(tkt_decisions_check(&w.all, &w.facts, &err), -1);
    *d = good;
    d->requester = (char *)"ceo@example.org";
    assert_int_equal(tkt_decisions_check(&w.all, &w.facts, &err), -1);
    *d = good;
    d->action = TKT_ACTION_REFUSE;
    d->acknowledge = false;
    assert_int_equal(tkt_decisions_check(&w.all, &w.facts, &err), -1);
    w.desk.refuse_closed = true;
    assert_int_equal(tkt_decisions_check(&w.all, &w.facts, &err), -1);
    w.c[0].state = TKT_STATE_CLOSED;
    assert_int_equal(tkt_decisions_check(&w.all, &w.facts, &err), 0);
    *d = good;
    d->action = TKT_ACTION_NEW_LINKED;
    d->split_suggested = true;
    assert_int_equal(tkt_decisions_check(&w.all, &w.facts, &err), -1);
    *d = good;
    d->action = TKT_ACTION_NEW;
    d->ticket = 0;
    d->similar = 77;
    assert_int_equal(tkt_decisions_check(&w.all, &w.facts, &err), -1);
    d->similar = 9;
    assert_int_equal(tkt_decisions_check(&w.all, &w.facts, &err), 0);
    d->requester = (char *)"kim@customer.example";
    w.desk.never = TKT_NEVER_REQUESTER;
    w.desk.forward_agents = true;
    assert_int_equal(tkt_decisions_check(&w.all, &w.facts, &err), -1);
    w.facts.is_agent = true;
    assert_int_equal(tkt_decisions_check(&w.all, &w.facts, &err), 0);
    *d = good;
    tkt_decisions_release(&w.all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_is_decided_as_written),
        cmocka_unit_test(a_machines_answer_never_opens_a_ticket_beside_the_one_it_names),
        cmocka_unit_test(our_own_mail_that_comes_back_is_ignored_whatever_it_names),
        cmocka_unit_test(a_ticket_that_lives_is_preferred_to_one_that_is_gone),
        cmocka_unit_test(likeness_is_told_for_a_new_ticket_and_for_nothing_else),
        cmocka_unit_test(an_answer_about_something_else_is_offered_as_split),
        cmocka_unit_test(machines_and_new_tickets_are_not_split),
        cmocka_unit_test(
            a_forward_opens_in_the_senders_name_only_for_whom_the_desk_believes),
        cmocka_unit_test(
            a_forward_into_a_ticket_and_a_machines_forward_keep_their_sender),
        cmocka_unit_test(a_decision_that_goes_beyond_its_facts_is_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
