/* SPDX-License-Identifier: BSD-2-Clause
 * Content-Type as far as the structure of a message needs it: type and boundary.
 *
 * Pure; the input is an unfolded field value of any bytes. Comments are skipped, quoted
 * strings unquoted; RFC 2231 forms of boundary are not understood (nobody sends them).
 */
#ifndef TKT_TICKETD_CTYPE_H
#define TKT_TICKETD_CTYPE_H
#include <stdbool.h>
#include <stddef.h>

#define TKT_CTYPE_BOUNDARY_MAX 250 /* RFC 2046 allows 70 */
#define TKT_CTYPE_NAME_MAX 79

enum tkt_ctype_kind {
    TKT_CTYPE_TEXT,
    TKT_CTYPE_MULTIPART, /* with a usable boundary */
    TKT_CTYPE_MESSAGE,   /* message/rfc822 and message/global: a message follows */
    TKT_CTYPE_OTHER
};

struct tkt_ctype {
    enum tkt_ctype_kind kind;
    char name[TKT_CTYPE_NAME_MAX + 1]; /* lower case "text/plain"; cut when longer */
    char boundary[TKT_CTYPE_BOUNDARY_MAX + 1];
    size_t boundary_len;
    bool bad_boundary;   /* multipart, but none or too long: kind is OTHER */
    char smime_type[24]; /* lower case, or "" */
};

void tkt_ctype_parse(const char *value, size_t len, struct tkt_ctype *out);
/* text/plain, or message/rfc822 inside a multipart/digest. */
void tkt_ctype_default(bool in_digest, struct tkt_ctype *out);

#endif
