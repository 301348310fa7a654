/* SPDX-License-Identifier: BSD-2-Clause
 * A message in hand: its header fields as byte ranges, and edits of them.
 *
 * What `submit` needs to be a hook: it finds Subject and X-Ticket-* for RESERVE, applies
 * the edit list as an MTA would (index = the n-th field of that name that is still there)
 * and writes the message with its new header; untouched fields and the body stay byte
 * for byte. The header block is the first TKT_CTL_HEADER_MAX bytes at most; what is
 * behind counts as body. Errors: TEMP (I/O), PERM (no message). One thread.
 */
#ifndef TKT_TICKETCTL_MAIL_H
#define TKT_TICKETCTL_MAIL_H
#include "wire/intake.h"

#include <sys/types.h>

#define TKT_CTL_HEADER_MAX (1024U * 1024)
#define TKT_CTL_MESSAGE_MEMORY (256U * 1024) /* larger ones go to an unnamed file */

struct tkt_ctl_field {
    const char *raw; /* in the header block, with its end of line */
    size_t raw_len;
    size_t name_len;
    char *text; /* replaces raw; with its end of line */
    bool gone;
};

struct tkt_ctl_mail {
    int fd; /* the whole message */
    uint64_t size;
    struct tkt_buf head;
    size_t head_len; /* bytes of the file that the fields cover */
    bool crlf;
    struct tkt_ctl_field *fields;
    size_t count;
    size_t room;
};

/* Copies a message from a descriptor (to its end, at most max bytes; PERM beyond) into a
 * memfd or an unnamed file in dir, without an mbox "From " line on top. */
int tkt_ctl_mail_read(int from, uint64_t max, const char *dir, struct tkt_ctl_mail *out,
                      struct tkt_err *err);
/* The same from whatever gives bytes: n at most, 0 at the end, -1 with errno. */
typedef ssize_t tkt_ctl_read_fn(void *ctx, char *data, size_t n);
int tkt_ctl_mail_read_with(tkt_ctl_read_fn *more, void *ctx, uint64_t max,
                           const char *dir, struct tkt_ctl_mail *out,
                           struct tkt_err *err);
void tkt_ctl_mail_release(struct tkt_ctl_mail *mail);
/* Subject and X-Ticket-* in header order, values with leading blank and LF folds. Strings
 * from the arena. PERM when there are more than TKT_WIRE_FIELDS_MAX. */
int tkt_ctl_mail_fields(const struct tkt_ctl_mail *mail, struct tkt_wire_arena *arena,
                        struct tkt_wire_field **out, size_t *count, struct tkt_err *err);
/* Edits of recipients are the caller's. */
int tkt_ctl_mail_edit(struct tkt_ctl_mail *mail, const struct tkt_wire_edit *edits,
                      size_t count, struct tkt_err *err);
int tkt_ctl_mail_write(const struct tkt_ctl_mail *mail, int to, struct tkt_err *err);

#endif
