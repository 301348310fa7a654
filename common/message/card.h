/* SPDX-License-Identifier: BSD-2-Clause
 * Invitations (RFC 5545) and visiting cards (RFC 6350) as lines that people read: for
 * mails that hold nothing else.
 *
 * Only the first event, the first card and the properties that say what, when, where and
 * who are told. Linear in the input; times are written as they stand, with their zone,
 * and not computed. Pure; libc only. Input is UTF-8.
 */
#ifndef TKT_MESSAGE_CARD_H
#define TKT_MESSAGE_CARD_H
#include "base/buf.h"

#include <stddef.h>

/* "Invitation: SUMMARY (REQUEST)", "When: ...", "Where: ...", ... */
void tkt_card_calendar(struct tkt_buf *out, const char *ics, size_t n);
/* "Contact: NAME", then organisation, telephone, mail. */
void tkt_card_contact(struct tkt_buf *out, const char *vcf, size_t n);

#endif
