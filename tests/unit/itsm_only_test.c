/* SPDX-License-Identifier: BSD-2-Clause
 * An update tells what changed here, and nothing of what may have changed there.
 */
#include "itsm_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define ANSWERS_MAX 4

/* Answers that lead to the request which carries the change. What they say of the ticket
 * is other than what it is here in each member. */
struct row {
    const char *type;
    const char *answers[ANSWERS_MAX];
    const char *state, *group,
        *priority; /* what tells each of them; NULL: nothing does */
};

static const struct row rows[] = {
    {"rt", {NULL}, "\"Status\":\"resolved\"", "\"Queue\":\"7\"", NULL},
    {"zendesk",
     {NULL},
     "\"status\":\"solved\"",
     "\"group_id\":7",
     "\"priority\":\"high\""},
    {"salesforce", {NULL}, "\"Status\":\"Closed\"", "\"OwnerId\":\"7\"", "\"Priority\":"},
    {"glpi",
     {"{\"session_token\":\"abc\"}"},
     "\"status\":5",
     "\"_groups_id_assign\":7",
     "\"priority\":"},
    {"freshdesk", {NULL}, "\"status\":4", "\"group_id\":7", "\"priority\":3"},
    {"freshservice", {NULL}, "\"status\":4", "\"group_id\":7", "\"priority\":3"},
    {"znuny", {NULL}, "\"State\":\"closed", "\"Queue\":\"7\"", "\"Priority\":"},
    {"github",
     {"{\"number\":15,\"state\":\"open\",\"labels\":[{\"name\":\"mine\"}]}"},
     "\"state\":\"closed\"",
     "\"labels\":[\"mine\",\"7\"]",
     NULL},
    {"gitlab",
     {"{\"iid\":15,\"state\":\"opened\",\"labels\":[\"mine\"]}"},
     "\"state_event\":\"close\"",
     "\"add_labels\":\"7\"",
     NULL},
    {"jira",
     {"{\"id\":\"15\",\"key\":\"SUP-15\",\"fields\":{\"status\":{\"name\":\"To Do\","
      "\"statusCategory\":{\"key\":\"new\"}},\"priority\":{\"name\":\"Lowest\"},"
      "\"components\":[]}}"},
     "/transitions",
     "{\"add\":{\"name\":\"7\"}}",
     "\"priority\":{\"name\":\"High\"}"},
    {"webhook",
     {NULL},
     "\"changed\":[\"state\"]",
     "\"changed\":[\"group\"]",
     "\"changed\":[\"priority\"]"},
    {"exec",
     {NULL},
     "\"changed\":[\"state\"]",
     "\"changed\":[\"group\"]",
     "\"changed\":[\"priority\"]"},
};

/* The request that carries it, URL and body; "" when there is none. */
static const char *sent(struct drive *s, const struct row *row, unsigned only)
{
    static char out[4096];

    steps_begin(s, row->type, TKT_ITSM_UPDATE);
    s->ticket.state = "resolved";
    s->call.only = only;
    enum tkt_itsm_next next = drive_step(s, 0, NULL);
    for (size_t i = 0; i < ANSWERS_MAX && row->answers[i] != NULL; i++) {
        assert_int_equal(next, TKT_ITSM_SEND);
        next = drive_step(s, 200, row->answers[i]);
    }
    if (next != TKT_ITSM_SEND || s->call.request.url == NULL) {
        assert_int_not_equal(next, TKT_ITSM_FAILED);
        return s->call.request.body == NULL ? "" : s->call.request.body;
    }
    snprintf(out, sizeof(out), "%s %s", s->call.request.url,
             s->call.request.body == NULL ? "" : s->call.request.body);
    return out;
}

static void has(const struct row *row, const char *text, const char *want, bool wanted)
{
    if (want != NULL && (strstr(text, want) != NULL) != wanted) {
        print_error("%s: %s%s in %s\n", row->type, wanted ? "no " : "", want, text);
        fail();
    }
}

static void an_update_tells_what_changed_and_nothing_else(void **state)
{
    struct drive s;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        const char *text = sent(&s, row, TKT_ITSM_STATE);

        has(row, text, row->state, true);
        has(row, text, row->group, false);
        has(row, text, row->priority, false);
        drive_end(&s);
        text = sent(&s, row, TKT_ITSM_GROUP);
        has(row, text, row->state, false);
        has(row, text, row->group, true);
        has(row, text, row->priority, false);
        drive_end(&s);
        text = sent(&s, row, TKT_ITSM_PRIORITY);
        has(row, text, row->state, false);
        has(row, text, row->group, false);
        has(row, text, row->priority, true);
        drive_end(&s);
    }
}

static void nothing_is_sent_when_there_is_no_place_for_what_changed(void **state)
{
    static const char *const types[] = {"rt", "zendesk", "freshdesk", "znuny"};
    struct drive s;

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        steps_begin(&s, types[i], TKT_ITSM_UPDATE);
        s.call.only = TKT_ITSM_ASSIGNEE; /* nobody has it */
        assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_DONE);
        drive_end(&s);
    }
}

/* A rule there that moved the ticket on meanwhile is no failure of another change. */
static void a_state_that_was_not_told_is_not_looked_at(void **state)
{
    struct drive s;

    (void)state;
    steps_begin(&s, "servicenow", TKT_ITSM_UPDATE);
    s.ticket.external = "incident/9d385017c611228701d22104cc95c371";
    s.ticket.group = "9d385017c611228701d22104cc95c372";
    s.ticket.state = "new";
    s.call.only = TKT_ITSM_GROUP;
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&s, 200,
                                "{\"result\":{\"sys_id\":\"1\",\"state\":\"6\","
                                "\"assignment_group\":\"\",\"impact\":\"1\","
                                "\"urgency\":\"1\"}}"),
                     TKT_ITSM_SEND);
    assert_string_equal(s.call.request.method, "PATCH");
    assert_string_equal(s.call.request.body,
                        "{\"assignment_group\":\"9d385017c611228701d22104cc95c372\"}");
    assert_int_equal(drive_step(&s, 200, "{\"result\":{\"state\":\"6\"}}"),
                     TKT_ITSM_DONE);
    drive_end(&s);
    steps_begin(&s, "rt", TKT_ITSM_UPDATE);
    s.ticket.state = "open";
    s.call.only = TKT_ITSM_GROUP;
    assert_int_equal(drive_step(&s, 0, NULL), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&s, 200, "[\"moved\"]"), TKT_ITSM_SEND);
    assert_int_equal(drive_step(&s, 200, "{\"id\":15,\"Status\":\"resolved\"}"),
                     TKT_ITSM_DONE);
    drive_end(&s);
}

static void names_of_members_are_read_and_others_mean_all(void **state)
{
    (void)state;
    assert_int_equal(tkt_itsm_members("{\"only\":[\"group\",\"state\"]}"),
                     TKT_ITSM_GROUP | TKT_ITSM_STATE);
    assert_int_equal(tkt_itsm_members("{\"only\":[\"fields\"]}"), TKT_ITSM_FIELDS);
    assert_int_equal(tkt_itsm_members("{\"only\":[\"group\",\"colour\"]}"), 0);
    assert_int_equal(tkt_itsm_members("{\"only\":[]}"), 0);
    assert_int_equal(tkt_itsm_members("{\"only\":\"group\"}"), 0);
    assert_int_equal(tkt_itsm_members("{"), 0);
    assert_int_equal(tkt_itsm_members(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_tells_what_changed_and_nothing_else),
        cmocka_unit_test(nothing_is_sent_when_there_is_no_place_for_what_changed),
        cmocka_unit_test(a_state_that_was_not_told_is_not_looked_at),
        cmocka_unit_test(names_of_members_are_read_and_others_mean_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
