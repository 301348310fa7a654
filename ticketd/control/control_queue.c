/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/control/control_queue.h"

#include "base/clock.h"
#include "base/util.h"
#include "store/failover.h"
#include "ticketd/jobs/dispatch.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

struct order {
    struct tkt_control_request *req;
    const char *verb;
    char target[TKT_STORE_TARGET_MAX + 1];
};

static int apply_order(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct order *o = p;
    int64_t job = tkt_control_number(o->req, "job", 0);

    return tkt_store_job_command(store, job, o->verb, o->req->who, tkt_clock_wall_ms(),
                                 err) < 0
               ? -1
               : tkt_store_job_target(store, job, o->target, err);
}

int tkt_control_queue_order(struct tkt_control_request *req, struct tkt_err *err)
{
    struct order o = {.req = req, .verb = req->verb + strlen("queue-")};

    (void)snprintf(req->text, sizeof(req->text), "job %s: %s",
                   tkt_control_arg(req, "job"), o.verb); /* has room */
    int rc = tkt_commit_call(req->d->commit, apply_order, &o, false, err);
    if (rc >= 0 && strcmp(o.verb, "retry") == 0) {
        tkt_dispatch_dare(req->d->dispatch, o.target);
    }
    return rc < 0 ? -1 : 0;
}

static bool is_section(struct tkt_daemon *d, const char *name)
{
    struct tkt_settings *set = tkt_settings_get(d);
    bool found = false;

    for (size_t i = 0; i < set->conf->itsm_count; i++) {
        found = found || strcmp(set->conf->itsms[i].name, name) == 0;
    }
    tkt_settings_put(&set);
    return found;
}

static bool is_object(const char *text, size_t len)
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, len + 1, &end, true);
    bool is = cJSON_IsObject(json);

    cJSON_Delete(json);
    return is;
}

static int apply(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct tkt_control_request *req = p;
    int64_t job = tkt_control_number(req, "job", 0);
    const char *target = tkt_control_arg(req, "target");
    bool force = tkt_control_number(req, "force", 0) != 0;
    int64_t now_ms = tkt_clock_wall_ms();

    return target != NULL
               ? tkt_store_job_redirect(store, job, target, force, req->who, now_ms, err)
               : tkt_store_job_edit(store, job, tkt_control_arg(req, "payload"), force,
                                    req->who, now_ms, err);
}

int tkt_control_queue_edit(struct tkt_control_request *req, struct tkt_err *err)
{
    const char *target = tkt_control_arg(req, "target");
    const char *payload = tkt_control_arg(req, "payload");
    size_t len = payload == NULL ? 0 : strlen(payload);

    if ((target == NULL) == (payload == NULL)) {
        return tkt_err_set(err, TKT_ERR_PERM, "name either a payload or a target");
    }
    if (target != NULL && !is_section(req->d, target)) {
        return tkt_err_set(err, TKT_ERR_PERM, "there is no section itsm \"%.60s\"",
                           target);
    }
    if (payload != NULL && (len > TKT_CONTROL_PAYLOAD_MAX || !is_object(payload, len))) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "a payload is a JSON object of at most %d bytes",
                           TKT_CONTROL_PAYLOAD_MAX);
    }
    (void)snprintf(req->text, sizeof(req->text), "job %s: %s%.60s",
                   tkt_control_arg(req, "job"), target ? "goes to " : "changed",
                   target ? target : ""); /* has room */
    return tkt_commit_call(req->d->commit, apply, req, false, err);
}
