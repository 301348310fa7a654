/* SPDX-License-Identifier: BSD-2-Clause
 * What the filter may ask of whoever speaks the milter protocol for it: our own engine
 * (milter/proto.h) or libmilter (milter/libmilter.c).
 *
 * A host belongs to one connection. It calls the filter's steps (milter/filter.h) one
 * after the other, maybe from different threads; the functions here are called from
 * within a step only. Edits count at the end of a message only, and fail with -1 when the
 * MTA does not offer them or has gone.
 */
#ifndef TKT_MILTER_HOST_H
#define TKT_MILTER_HOST_H
#include "milter/edits.h"

/* What a step answers. NONE: it was negotiated that the MTA does not wait for it. */
enum tkt_answer {
    TKT_ANSWER_CONTINUE,
    TKT_ANSWER_NONE,
    TKT_ANSWER_ACCEPT,
    TKT_ANSWER_REJECT,
    TKT_ANSWER_TEMPFAIL
};

struct tkt_host_ops {
    /* The macro's value, or NULL. Borrowed until the step ends. */
    const char *(*macro)(void *host, const char *name);
    /* The reply that goes with REJECT (5xx) or TEMPFAIL (4xx). xcode, text: NULL = none.
     * -1: it is not one that SMTP knows. */
    int (*set_reply)(void *host, const char *code, const char *xcode, const char *text);
    /* Tells the MTA to wait on. */
    void (*progress)(void *host);
    /* The step may wait for others from here on. */
    void (*may_block)(void *host);
    struct tkt_edit_ops edits;
};

struct tkt_host {
    const struct tkt_host_ops *ops;
    void *ctx;
};

#endif
