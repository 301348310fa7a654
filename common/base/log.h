/* SPDX-License-Identifier: BSD-2-Clause
 * One line per decision: "OBJECT: event=ticket.created ticket=IT-12 desk=it status=ok".
 *
 * Programs log; libraries return errors. No bodies, no secrets. Values are made safe
 * here: control bytes are escaped, values with blanks, quotes or '=' are quoted, a value
 * is cut at 512 bytes. In JSON form the same fields make one object a line, with ECS names
 * when asked so (base/ecs.h). Thread-safe:
 * a line is one write(2), one syslog(3) call, or one journal record.
 */
#ifndef TKT_BASE_LOG_H
#define TKT_BASE_LOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tkt_log_level { /* the numbers of syslog(3) */
    TKT_LOG_ERROR = 3,
    TKT_LOG_WARNING = 4,
    TKT_LOG_NOTICE = 5,
    TKT_LOG_INFO = 6,
    TKT_LOG_DEBUG = 7
};
enum tkt_log_sink {
    TKT_LOG_STDERR,
    TKT_LOG_SYSLOG
};

/* Before the first thread. ident is borrowed for ever. On stderr under systemd
 * ($JOURNAL_STREAM set) the lines carry the <N> priority prefix. */
void tkt_log_open(const char *ident, enum tkt_log_sink sink, bool json,
                  enum tkt_log_level max);
/* Behind open: lines have the names of base/ecs.h from now on. version is borrowed for ever;
 * host "": gethostname(2). personal: with addresses and subjects. */
void tkt_log_use_ecs(const char *version, const char *host, bool personal);
void tkt_log_set_level(enum tkt_log_level max);
/* object: queue id, ticket or job, or NULL ("NOQUEUE" is the caller's word). Then pairs
 * (const char *key, const char *value), closed by a NULL key; pairs whose value is NULL
 * are left out. */
void tkt_log(enum tkt_log_level level, const char *object, const char *event, ...)
    __attribute__((sentinel));
/* A number as a value; valid until the end of the full block it stands in. */
#define TKT_NUM(n) tkt_log_num((char[24]){0}, (int64_t)(n))
const char *tkt_log_num(char out[24], int64_t n);
/* For tests: lines go to fn instead. NULL restores. */
void tkt_log_capture(void (*fn)(const char *line, void *arg), void *arg);

#endif
