/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules_fixture.h"

#include "base/util.h"
#include "conf/policy.h"
#include "conf/read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define EMPTY ((char *)(uintptr_t) "")
#define ALL_CLASSES (TKT_CLASS_BIT(TKT_CLASS_COUNT) - 1)

void rules_case_init(struct rules_case *c)
{
    memset(c, 0, sizeof(*c));
    struct tkt_message *m = &c->msg;
    char **strings[] = {&m->subject,
                        &m->from.name,
                        &m->sender.name,
                        &m->sender.address,
                        &m->message_id,
                        &m->text,
                        &m->reply_text,
                        &m->signature,
                        &m->quoted,
                        &m->language,
                        &m->bounce.recipient,
                        &m->bounce.status,
                        &m->bounce.action,
                        &m->bounce.diagnostic,
                        &m->bounce.original_message_id,
                        &m->forwarded.from.name,
                        &m->forwarded.from.address,
                        &m->forwarded.subject,
                        &m->forwarded.text,
                        &c->facts.auth_login,
                        &c->facts.client,
                        &c->facts.person.name,
                        &c->facts.person.department,
                        &c->facts.person.company,
                        &c->facts.person.title,
                        &c->facts.person.location,
                        &c->facts.person.manager,
                        &c->facts.person.language};
    for (size_t i = 0; i < TKT_ARRAY_LEN(strings); i++) {
        *strings[i] = EMPTY;
    }
    m->from.address = (char *)(uintptr_t) "anna@example.org";
    c->desk = (struct tkt_desk_facts){.name = (char *)(uintptr_t) "it",
                                      .group = EMPTY,
                                      .type = (char *)(uintptr_t) "incident",
                                      .priority = 3,
                                      .opens = ALL_CLASSES,
                                      .acknowledges = ALL_CLASSES};
    c->facts.desks = &c->desk;
    c->facts.desk_count = 1;
    c->facts.minute = -1;
}

static struct tkt_policy *load(const char *conf_text, struct tkt_buf *warnings,
                               struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf all = TKT_BUF_INIT(16 * 1024 * 1024);
    TKT_AUTO_BUF struct tkt_buf blob = TKT_BUF_INIT(TKT_CONF_POLICY_MAX);
    struct tkt_policy *policy = NULL;

    /* On one line with the text, so that lines are those of the test. */
    assert_int_equal(
        tkt_buf_adds(&all, "desk \"it\" { addresses = {\"a@example.org\"} } "), 0);
    assert_int_equal(tkt_buf_adds(&all, conf_text), 0);
    struct tkt_conf *conf =
        tkt_conf_load_text("test.conf", tkt_buf_str(&all), all.len, err);
    if (conf == NULL) {
        return NULL;
    }
    assert_int_equal(tkt_conf_policy_encode(conf, &blob), 0);
    (void)tkt_policy_load(blob.data, blob.len, -1, &policy, warnings, err);
    tkt_conf_free(&conf);
    return policy;
}

struct tkt_policy *rules_policy(const char *conf)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_policy *policy = load(conf, NULL, &err);

    if (policy == NULL) {
        fail_msg("%s", err.text);
    }
    return policy;
}

const char *rules_policy_error(const char *conf, struct tkt_err *err)
{
    *err = (struct tkt_err)TKT_ERR_INIT;
    struct tkt_policy *policy = load(conf, NULL, err);

    tkt_policy_free(&policy);
    return err->text;
}

char *rules_policy_warnings(const char *conf)
{
    struct tkt_buf warnings = TKT_BUF_INIT(64 * 1024);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_policy *policy = load(conf, &warnings, &err);

    if (policy == NULL) {
        fail_msg("%s", err.text);
    }
    tkt_policy_free(&policy);
    assert_int_equal(tkt_buf_addc(&warnings, '\0'), 0);
    return tkt_buf_take(&warnings, NULL);
}

void rules_decide(struct rules_case *c, struct tkt_policy *policy,
                  struct tkt_decisions *out)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_decide(&c->msg, &c->facts, policy, out, &err) < 0) {
        fail_msg("%s", err.text);
    }
    if (tkt_decisions_check(out, &c->facts, &err) < 0) {
        fail_msg("%s", err.text);
    }
    tkt_wire_arena_release(&c->msg.arena);
}

const char *rules_field(const struct tkt_decision *d, const char *name)
{
    for (size_t i = 0; i < d->field_count; i++) {
        if (strcmp(d->fields[i].name, name) == 0) {
            return d->fields[i].value;
        }
    }
    return "";
}
