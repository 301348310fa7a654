/* SPDX-License-Identifier: BSD-2-Clause
 * Who the sender is, as directories and the cache say. */
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <string.h>

/* A directory that does not answer is waited for by ticketd. */
#define LOOKUP_TIMEOUT_MS 600000

static const struct tkt_ctl_col test_cols[] = {
    {"DIRECTORY", "directory", TKT_CTL_TEXT, 32},
    {"TYPE", "type", TKT_CTL_TEXT, 10},
    {"OK", "ok", TKT_CTL_TEXT, 5},
    {"TIME", "ms", TKT_CTL_SPAN, 10},
    {"SAYS", "text", TKT_CTL_TEXT, 0},
};

static bool is_true(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* Exit: 0 known, EX_NOUSER unknown, EX_TEMPFAIL when it cannot be said now. */
static int verdict(const cJSON *json, bool cached)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(json, "found");
    const cJSON *row = cJSON_GetObjectItemCaseSensitive(json, "cached");
    if (cached) {
        return cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(row, "person"))
                   ? 0
                   : EX_NOUSER;
    }
    return cJSON_IsTrue(found) ? 0 : cJSON_IsFalse(found) ? EX_NOUSER : EX_TEMPFAIL;
}

int tkt_ctl_directory_lookup(struct tkt_ctl *ctl)
{
    bool cached = tkt_ctl_opt(ctl, "cached") != NULL;
    struct tkt_ctl_pair pairs[] = {{"address", ctl->pos[0]},
                                   {"cached", cached ? "1" : "0"}};
    bool as_json = ctl->json;
    cJSON *json;
    ctl->json = false; /* the answer is looked at first */
    int rc = tkt_ctl_fetch(ctl, "directory-lookup", pairs, TKT_ARRAY_LEN(pairs),
                           LOOKUP_TIMEOUT_MS, &json);
    ctl->json = as_json;
    if (rc != 0) {
        return rc;
    }
    if (as_json) {
        rc = tkt_ctl_print_json(json);
    } else if (!ctl->quiet) {
        tkt_ctl_put_object(stdout, json, 0);
    }
    rc = rc != 0 ? rc : verdict(json, cached);
    cJSON_Delete(json);
    return rc;
}

int tkt_ctl_directory_test(struct tkt_ctl *ctl)
{
    struct tkt_ctl_pair pairs[] = {{"name", ctl->pos_count > 0 ? ctl->pos[0] : NULL}};
    bool as_json = ctl->json;
    cJSON *json;
    ctl->json = false;
    int rc = tkt_ctl_fetch(ctl, "directory-test", pairs, TKT_ARRAY_LEN(pairs),
                           LOOKUP_TIMEOUT_MS, &json);
    ctl->json = as_json;
    if (rc != 0) {
        return rc;
    }
    if (as_json) {
        rc = tkt_ctl_print_json(json);
    } else if (!ctl->quiet) {
        tkt_ctl_put_table(stdout, test_cols, TKT_ARRAY_LEN(test_cols), json);
    }
    const cJSON *one;
    cJSON_ArrayForEach(one, json)
    {
        rc = rc == 0 && !is_true(one, "ok") ? EX_UNAVAILABLE : rc;
    }
    cJSON_Delete(json);
    return rc;
}

int tkt_ctl_directory_flush(struct tkt_ctl *ctl)
{
    return tkt_ctl_do(ctl, "directory-flush", NULL, 0);
}
