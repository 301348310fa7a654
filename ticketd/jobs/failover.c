/* SPDX-License-Identifier: BSD-2-Clause
 * Tickets of a desk whose ITSM has failed for long go to its second one; where the desk says
 * so, also those that it refused for good.
 */
#include "store/failover.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/jobs/dispatch_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SWEEP_MS 2000

struct sweep_ask {
    struct tkt_store_failover in;
    int count; /* out */
};

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct sweep_ask *s = arg;

    s->count = tkt_store_failover(store, &s->in, tkt_clock_wall_ms(), err);
    return s->count < 0 ? -1 : 0;
}

static const struct tkt_lane_group *
failing(const struct tkt_dispatch *p, const char *itsm, int64_t for_ms, int64_t now_ms)
{
    const struct tkt_lane_group *g = p->groups;

    while (g && strcmp(g->name, itsm) != 0) {
        g = g->next;
    }
    return g && g->failing_since_ms && now_ms - g->failing_since_ms >= for_ms ? g : NULL;
}

static void sweep(struct tkt_dispatch *p, const struct tkt_conf_desk *desk, bool parked,
                  const char *why)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct sweep_ask s = {
        .in = {.desk = desk->name,
               .from = desk->itsm,
               .to = desk->itsm_fallback,
               .made_before_ms = tkt_clock_wall_ms() - desk->itsm_fallback_ms,
               .why = why,
               .parked = parked}};
    int rc = tkt_commit_call(p->d->commit, apply, &s, true, &err);

    if (rc < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "itsm.failover", "desk", desk->name, "error",
                err.text, NULL);
    } else if (s.count > 0) {
        tkt_log(TKT_LOG_WARNING, NULL, "itsm.failover", "desk", desk->name, "from",
                desk->itsm, "to", desk->itsm_fallback, "tickets", TKT_NUM(s.count),
                "reason", why, NULL);
        p->look = true;
    }
}

static void sweep_desk(struct tkt_dispatch *p, const struct tkt_conf_desk *desk,
                       int64_t now_ms)
{
    const struct tkt_lane_group *g =
        failing(p, desk->itsm, desk->itsm_fallback_ms, now_ms);
    char why[160];

    if (g) {
        snprintf(why, sizeof(why), "%.60s has failed for %" PRId64 " s", desk->itsm,
                 (now_ms - g->failing_since_ms) / 1000);
        sweep(p, desk, false, why);
    }
    if (desk->itsm_fallback_refused) {
        snprintf(why, sizeof(why), "%.60s refused it", desk->itsm);
        sweep(p, desk, true, why);
    }
}

void tkt_dispatch_failover(struct tkt_dispatch *p)
{
    int64_t now = tkt_clock_mono_ms();

    if (now < p->sweep_at_ms) {
        return;
    }
    p->sweep_at_ms = now + SWEEP_MS;
    struct tkt_settings *set = tkt_settings_get(p->d);

    for (size_t i = 0; i < set->conf->desk_count; i++) {
        const struct tkt_conf_desk *desk = &set->conf->desks[i];

        if (desk->itsm_fallback[0] != '\0') {
            sweep_desk(p, desk, now);
        }
    }
    tkt_settings_put(&set);
}
