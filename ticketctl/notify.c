/* SPDX-License-Identifier: BSD-2-Clause
 * Who is told of what, and who is not. */
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <stdio.h>
#include <string.h>

static const struct tkt_ctl_col contact_cols[] = {
    {"ADDRESS", "address", TKT_CTL_TEXT, 40},
    {"MARK", "mark", TKT_CTL_TEXT, 14},
    {"SINCE", "at", TKT_CTL_TIME, 19},
    {"REASON", "reason", TKT_CTL_TEXT, 0},
};

int tkt_ctl_notify_list(struct tkt_ctl *ctl)
{
    cJSON *json;
    int rc = tkt_ctl_fetch(ctl, "notify-contacts", NULL, 0, TKT_CTL_TIMEOUT_MS, &json);

    if (rc == 0 && json != NULL) {
        tkt_ctl_put_table(stdout, contact_cols, TKT_ARRAY_LEN(contact_cols), json);
    }
    cJSON_Delete(json);
    return rc;
}

int tkt_ctl_notify_optout(struct tkt_ctl *ctl)
{
    struct tkt_ctl_pair pairs[] = {
        {"address", ctl->pos[0]},
        {"back", tkt_ctl_opt(ctl, "back") != NULL ? "1" : "0"},
        {"mark", tkt_ctl_opt(ctl, "reachable") != NULL ? "undeliverable" : "opted-out"}};

    if (tkt_ctl_opt(ctl, "reachable") != NULL) {
        pairs[1].value = "1";
    }
    return tkt_ctl_do(ctl, "notify-optout", pairs, TKT_ARRAY_LEN(pairs));
}

int tkt_ctl_notify_preview(struct tkt_ctl *ctl)
{
    struct tkt_ctl_pair pairs[] = {{"id", ctl->pos_count > 0 ? ctl->pos[0] : NULL},
                                   {"on", tkt_ctl_opt(ctl, "on")},
                                   {"to", tkt_ctl_opt(ctl, "to")},
                                   {"language", tkt_ctl_opt(ctl, "language")}};
    cJSON *json;
    int rc = tkt_ctl_fetch(ctl, "notify-preview", pairs, TKT_ARRAY_LEN(pairs),
                           TKT_CTL_TIMEOUT_MS, &json);

    if (rc == 0 && json != NULL && tkt_ctl_opt(ctl, "html") != NULL) {
        tkt_ctl_put_block(stdout, "", tkt_ctl_str(json, "html"));
    } else if (rc == 0 && json != NULL) {
        printf("Subject: %s\n\n", tkt_ctl_str(json, "subject"));
        tkt_ctl_put_block(stdout, "", tkt_ctl_str(json, "text"));
    }
    cJSON_Delete(json);
    return rc;
}
