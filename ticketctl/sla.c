/* SPDX-License-Identifier: BSD-2-Clause
 * How long tickets may take. */
#include "base/clock.h"
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct tkt_ctl_col timer_cols[] = {
    {"TIMER", "timer", TKT_CTL_TEXT, 16},       {"STATE", "state", TKT_CTL_TEXT, 8},
    {"TARGET", "target_ms", TKT_CTL_SPAN, 8},   {"USED", "used_ms", TKT_CTL_SPAN, 8},
    {"DEADLINE", "deadline", TKT_CTL_TIME, 19}, {"NEXT", "next", TKT_CTL_TIME, 19},
    {"MARK", "mark", TKT_CTL_TEXT, 0},
};
static const struct tkt_ctl_col step_cols[] = {
    {"STEP", "step", TKT_CTL_TEXT, 32}, {"STATE", "state", TKT_CTL_TEXT, 8},
    {"OF", "of", TKT_CTL_TEXT, 12},     {"SINCE", "since", TKT_CTL_TIME, 19},
    {"DUE", "due", TKT_CTL_TIME, 0},
};
static const struct tkt_ctl_col due_cols[] = {
    {"DUE", "due", TKT_CTL_TIME, 19},        {"ID", "id", TKT_CTL_TEXT, 14},
    {"WHAT", "action", TKT_CTL_TEXT, 8},     {"OF", "of", TKT_CTL_TEXT, 20},
    {"P", "priority", TKT_CTL_NUMBER, 1},    {"STATE", "state", TKT_CTL_TEXT, 9},
    {"GROUP", "group", TKT_CTL_TEXT, 16},    {"ASSIGNEE", "assignee", TKT_CTL_TEXT, 24},
    {"SUBJECT", "subject", TKT_CTL_TEXT, 0},
};

static void add_span(cJSON *timer, const char *from, const char *to)
{
    const cJSON *s = cJSON_GetObjectItemCaseSensitive(timer, from);

    if (cJSON_IsNumber(s) && s->valuedouble > 0) {
        (void)cJSON_AddNumberToObject(timer, to, s->valuedouble * 1000); /* display */
    }
}

static void put_timers(cJSON *timers)
{
    cJSON *t;

    cJSON_ArrayForEach(t, timers)
    {
        bool breached = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(t, "breached"));
        bool warned = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(t, "warned"));
        add_span(t, "target_s", "target_ms");
        add_span(t, "used_s", "used_ms");
        (void)cJSON_AddStringToObject(t, "mark",
                                      breached ? "breached"
                                      : warned ? "warned"
                                               : ""); /* display */
    }
    if (cJSON_GetArraySize(timers) > 0) {
        tkt_ctl_put_table(stdout, timer_cols, TKT_ARRAY_LEN(timer_cols), timers);
    }
}

void tkt_ctl_put_sla(cJSON *json)
{
    cJSON *steps = cJSON_GetObjectItemCaseSensitive(json, "steps");

    put_timers(cJSON_GetObjectItemCaseSensitive(json, "timers"));
    if (cJSON_GetArraySize(steps) > 0) {
        tkt_ctl_put_table(stdout, step_cols, TKT_ARRAY_LEN(step_cols), steps);
    }
}

static void put_head(const cJSON *json)
{
    static const char *const keys[] = {"why", "chain", "calendar", "started"};
    static const char *const flags[] = {"pending", "answered", "resolved", "ended"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(keys); i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, keys[i]);
        TKT_AUTO_BUF struct tkt_buf cell = TKT_BUF_INIT(4096);
        tkt_ctl_cell(value, i == 3 ? TKT_CTL_TIME : TKT_CTL_TEXT, &cell);
        if (cell.len > 0) {
            printf("%s: %s\n", keys[i], tkt_buf_str(&cell));
        }
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(flags); i++) {
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, flags[i]))) {
            printf("%s: yes\n", flags[i]);
        }
    }
}

int tkt_ctl_sla_show(struct tkt_ctl *ctl)
{
    struct tkt_ctl_pair pairs[] = {{"id", ctl->pos[0]}};
    cJSON *json;
    int rc =
        tkt_ctl_fetch(ctl, "sla", pairs, TKT_ARRAY_LEN(pairs), TKT_CTL_TIMEOUT_MS, &json);

    if (rc == 0 && json != NULL) {
        if (cJSON_GetObjectItemCaseSensitive(json, "why") == NULL) {
            printf("%s: nothing is agreed\n", tkt_ctl_str(json, "id"));
        } else {
            put_head(json);
            tkt_ctl_put_sla(json);
        }
    }
    cJSON_Delete(json);
    return rc;
}

int tkt_ctl_sla_list(struct tkt_ctl *ctl)
{
    const char *due = tkt_ctl_opt(ctl, "due");
    char until[24];
    char count[24];
    int64_t until_ms;
    int64_t limit;
    int rc = tkt_ctl_opt_int(ctl, "limit", 1, 10000, 100, &limit);

    if (rc != 0) {
        return rc;
    }
    if (tkt_ctl_parse_ahead(due != NULL ? due : "1d", tkt_clock_wall_ms(), true,
                            &until_ms) < 0) {
        return tkt_ctl_fail(EX_USAGE,
                            "--due wants 2h, 3d, 1w, 2026-12-31 or \"2026-12-31 14:30\", "
                            "not \"%s\"",
                            due);
    }
    snprintf(until, sizeof(until), "%lld", (long long)until_ms);
    snprintf(count, sizeof(count), "%lld", (long long)limit);
    struct tkt_ctl_pair pairs[] = {{"until_ms", until}, {"limit", count}};
    cJSON *json;
    rc = tkt_ctl_fetch(ctl, "slas", pairs, TKT_ARRAY_LEN(pairs), TKT_CTL_TIMEOUT_MS,
                       &json);
    if (rc == 0 && json != NULL) {
        cJSON *row;
        cJSON_ArrayForEach(row, json)
        {
            const char *timer = tkt_ctl_str(row, "timer");
            (void)cJSON_AddStringToObject(
                row, "of", timer[0] ? timer : tkt_ctl_str(row, "step")); /* display */
        }
        tkt_ctl_put_table(stdout, due_cols, TKT_ARRAY_LEN(due_cols), json);
    }
    cJSON_Delete(json);
    return rc;
}
