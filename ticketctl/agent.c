/* SPDX-License-Identifier: BSD-2-Clause
 * Who works on tickets, and who is away. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <string.h>
#include <time.h>

#define AHEAD_MAX 100000 /* of a unit */

static const struct tkt_ctl_col agent_cols[] = {
    {"GROUP", "group", TKT_CTL_TEXT, 16},      {"AGENT", "agent", TKT_CTL_TEXT, 32},
    {"DUTY", "duty", TKT_CTL_TEXT, 10},        {"OPEN", "open", TKT_CTL_NUMBER, 6},
    {"CAP", "cap", TKT_CTL_NUMBER, 6},         {"WEIGHT", "weight", TKT_CTL_NUMBER, 6},
    {"UNTIL", "away_until", TKT_CTL_TIME, 19}, {"NOTE", "note", TKT_CTL_TEXT, 0},
};

int tkt_ctl_agent_list(struct tkt_ctl *ctl)
{
    struct tkt_ctl_pair pairs[] = {{"group", tkt_ctl_opt(ctl, "group")}};
    cJSON *json;
    int rc = tkt_ctl_fetch(ctl, "agents", pairs, TKT_ARRAY_LEN(pairs), TKT_CTL_TIMEOUT_MS,
                           &json);
    if (rc == 0 && json != NULL) {
        tkt_ctl_put_table(stdout, agent_cols, TKT_ARRAY_LEN(agent_cols), json);
    }
    cJSON_Delete(json);
    return rc;
}

static int parse_ahead(const char *s, int64_t now_ms, int64_t *out_ms)
{
    static const char units[] = "mhdw";
    static const int64_t ms[] = {60000, 3600000, 86400000, 604800000};
    size_t n = strlen(s);
    char number[12];
    int64_t count;
    const char *unit = n > 1 ? strchr(units, s[n - 1]) : NULL;
    if (unit == NULL || n > sizeof number) {
        return -1;
    }
    memcpy(number, s, n - 1);
    number[n - 1] = '\0';
    if (tkt_parse_int(number, 1, AHEAD_MAX, &count) < 0) {
        return -1;
    }
    *out_ms = now_ms + count * ms[unit - units];
    return 0;
}

/* A date is the whole day: as an end, until the midnight behind it. */
int tkt_ctl_parse_ahead(const char *s, int64_t now_ms, bool is_end, int64_t *out_ms)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"};
    if (parse_ahead(s, now_ms, out_ms) == 0) {
        return 0;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(forms); i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(s, forms[i], &tm);
        if (end == NULL || *end != '\0') {
            continue;
        }
        tm.tm_mday += is_end && i == 0 ? 1 : 0;
        time_t t = mktime(&tm);
        if (t > 0) {
            *out_ms = (int64_t)t * 1000;
            return 0;
        }
    }
    return -1;
}

static int time_arg(struct tkt_ctl *ctl, const char *name, bool is_end, char out[24],
                    const char **value)
{
    const char *s = tkt_ctl_opt(ctl, name);
    int64_t ms;
    *value = NULL;
    if (s == NULL) {
        return 0;
    }
    if (tkt_ctl_parse_ahead(s, tkt_clock_wall_ms(), is_end, &ms) < 0) {
        return tkt_ctl_fail(EX_USAGE,
                            "--%s wants 2h, 3d, 1w, 2026-12-31 or \"2026-12-31 14:30\", "
                            "not \"%s\"",
                            name, s);
    }
    snprintf(out, 24, "%lld", (long long)ms);
    *value = out;
    return 0;
}

int tkt_ctl_agent_away(struct tkt_ctl *ctl)
{
    char from_text[24];
    char until_text[24];
    const char *from;
    const char *until;
    int rc = time_arg(ctl, "until", true, until_text, &until);
    if (rc == 0) {
        rc = time_arg(ctl, "from", false, from_text, &from);
    }
    if (rc != 0) {
        return rc;
    }
    if (until == NULL) {
        return tkt_ctl_fail(EX_USAGE, "away until when? say --until");
    }
    struct tkt_ctl_pair pairs[] = {
        {"agent", ctl->pos[0]},
        {"until_ms", until},
        {"from_ms", from},
        {"note", tkt_ctl_opt(ctl, "note")},
        {"reassign", tkt_ctl_opt(ctl, "reassign") != NULL ? "1" : NULL}};
    return tkt_ctl_do(ctl, "agent-away", pairs, TKT_ARRAY_LEN(pairs));
}

int tkt_ctl_agent_back(struct tkt_ctl *ctl)
{
    struct tkt_ctl_pair pairs[] = {{"agent", ctl->pos[0]}};
    return tkt_ctl_do(ctl, "agent-back", pairs, TKT_ARRAY_LEN(pairs));
}
