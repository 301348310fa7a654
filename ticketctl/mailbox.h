/* SPDX-License-Identifier: BSD-2-Clause
 * Messages one after the other: of a file, a mailbox in mbox format, a Maildir, a folder
 * of files, or standard input ("-").
 *
 * A file (or standard input) that begins with "From " is an mbox: a line that begins so
 * behind an empty line, with a time and a year in it, begins the next message; "From "
 * inside of a message, quoted as ">From " (mboxo) or with more '>' (mboxrd), loses one of
 * them. Of a folder with cur or new the files of these are the messages, else its own
 * files; in the order of their names, hidden ones left out.
 * Memory is fixed for an mbox of any size, and the names of its files for a folder; a
 * message larger than max is passed over and told of. One thread; nothing is written but
 * unnamed files for large messages.
 */
#ifndef TKT_TICKETCTL_MAILBOX_H
#define TKT_TICKETCTL_MAILBOX_H
#include "base/err.h"
#include "ticketctl/mail.h"

#include <stdint.h>

/* Which message: the file, and its place in it from 1 on. */
struct tkt_ctl_place {
    const char *file;
    unsigned long number;
};
/* Takes mail and releases it. err, if not NULL, says why there is none. */
typedef void tkt_ctl_mailbox_fn(void *ctx, const struct tkt_ctl_place *place,
                                struct tkt_ctl_mail *mail, const struct tkt_err *err);

/* Calls fn for each message. -1 with err when the path itself cannot be read (PERM, or
 * TEMP when it may be later). */
int tkt_ctl_mailbox_each(const char *path, uint64_t max, tkt_ctl_mailbox_fn *fn,
                         void *ctx, struct tkt_err *err);

#endif
