/* SPDX-License-Identifier: BSD-2-Clause
 * What past tickets teach: settled ones, as people left them. Their mail is read as
 * `explain` reads it. */
#include "ticketctl/model.h"

#include "base/util.h"
#include "message/parse.h"
#include "ticketctl/out.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LIST_PAGE 1000
#define TICKETS_MAX 1000000

/* The tickets of one state, appended; newest first. */
static int list_state(struct tkt_ctl *ctl, const char *state, const char *since,
                      cJSON *all)
{
    int64_t before = 0;

    for (int got = LIST_PAGE;
         got == LIST_PAGE && cJSON_GetArraySize(all) < TICKETS_MAX;) {
        char below[24];
        snprintf(below, sizeof below, "%lld", (long long)before);
        struct tkt_ctl_pair pairs[] = {{"state", state},
                                       {"since_ms", since},
                                       {"limit", "1000"},
                                       {"before", before > 0 ? below : NULL}};
        struct tkt_control_reply reply;
        cJSON *page = NULL;
        int rc = tkt_ctl_call(ctl, "list", pairs, TKT_ARRAY_LEN(pairs), -1,
                              TKT_CTL_TIMEOUT_MS, &reply);
        if (rc == 0) {
            rc = tkt_ctl_read_json(reply.fd, &page);
            tkt_control_reply_release(&reply);
        }
        if (rc != 0) {
            return rc;
        }
        got = cJSON_GetArraySize(page);
        while (page->child != NULL) {
            before = (int64_t)tkt_ctl_num(page->child, "row");
            cJSON_AddItemToArray(all, cJSON_DetachItemViaPointer(page, page->child));
        }
        cJSON_Delete(page);
    }
    return 0;
}

static int add_message(struct tkt_ctl *ctl, const cJSON *ticket, int fd,
                       struct tkt_dataset *out)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_message_options opt = {.prefix_count = 0};
    struct tkt_message msg;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        return tkt_ctl_fail(EX_PROTOCOL, "ticketd's answer has no message");
    }
    struct tkt_message_source src = {.fd = fd, .size = (uint64_t)st.st_size};
    tkt_message_limits_from(&ctl->conf->limits, &opt.limits);
    if (tkt_message_parse(&src, &opt, &msg, &err) < 0) {
        out->skipped++; /* what cannot be read teaches nothing */
        return 0;
    }
    int64_t level = (int64_t)tkt_ctl_num(ticket, "urgency");
    char urgency[24] = "";
    if (level > 0) {
        snprintf(urgency, sizeof urgency, "%lld", (long long)level);
    }
    const char *labels[TKT_HEAD_COUNT] = {[TKT_HEAD_CATEGORY] =
                                              tkt_ctl_str(ticket, "category"),
                                          [TKT_HEAD_GROUP] = tkt_ctl_str(ticket, "group"),
                                          [TKT_HEAD_URGENCY] = urgency};
    tkt_dataset_note_date(out, tkt_ctl_str(ticket, "created"));
    int rc = tkt_dataset_add(out, msg.subject, msg.reply_text, labels, &err);
    tkt_message_release(&msg);
    if (rc < 0 && err.class == TKT_ERR_PERM) {
        out->skipped++; /* a label that no model can have */
        return 0;
    }
    return rc < 0 ? tkt_ctl_fail_err(&err) : 0;
}

static int add_ticket(struct tkt_ctl *ctl, const cJSON *ticket, struct tkt_dataset *out)
{
    struct tkt_control_reply reply;

    if (cJSON_IsTrue(cJSON_GetObjectItem(ticket, "erased")) ||
        strcmp(tkt_ctl_str(ticket, "class"), "human") != 0 ||
        (tkt_ctl_str(ticket, "category")[0] == '\0' &&
         tkt_ctl_str(ticket, "group")[0] == '\0')) {
        out->skipped++;
        return 0;
    }
    struct tkt_ctl_pair pairs[] = {{"id", tkt_ctl_str(ticket, "id")}};
    int rc = tkt_ctl_call(ctl, "raw", pairs, TKT_ARRAY_LEN(pairs), -1, TKT_CTL_TIMEOUT_MS,
                          &reply);
    if (rc != 0) {
        return rc;
    }
    rc = add_message(ctl, ticket, reply.fd, out);
    tkt_control_reply_release(&reply);
    return rc;
}

static int by_row(const void *a, const void *b)
{
    double x = tkt_ctl_num(*(cJSON *const *)a, "row");
    double y = tkt_ctl_num(*(cJSON *const *)b, "row");

    return (x > y) - (x < y);
}

static int add_all(struct tkt_ctl *ctl, const cJSON *all, struct tkt_dataset *out)
{
    size_t n = (size_t)cJSON_GetArraySize(all);
    TKT_AUTO_FREE const cJSON **sorted = calloc(n + 1, sizeof *sorted);
    const cJSON *ticket;
    size_t i = 0;
    int rc = 0;

    if (sorted == NULL) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    cJSON_ArrayForEach(ticket, all)
    {
        sorted[i++] = ticket;
    }
    qsort(sorted, n, sizeof *sorted, by_row);
    for (i = 0; i < n && rc == 0; i++) {
        rc = add_ticket(ctl, sorted[i], out);
    }
    return rc;
}

int tkt_ctl_model_store(struct tkt_ctl *ctl, struct tkt_dataset *out)
{
    struct tkt_err err = TKT_ERR_INIT;
    char text[24];
    const char *since;
    int rc = tkt_ctl_since_arg(ctl, text, &since);

    if (rc != 0) {
        return rc;
    }
    if (tkt_message_parser_init(&err) < 0) {
        return tkt_ctl_fail_err(&err);
    }
    cJSON *all = cJSON_CreateArray();
    if (all == NULL) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    rc = list_state(ctl, "resolved", since, all);
    if (rc == 0) {
        rc = list_state(ctl, "closed", since, all);
    }
    if (rc == 0) {
        rc = add_all(ctl, all, out);
    }
    cJSON_Delete(all);
    if (rc == 0 && out->count == 0) {
        rc = tkt_ctl_fail(EX_DATAERR, "no resolved or closed ticket has a category or a "
                                      "group to learn from");
    }
    return rc;
}
