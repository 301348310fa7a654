/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fs.h"
#include "base/util.h"
#include "message/content.h"
#include "message/parse.h"
#include "message/prescan.h"

#include <string.h>

static int write_piece(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    return tkt_write_full(*(const int *)arg, p, n, err);
}

int tkt_message_extract(const struct tkt_message_source *src, const char *part,
                        int out_fd, struct tkt_err *err)
{
    struct tkt_message_limits limits;
    struct tkt_scan scan;

    tkt_message_limits_default(&limits);
    int rc = tkt_scan_run(&scan, src, &limits, err);
    bool found = false;
    for (size_t i = 0; rc == 0 && !found && !scan.header_only && i < scan.part_count;
         i++) {
        char path[TKT_MIME_PATH_MAX];
        tkt_scan_path(&scan, i, path);
        found = !scan.parts[i].is_multipart && strcmp(path, part) == 0;
        rc = found ? tkt_content_walk(src, &scan.parts[i], write_piece, &out_fd, err) : 0;
    }
    if (rc == 0 && !found) {
        rc = tkt_err_set(err, TKT_ERR_PERM, "no part %.40s", part);
    }
    tkt_scan_release(&scan);
    return rc < 0 ? tkt_err_prefix(err, "extract") : 0;
}
