/* SPDX-License-Identifier: BSD-2-Clause
 * The address of the page that opts out: whose, and of which ticket it stood in a notice.
 *
 * It names one recipient and what he opts out of (the notices of that ticket's desk that may
 * be opted out; older ones: of all desks), shows neither, and cannot be made, changed or used
 * for another one without a key of the thread tokens (ticketd/mail/token.h). It does not end
 * but with the key that made it: of two, both are good. The same recipient and ticket, the
 * same address.
 * Form: base32 of a byte (version, key id), 16 bytes of HMAC-SHA-256 over what it says, and
 * what it says in AES-256-CTR under them (a synthetic IV, as RFC 5297), padded to 16 bytes.
 * Pure; no memory but the caller's; comparison in constant time.
 */
#ifndef TKT_TICKETD_OPTOUT_H
#define TKT_TICKETD_OPTOUT_H
#include "base/buf.h"
#include "ticketd/mail/token.h"

#define TKT_OPTOUT_PATH "/optout/"
#define TKT_OPTOUT_ADDRESS_MAX 320
#define TKT_OPTOUT_LEN_MAX 565 /* characters */

struct tkt_optout {
    int64_t ticket; /* row */
    bool is_desks;  /* what the ticket's desk tells; else what all tell */
    char address[TKT_OPTOUT_ADDRESS_MAX + 1];
};

/* -1 (PERM): no key, no ticket, no address or one that is too long. */
int tkt_optout_make(const struct tkt_token_keys *keys, int64_t ticket,
                    const char *address, char out[TKT_OPTOUT_LEN_MAX + 1],
                    struct tkt_err *err);
/* False: it is none of ours. */
bool tkt_optout_open(const struct tkt_token_keys *keys, const char *text, size_t len,
                     struct tkt_optout *out);
/* Is it an address of mail? Rooms are many people's, and numbers have their own word, STOP. */
bool tkt_optout_is_person(const char *to);

#endif
