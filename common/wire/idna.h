/* SPDX-License-Identifier: BSD-2-Clause
 * Domains in one form: labels with other than ASCII become A-labels (RFC 3492), ASCII
 * becomes lower case. libc only; no state. common/conf uses it too.
 *
 * Enough to find "user@grüße.example" and "user@xn--gre-6ka8l.example" in the same row.
 * Of Unicode's case folding only Latin-1, Greek and Cyrillic capitals are folded; a
 * domain that is not UTF-8 or does not fit stays as it is (in lower case).
 */
#ifndef TKT_WIRE_IDNA_H
#define TKT_WIRE_IDNA_H
#include <stddef.h>

/* Returns the length written (without the NUL), or -1 when it does not fit into cap. */
int tkt_idna_domain(const char *domain, size_t len, char *out, size_t cap);

#endif
