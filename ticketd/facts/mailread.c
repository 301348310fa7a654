/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/facts/mailread.h"

#include "base/util.h"
#include "store/store.h"

#include <sys/stat.h>

int tkt_mailread(struct tkt_parserpool *pool, const struct tkt_conf *conf,
                 struct tkt_reader *reader, int64_t message, int64_t deadline_mono_ms,
                 struct tkt_analysis *out, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT((size_t)conf->limits.message_max + 1);
    TKT_AUTO_FD int fd = -1;
    struct stat st = {0};

    if (tkt_reader_raw(reader, message, &raw, &fd, err) < 0) {
        return -1;
    }
    if (pool == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no parser is running");
    }
    if (fd >= 0 && fstat(fd, &st) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "message");
    }
    const struct tkt_analyse_in in = {.raw = fd >= 0 ? NULL : raw.data,
                                      .raw_len = raw.len,
                                      .fd = fd,
                                      .size = fd >= 0 ? (uint64_t)st.st_size : raw.len,
                                      .with_text = true,
                                      .client_key = "(later)",
                                      .deadline_mono_ms = deadline_mono_ms};
    return tkt_parserpool_analyse(pool, &in, NULL, NULL, out, err);
}
