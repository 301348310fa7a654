/* SPDX-License-Identifier: BSD-2-Clause
 * common/decide: how sure a sender is, what a class of mail may do, what a new ticket gets.
 * Who may write to which ticket is in thread_test.c.
 */
#include "base/util.h"
#include "decide/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum relation {
    BOUND,
    OTHER_PARTY,
    PARTICIPANT,
    AGENT,
    STRANGER,
    RELATIONS
};
/* One of each way in which a message can be authenticated. */
enum auth {
    LOGIN,
    LOGIN_DMARC_FAIL,
    ALIGNED_PASS,
    PASS_OF_ANOTHER_DOMAIN,
    NO_RESULT,
    TEMPORARY_ERROR,
    SPF_FAIL,
    DKIM_FAIL,
    DMARC_FAIL,
    ALIGNED_PASS_BUT_DMARC_FAIL,
    AUTHS
};

#define ALL_CLASSES (TKT_CLASS_BIT(TKT_CLASS_COUNT) - 1)
static const uint32_t human = TKT_CLASS_BIT(TKT_CLASS_HUMAN);
static const uint32_t list = TKT_CLASS_BIT(TKT_CLASS_LIST);
static const uint32_t bounces =
    TKT_CLASS_BIT(TKT_CLASS_BOUNCE) | TKT_CLASS_BIT(TKT_CLASS_DELAY);

struct world {
    struct tkt_message msg;
    struct tkt_facts facts;
    struct tkt_candidate candidate;
    struct tkt_desk_facts desk;
};

static void set_auth(struct world *w, enum auth auth)
{
    struct tkt_message *m = &w->msg;

    w->facts.login_is_from = auth == LOGIN || auth == LOGIN_DMARC_FAIL;
    w->facts.auth_login = (char *)(w->facts.login_is_from ? "ann" : "");
    m->auth_aligned = auth == ALIGNED_PASS || auth == ALIGNED_PASS_BUT_DMARC_FAIL;
    m->spf = auth == SPF_FAIL ? TKT_AUTH_FAIL : TKT_AUTH_NONE;
    m->dkim = TKT_AUTH_NONE;
    m->dmarc = TKT_AUTH_NONE;
    switch (auth) {
    case ALIGNED_PASS:
    case PASS_OF_ANOTHER_DOMAIN:
    case ALIGNED_PASS_BUT_DMARC_FAIL:
        m->dkim = TKT_AUTH_PASS;
        break;
    case DKIM_FAIL:
        m->dkim = TKT_AUTH_FAIL;
        break;
    case TEMPORARY_ERROR:
        m->dkim = TKT_AUTH_ERROR;
        m->dmarc = TKT_AUTH_ERROR;
        break;
    default:
        break;
    }
    if (auth == DMARC_FAIL || auth == LOGIN_DMARC_FAIL ||
        auth == ALIGNED_PASS_BUT_DMARC_FAIL) {
        m->dmarc = TKT_AUTH_FAIL;
    }
}

static struct world world(enum tkt_evidence evidence, enum relation relation,
                          enum auth auth, enum tkt_ticket_state state)
{
    struct world w;

    memset(&w, 0, sizeof(w));
    w.msg.class = TKT_CLASS_HUMAN;
    set_auth(&w, auth);
    w.facts.is_agent = relation == AGENT;
    w.candidate = (struct tkt_candidate){.ticket = 12,
                                         .id = (char *)"IT-12",
                                         .desk = (char *)"it",
                                         .evidence = evidence,
                                         .state = state,
                                         .bound_to_sender = relation == BOUND,
                                         .is_participant = relation == PARTICIPANT};
    w.desk = (struct tkt_desk_facts){.name = (char *)"it",
                                     .group = (char *)"ops",
                                     .type = (char *)"incident",
                                     .priority = 3,
                                     .reopen_closed = true,
                                     .opens = ALL_CLASSES & ~bounces,
                                     .changes_state = human | list,
                                     .acknowledges = human};
    return w;
}

static struct tkt_decision decide(struct world *w, struct tkt_decisions *all)
{
    struct tkt_err err = TKT_ERR_INIT;

    w->facts.candidates = &w->candidate;
    w->facts.candidate_count = w->candidate.id == NULL ? 0 : 1;
    w->facts.desks = &w->desk;
    w->facts.desk_count = 1;
    assert_int_equal(tkt_decide(&w->msg, &w->facts, NULL, all, &err), 0);
    assert_int_equal(all->count, 1);
    assert_int_equal(tkt_decisions_check(all, &w->facts, &err), 0);
    return all->items[0];
}

static char letter(enum tkt_action action)
{
    static const char letters[] = {
        [TKT_ACTION_NEW] = 'N',    [TKT_ACTION_NEW_LINKED] = 'L',
        [TKT_ACTION_APPEND] = 'A', [TKT_ACTION_APPEND_UNVERIFIED] = 'U',
        [TKT_ACTION_IGNORE] = 'I',
    };

    return letters[action];
}

static void each_way_of_authentication_has_its_assurance(void **state)
{
    (void)state;
    static const enum tkt_assurance want[AUTHS] = {
        [LOGIN] = TKT_ASSURANCE_LOGIN,
        [LOGIN_DMARC_FAIL] = TKT_ASSURANCE_LOGIN,
        [ALIGNED_PASS] = TKT_ASSURANCE_PASS,
        [PASS_OF_ANOTHER_DOMAIN] = TKT_ASSURANCE_NONE,
        [NO_RESULT] = TKT_ASSURANCE_NONE,
        [TEMPORARY_ERROR] = TKT_ASSURANCE_NONE,
        [SPF_FAIL] = TKT_ASSURANCE_FAIL,
        [DKIM_FAIL] = TKT_ASSURANCE_FAIL,
        [DMARC_FAIL] = TKT_ASSURANCE_FAIL,
        [ALIGNED_PASS_BUT_DMARC_FAIL] = TKT_ASSURANCE_FAIL,
    };
    for (int a = 0; a < AUTHS; a++) {
        struct world w =
            world(TKT_EVIDENCE_REFERENCE, PARTICIPANT, (enum auth)a, TKT_STATE_OPEN);
        struct tkt_decisions all;
        assert_int_equal(tkt_decide_assurance(&w.msg, &w.facts), want[a]);
        assert_int_equal(decide(&w, &all).assurance, want[a]);
        tkt_decisions_release(&all);
    }
}

static void a_desk_may_demand_proof_before_it_acknowledges(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (int opens = 0; opens < 2; opens++) {
        for (int proof = 0; proof < 2; proof++) {
            for (int a = 0; a < AUTHS; a++) {
                struct world w =
                    world(TKT_EVIDENCE_TOKEN, BOUND, (enum auth)a, TKT_STATE_OPEN);
                struct tkt_decisions all;

                w.desk.acknowledge_proved = proof;
                if (opens) {
                    w.candidate.id = NULL;
                }
                struct tkt_decision d = decide(&w, &all);
                bool proved = d.assurance == TKT_ASSURANCE_LOGIN ||
                              d.assurance == TKT_ASSURANCE_PASS;
                assert_int_equal(d.acknowledge,
                                 proof ? proved : d.assurance != TKT_ASSURANCE_FAIL);
                seen |= 1U << d.assurance;
                if (!d.acknowledge) {
                    struct tkt_err err = TKT_ERR_INIT;

                    all.items[0].acknowledge = true; /* a child that errs */
                    assert_int_equal(tkt_decisions_check(&all, &w.facts, &err), -1);
                }
                tkt_decisions_release(&all);
            }
        }
    }
    assert_int_equal(seen, (1U << TKT_ASSURANCE_COUNT) - 1);
}

static void each_bit_of_a_class_is_its_own(void **state)
{
    (void)state;
    for (int c = 0; c < TKT_CLASS_COUNT; c++) {
        for (int bits = 0; bits < 8; bits++) {
            struct world w =
                world(TKT_EVIDENCE_TOKEN, BOUND, ALIGNED_PASS, TKT_STATE_RESOLVED);
            struct tkt_decisions all;
            w.msg.class = (enum tkt_class)c;
            /* All other classes say the opposite: only its own bit counts. */
            uint32_t mine = TKT_CLASS_BIT(c);
            w.desk.opens = (bits & 1) != 0 ? mine : ~mine;
            w.desk.changes_state = (bits & 2) != 0 ? mine : ~mine;
            w.desk.acknowledges = (bits & 4) != 0 ? mine : ~mine;
            struct tkt_decision d = decide(&w, &all);
            assert_int_equal(d.action, TKT_ACTION_APPEND);
            assert_int_equal(d.opens, (bits & 1) != 0);
            assert_int_equal(d.reopens, (bits & 2) != 0);
            assert_int_equal(d.changes_state, (bits & 2) != 0);
            assert_int_equal(d.acknowledge, (bits & 4) != 0);
            tkt_decisions_release(&all);

            w.candidate.id = NULL;
            d = decide(&w, &all);
            assert_int_equal(letter(d.action), (bits & 1) != 0 ? 'N' : 'I');
            tkt_decisions_release(&all);
        }
    }
}

static void the_null_sender_moves_nothing_and_opens_only_where_bounces_do(void **state)
{
    (void)state;
    for (int c = 0; c < TKT_CLASS_COUNT; c++) {
        struct world w =
            world(TKT_EVIDENCE_TOKEN, BOUND, ALIGNED_PASS, TKT_STATE_RESOLVED);
        struct tkt_decisions all;
        w.msg.class = (enum tkt_class)c;
        w.facts.null_sender = true;
        w.desk.opens = w.desk.changes_state = w.desk.acknowledges = ALL_CLASSES;
        struct tkt_decision d = decide(&w, &all);
        assert_int_equal(d.action, TKT_ACTION_APPEND);
        assert_true(d.opens);
        assert_false(d.reopens || d.changes_state || d.acknowledge);
        tkt_decisions_release(&all);

        w.candidate.id = NULL;
        w.desk.opens = ALL_CLASSES & ~bounces;
        d = decide(&w, &all);
        assert_int_equal(letter(d.action), 'I');
        tkt_decisions_release(&all);
    }
}

static void class_bits_come_from_names(void **state)
{
    (void)state;
    char *names[] = {(char *)"list", (char *)"no such", (char *)"system"};
    assert_int_equal(tkt_class_bits(names, 3), list | TKT_CLASS_BIT(TKT_CLASS_SYSTEM));
    assert_int_equal(tkt_class_bits(NULL, 0), 0);
    for (int c = 0; c < TKT_CLASS_COUNT; c++) {
        char *name = (char *)tkt_class_names[c];
        assert_int_equal(tkt_class_bits(&name, 1), TKT_CLASS_BIT(c));
    }
}

static void a_bounce_of_our_message_stays_inside_its_ticket(void **state)
{
    (void)state;
    static const char want[TKT_EVIDENCE_COUNT + 1] = "UUUIIII";
    for (int e = 0; e < TKT_EVIDENCE_COUNT; e++) {
        struct world w =
            world((enum tkt_evidence)e, STRANGER, NO_RESULT, TKT_STATE_RESOLVED);
        struct tkt_decisions all;
        w.msg.class = TKT_CLASS_BOUNCE;
        w.facts.null_sender = true;
        struct tkt_decision d = decide(&w, &all);
        assert_int_equal(letter(d.action), want[e]);
        assert_false(d.reopens || d.changes_state || d.acknowledge);
        tkt_decisions_release(&all);

        set_auth(&w, DMARC_FAIL);
        d = decide(&w, &all);
        assert_int_equal(letter(d.action), 'I');
        tkt_decisions_release(&all);

        set_auth(&w, NO_RESULT);
        w.candidate.state = TKT_STATE_WITHDRAWN;
        d = decide(&w, &all);
        assert_int_equal(letter(d.action), 'I');
        tkt_decisions_release(&all);
    }
}

static void
an_agents_reply_is_a_public_comment_only_where_the_store_is_the_desk(void **state)
{
    (void)state;
    struct world w = world(TKT_EVIDENCE_REFERENCE, AGENT, ALIGNED_PASS, TKT_STATE_OPEN);
    struct tkt_decisions all;
    w.desk.local_itsm = true;
    struct tkt_decision d = decide(&w, &all);
    assert_int_equal(d.action, TKT_ACTION_APPEND);
    assert_true(d.public_comment);
    assert_false(d.acknowledge);
    tkt_decisions_release(&all);

    w.desk.local_itsm = false;
    d = decide(&w, &all);
    assert_false(d.public_comment);
    tkt_decisions_release(&all);

    w.desk.local_itsm = true;
    set_auth(&w, NO_RESULT);
    d = decide(&w, &all);
    assert_int_equal(d.action, TKT_ACTION_APPEND_UNVERIFIED);
    assert_false(d.public_comment);
    tkt_decisions_release(&all);

    set_auth(&w, ALIGNED_PASS);
    w.msg.class = TKT_CLASS_AUTO_REPLY;
    d = decide(&w, &all);
    assert_false(d.public_comment);
    tkt_decisions_release(&all);
}

static void a_ticket_of_another_desk_is_only_linked(void **state)
{
    (void)state;
    struct world w = world(TKT_EVIDENCE_TOKEN, BOUND, LOGIN, TKT_STATE_OPEN);
    struct tkt_decisions all;
    w.candidate.desk = (char *)"hr";
    struct tkt_decision d = decide(&w, &all);
    assert_int_equal(d.action, TKT_ACTION_NEW_LINKED);
    assert_int_equal(d.ticket, 12);
    tkt_decisions_release(&all);
}

static struct tkt_candidate candidate(int64_t ticket, const char *desk,
                                      enum tkt_evidence evidence)
{
    return (struct tkt_candidate){.ticket = ticket,
                                  .id = (char *)"IT-0",
                                  .desk = (char *)desk,
                                  .evidence = evidence,
                                  .state = TKT_STATE_OPEN,
                                  .is_participant = true};
}

static void strongest_evidence_wins_then_the_lowest_ticket_in_any_order(void **state)
{
    (void)state;
    struct tkt_candidate c[] = {candidate(1, "hr", TKT_EVIDENCE_TOKEN),
                                candidate(9, "it", TKT_EVIDENCE_REFERENCE),
                                candidate(7, "it", TKT_EVIDENCE_REFERENCE),
                                candidate(2, "it", TKT_EVIDENCE_SUBJECT)};
    struct tkt_desk_facts desks[] = {{.name = (char *)"it",
                                      .group = (char *)"ops",
                                      .type = (char *)"incident",
                                      .opens = 1},
                                     {.name = (char *)"hr",
                                      .group = (char *)"people",
                                      .type = (char *)"question",
                                      .opens = 1},
                                     {.name = (char *)"web",
                                      .group = (char *)"",
                                      .type = (char *)"request",
                                      .opens = 1}};
    struct tkt_message msg;
    memset(&msg, 0, sizeof(msg));
    msg.auth_aligned = true;
    for (unsigned turn = 0; turn < 4; turn++) {
        struct tkt_candidate turned[4];
        for (unsigned i = 0; i < 4; i++) {
            turned[i] = c[(i + turn) % 4];
        }
        struct tkt_facts facts = {.auth_login = (char *)"",
                                  .candidates = turned,
                                  .candidate_count = 4,
                                  .desks = desks,
                                  .desk_count = 3};
        struct tkt_decisions all;
        assert_int_equal(tkt_decide(&msg, &facts, NULL, &all, NULL), 0);
        assert_int_equal(all.count, 3);
        assert_int_equal(all.items[0].ticket, 7);
        assert_int_equal(all.items[0].action, TKT_ACTION_APPEND);
        assert_int_equal(all.items[1].ticket, 1);
        assert_int_equal(all.items[1].action, TKT_ACTION_APPEND);
        assert_int_equal(all.items[2].ticket, 1);
        assert_int_equal(all.items[2].action, TKT_ACTION_NEW_LINKED);
        tkt_decisions_release(&all);
    }
}

static void a_new_ticket_gets_the_desks_defaults_and_a_reason(void **state)
{
    (void)state;
    struct world w = world(TKT_EVIDENCE_TOKEN, BOUND, NO_RESULT, TKT_STATE_OPEN);
    struct tkt_decisions all;
    w.candidate.id = NULL;
    struct tkt_decision d = decide(&w, &all);
    assert_int_equal(d.action, TKT_ACTION_NEW);
    assert_string_equal(d.group, "ops");
    assert_string_equal(d.type, "incident");
    assert_int_equal(d.priority, 3);
    assert_int_equal(d.urgency, 0);
    assert_string_equal(d.assignee, "");
    assert_string_equal(d.why,
                        "no ticket named, sender is new here, authentication none, "
                        "class human");
    tkt_decisions_release(&all);

    w = world(TKT_EVIDENCE_SUBJECT, PARTICIPANT, ALIGNED_PASS, TKT_STATE_RESOLVED);
    d = decide(&w, &all);
    assert_string_equal(d.why, "subject names IT-12 (resolved), sender is a participant, "
                               "authentication aligned pass, class human");
    tkt_decisions_release(&all);
}

static void a_message_without_desks_has_no_decision(void **state)
{
    (void)state;
    struct tkt_message msg;
    struct tkt_facts facts;
    struct tkt_decisions all;
    memset(&msg, 0, sizeof(msg));
    memset(&facts, 0, sizeof(facts));
    assert_int_equal(tkt_decide(&msg, &facts, NULL, &all, NULL), 0);
    assert_int_equal(all.count, 0);
    tkt_decisions_release(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_of_authentication_has_its_assurance),
        cmocka_unit_test(a_desk_may_demand_proof_before_it_acknowledges),
        cmocka_unit_test(each_bit_of_a_class_is_its_own),
        cmocka_unit_test(the_null_sender_moves_nothing_and_opens_only_where_bounces_do),
        cmocka_unit_test(class_bits_come_from_names),
        cmocka_unit_test(a_bounce_of_our_message_stays_inside_its_ticket),
        cmocka_unit_test(
            an_agents_reply_is_a_public_comment_only_where_the_store_is_the_desk),
        cmocka_unit_test(a_ticket_of_another_desk_is_only_linked),
        cmocka_unit_test(strongest_evidence_wins_then_the_lowest_ticket_in_any_order),
        cmocka_unit_test(a_new_ticket_gets_the_desks_defaults_and_a_reason),
        cmocka_unit_test(a_message_without_desks_has_no_decision),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
