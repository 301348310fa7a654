/* SPDX-License-Identifier: BSD-2-Clause
 * What the shadow configuration would have decided. */
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <string.h>

#define LINE_MAX_BYTES 4096

static const struct tkt_ctl_col group_cols[] = {
    {"MAILS", "count", TKT_CTL_NUMBER, 8},
    {"FROM", "old", TKT_CTL_TEXT, 30},
    {"TO", "new", TKT_CTL_TEXT, 0},
};
static const struct tkt_ctl_col example_cols[] = {
    {"TIME", "at", TKT_CTL_TIME, 19},
    {"TICKET", "ticket", TKT_CTL_TEXT, 14},
    {"DESK", "desk", TKT_CTL_TEXT, 12},
    {"DIFFERS", "detail", TKT_CTL_TEXT, 0},
};

static void put(const char *label, const char *value)
{
    if (value[0] != '\0') {
        printf("  %-12s", label);
        tkt_ctl_put_clean(stdout, value);
        putchar('\n');
    }
}

static void put_count(const cJSON *o, const char *key)
{
    char text[32];
    snprintf(text, sizeof text, "%.0f", tkt_ctl_num(o, key));
    put(key, text);
}

/* Gives each example a "detail": "group: a -> b; priority: 3 -> 2". */
static void add_details(const cJSON *examples)
{
    cJSON *e;
    cJSON_ArrayForEach(e, examples)
    {
        TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(LINE_MAX_BYTES);
        const cJSON *old = cJSON_GetObjectItemCaseSensitive(e, "old");
        const cJSON *new = cJSON_GetObjectItemCaseSensitive(e, "new");
        const cJSON *part;
        cJSON_ArrayForEach(part, old)
        {
            const char *was = cJSON_IsString(part) ? part->valuestring : "";
            const char *is = tkt_ctl_str(new, part->string);
            (void)tkt_buf_addf(&line, "%s%s: %s -> %s", /* past it: cut */
                               line.len > 0 ? "; " : "", part->string,
                               *was != '\0' ? was : "-", *is != '\0' ? is : "-");
        }
        /* without memory the column stays empty */
        (void)cJSON_AddStringToObject(e, "detail", tkt_buf_str(&line));
    }
}

static void put_table(const cJSON *o, const char *key, const struct tkt_ctl_col *cols,
                      size_t count)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(o, key);
    if (cJSON_GetArraySize(array) > 0) {
        printf("\n%s\n", key);
        tkt_ctl_put_table(stdout, cols, count, array);
    }
}

static void put_shadow(const cJSON *o)
{
    const cJSON *part;
    char text[64];
    if (strcmp(tkt_ctl_str(o, "state"), "off") == 0) {
        puts("no shadow configuration: shadow_config names none");
        return;
    }
    put("config", tkt_ctl_str(o, "config"));
    put("state", tkt_ctl_str(o, "state"));
    put("error", tkt_ctl_str(o, "error"));
    put("since", tkt_ctl_str(o, "since"));
    snprintf(text, sizeof text, "%.0f %% of the mails", tkt_ctl_num(o, "share"));
    put("share", text);
    put_count(o, "compared");
    put_count(o, "differ");
    cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(o, "parts"))
    {
        snprintf(text, sizeof text, "%.0f in %.40s", part->valuedouble, part->string);
        put("", text);
    }
    put_count(o, "errors");
    put_count(o, "skipped");
    put_table(o, "groups", group_cols, TKT_ARRAY_LEN(group_cols));
    add_details(cJSON_GetObjectItemCaseSensitive(o, "examples"));
    put_table(o, "examples", example_cols, TKT_ARRAY_LEN(example_cols));
}

int tkt_ctl_shadow(struct tkt_ctl *ctl)
{
    cJSON *json;
    int rc = tkt_ctl_fetch(ctl, "shadow", NULL, 0, TKT_CTL_TIMEOUT_MS, &json);
    if (rc == 0 && json != NULL) {
        put_shadow(json);
    }
    cJSON_Delete(json);
    return rc;
}
