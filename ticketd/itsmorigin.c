/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/itsmorigin.h"

#include "base/clock.h"
#include "base/log.h"
#include "itsm/itsm.h"
#include "store/origin.h"

#include <stdio.h>
#include <string.h>

#define AGAIN_S 60

_Static_assert(TKT_ITSM_ORIGIN_MAX <= TKT_STORE_ORIGIN_MAX + 1, "each origin has room");

int tkt_itsmorigin_check(const struct tkt_conf_itsm *conf, struct tkt_reader *reader,
                         struct tkt_err *err)
{
    char now[TKT_ITSM_ORIGIN_MAX];
    char was[TKT_STORE_ORIGIN_MAX + 1];

    tkt_itsm_origin(conf, now);
    int n = now[0] == '\0' ? 0 : tkt_reader_origin(reader, conf->name, was, err);

    if (n <= 0) {
        return n;
    }
    if (strcmp(now, was) == 0) {
        return 0;
    }
    tkt_err_set(err, TKT_ERR_TEMP,
                "itsm %s was %.100s and is %.100s: give another desk another name, or "
                "confirm a new address by \"ticketctl itsm moved %s\"",
                conf->name, was, now, conf->name);
    err->retry_after_s = AGAIN_S;
    return -1;
}

int tkt_itsmorigin_used(struct tkt_store *store, const struct tkt_conf_itsm *conf,
                        int64_t now_ms, struct tkt_err *err)
{
    char now[TKT_ITSM_ORIGIN_MAX];

    tkt_itsm_origin(conf, now);
    return now[0] == '\0' ? 0
                          : tkt_store_origin_first(store, conf->name, now, now_ms, err);
}

/* ---- a person's word ------------------------------------------------------------------ */

struct moved {
    const char *itsm;
    const char *origin;
};

static int apply(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct moved *m = arg;

    return tkt_store_origin_set(store, m->itsm, m->origin, tkt_clock_wall_ms(), err);
}

int tkt_control_itsm_moved(struct tkt_control_request *req, struct tkt_err *err)
{
    struct tkt_settings *set = tkt_settings_get(req->d);
    struct moved moved = {.itsm = tkt_control_arg(req, "itsm")};
    char origin[TKT_ITSM_ORIGIN_MAX] = "";

    for (size_t i = 0; i < set->conf->itsm_count; i++) {
        if (strcmp(set->conf->itsms[i].name, moved.itsm) == 0) {
            tkt_itsm_origin(&set->conf->itsms[i], origin);
        }
    }
    tkt_settings_put(&set);
    if (origin[0] == '\0') {
        return tkt_err_set(
            err, TKT_ERR_PERM,
            "there is no section itsm \"%.60s\" with a url (reload first?)", moved.itsm);
    }
    moved.origin = origin;
    if (tkt_commit_call(req->d->commit, apply, &moved, false, err) < 0) {
        return -1;
    }
    tkt_log(TKT_LOG_WARNING, NULL, "itsm.moved", "itsm", moved.itsm, "to", origin, "who",
            req->who, NULL);
    (void)snprintf(req->text, sizeof(req->text), "itsm %.60s is %.200s from now on",
                   moved.itsm, origin); /* cut where it is longer */
    return 0;
}
