/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/control/control_itsm.h"

#include "base/clock.h"
#include "base/log.h"
#include "itsm/itsm.h"
#include "store/origin.h"

#include <stdio.h>
#include <string.h>

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
