/* SPDX-License-Identifier: BSD-2-Clause
 * Authentication-Results (RFC 8601): what our own border said about a message.
 *
 * A sender can write such a field as well as anybody, so only one counts: the topmost
 * field whose authserv-id is among the trusted. A border that adds several fields under
 * one id must put the one that should count (DMARC's) on top. The grammar is read with
 * comments and quoted strings; unknown methods and properties are passed over. The list of
 * public suffixes is the one built into libpsl: no file is read. Pure; no allocation of
 * ours.
 */
#ifndef TKT_MESSAGE_AUTHRES_H
#define TKT_MESSAGE_AUTHRES_H
#include "message/message.h"

#include <stdbool.h>
#include <stddef.h>

struct tkt_authres {
    enum tkt_auth spf;
    enum tkt_auth dkim;
    enum tkt_auth dmarc;
    enum tkt_auth arc; /* of the chain, which says nothing about the author */
    bool aligned;
};

/* Whether the field's authserv-id is one of ids (ASCII case does not matter). */
bool tkt_authres_is_of(const char *value, size_t n, const char *const *ids, size_t count);
/* Reads the results. from_domain: of the only From address, lower case; "" aligns with
 * nothing. */
void tkt_authres_read(const char *value, size_t n, const char *from_domain,
                      struct tkt_authres *out);
/* Relaxed alignment (RFC 7489 3.1): both belong to one organisation, which the list of
 * public suffixes tells: mail.shop.co.uk and shop.co.uk do, shop.co.uk and bank.co.uk do
 * not. ASCII case does not matter, A-labels are their U-labels; one label aligns with
 * nothing. */
bool tkt_domains_align(const char *a, const char *b);

/* ---- ARC (RFC 8617): what an earlier border saw before it changed the message ---- */

/* The instance of an ARC field, 1 to 50; 0: none. */
int tkt_arc_instance(const char *value, size_t n);
/* Whether the domain of an ARC-Seal is one of sealers. */
bool tkt_arc_seal_is_of(const char *value, size_t n, const char *const *sealers,
                        size_t count);
/* The results in an ARC-Authentication-Results field. */
void tkt_arc_results_read(const char *value, size_t n, const char *from_domain,
                          struct tkt_authres *out);

#endif
