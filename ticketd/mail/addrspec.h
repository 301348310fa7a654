/* SPDX-License-Identifier: BSD-2-Clause
 * Addresses in an unfolded header value, as far as the message key and disclosure need.
 *
 * Pure; the input is any bytes. Not a mailbox parser: that one runs in ticket-parser.
 */
#ifndef TKT_TICKETD_ADDRSPEC_H
#define TKT_TICKETD_ADDRSPEC_H
#include <stdbool.h>
#include <stddef.h>

/* The addr-spec of the first mailbox: what stands in <> if anything does, else the first
 * list element. Domain in ASCII lower case, local part as written, blanks and comments
 * dropped. "" when there is none or it is longer than max - 1. */
void tkt_addrspec_first(const char *value, size_t len, char *out, size_t max);
/* True when addr stands anywhere in value with no address character on either side;
 * ASCII case ignored. A quoted display name counts: it discloses addr as well. */
bool tkt_addrspec_within(const char *value, size_t len, const char *addr);

#endif
