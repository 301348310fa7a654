/* SPDX-License-Identifier: BSD-2-Clause
 * The zygote and one parser child, as ticketd holds them: processes, sockets, deadlines.
 * The pool (ticketd/parser/parserpool.c) decides who gets which child when.
 *
 * Nothing here waits longer than its deadline, whatever the other process does or does
 * not do. A struct belongs to one thread at a time. Private to the pool.
 */
#ifndef TKT_TICKETD_PARSERCHILD_H
#define TKT_TICKETD_PARSERCHILD_H
#include "base/buf.h"
#include "base/err.h"
#include "message/message.h"
#include "parser/proto.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TKT_CHILD_READ_AHEAD 16384 /* what a first receive has room for */

struct tkt_zygote {
    struct tkt_zygote *next;
    pid_t pid;
    int pidfd;
    int control;
    unsigned live; /* children that were spawned and not yet given up */
};

struct tkt_child {
    struct tkt_child *next;
    struct tkt_zygote *zygote;
    pid_t pid;
    int pidfd;
    int sock;
    int64_t wait_ms; /* what one blocking receive waits at most */
    unsigned served;
    struct tkt_buf in; /* the last answer, frame included */
};

/* Executes program, hands it setup and files (borrowed; -1 = none) and waits until it is ready to spawn. */
int tkt_zygote_start(const char *program, const struct tkt_buf *setup,
                     const int files[TKT_PARSER_SETUP_FDS], int64_t timeout_ms,
                     struct tkt_zygote **out, struct tkt_err *err);
/* Kills it (and with it its children), reaps it, frees. */
void tkt_zygote_end(struct tkt_zygote **zygote);
/* budget_ms: how long an answer takes at most in the usual case. */
int tkt_zygote_spawn(struct tkt_zygote *zygote, int64_t timeout_ms, int64_t budget_ms,
                     struct tkt_child **out, struct tkt_err *err);

/* SIGKILL at once. */
void tkt_child_kill(struct tkt_child *child);
/* Closes our end, at which a sound child ends by itself, and frees. */
void tkt_child_free(struct tkt_child **child);

enum tkt_child_result {
    TKT_CHILD_OK,       /* *answer is the payload of DONE, in the child's own buffer */
    TKT_CHILD_GONE,     /* it was dead before it heard anything: take another */
    TKT_CHILD_DIED,     /* end of file in the middle */
    TKT_CHILD_OVERRAN,  /* the deadline passed */
    TKT_CHILD_NONSENSE, /* no frame that could stand there */
    TKT_CHILD_ERROR     /* it says that it cannot: *err has its class and text */
};

struct tkt_child_request {
    uint32_t type;
    uint32_t flags;
    const void *payload;
    size_t len;
    const void *tail; /* goes behind the payload */
    size_t tail_len;
    int fds[2];
    size_t fd_count;
};

struct tkt_child_answer {
    const char *data;
    size_t len;
    const char *tail;
    size_t tail_len;
};

enum tkt_child_result tkt_child_send(struct tkt_child *child,
                                     const struct tkt_child_request *req,
                                     int64_t deadline_mono_us, struct tkt_err *err);
enum tkt_child_result tkt_child_receive(struct tkt_child *child, int64_t deadline_mono_us,
                                        struct tkt_child_answer *answer,
                                        struct tkt_err *err);
/* Waits until fd has one of events: 0, or -1 when the deadline passes. */
int tkt_child_wait(int fd, short events, int64_t deadline_mono_us);

#endif
