/* SPDX-License-Identifier: BSD-2-Clause
 * Which header fields our own MTA wrote: Received, and a Message-ID or Date that the
 * client left out. The rules and their reasons: docs/design.md, "Message key".
 *
 * Pure; inputs are unfolded values of any bytes, outputs are bounded copies.
 */
#ifndef TKT_TICKETD_MTAFIELD_H
#define TKT_TICKETD_MTAFIELD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_MTAFIELD_HOST_MAX 255
#define TKT_MTAFIELD_ID_MAX 63
#define TKT_MTAFIELD_STAMP_MAX 127

/* "from ... by HOST ... with WITH id ID ...; STAMP". Absent or too long: "". */
struct tkt_received {
    char host[TKT_MTAFIELD_HOST_MAX + 1];
    char id[TKT_MTAFIELD_ID_MAX + 1];
    char stamp[TKT_MTAFIELD_STAMP_MAX + 1];
    bool is_lmtp; /* the last step into a mailbox, not the MTA's own */
};
void tkt_received_parse(const char *value, size_t len, struct tkt_received *out);

/* A Date value. has_zone_name: "(CET)" stands behind, as Postfix writes it. */
struct tkt_mail_date {
    int64_t at_s;
    bool has_zone_name;
};
bool tkt_mail_date_parse(const char *value, struct tkt_mail_date *out);

/* "<...QUEUEID@HOST>": the left part ends in "." and our queue id, the right part is the
 * host's name. id without <>. Never true when either is unknown. */
bool tkt_message_id_is_mta(const char *id, const char *queue_id, const char *host);

struct tkt_date_facts {
    const char *date;       /* unfolded value */
    const char *message_id; /* without <>, or "" */
    bool message_id_is_mta;
    bool is_last;        /* no field that a client writes stands behind it */
    bool is_first;       /* ... or before it */
    int64_t mail_time_s; /* from the hook; 0 = unknown */
    const char *stamp;   /* of our Received; "" = unknown. Used without mail_time_s */
};
bool tkt_date_is_mta(const struct tkt_date_facts *f);

#endif
