/* SPDX-License-Identifier: BSD-2-Clause
 * What the decision is based on besides the message itself. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "ticketctl/explain.h"
#include "ticketctl/out.h"

#include <string.h>

#define FACTS_TIMEOUT_MS 2000
#define FACTS_IDS_MAX 40 /* Message-IDs in one request; the newest stand last */

static int no_memory(void)
{
    return tkt_ctl_fail(EX_OSERR, "out of memory");
}

static bool is_agent(const struct tkt_conf *conf, const char *from)
{
    for (size_t i = 0; i < conf->group_count; i++) {
        for (size_t k = 0; k < conf->groups[i].members.count; k++) {
            if (tkt_ascii_ieq(conf->groups[i].members.items[k], from)) {
                return true;
            }
        }
    }
    return false;
}

static enum tkt_ticket_state state_named(const char *name)
{
    int state = 0;
    while (state < TKT_STATE_COUNT - 1 && strcmp(tkt_state_names[state], name) != 0) {
        state++;
    }
    return (enum tkt_ticket_state)state;
}

static enum tkt_evidence evidence_named(const char *name)
{
    int evidence = 0;
    while (evidence < TKT_EVIDENCE_COUNT - 1 &&
           strcmp(tkt_evidence_names[evidence], name) != 0) {
        evidence++;
    }
    return (enum tkt_evidence)evidence;
}

static int take_candidates(struct tkt_ctl_explained *x, const cJSON *list)
{
    const cJSON *c;
    cJSON_ArrayForEach(c, list)
    {
        const char *id = tkt_ctl_str(c, "id");
        const char *desk = tkt_ctl_str(c, "desk");
        if (x->facts.candidate_count == TKT_FACTS_CANDIDATES_MAX) {
            break;
        }
        struct tkt_candidate got = {
            .ticket = (int64_t)tkt_ctl_num(c, "ticket"),
            .id = tkt_wire_arena_strdup(&x->arena, id, strlen(id)),
            .desk = tkt_wire_arena_strdup(&x->arena, desk, strlen(desk)),
            .evidence = evidence_named(tkt_ctl_str(c, "evidence")),
            .state = state_named(tkt_ctl_str(c, "state")),
            .is_participant =
                cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(c, "is_participant"))};
        if (got.id == NULL || got.desk == NULL) {
            return no_memory();
        }
        x->facts.candidates[x->facts.candidate_count++] = got;
    }
    return 0;
}

static void add_ids(struct tkt_wire_packet *req, const char *name,
                    const struct tkt_strings *list, size_t max)
{
    size_t first = list->count > max ? list->count - max : 0;
    for (size_t i = first; i < list->count; i++) {
        (void)tkt_wire_add(&req->body, name, list->items[i]); /* the body's flag tells */
    }
}

/* A daemon that does not answer is no error: the facts are missing then, and it is said. */
static int ask_ticketd(struct tkt_ctl_explain *e)
{
    struct tkt_ctl_explained *x = e->x;
    struct tkt_control_reply reply;
    struct tkt_wire_packet req;
    struct tkt_err err = TKT_ERR_INIT;
    int rc = 0;
    if (!e->has_conf && tkt_ctl_opt(e->ctl, "socket") == NULL) {
        return 0;
    }
    TKT_AUTO_FREE char *from = strdup(x->msg.from.address);
    if (from == NULL) {
        return no_memory();
    }
    tkt_ascii_lower(from);
    tkt_wire_packet_init(&req);
    (void)tkt_wire_add(&req.body, "v", "1"); /* the body's flag tells */
    (void)tkt_wire_add(&req.body, "verb", "facts");
    (void)tkt_wire_add(&req.body, "address", from);
    add_ids(&req, "message-id", &x->msg.in_reply_to, FACTS_IDS_MAX / 4);
    add_ids(&req, "message-id", &x->msg.references, FACTS_IDS_MAX);
    add_ids(&req, "id", &x->msg.subject_ids, FACTS_IDS_MAX / 4);
    if (!req.body.failed &&
        tkt_control_call(tkt_ctl_control_socket(e->ctl), &req,
                         tkt_clock_mono_ms() + FACTS_TIMEOUT_MS, &reply, &err) == 0) {
        cJSON *json = NULL;
        if (reply.exit_code == 0 && reply.fd >= 0) {
            rc = tkt_ctl_read_json(reply.fd, &json);
        }
        if (rc == 0 && json != NULL) {
            x->has_facts = true;
            rc = take_candidates(x, cJSON_GetObjectItemCaseSensitive(json, "candidates"));
        }
        cJSON_Delete(json);
        tkt_control_reply_release(&reply);
    }
    tkt_wire_packet_release(&req);
    return rc;
}

static bool itsm_is_local(const struct tkt_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->itsm_count; i++) {
        if (strcmp(conf->itsms[i].name, name) == 0) {
            return strcmp(conf->itsms[i].type, "local") == 0;
        }
    }
    return true; /* no section: the embedded one */
}

int tkt_ctl_explain_facts(struct tkt_ctl_explain *e)
{
    struct tkt_ctl_explained *x = e->x;
    struct tkt_facts *f = &x->facts;
    f->auth_login = (char *)""; /* borrowed: decide reads only */
    f->is_agent = is_agent(e->ctl->conf, x->msg.from.address);
    f->desks = tkt_wire_arena_alloc(&x->arena, (x->desk_count + 1) * sizeof *f->desks);
    f->candidates =
        tkt_wire_arena_alloc(&x->arena, TKT_FACTS_CANDIDATES_MAX * sizeof *f->candidates);
    if (f->desks == NULL || f->candidates == NULL) {
        return no_memory();
    }
    for (size_t i = 0; i < x->desk_count; i++) {
        const struct tkt_conf_desk *d = x->desks[i].conf;
        f->desks[f->desk_count++] = (struct tkt_desk_facts){
            .name = d->name,
            .group = d->group,
            .type = d->type,
            .priority = (int)d->priority,
            .reopen_closed = d->closed == TKT_CLOSED_REOPEN,
            .refuse_closed = d->closed == TKT_CLOSED_REFUSE,
            .forward_agents = d->forward == TKT_FORWARD_REQUESTER,
            .forward_anybody = d->forward == TKT_FORWARD_ANYBODY,
            .opens = tkt_class_bits(d->opens.items, d->opens.count),
            .changes_state =
                tkt_class_bits(d->changes_state.items, d->changes_state.count),
            .acknowledges = tkt_class_bits(d->acknowledges.items, d->acknowledges.count),
            .local_itsm = itsm_is_local(e->ctl->conf, d->itsm)};
    }
    return tkt_ctl_opt(e->ctl, "offline") == NULL ? ask_ticketd(e) : 0;
}
