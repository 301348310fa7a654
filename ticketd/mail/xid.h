/* SPDX-License-Identifier: BSD-2-Clause
 * X-Ticket-ID: "IT-12; k=5; h=<26 base32 digits>", signed, for one message only.
 *
 * h is HMAC-SHA-256 (128 bits) over ticket ID, desk, message key and day (whole days
 * since 1970, UTC). The day is not written: the verifier tries today and the days back
 * to the dedupe window, so a field is worth nothing once the key may be reused. A field
 * that was copied onto another message does not verify: its key differs. Only ticketd
 * verifies. Pure; keys as in ticketd/mail/token.h.
 */
#ifndef TKT_TICKETD_XID_H
#define TKT_TICKETD_XID_H
#include "ticketd/mail/token.h"

#define TKT_XID_ID_MAX 47
#define TKT_XID_MAX 128
#define TKT_XID_WINDOW_DAYS_MAX 400

/* -1 (PERM): no key, or an ID longer than TKT_XID_ID_MAX. */
int tkt_xid_make(const struct tkt_token_keys *keys, const char *id, const char *desk,
                 const unsigned char key[TKT_SHA256_LEN], int64_t now_s,
                 char out[TKT_XID_MAX], struct tkt_err *err);
/* Verifies a field value (leading blank, folds allowed) for this desk and message key;
 * id gets the ticket ID when VALID. EXPIRED never comes: it cannot be told from FORGED. */
enum tkt_token_verdict tkt_xid_verify(const struct tkt_token_keys *keys,
                                      const char *value, const char *desk,
                                      const unsigned char key[TKT_SHA256_LEN],
                                      int64_t now_s, int64_t window_s,
                                      char id[TKT_XID_ID_MAX + 1]);

#endif
