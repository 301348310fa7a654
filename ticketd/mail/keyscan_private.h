/* SPDX-License-Identifier: BSD-2-Clause
 * The state of a key scan: shared by keyscan.c (the key) and keyscan_fields.c (the header
 * fields it is made of). For nobody else.
 */
#ifndef TKT_TICKETD_KEYSCAN_PRIVATE_H
#define TKT_TICKETD_KEYSCAN_PRIVATE_H
#include "ticketd/mail/canon.h"
#include "ticketd/mail/keyscan.h"
#include "ticketd/mail/mtafield.h"

#define TKT_KEYSCAN_DATE_MAX 128
#define TKT_KEYSCAN_HINT_MAX TKT_MTAFIELD_HOST_MAX

struct tkt_keyscan_text { /* a collected field */
    char data[TKT_KEYSCAN_FIELD_MAX + 1];
    size_t len;
    bool seen;
};

struct tkt_keyscan {
    struct tkt_prefixes own;
    struct tkt_keyscan_result result;
    struct tkt_sha256 raw;
    struct tkt_sha256 key;
    /* what the MTA is called, from the hook or its Received field */
    bool hinted;
    int64_t mail_time_s;
    char queue_id[TKT_KEYSCAN_HINT_MAX + 1];
    char mta_host[TKT_KEYSCAN_HINT_MAX + 1];
    char stamp[TKT_MTAFIELD_STAMP_MAX + 1];
    bool received_seen;
    /* the Date's place among the fields that clients write */
    bool client_field_seen;
    bool date_seen;
    bool date_is_first;
    bool date_is_last;
    char date[TKT_KEYSCAN_DATE_MAX + 1];
    char from[TKT_KEYSCAN_ADDR_MAX + 1];
    bool from_seen;
    char sender[TKT_KEYSCAN_ADDR_MAX + 1];
    char message_id[TKT_KEYSCAN_ID_MAX + 1];
    bool message_id_seen;
    struct tkt_keyscan_text subject;
    struct tkt_keyscan_text in_reply_to;
    struct tkt_keyscan_text references;
    struct tkt_keyscan_text to;
    struct tkt_keyscan_text cc;
    struct tkt_keyscan_ref refs[TKT_KEYSCAN_REFS_MAX];
    char key_subject_data[TKT_KEYSCAN_FIELD_MAX + 1];
    struct tkt_canon canon;
};

/* Whether a field of the top header is looked at, and looking at it; for tkt_canon_ops,
 * arg is the scan. */
bool tkt_keyscan_wants(void *arg, const char *name);
void tkt_keyscan_field(void *arg, const char *name, const char *value, size_t len);

#endif
