/* SPDX-License-Identifier: BSD-2-Clause
 * missed/: messages that a hook accepted while ticketd could not be reached.
 *
 * An entry is two files: NAME.eml, the message as a RESERVE would have handed it over,
 * and NAME.env, the body of that RESERVE packet ("v=1\nverb=reserve\n..." lines, smtp-path
 * left out, generation 0). The entry exists from the moment NAME.env does, which is
 * written last: file, fsync, rename, fsync of the directory. Names sort by time. An entry
 * that can't be taken in is set aside as NAME.bad.
 *
 * Written by the hook, read and removed by ticketd (another user of the same group: the
 * directory is group-writable, the files group-readable). Reading is safe against what
 * the writer might put there: no links are followed, nothing but regular files is read,
 * and the decoder treats the content as it treats a packet. Errors are TEMP unless the
 * entry itself is broken (PERM). libc only; no state.
 */
#ifndef TKT_WIRE_MISSED_H
#define TKT_WIRE_MISSED_H
#include "wire/intake.h"

#define TKT_MISSED_NAME_MAX 64

struct tkt_missed_name {
    char text[TKT_MISSED_NAME_MAX];
};

/* Durable when it returns 0; otherwise nothing is left behind. Makes dir if needed. */
int tkt_missed_write(const char *dir, const struct tkt_wire_request *req, int message_fd,
                     struct tkt_err *err);
/* The oldest entries, at most max, in order. No directory means no entries. */
int tkt_missed_list(const char *dir, struct tkt_missed_name *names, size_t max,
                    size_t *count, struct tkt_err *err);
/* The request (caller releases) and the message (caller closes). */
int tkt_missed_open(const char *dir, const char *name, struct tkt_wire_request *req,
                    int *message_fd, struct tkt_err *err);
/* After its ticket is durable. */
int tkt_missed_remove(const char *dir, const char *name, struct tkt_err *err);
int tkt_missed_set_aside(const char *dir, const char *name, struct tkt_err *err);
/* Removes messages without an envelope that are older than age_s: what a crash between
 * the two files left, whose sender got no 250. */
void tkt_missed_sweep(const char *dir, int64_t age_s);

#endif
