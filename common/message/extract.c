/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fs.h"
#include "base/util.h"
#include "message/parse.h"
#include "message/prescan.h"
#include "message/visit.h"

#include <string.h>

struct extraction {
    const char *part;
    int out_fd;
    bool found;
};

/* Only what lies on the way to the part is opened. */
static bool is_on_the_way(void *arg, const char *path)
{
    const struct extraction *x = arg;
    size_t n = strlen(path);
    bool is_prefix = strncmp(x->part, path, n) == 0;

    /* "" and "2." are messages, "2" is what may hold more. */
    return is_prefix &&
           (n == 0 || path[n - 1] == '.' || x->part[n] == '.' || x->part[n] == '/');
}

static void *begin(void *arg, const char *path)
{
    struct extraction *x = arg;

    if (strcmp(path, x->part) != 0) {
        return NULL;
    }
    x->found = true;
    return &x->out_fd;
}

static int write_piece(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    return tkt_write_full(*(const int *)arg, p, n, err);
}

static int end(void *arg, void *content, const struct tkt_entry *entry,
               struct tkt_err *err)
{
    const struct extraction *x = arg;

    (void)content;
    (void)entry;
    (void)err;
    return x->found;
}

int tkt_message_extract(const struct tkt_message_source *src, const char *part,
                        const struct tkt_message_limits *limits, int out_fd,
                        struct tkt_err *err)
{
    struct tkt_message_limits usual;
    struct tkt_scan scan;
    struct extraction x = {.part = part, .out_fd = out_fd};
    const struct tkt_visitor visitor = {.arg = &x,
                                        .enter = is_on_the_way,
                                        .begin = begin,
                                        .data = write_piece,
                                        .end = end,
                                        .with_text = true};

    tkt_message_limits_default(&usual);
    usual = limits == NULL ? usual : *limits;
    usual.parse_ms = 0; /* who waits for it has a deadline of his own */
    int rc = tkt_scan_run(&scan, src, &usual, err);
    if (rc == 0) {
        rc = tkt_visit(src, &scan, &visitor, err);
    }
    if (rc == 0 && !x.found) {
        rc = tkt_err_set(err, TKT_ERR_PERM, "no part %.40s", part);
    }
    tkt_scan_release(&scan);
    return rc < 0 ? tkt_err_prefix(err, "extract") : 0;
}
