/* SPDX-License-Identifier: BSD-2-Clause
 * Authentication-Results (RFC 8601): what our own border said about a message.
 *
 * A sender can write such a field as well as anybody, so only one counts: the topmost
 * field whose authserv-id is among the trusted. A border that adds several fields under
 * one id must put the one that should count (DMARC's) on top. The grammar is read with
 * comments and quoted strings; unknown methods and properties are passed over. Pure; no
 * allocation.
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
    bool aligned;
};

/* Whether the field's authserv-id is one of ids (ASCII case does not matter). */
bool tkt_authres_is_of(const char *value, size_t n, const char *const *ids, size_t count);
/* Reads the results. from_domain: of the only From address, lower case; "" aligns with
 * nothing. */
void tkt_authres_read(const char *value, size_t n, const char *from_domain,
                      struct tkt_authres *out);
/* Relaxed alignment without a list of public suffixes: equal, or one a subdomain of the
 * other and both with a dot. ASCII case does not matter. */
bool tkt_domains_align(const char *a, const char *b);

#endif
