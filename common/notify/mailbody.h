/* SPDX-License-Identifier: BSD-2-Clause
 * Bodies: text and files in a transfer encoding. Private to common/notify. Pure. All
 * return 0, or -1 when out is full.
 */
#ifndef TKT_NOTIFY_MAILBODY_H
#define TKT_NOTIFY_MAILBODY_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum tkt_mail_encoding {
    TKT_MAIL_7BIT,
    TKT_MAIL_8BIT,
    TKT_MAIL_QP,
    TKT_MAIL_BASE64
};
extern const char *const tkt_mail_encoding_names[]; /* "7bit", ... */

/* The plainest that carries the text, which must not hold the boundary. */
enum tkt_mail_encoding tkt_mail_encoding_of(const char *text, bool eight_bit,
                                            const char *boundary);
/* Lines end with LF, CRLF or CR; the body ends with CRLF. */
int tkt_mail_add_body(struct tkt_buf *out, const char *text, enum tkt_mail_encoding how);
int tkt_mail_add_base64(struct tkt_buf *out, const void *data, size_t n);

#endif
