/* SPDX-License-Identifier: BSD-2-Clause
 * Internationalised domains: U-labels to A-labels and back (RFC 3492, RFC 5891).
 *
 * As much as matching needs: letters are lower-cased (Latin, Greek, Cyrillic, Armenian),
 * A-labels are decoded and encoded. No normalisation: a domain must be written composed
 * (NFC), as every keyboard and MTA does; a combining mark right behind a Latin letter is
 * refused so that a decomposed one is noticed. Pure functions; libc only.
 */
#ifndef TKT_CONF_IDNA_H
#define TKT_CONF_IDNA_H
#include "base/buf.h"

#define TKT_IDNA_LABEL_MAX 63

/* Appends domain in its ASCII form, lower case. -1: not valid UTF-8, a label longer than
 * 63 bytes, decomposed, or out is full. */
int tkt_idna_to_ascii(const char *domain, struct tkt_buf *out);
/* Appends domain with its A-labels decoded, lower case; a broken A-label stays as it
 * is. -1: not valid UTF-8, or out is full. */
int tkt_idna_to_unicode(const char *domain, struct tkt_buf *out);

#endif
