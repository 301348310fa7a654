/* SPDX-License-Identifier: BSD-2-Clause
 * Runs a program beside the requests of an HTTP loop.
 *
 * Promise: done() is called exactly once, from within tkt_http_poll and not from start,
 * unless the loop ends before; the program has a process group of its own, which is killed
 * when the program ends, takes too long or says too much. No shell; its environment is PATH
 * and LANG alone, its folder "/", and of our descriptors it has its standard input, output
 * and error output, and descriptor 3 when a file goes along.
 * Owner: what ask points at is copied or duplicated by start; end is the runner's.
 * Threads: that of the loop; nothing blocks but the start of a process.
 * Limits: TKT_PROGRAM_OUT_MAX; of the error output the first TKT_PROGRAM_SAID_MAX bytes.
 */
#ifndef TKT_NET_PROGRAM_H
#define TKT_NET_PROGRAM_H
#include "base/buf.h"
#include "net/http.h"

#define TKT_PROGRAM_OUT_MAX (1024 * 1024)
#define TKT_PROGRAM_SAID_MAX 4096
#define TKT_PROGRAM_FILE_FD 3

enum tkt_program_how {
    TKT_PROGRAM_EXITED,
    TKT_PROGRAM_DIED, /* of a signal */
    TKT_PROGRAM_LATE,
    TKT_PROGRAM_LOUD, /* more than TKT_PROGRAM_OUT_MAX */
};

struct tkt_program_end {
    enum tkt_program_how how;
    int code; /* exit status, or signal */
    struct tkt_buf out;
    struct tkt_buf said; /* on its error output */
};

struct tkt_program_ask {
    const char *path; /* absolute; only its owner (root, or us) may write it */
    const void *in;
    size_t in_len;
    int file_fd; /* for reading, from its beginning; -1: none */
    int64_t timeout_ms;
    void (*done)(void *arg, struct tkt_program_end *end);
    void *arg;
};

/* 0, or -1: CONF the program cannot be run, TEMP. Then nothing was run. */
int tkt_program_start(struct tkt_http *http, const struct tkt_program_ask *ask,
                      struct tkt_err *err);

#endif
