/* SPDX-License-Identifier: BSD-2-Clause
 * One ticket in full, and what happened when. */
#include "base/clock.h"
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <string.h>

#define LINE_MAX_BYTES 65536

static const struct tkt_ctl_col message_cols[] = {
    {"MESSAGE", "message", TKT_CTL_NUMBER, 10}, {"TIME", "at", TKT_CTL_TIME, 19},
    {"KIND", "kind", TKT_CTL_TEXT, 8},          {"SIZE", "size", TKT_CTL_SIZE, 10},
    {"HOOK", "hook", TKT_CTL_TEXT, 8},          {"FROM", "author", TKT_CTL_TEXT, 30},
    {"PROOF", "assurance", TKT_CTL_TEXT, 7},    {"IS", "is", TKT_CTL_TEXT, 30},
    {"SUBJECT", "subject", TKT_CTL_TEXT, 0},
};
static const struct tkt_ctl_col link_cols[] = {
    {"TICKET", "id", TKT_CTL_TEXT, 14},
    {"IS", "kind", TKT_CTL_TEXT, 0},
};
static const struct tkt_ctl_col external_cols[] = {
    {"ITSM", "itsm", TKT_CTL_TEXT, 24},
    {"NUMBER", "number", TKT_CTL_TEXT, 24},
    {"URL", "url", TKT_CTL_TEXT, 0},
};
static const struct tkt_ctl_col participant_cols[] = {
    {"ROLE", "role", TKT_CTL_TEXT, 10},
    {"ADDRESS", "address", TKT_CTL_TEXT, 0},
};
static const struct tkt_ctl_col foreign_cols[] = {
    {"REFERENCE", "ref", TKT_CTL_TEXT, 24},
    {"OF", "scope", TKT_CTL_TEXT, 0},
};
static const struct tkt_ctl_col hold_cols[] = {
    {"HOOK", "hook", TKT_CTL_TEXT, 8},
    {"RECIPIENT", "rcpt", TKT_CTL_TEXT, 40},
    {"STATE", "state", TKT_CTL_TEXT, 10},
    {"SINCE", "changed", TKT_CTL_TIME, 19},
};
static const struct tkt_ctl_col job_cols[] = {
    {"JOB", "job", TKT_CTL_NUMBER, 10},       {"KIND", "kind", TKT_CTL_TEXT, 12},
    {"TARGET", "target", TKT_CTL_TEXT, 16},   {"STATE", "state", TKT_CTL_TEXT, 10},
    {"TRIES", "attempts", TKT_CTL_NUMBER, 5}, {"REASON", "reason", TKT_CTL_TEXT, 0},
};
static const struct tkt_ctl_col history_cols[] = {
    {"TIME", "at", TKT_CTL_TIME, 19},
    {"KIND", "kind", TKT_CTL_TEXT, 24},
    {"DETAIL", "detail", TKT_CTL_TEXT, 0},
};
static const struct tkt_ctl_col log_cols[] = {
    {"EVENT", "event", TKT_CTL_NUMBER, 10}, {"TIME", "at", TKT_CTL_TIME, 19},
    {"TICKET", "ticket", TKT_CTL_TEXT, 14}, {"KIND", "kind", TKT_CTL_TEXT, 24},
    {"DETAIL", "detail", TKT_CTL_TEXT, 0},
};

/* Gives each event a "detail": its data in one line. */
static void add_details(const cJSON *events)
{
    cJSON *e;
    cJSON_ArrayForEach(e, events)
    {
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(LINE_MAX_BYTES);
        tkt_ctl_put_members(&b, cJSON_GetObjectItemCaseSensitive(e, "data"));
        /* without memory the column stays empty */
        (void)cJSON_AddStringToObject(e, "detail", tkt_buf_str(&b));
    }
}

/* Names of those flags that hold. */
static void add_flags(cJSON *object, const char *const *flags, size_t count)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(512);
    for (size_t i = 0; i < count; i++) {
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, flags[i]))) {
            tkt_buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", flags[i]);
        }
    }
    /* without memory the column stays empty */
    (void)cJSON_AddStringToObject(object, "is", tkt_buf_str(&b));
}

static void put(const char *label, const char *value)
{
    if (value[0] != '\0') {
        printf("  %-12s", label);
        tkt_ctl_put_clean(stdout, value);
        fputc('\n', stdout);
    }
}

static void put_time(const cJSON *ticket, const char *key)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(128);
    tkt_ctl_cell(cJSON_GetObjectItemCaseSensitive(ticket, key), TKT_CTL_TIME, &b);
    put(key, tkt_buf_str(&b));
}

static void put_head(cJSON *t)
{
    static const char *const flags[] = {"shadow", "erased"};
    static const char *const keys[] = {"desk",     "type",    "category", "subcategory",
                                       "service",  "group",   "assignee", "tags",
                                       "keywords", "missing", "itsm"};
    char line[640];
    add_flags(t, flags, TKT_ARRAY_LEN(flags));
    snprintf(line, sizeof line, "%s  %s  priority %.0f", tkt_ctl_str(t, "id"),
             tkt_ctl_str(t, "state"), tkt_ctl_num(t, "priority"));
    tkt_ctl_put_clean(stdout, line);
    fputc('\n', stdout);
    put("subject", tkt_ctl_str(t, "subject"));
    const char *name = tkt_ctl_str(t, "requester_name");
    snprintf(line, sizeof line, "%s%s%s", tkt_ctl_str(t, "requester"),
             name[0] != '\0' ? ", " : "", name);
    put("requester", line);
    for (size_t i = 0; i < TKT_ARRAY_LEN(keys); i++) {
        put(keys[i], tkt_ctl_str(t, keys[i]));
    }
    put_time(t, "created");
    put_time(t, "changed");
    put_time(t, "closed");
    put("is", tkt_ctl_str(t, "is"));
    if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(t, "analysed"))) {
        put("is", "not analysed yet");
    }
    if (tkt_ctl_num(t, "joined") > 0) {
        snprintf(line, sizeof line, "%.0f messages in all", tkt_ctl_num(t, "joined") + 1);
        put("count", line);
    }
    if (tkt_ctl_num(t, "duplicates") > 0) {
        snprintf(line, sizeof line, "%.0f time%s", tkt_ctl_num(t, "duplicates"),
                 tkt_ctl_num(t, "duplicates") > 1 ? "s" : "");
        put("came again", line);
    }
}

/* Of a ticket from before fields had a place, what a Sieve script asked for. */
static void put_fields(const cJSON *ticket, const cJSON *messages)
{
    const cJSON *m;
    const cJSON *fields = cJSON_GetObjectItemCaseSensitive(ticket, "fields");
    cJSON_ArrayForEach(m, fields)
    {
        char line[2100];
        snprintf(line, sizeof line, "%s=%s", m->string,
                 cJSON_IsString(m) ? m->valuestring : "");
        put("field", line);
    }
    if (cJSON_GetArraySize(fields) > 0) {
        return;
    }
    cJSON_ArrayForEach(m, messages)
    {
        const cJSON *envelope = cJSON_GetObjectItemCaseSensitive(m, "envelope");
        const cJSON *wants = cJSON_GetObjectItemCaseSensitive(envelope, "wants");
        const cJSON *f;
        cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(wants, "fields"))
        {
            put("field", cJSON_IsString(f) ? f->valuestring : "");
        }
    }
}

static void put_section(const cJSON *t, const char *key, const struct tkt_ctl_col *cols,
                        size_t count)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(t, key);
    if (cJSON_GetArraySize(array) > 0) {
        printf("\n%s\n", key);
        tkt_ctl_put_table(stdout, cols, count, array);
    }
}

static void put_comments(const cJSON *messages)
{
    const cJSON *m;
    cJSON_ArrayForEach(m, messages)
    {
        const char *text = tkt_ctl_str(m, "text");
        if (text[0] != '\0') {
            printf("\ncomment %.0f\n", tkt_ctl_num(m, "message"));
            tkt_ctl_put_block(stdout, "    ", text);
        }
    }
}

static void put_ticket(cJSON *t)
{
    static const char *const flags[] = {"internal", "unverified", "agent", "withdrawn",
                                        "erased"};
    cJSON *messages = cJSON_GetObjectItemCaseSensitive(t, "messages");
    cJSON *m;
    cJSON_ArrayForEach(m, messages)
    {
        add_flags(m, flags, TKT_ARRAY_LEN(flags));
    }
    add_details(cJSON_GetObjectItemCaseSensitive(t, "events"));
    put_head(t);
    put_fields(t, messages);
    put_section(t, "messages", message_cols, TKT_ARRAY_LEN(message_cols));
    put_comments(messages);
    put_section(t, "links", link_cols, TKT_ARRAY_LEN(link_cols));
    put_section(t, "foreign", foreign_cols, TKT_ARRAY_LEN(foreign_cols));
    put_section(t, "externals", external_cols, TKT_ARRAY_LEN(external_cols));
    put_section(t, "participants", participant_cols, TKT_ARRAY_LEN(participant_cols));
    put_section(t, "holds", hold_cols, TKT_ARRAY_LEN(hold_cols));
    put_section(t, "jobs", job_cols, TKT_ARRAY_LEN(job_cols));
    cJSON *sla = cJSON_GetObjectItemCaseSensitive(t, "sla");
    if (sla != NULL) {
        printf("\nsla\n");
        tkt_ctl_put_sla(sla);
    }
    put_section(t, "events", history_cols, TKT_ARRAY_LEN(history_cols));
}

int tkt_ctl_show(struct tkt_ctl *ctl)
{
    struct tkt_ctl_pair pairs[] = {{"id", ctl->pos[0]}};
    cJSON *json;
    int rc = tkt_ctl_fetch(ctl, "show", pairs, TKT_ARRAY_LEN(pairs), TKT_CTL_TIMEOUT_MS,
                           &json);
    if (rc == 0 && json != NULL) {
        put_ticket(json);
    }
    cJSON_Delete(json);
    return rc;
}

int tkt_ctl_log(struct tkt_ctl *ctl)
{
    char text[24];
    char count[24];
    const char *since;
    int64_t limit;
    int rc = tkt_ctl_since_arg(ctl, text, &since);
    if (rc != 0 || (rc = tkt_ctl_opt_int(ctl, "limit", 1, 10000, 200, &limit)) != 0) {
        return rc;
    }
    snprintf(count, sizeof count, "%lld", (long long)limit);
    struct tkt_ctl_pair pairs[] = {{"id", ctl->pos_count > 0 ? ctl->pos[0] : NULL},
                                   {"since_ms", since},
                                   {"limit", count}};
    cJSON *json;
    rc =
        tkt_ctl_fetch(ctl, "log", pairs, TKT_ARRAY_LEN(pairs), TKT_CTL_TIMEOUT_MS, &json);
    if (rc == 0 && json != NULL) {
        add_details(json);
        tkt_ctl_put_table(stdout, log_cols, TKT_ARRAY_LEN(log_cols), json);
    }
    cJSON_Delete(json);
    return rc;
}
