/* SPDX-License-Identifier: BSD-2-Clause
 * The queue of jobs. */
#include "base/enc.h"
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <string.h>

static const struct tkt_ctl_col job_cols[] = {
    {"JOB", "job", TKT_CTL_NUMBER, 10},
    {"TICKET", "ticket", TKT_CTL_TEXT, 14},
    {"KIND", "kind", TKT_CTL_TEXT, 12},
    {"TARGET", "target", TKT_CTL_TEXT, 16},
    {"STATE", "state", TKT_CTL_TEXT, 10},
    {"TRIES", "attempts", TKT_CTL_NUMBER, 5},
    {"NEXT", "run_after", TKT_CTL_TIME, 19},
    {"IN DOUBT", "doubt_since", TKT_CTL_TIME, 19},
    {"REASON", "reason", TKT_CTL_TEXT, 0},
};

int tkt_ctl_queue_list(struct tkt_ctl *ctl)
{
    int64_t limit;
    int rc = tkt_ctl_opt_int(ctl, "limit", 1, 10000, 100, &limit);
    if (rc != 0) {
        return rc;
    }
    char count[24];
    snprintf(count, sizeof count, "%lld", (long long)limit);
    struct tkt_ctl_pair pairs[] = {{"state", tkt_ctl_opt(ctl, "state")},
                                   {"limit", count}};
    cJSON *json;
    rc = tkt_ctl_fetch(ctl, "queue", pairs, TKT_ARRAY_LEN(pairs), TKT_CTL_TIMEOUT_MS,
                       &json);
    if (rc == 0 && json != NULL) {
        tkt_ctl_put_table(stdout, job_cols, TKT_ARRAY_LEN(job_cols), json);
    }
    cJSON_Delete(json);
    return rc;
}

static int check_job(const char *s)
{
    int64_t job;
    return tkt_parse_int(s, 1, INT64_MAX, &job) == 0
               ? 0
               : tkt_ctl_fail(EX_USAGE,
                              "\"%s\" is no job: queue list shows their numbers", s);
}

int tkt_ctl_queue_show(struct tkt_ctl *ctl)
{
    int rc = check_job(ctl->pos[0]);
    if (rc != 0) {
        return rc;
    }
    struct tkt_ctl_pair pairs[] = {{"job", ctl->pos[0]}};
    cJSON *json;
    rc = tkt_ctl_fetch(ctl, "queue", pairs, TKT_ARRAY_LEN(pairs), TKT_CTL_TIMEOUT_MS,
                       &json);
    if (rc != 0 || json == NULL) {
        return rc;
    }
    const cJSON *job = cJSON_IsArray(json) ? json->child : json;
    if (job == NULL) {
        rc = tkt_ctl_fail(EX_DATAERR, "there is no job %s", ctl->pos[0]);
    } else {
        tkt_ctl_put_object(stdout, job, 0);
    }
    cJSON_Delete(json);
    return rc;
}

int tkt_ctl_queue_edit(struct tkt_ctl *ctl)
{
    const char *payload = tkt_ctl_opt(ctl, "payload");
    const char *target = tkt_ctl_opt(ctl, "target");
    int rc = check_job(ctl->pos[0]);

    if (rc != 0) {
        return rc;
    }
    if ((payload == NULL) == (target == NULL)) {
        return tkt_ctl_fail(EX_USAGE, "give either --payload or --target");
    }
    if (payload != NULL) {
        cJSON *json = cJSON_ParseWithOpts(payload, NULL, true);
        bool is_object = cJSON_IsObject(json);

        cJSON_Delete(json);
        if (!is_object) {
            return tkt_ctl_fail(EX_DATAERR, "the payload is no JSON object");
        }
    }
    struct tkt_ctl_pair pairs[] = {
        {"job", ctl->pos[0]},
        {"payload", payload},
        {"target", target},
        {"force", tkt_ctl_opt(ctl, "force") != NULL ? "1" : NULL}};
    return tkt_ctl_do(ctl, "queue-edit", pairs, TKT_ARRAY_LEN(pairs));
}

/* The last word of the command's name is the verb. */
int tkt_ctl_queue_change(struct tkt_ctl *ctl)
{
    char verb[32];
    snprintf(verb, sizeof verb, "queue-%s", strchr(ctl->cmd->name, ' ') + 1);
    int worst = 0;
    for (int i = 0; i < ctl->pos_count; i++) {
        int rc = check_job(ctl->pos[i]);
        if (rc != 0) {
            return rc;
        }
    }
    for (int i = 0; i < ctl->pos_count; i++) { /* one bad job does not save the others */
        struct tkt_ctl_pair pairs[] = {{"job", ctl->pos[i]}};
        int rc = tkt_ctl_do(ctl, verb, pairs, TKT_ARRAY_LEN(pairs));
        worst = rc != 0 ? rc : worst;
    }
    return worst;
}
