/* SPDX-License-Identifier: BSD-2-Clause
 * Who is told of what, and who is not. */
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"
#include "ticketd/notice/notice.h"

#include <stdio.h>
#include <string.h>

static const struct tkt_ctl_col contact_cols[] = {
    {"ADDRESS", "address", TKT_CTL_TEXT, 40}, {"MARK", "mark", TKT_CTL_TEXT, 14},
    {"DESK", "desk", TKT_CTL_TEXT, 12},       {"SINCE", "at", TKT_CTL_TIME, 19},
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
        {"desk", tkt_ctl_opt(ctl, "desk")},
        {"mark", tkt_ctl_opt(ctl, "reachable") != NULL ? "undeliverable" : "opted-out"}};

    if (tkt_ctl_opt(ctl, "reachable") != NULL) {
        pairs[1].value = "1";
    }
    return tkt_ctl_do(ctl, "notify-optout", pairs, TKT_ARRAY_LEN(pairs));
}

/* ---- preview ------------------------------------------------------------------------ */

/* A made-up ticket needs no ticketd: what stands in the files is what counts, also before
 * a first start or a reload. Who may not read them asks. */
static bool has_files(const struct tkt_ctl *ctl)
{
    return ctl->pos_count == 0 && tkt_ctl_opt(ctl, "socket") == NULL &&
           (tkt_ctl_opt(ctl, "config") != NULL ||
            access(tkt_ctl_conf_path(ctl), R_OK) == 0);
}

static int preview_there(struct tkt_ctl *ctl, cJSON **json)
{
    const struct tkt_ctl_pair pairs[] = {{"id", ctl->pos_count > 0 ? ctl->pos[0] : NULL},
                                         {"on", tkt_ctl_opt(ctl, "on")},
                                         {"to", tkt_ctl_opt(ctl, "to")},
                                         {"language", tkt_ctl_opt(ctl, "language")}};

    return tkt_ctl_fetch(ctl, "notify-preview", pairs, TKT_ARRAY_LEN(pairs),
                         TKT_CTL_TIMEOUT_MS, json);
}

static int preview_here(struct tkt_ctl *ctl, cJSON **json)
{
    const struct tkt_notice_asked asked = {.what = tkt_ctl_opt(ctl, "on"),
                                           .role = tkt_ctl_opt(ctl, "to"),
                                           .language = tkt_ctl_opt(ctl, "language")};
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(8 * TKT_NOTICE_TEXT_MAX);
    /* The links that are shown open nothing. */
    static const char no_secret[] = "what stands here signs only what nobody gets";
    struct tkt_settings set = {.texts = NULL};
    struct tkt_err err = TKT_ERR_INIT;
    int rc = tkt_ctl_conf(ctl);

    if (rc != 0) {
        return rc;
    }
    set.conf = ctl->conf;
    set.texts = tkt_notice_texts_load(ctl->conf, &err);
    rc = set.texts == NULL ||
                 tkt_token_keys_add(&set.keys, no_secret, sizeof(no_secret), &err) < 0 ||
                 tkt_notice_preview(&set, &asked, NULL, 0, &out, &err) < 0
             ? tkt_ctl_fail_err(&err)
             : 0;
    tkt_notice_texts_free(&set.texts);
    if (rc == 0) {
        *json = cJSON_ParseWithLength(tkt_buf_str(&out), out.len);
        rc = *json == NULL ? tkt_ctl_fail(EX_OSERR, "out of memory") : 0;
    }
    if (rc == 0 && ctl->json) {
        rc = tkt_ctl_print_json(*json);
        cJSON_Delete(*json);
        *json = NULL;
    }
    return rc;
}

int tkt_ctl_notify_preview(struct tkt_ctl *ctl)
{
    cJSON *json = NULL;
    int rc = has_files(ctl) ? preview_here(ctl, &json) : preview_there(ctl, &json);

    if (rc == 0 && json != NULL && tkt_ctl_opt(ctl, "html") != NULL) {
        tkt_ctl_put_block(stdout, "", tkt_ctl_str(json, "html"));
    } else if (rc == 0 && json != NULL) {
        printf("Subject: %s\n\n", tkt_ctl_str(json, "subject"));
        tkt_ctl_put_block(stdout, "", tkt_ctl_str(json, "text"));
    }
    cJSON_Delete(json);
    return rc;
}
