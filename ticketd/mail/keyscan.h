/* SPDX-License-Identifier: BSD-2-Clause
 * The message key, and what a header scan alone can tell about a message.
 *
 * One pass over the raw bytes as they come (any chunking), without a MIME parser: it
 * never fails, allocates nothing after init and needs linear time. Past a cap the result
 * degrades in a way that depends on the bytes only. The rules of the key (which fields,
 * when a field counts as added by our MTA, how an 8-to-7-bit hop is undone) and their
 * reasons are in docs/design.md, "Message key". The key must not change: messages known
 * by it would be taken for new ones (tests/unit/keyscan_test.c holds golden values).
 *
 * Owner: the caller of new; one thread at a time. Strings of the result live in the scan
 * until free or reset, are NUL-terminated (a NUL of the mail became a blank), and may
 * hold any 8-bit bytes: clean them before they go into logs or rows.
 */
#ifndef TKT_TICKETD_KEYSCAN_H
#define TKT_TICKETD_KEYSCAN_H
#include "base/hash.h"
#include "message/message.h"
#include "ticketd/mail/subject.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_KEYSCAN_FIELD_MAX 8448   /* of a field, unfolded; the rest is not looked at */
#define TKT_KEYSCAN_SUBJECT_MAX 8192 /* of the Subject that goes into the key */
#define TKT_KEYSCAN_REFS_MAX 32
#define TKT_KEYSCAN_ADDR_MAX 320
#define TKT_KEYSCAN_ID_MAX 998

/* What a milter knows of its MTA. With a queue ID, Received is not looked at (a milter sees
 * the Received of the host before); without, host and time are not used, and Received tells.
 * For messages that have passed the MTA (submit, LMTP) give the sender alone. */
struct tkt_keyscan_hints {
    const char *queue_id;
    const char *mta_host;
    int64_t mail_time_s;
    /* The envelope sender, with or without a queue ID: it stands for a missing From, as it
     * does in the From that an MTA adds. NULL or "": none. */
    const char *sender;
};

struct tkt_keyscan_ref {
    const char *id; /* trimmed, without <> */
    unsigned char hash[TKT_SHA256_LEN];
};

struct tkt_keyscan_result {
    unsigned char key[TKT_SHA256_LEN]; /* scope it to a desk with tkt_keyscan_desk_key */
    unsigned char head_key[TKT_SHA256_LEN];
    bool has_head_key; /* the client gave a Message-ID */
    bool blind;        /* it did not: the key holds for a short time only */
    unsigned char sha256[TKT_SHA256_LEN]; /* of the raw bytes */
    uint64_t size;

    const char *from; /* addr-spec (of the sender without From), domain in lower case; ""
                       * if unreadable */
    const char *subject;    /* unfolded raw bytes, with its tag; "" if absent */
    const char *message_id; /* without <>; the MTA's own one too; "" if absent */
    bool message_id_is_mta;
    bool date_is_mta;
    unsigned char
        message_id_hash[TKT_SHA256_LEN]; /* meaningful if message_id is not "" */
    /* In-Reply-To first, then References from the last (the parent) to the first. */
    const struct tkt_keyscan_ref *refs;
    size_t ref_count;
    bool auto_submitted; /* Auto-Submitted other than "no" */
    bool is_list;        /* List-Id, List-Post, List-Unsubscribe, or Precedence: list */
    bool is_report;      /* multipart/report at the top */
    enum tkt_security security; /* by the top Content-Type alone */
    bool degraded; /* a cap was met: the structure below it was taken as plain bytes */
};

struct tkt_keyscan;

/* Both are copied (prefixes: only the pointers; they must outlive the scan). hints may
 * be NULL. NULL when out of memory. About 100 KiB. */
struct tkt_keyscan *tkt_keyscan_new(const struct tkt_prefixes *own,
                                    const struct tkt_keyscan_hints *hints);
/* Ready for the next message; nothing is allocated. */
void tkt_keyscan_reset(struct tkt_keyscan *scan, const struct tkt_prefixes *own,
                       const struct tkt_keyscan_hints *hints);
void tkt_keyscan_add(struct tkt_keyscan *scan, const void *data, size_t n);
/* Ends the message. The result is borrowed from the scan. */
const struct tkt_keyscan_result *tkt_keyscan_final(struct tkt_keyscan *scan);
void tkt_keyscan_free(struct tkt_keyscan **scan);
/* After final: true when addr stands in To or Cc (their first 8 KiB each), ASCII case
 * ignored: whether naming the desk would disclose it. */
bool tkt_keyscan_in_to_cc(const struct tkt_keyscan *scan, const char *addr);
/* The key that is unique in the store: SHA-256 of the message key and the desk. */
void tkt_keyscan_desk_key(const unsigned char key[TKT_SHA256_LEN], const char *desk,
                          unsigned char out[TKT_SHA256_LEN]);

#endif
