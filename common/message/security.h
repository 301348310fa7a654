/* SPDX-License-Identifier: BSD-2-Clause
 * Signed and encrypted messages (S/MIME, PGP/MIME, inline PGP): recognised, never opened,
 * never broken. Nothing is verified here: `signed` says that somebody signed, not who.
 *
 * A signed message may carry its real Subject in the header of the signed part (RFC 9788
 * and what came before it): that one is the author's, and the outer one may be "..." or
 * changed on the way. It becomes the Subject; the outer one stands in the problems.
 */
#ifndef TKT_MESSAGE_SECURITY_H
#define TKT_MESSAGE_SECURITY_H
#include "base/buf.h"
#include "message/reading.h"

#include <stdbool.h>
#include <stddef.h>

/* Sets msg->subject (and adds the IDs in it) when the signed part has one. Before the
 * class is read. */
int tkt_security_subject(struct tkt_reading *r, struct tkt_err *err);
/* Sets msg->security, by the parts and by armour in msg->text. */
void tkt_security_read(struct tkt_reading *r);
/* What a person signed with PGP in the text itself (RFC 9580 7), without the armour and
 * the escapes of dashes, with what stands around it: what the person wrote. False, and out
 * as it was, when nothing is signed so. Linear; out->max of n suffices. */
bool tkt_security_unarmour(const char *text, size_t n, struct tkt_buf *out);

#endif
