/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/itsm/follow_itsm.h"

#include "base/enc.h"
#include "base/util.h"
#include "itsm/itsm.h"
#include "store/external.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX 1024
#define MEMBERS_MAX 8

/* An event that changes what an ITSM shows. */
struct change {
    int64_t ticket;
    int64_t at_ms;
    bool with_create; /* a create that began later told it */
    unsigned members; /* what changed; 0: anything */
    enum {
        MERGE_NONE,
        MERGE_FROM,
        MERGE_INTO
    } merge;
    char other[64]; /* the other ticket of a merge */
    char from[TKT_STORE_ITSM_NAME_MAX + 1];
};

struct site {
    char name[TKT_STORE_ITSM_NAME_MAX + 1];
    enum tkt_conf_merged merged;
};

struct plan {
    int64_t now_ms;
    struct site *sites;
    size_t site_count;
    size_t count;
    struct change changes[];
};

/* ---- which events --------------------------------------------------------------------- */

#define DECIDED (TKT_ITSM_GROUP | TKT_ITSM_PRIORITY | TKT_ITSM_FIELDS)

static const struct kind {
    const char *name;
    bool with_create;
    unsigned members; /* 0: its data tell */
} kinds[] = {{"ticket.set", true, 0},
             {"ticket.assigned", true, TKT_ITSM_ASSIGNEE},
             {"ticket.unassigned", true, TKT_ITSM_ASSIGNEE},
             {"ticket.analysed", true, DECIDED},
             {"ticket.enriched", true, DECIDED},
             {"llm.answered", true, TKT_ITSM_FIELDS},
             {"ticket.opened", false, TKT_ITSM_STATE},
             {"ticket.pending", false, TKT_ITSM_STATE},
             {"ticket.resolved", false, TKT_ITSM_STATE},
             {"ticket.reopened", false, TKT_ITSM_STATE},
             {"ticket.closed", false, TKT_ITSM_STATE},
             {"ticket.merged", false, TKT_ITSM_STATE},
             {"ticket.took_over", false, TKT_ITSM_STATE}};

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static const char *member(const cJSON *data, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, name));

    return text == NULL ? "" : text;
}

/* What no ITSM has a place for. */
static bool stays_here(const cJSON *data)
{
    static const char *const fields[] = {"tags", "subject", "requester"};
    const char *field = member(data, "field");

    for (size_t i = 0; i < TKT_ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i], field) == 0) {
            return true;
        }
    }
    return false;
}

static unsigned member_of(const cJSON *data)
{
    static const struct {
        const char *field;
        unsigned members;
    } rows[] = {{"group", TKT_ITSM_GROUP},
                {"assignee", TKT_ITSM_ASSIGNEE},
                {"priority", TKT_ITSM_PRIORITY},
                {"urgency", TKT_ITSM_PRIORITY},
                {"impact", TKT_ITSM_PRIORITY}};
    const char *field = member(data, "field");

    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].field, field) == 0) {
            return rows[i].members;
        }
    }
    return TKT_ITSM_FIELDS;
}

static bool take_change(const struct tkt_store_event *e, struct change *c)
{
    const struct kind *kind = kind_of(e->kind);
    cJSON *data = kind == NULL ? NULL : cJSON_Parse(e->data[0] ? e->data : "{}");
    const char *who = member(data, "who");
    bool set = kind != NULL && strcmp(kind->name, "ticket.set") == 0;

    if (kind == NULL || e->ticket == 0 || (set && stays_here(data))) {
        cJSON_Delete(data);
        return false;
    }
    *c = (struct change){
        .ticket = e->ticket, .at_ms = e->at_ms, .with_create = kind->with_create};
    c->members = kind->members != 0 ? kind->members : member_of(data);
    if (member(data, "from_group")[0] != '\0') {
        c->members |= TKT_ITSM_GROUP;
    }
    if (strncmp(who, TKT_STORE_WHO_ITSM, strlen(TKT_STORE_WHO_ITSM)) == 0) {
        (void)snprintf(c->from, sizeof(c->from), "%s", who + strlen(TKT_STORE_WHO_ITSM));
    }
    if (strcmp(e->kind, "ticket.merged") == 0) {
        c->merge = MERGE_FROM;
        (void)snprintf(c->other, sizeof(c->other), "%s", member(data, "reason"));
    } else if (strcmp(e->kind, "ticket.took_over") == 0) {
        c->merge = MERGE_INTO;
        (void)snprintf(c->other, sizeof(c->other), "%s", member(data, "from"));
    }
    cJSON_Delete(data);
    return true;
}

/* ---- the plan ------------------------------------------------------------------------- */

static bool takes_updates(const struct tkt_conf_itsm *conf)
{
    const struct tkt_itsm_ops *ops = tkt_itsm_find(conf->type);

    return ops != NULL && ops->steps[TKT_ITSM_UPDATE] != NULL;
}

static bool wanted(const struct tkt_settings *set)
{
    for (size_t i = 0; i < set->conf->itsm_count; i++) {
        if (takes_updates(&set->conf->itsms[i])) {
            return true;
        }
    }
    return false;
}

static void release(void *arg)
{
    struct plan *p = arg;

    free(p->sites);
    free(p);
}

static int add_sites(struct plan *p, const struct tkt_conf *conf, struct tkt_err *err)
{
    p->sites = calloc(conf->itsm_count + 1, sizeof(*p->sites));
    for (size_t i = 0; p->sites != NULL && i < conf->itsm_count; i++) {
        const struct tkt_conf_itsm *c = &conf->itsms[i];

        if (takes_updates(c)) {
            struct site *s = &p->sites[p->site_count++];
            (void)snprintf(s->name, sizeof(s->name), "%s", c->name);
            s->merged = c->merged;
        }
    }
    return p->sites == NULL ? tkt_err_set(err, TKT_ERR_TEMP, "no memory") : 0;
}

static int plan(const struct tkt_follow_round *round, void **out, struct tkt_err *err)
{
    struct plan *p = calloc(1, sizeof(*p) + round->count * sizeof(p->changes[0]));

    if (p == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    p->now_ms = round->now_ms;
    for (size_t i = 0; i < round->count; i++) {
        p->count += take_change(&round->events[i], &p->changes[p->count]);
    }
    if (p->count > 0 && add_sites(p, round->set->conf, err) < 0) {
        release(p);
        return -1;
    }
    if (p->count == 0) {
        release(p);
        p = NULL;
    }
    *out = p;
    return 0;
}

/* ---- in the writer -------------------------------------------------------------------- */

static const struct site *site_of(const struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->site_count; i++) {
        if (strcmp(p->sites[i].name, name) == 0) {
            return &p->sites[i];
        }
    }
    return NULL;
}

static int tell_merge(struct tkt_store *store, const struct plan *p,
                      const struct change *c, const char *itsm, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(PAYLOAD_MAX / 2);
    TKT_AUTO_BUF struct tkt_buf payload = TKT_BUF_INIT(PAYLOAD_MAX);
    char number[TKT_STORE_EXTERNAL_MAX + 1];

    if (tkt_store_number_of(store, c->other, itsm, number, err) < 0) {
        return -1;
    }
    tkt_buf_addf(&text, "%s%s%s%s%s%s", c->merge == MERGE_FROM ? "Merged into " : "",
                 c->other, number[0] ? " (" : "", number, number[0] ? ")" : "",
                 c->merge == MERGE_FROM ? "." : " was merged into this one.");
    tkt_buf_adds(&payload, "{\"public\":false,\"text\":");
    (void)tkt_json_add_string(&payload, tkt_buf_str(&text), text.len); /* failed tells */
    tkt_buf_adds(&payload, "}");
    return payload.failed
               ? 0
               : tkt_store_job_add(store, c->ticket, 0, "comment", itsm,
                                   tkt_buf_str(&payload), p->now_ms, p->now_ms, err);
}

static int add_update(struct tkt_store *store, const struct plan *p,
                      const struct change *c, const char *itsm, struct tkt_err *err)
{
    const char *only[MEMBERS_MAX + 1] = {NULL};
    size_t count = 0;

    for (size_t i = 0; tkt_itsm_member_names[i] != NULL && count < MEMBERS_MAX; i++) {
        if ((c->members & (1u << i)) != 0) {
            only[count++] = tkt_itsm_member_names[i];
        }
    }
    return tkt_store_update_add(store, c->ticket, itsm, only, p->now_ms, err) < 0 ? -1
                                                                                  : 0;
}

static int carry_to(struct tkt_store *store, const struct plan *p, const struct change *c,
                    const struct tkt_store_place *place, struct tkt_err *err)
{
    const struct site *site = site_of(p, place->itsm);
    bool is_told = c->with_create && (place->is_told || c->at_ms <= place->begun_ms);

    bool is_theirs =
        c->from[0] != '\0' && strncmp(place->itsm, c->from, TKT_STORE_WHO_NAME_MAX) == 0;

    if (site == NULL || is_theirs || is_told) {
        return 0;
    }
    if (c->merge != MERGE_NONE && site->merged != TKT_CONF_MERGED_NOTHING &&
        tell_merge(store, p, c, place->itsm, err) < 0) {
        return -1;
    }
    if (c->merge == MERGE_INTO ||
        (c->merge == MERGE_FROM && site->merged != TKT_CONF_MERGED_CLOSE)) {
        return 0;
    }
    return add_update(store, p, c, place->itsm, err);
}

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    const struct plan *p = arg;

    for (size_t i = 0; i < p->count; i++) {
        struct tkt_store_place places[TKT_STORE_PLACES_MAX];
        const struct change *c = &p->changes[i];
        int n = tkt_store_places_of(store, c->ticket, places, TKT_STORE_PLACES_MAX, err);

        for (int k = 0; k < n; k++) {
            if (carry_to(store, p, c, &places[k], err) < 0) {
                return -1;
            }
        }
        if (n < 0) {
            return -1;
        }
    }
    return 0;
}

const struct tkt_follower tkt_follow_itsm = {
    .name = "itsm", .wanted = wanted, .plan = plan, .apply = apply, .release = release};
