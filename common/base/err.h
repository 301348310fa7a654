/* SPDX-License-Identifier: BSD-2-Clause
 * Errors: a class that decides what happens, and a text that a person reads.
 *
 * Functions that can fail return 0, or -1 with *err filled. The struct lives on the
 * caller's stack; err may be NULL where only the result matters. The class alone
 * decides whether a message gets a 451, a job is deferred or parked, or a program
 * refuses to start; no caller looks at the text. While an error rises, each level may
 * put its name in front: "jira: create: HTTP 503". Thread-safe: no globals.
 */
#ifndef TKT_BASE_ERR_H
#define TKT_BASE_ERR_H
#include <stdarg.h>

enum tkt_err_class {
    TKT_ERR_NONE = 0,
    TKT_ERR_TEMP, /* may work later: 451, defer */
    TKT_ERR_PERM, /* will not work unless something changes: 5xx, park */
    TKT_ERR_CONF, /* the configuration is wrong: refuse to start, park with alarm */
    TKT_ERR_BUG   /* an illegal call or state: log as a bug, treat as TEMP */
};

struct tkt_err {
    enum tkt_err_class class;
    int retry_after_s; /* 0 = not told */
    char text[500];    /* UTF-8, one line, never a secret or a message body */
};

#define TKT_ERR_INIT                                                                     \
    {                                                                                    \
        TKT_ERR_NONE, 0, ""                                                              \
    }

/* Fills *err and returns -1, so that "return tkt_err_set(...)" reads well. */
int tkt_err_set(struct tkt_err *err, enum tkt_err_class class, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, with ": " and the text of errno behind it. errno is left as it was. */
int tkt_err_errno(struct tkt_err *err, enum tkt_err_class class, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the text. Returns -1. */
int tkt_err_prefix(struct tkt_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "temporary", "permanent", "configuration", "bug" or "none". */
const char *tkt_err_class_name(enum tkt_err_class class);

#endif
