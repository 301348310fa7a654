/* SPDX-License-Identifier: BSD-2-Clause
 * Commands that read tickets. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/out.h"

#include <string.h>

#define LIST_PAGE 1000 /* tickets in one call */
#define LIST_MAX 1000000
#define RAW_PIECE 65536

static const struct tkt_ctl_col list_cols[] = {
    {"TICKET", "id", TKT_CTL_TEXT, 14},
    {"STATE", "state", TKT_CTL_TEXT, 9},
    {"PRIO", "priority", TKT_CTL_NUMBER, 4},
    {"GROUP", "group", TKT_CTL_TEXT, 14},
    {"ASSIGNEE", "assignee", TKT_CTL_TEXT, 14},
    {"CHANGED", "changed", TKT_CTL_TIME, 19},
    {"REQUESTER", "requester", TKT_CTL_TEXT, 26},
    {"SUBJECT", "subject", TKT_CTL_TEXT, 0},
};

/* One page of the list, from below row before. */
static int fetch_page(struct tkt_ctl *ctl, const char *since, int64_t before,
                      int64_t limit, cJSON **out)
{
    char below[24];
    char count[24];
    snprintf(below, sizeof below, "%lld", (long long)before);
    snprintf(count, sizeof count, "%lld", (long long)limit);
    struct tkt_ctl_pair pairs[] = {
        {"desk", tkt_ctl_opt(ctl, "desk")},
        {"state", tkt_ctl_opt(ctl, "state")},
        {"group", tkt_ctl_opt(ctl, "group")},
        {"assignee", tkt_ctl_opt(ctl, "assignee")},
        {"requester", tkt_ctl_opt(ctl, "requester")},
        {"text", tkt_ctl_opt(ctl, "text")},
        {"since_ms", since},
        {"limit", count},
        {"before", before > 0 ? below : NULL},
    };
    struct tkt_control_reply reply;
    int rc = tkt_ctl_call(ctl, "list", pairs, TKT_ARRAY_LEN(pairs), -1,
                          TKT_CTL_TIMEOUT_MS, &reply);
    if (rc == 0) {
        rc = tkt_ctl_read_json(reply.fd, out);
        tkt_control_reply_release(&reply);
    }
    return rc;
}

static int fetch_list(struct tkt_ctl *ctl, const char *since, int64_t before,
                      int64_t limit, cJSON *all)
{
    while (limit > 0) {
        int64_t want = TKT_MIN(limit, LIST_PAGE);
        cJSON *page = NULL;
        int rc = fetch_page(ctl, since, before, want, &page);
        if (rc != 0) {
            return rc;
        }
        int got = cJSON_GetArraySize(page);
        while (page->child != NULL) {
            before = (int64_t)tkt_ctl_num(page->child, "row");
            cJSON_AddItemToArray(all, cJSON_DetachItemViaPointer(page, page->child));
        }
        cJSON_Delete(page);
        limit -= got;
        if (got < want || before <= 0) {
            break;
        }
    }
    return 0;
}

int tkt_ctl_list(struct tkt_ctl *ctl)
{
    char text[24];
    const char *since;
    int64_t limit;
    int64_t before;
    int rc = tkt_ctl_since_arg(ctl, text, &since);
    if (rc != 0 || (rc = tkt_ctl_opt_int(ctl, "limit", 1, LIST_MAX, 50, &limit)) != 0 ||
        (rc = tkt_ctl_opt_int(ctl, "before", 1, INT64_MAX, 0, &before)) != 0) {
        return rc;
    }
    cJSON *all = cJSON_CreateArray();
    if (all == NULL) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    rc = fetch_list(ctl, since, before, limit, all);
    if (rc == 0 && ctl->json) {
        rc = tkt_ctl_print_json(all);
    } else if (rc == 0) {
        tkt_ctl_put_table(stdout, list_cols, TKT_ARRAY_LEN(list_cols), all);
    }
    cJSON_Delete(all);
    return rc;
}

/* Byte for byte into a file or pipe; made safe where a terminal would obey it. */
static int copy_raw(int fd)
{
    TKT_AUTO_FREE char *piece = malloc(RAW_PIECE);
    bool is_tty = isatty(STDOUT_FILENO) == 1;
    struct tkt_err err = TKT_ERR_INIT;
    size_t got = RAW_PIECE;
    if (piece == NULL) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    for (off_t at = 0; got == RAW_PIECE; at += RAW_PIECE) {
        if (tkt_pread_full(fd, piece, RAW_PIECE, at, &got, &err) < 0) {
            return tkt_ctl_fail_err(&err);
        }
        TKT_AUTO_BUF struct tkt_buf safe = TKT_BUF_INIT(3 * RAW_PIECE + 8);
        if (is_tty) {
            (void)tkt_ctl_clean_add(&safe, piece, got, true); /* the maximum fits it */
        }
        if (fwrite(is_tty ? tkt_buf_str(&safe) : piece, 1, is_tty ? safe.len : got,
                   stdout) == 0 &&
            got > 0) {
            return EX_IOERR; /* told when standard output is closed */
        }
    }
    return 0;
}

int tkt_ctl_raw(struct tkt_ctl *ctl)
{
    struct tkt_ctl_pair pairs[] = {{"id", ctl->pos[0]},
                                   {"message", tkt_ctl_opt(ctl, "message")}};
    struct tkt_control_reply reply;
    int rc = tkt_ctl_call(ctl, "raw", pairs, TKT_ARRAY_LEN(pairs), -1, TKT_CTL_TIMEOUT_MS,
                          &reply);
    if (rc != 0) {
        return rc;
    }
    rc = reply.fd >= 0 ? copy_raw(reply.fd)
                       : tkt_ctl_fail(EX_PROTOCOL, "ticketd's answer has no message");
    tkt_control_reply_release(&reply);
    return rc;
}
