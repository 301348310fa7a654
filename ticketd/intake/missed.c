/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/intake/missed.h"

#include "base/log.h"
#include "base/util.h"
#include "ticketd/intake/request.h"
#include "wire/missed.h"

#include <stdio.h>
#include <string.h>

/* One that waits may be the only one; that many mean that nothing can be taken now. */
#define WAITING_MAX 4

enum outcome {
    TAKEN,
    WAITS,
    BROKEN
};

/* Runs the request as a hook's; the reply tells. */
static enum outcome run(struct tkt_daemon *d, struct tkt_tools *tools,
                        struct tkt_wire_request *wire, int fd, char *why, size_t why_size)
{
    struct tkt_request *req = tkt_request_wrap(d, wire, fd);
    enum outcome outcome = WAITS;

    if (!req) {
        snprintf(why, why_size, "no memory");
        return WAITS;
    }
    tkt_request_run(req, tools);
    snprintf(why, why_size, "%s", req->reply.text);
    if (req->reply.status == TKT_WIRE_OK) {
        outcome = TAKEN;
    } else if (req->reply.status == TKT_WIRE_PERM) {
        outcome = BROKEN;
    }
    tkt_request_free(&req);
    return outcome;
}

static enum outcome take_one(struct tkt_daemon *d, struct tkt_tools *tools,
                             const char *dir, const char *name, char *why,
                             size_t why_size)
{
    struct tkt_wire_request wire;
    struct tkt_err err = TKT_ERR_INIT;
    int fd = -1;

    if (tkt_missed_open(dir, name, &wire, &fd, &err) < 0) {
        snprintf(why, why_size, "%s", err.text);
        return err.class == TKT_ERR_PERM ? BROKEN : WAITS;
    }
    /* What stood in the session is over: nobody can be refused, and no desk table of
     * that time matters any more. */
    wire.smtp_path = false;
    wire.dry_run = false;
    wire.generation = 0;
    wire.remaining_ms = 0;
    return run(d, tools, &wire, fd, why, why_size);
}

size_t tkt_missed_take(struct tkt_daemon *d, struct tkt_tools *tools)
{
    struct tkt_missed_name names[TKT_MISSED_AT_ONCE];
    struct tkt_settings *set = tkt_settings_get(d);
    struct tkt_err err = TKT_ERR_INIT;
    char dir[4200];
    size_t count = 0;
    size_t taken = 0;
    size_t waiting = 0;

    snprintf(dir, sizeof(dir), "%s/missed", set->conf->milter.state_dir);
    tkt_settings_put(&set);
    if (tkt_missed_list(dir, names, TKT_MISSED_AT_ONCE, &count, &err) < 0) {
        tkt_log(TKT_LOG_WARNING, NULL, "missed.list", "error", err.text, NULL);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        char why[500] = "";
        enum outcome outcome = take_one(d, tools, dir, names[i].text, why, sizeof(why));

        if (outcome == WAITS) {
            tkt_log(TKT_LOG_WARNING, NULL, "missed.waits", "entry", names[i].text, "why",
                    why, NULL);
            if (++waiting == WAITING_MAX) {
                break;
            }
            continue;
        }
        int rc = outcome == TAKEN ? tkt_missed_remove(dir, names[i].text, &err)
                                  : tkt_missed_set_aside(dir, names[i].text, &err);
        tkt_log(outcome == TAKEN ? TKT_LOG_NOTICE : TKT_LOG_ERROR, NULL,
                outcome == TAKEN ? "missed.taken" : "missed.broken", "entry",
                names[i].text, "why", *why ? why : NULL, "error",
                rc < 0 ? err.text : NULL, NULL);
        if (rc < 0) {
            break; /* it would come again at once: the same ticket, but a busy loop */
        }
        if (outcome == TAKEN) {
            taken++;
            atomic_fetch_add(&d->stats.missed, 1);
        }
    }
    return taken;
}
