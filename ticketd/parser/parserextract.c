/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"
#include "ticketd/parser/parserpool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#define PIECE 65536

/* Empties the pipe into out_fd until the child closes its end. */
static enum tkt_child_result drain(int pipe_fd, int out_fd, uint64_t max,
                                   int64_t deadline_us, struct tkt_err *err)
{
    char piece[PIECE];
    uint64_t total = 0;

    for (;;) {
        if (tkt_child_wait(pipe_fd, POLLIN, deadline_us) < 0) {
            tkt_err_set(err, TKT_ERR_TEMP, "extract overran its deadline");
            return TKT_CHILD_OVERRAN;
        }
        ssize_t n = read(pipe_fd, piece, sizeof(piece));
        if (n == 0) {
            return TKT_CHILD_OK;
        }
        if (n < 0) {
            tkt_err_errno(err, TKT_ERR_TEMP, "extract: read");
            return TKT_CHILD_ERROR;
        }
        total += (uint64_t)n;
        if (total > max) {
            tkt_err_set(err, TKT_ERR_PERM, "the part is larger than %" PRIu64 " bytes",
                        max);
            return TKT_CHILD_ERROR;
        }
        if (tkt_write_full(out_fd, piece, (size_t)n, err) < 0) {
            return TKT_CHILD_ERROR;
        }
    }
}

static enum tkt_child_result extract(struct tkt_child *child,
                                     const struct tkt_child_request *req, int pipe_fds[2],
                                     int out_fd, uint64_t max, int64_t deadline_us,
                                     struct tkt_err *err)
{
    struct tkt_child_answer answer;
    enum tkt_child_result rc = tkt_child_send(child, req, deadline_us, err);

    /* Only the child's end may keep the pipe open. */
    (void)close(pipe_fds[1]); /* nothing was written by us */
    pipe_fds[1] = -1;
    if (rc == TKT_CHILD_OK) {
        rc = drain(pipe_fds[0], out_fd, max, deadline_us, err);
    }
    return rc == TKT_CHILD_OK ? tkt_child_receive(child, deadline_us, &answer, err) : rc;
}

int tkt_parserpool_extract(struct tkt_parserpool *pool, int fd, uint64_t size,
                           const char *part, int out_fd, uint64_t max,
                           int64_t deadline_mono_ms, struct tkt_err *err)
{
    char body[sizeof(size) + TKT_PARSER_PART_MAX];
    size_t part_len = strlen(part);
    struct tkt_err own_err = TKT_ERR_INIT;
    struct tkt_pool_claim claim;
    int pipe_fds[2];

    err = err != NULL ? err : &own_err;
    if (part_len >= TKT_PARSER_PART_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "part name too long");
    }
    memcpy(body, &size, sizeof(size));
    memcpy(body + sizeof(size), part, part_len);
    TKT_AUTO_FD int file = tkt_pool_reopen_read_only(fd, err);
    if (file < 0) {
        return -1;
    }
    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "pipe");
    }
    struct tkt_child_request req = {.type = TKT_PARSER_EXTRACT,
                                    .payload = body,
                                    .len = sizeof(size) + part_len,
                                    .fds = {file, pipe_fds[1]},
                                    .fd_count = 2};
    enum tkt_child_result rc = TKT_CHILD_ERROR;
    if (tkt_pool_acquire(pool, TKT_POOL_JOBS, deadline_mono_ms, &claim, err) == 0) {
        rc = extract(claim.child, &req, pipe_fds, out_fd, max, deadline_mono_ms * 1000,
                     err);
        tkt_pool_release(pool, &claim, rc != TKT_CHILD_OK ? err->text : NULL);
    }
    (void)close(pipe_fds[0]); /* the reading end */
    if (pipe_fds[1] >= 0) {
        (void)close(pipe_fds[1]);
    }
    return rc == TKT_CHILD_OK ? 0 : -1;
}
