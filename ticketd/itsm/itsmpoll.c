/* SPDX-License-Identifier: BSD-2-Clause
 * The thread of the way back: sees to the lists of each ITSM, and makes jobs of looks that
 * are due. It waits for no ITSM.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "itsm/itsm.h"
#include "store/back.h"
#include "ticketd/core/ticker.h"
#include "ticketd/core/tools.h"
#include "ticketd/itsm/itsmback.h"
#include "ticketd/itsm/itsmlist.h"
#include "ticketd/jobs/dispatch.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TICK_MS 1000
#define ITSMS_MAX 64
#define HOUR_MS (3600 * INT64_C(1000))
#define DELIVERIES_KEEP_MS (7 * 24 * HOUR_MS)
#define EXPIRE_AT_ONCE 2000

struct tkt_back {
    struct tkt_daemon *d;
    struct tkt_ticker ticker;
    struct tkt_tools tools;
    struct tkt_itsmlist *lists[ITSMS_MAX];
    size_t list_count;
    int64_t expire_mono_ms;
};

/* ---- in the commit writer ------------------------------------------------------------- */

struct take {
    const char *itsm;
    int made;
};

static int apply_take(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct take *t = arg;

    return tkt_store_back_take(store, t->itsm, tkt_clock_wall_ms(), &t->made, err);
}

static int apply_expire(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    (void)arg;
    return tkt_store_back_expire(store, tkt_clock_wall_ms() - DELIVERIES_KEEP_MS,
                                 EXPIRE_AT_ONCE, err);
}

/* ---- lists ---------------------------------------------------------------------------- */

static const struct tkt_conf_itsm *section(const struct tkt_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->itsm_count; i++) {
        if (strcmp(conf->itsms[i].name, name) == 0) {
            return &conf->itsms[i];
        }
    }
    return NULL;
}

static bool has_lists(const struct tkt_conf_itsm *conf)
{
    const struct tkt_itsm_ops *ops = tkt_itsm_find(conf->type);

    return conf->poll_ms > 0 && ops != NULL && ops->steps[TKT_ITSM_FETCH] != NULL &&
           ops->steps[TKT_ITSM_LIST] != NULL;
}

static bool is_known(const struct tkt_back *b, const char *name)
{
    for (size_t i = 0; i < b->list_count; i++) {
        if (strcmp(tkt_itsmlist_name(b->lists[i]), name) == 0) {
            return true;
        }
    }
    return false;
}

/* Those of new sections come, those of sections that are gone end. */
static void tend_lists(struct tkt_back *b, struct tkt_settings *set)
{
    for (size_t i = 0; i < set->conf->itsm_count; i++) {
        const struct tkt_conf_itsm *conf = &set->conf->itsms[i];

        if (has_lists(conf) && !is_known(b, conf->name) && b->list_count < ITSMS_MAX) {
            struct tkt_itsmlist *l = tkt_itsmlist_new(b->d, conf->name);

            if (l != NULL) {
                b->lists[b->list_count++] = l;
            }
        }
    }
    for (size_t i = b->list_count; i-- > 0;) {
        const struct tkt_conf_itsm *conf =
            section(set->conf, tkt_itsmlist_name(b->lists[i]));

        conf = conf != NULL && has_lists(conf) ? conf : NULL;
        tkt_itsmlist_tend(b->lists[i], set, conf);
        if (conf == NULL && !tkt_itsmlist_runs(b->lists[i])) {
            tkt_itsmlist_free(&b->lists[i]);
            b->lists[i] = b->lists[--b->list_count];
        }
    }
}

/* ---- looks ---------------------------------------------------------------------------- */

static void take_due(struct tkt_back *b, const struct tkt_conf_itsm *conf)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_reader *reader = tkt_tools_reader(&b->tools, &err);
    struct take take = {.itsm = conf->name};
    int n = reader == NULL
                ? -1
                : tkt_reader_back_due(reader, conf->name, tkt_clock_wall_ms(), &err);

    if (n == 1) {
        n = tkt_commit_call(b->d->commit, apply_take, &take, true, &err);
    }
    if (n < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "itsm.look", "itsm", conf->name, "error", err.text,
                NULL);
    } else if (take.made > 0) {
        tkt_dispatch_poke(b->d->dispatch);
    }
}

static bool may_call(const struct tkt_conf *conf, const struct tkt_conf_itsm *itsm)
{
    return itsm->hook_secret[0] != '\0' && conf->webhook.listen[0] != '\0';
}

static void tick(struct tkt_back *b)
{
    struct tkt_settings *set = tkt_settings_get(b->d);

    for (size_t i = 0; i < set->conf->itsm_count && tkt_ticker_goes_on(&b->ticker); i++) {
        const struct tkt_conf_itsm *conf = &set->conf->itsms[i];
        const struct tkt_itsm_ops *ops = tkt_itsm_find(conf->type);

        if (ops == NULL || ops->steps[TKT_ITSM_FETCH] == NULL ||
            (conf->poll_ms == 0 && !may_call(set->conf, conf))) {
            continue;
        }
        take_due(b, conf);
    }
    tend_lists(b, set);
    tkt_settings_put(&set);
    if (tkt_clock_mono_ms() >= b->expire_mono_ms) {
        struct tkt_err err = TKT_ERR_INIT;

        b->expire_mono_ms = tkt_clock_mono_ms() + HOUR_MS;
        (void)tkt_commit_call(b->d->commit, apply_expire, b, true,
                              &err); /* the next hour again */
    }
}

/* ---- the thread ----------------------------------------------------------------------- */

static void *back_main(void *arg)
{
    struct tkt_back *b = arg;

    while (tkt_ticker_wait(&b->ticker, TICK_MS)) {
        tick(b);
    }
    tkt_tools_release(&b->tools);
    return NULL;
}

static void destroy(struct tkt_back *b)
{
    /* All of them first: each wait is the same wait. */
    for (size_t i = 0; i < b->list_count; i++) {
        tkt_itsmlist_stop(b->lists[i]);
    }
    for (size_t i = 0; i < b->list_count; i++) {
        tkt_itsmlist_free(&b->lists[i]);
    }
    free(b);
}

struct tkt_back *tkt_back_start(struct tkt_daemon *d, struct tkt_err *err)
{
    struct tkt_back *b = calloc(1, sizeof(*b));

    if (b == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "back: no memory");
        return NULL;
    }
    b->d = d;
    b->tools.store_dir = d->store_dir;
    if (tkt_ticker_start(&b->ticker, back_main, b, "back", err) < 0) {
        destroy(b);
        return NULL;
    }
    return b;
}

void tkt_back_stop(struct tkt_back **back)
{
    struct tkt_back *b = *back;

    if (b == NULL) {
        return;
    }
    tkt_ticker_stop(&b->ticker);
    destroy(b);
    *back = NULL;
}
