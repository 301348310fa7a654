/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/enc.h"
#include "base/util.h"
#include "ticketd/mail/addrspec.h"
#include "ticketd/mail/keyscan_private.h"

#include <string.h>

enum field_id {
    FIELD_FROM,
    FIELD_MESSAGE_ID,
    FIELD_DATE,
    FIELD_SUBJECT,
    FIELD_RECEIVED,
    FIELD_REFERENCES,
    FIELD_IN_REPLY_TO,
    FIELD_TO,
    FIELD_CC,
    FIELD_AUTO_SUBMITTED,
    FIELD_LIST,
    FIELD_PRECEDENCE,
    FIELD_CONTENT_TYPE,
    FIELD_CLIENT /* only its place counts */
};

struct field_row {
    const char *name;
    enum field_id id;
    bool
        is_client; /* MTAs and milters add it to no message that has other client fields */
};

static const struct field_row field_table[] = {
    {"from", FIELD_FROM, false}, /* Postfix adds a missing one behind the Date */
    {"message-id", FIELD_MESSAGE_ID, false},
    {"date", FIELD_DATE, false},
    {"subject", FIELD_SUBJECT, true},
    {"received", FIELD_RECEIVED, false},
    {"references", FIELD_REFERENCES, true},
    {"in-reply-to", FIELD_IN_REPLY_TO, true},
    {"to", FIELD_TO, true},
    {"cc", FIELD_CC, true},
    {"auto-submitted", FIELD_AUTO_SUBMITTED, false},
    {"list-id", FIELD_LIST, false},
    {"list-post", FIELD_LIST, false},
    {"list-unsubscribe", FIELD_LIST, false},
    {"precedence", FIELD_PRECEDENCE, false},
    {"content-type", FIELD_CONTENT_TYPE, true},
    {"content-disposition", FIELD_CLIENT, true},
    {"mime-version", FIELD_CLIENT, true},
    {"reply-to", FIELD_CLIENT, true},
    {"user-agent", FIELD_CLIENT, true},
    {"x-mailer", FIELD_CLIENT, true},
};

static const struct field_row *find_field(const char *name)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(field_table); i++) {
        if (field_table[i].name[0] == name[0] && strcmp(field_table[i].name, name) == 0) {
            return &field_table[i];
        }
    }
    return NULL;
}

bool tkt_keyscan_wants(void *arg, const char *name)
{
    (void)arg; /* the same fields for every scan */
    return find_field(name) != NULL;
}

/* The first field of a name counts, as in every MTA. */
static void keep_text(struct tkt_keyscan_text *t, const char *value, size_t len)
{
    if (!t->seen) {
        t->seen = true;
        memcpy(t->data, value, len + 1);
        t->len = len;
    }
}

static void keep_bounded(char *out, size_t max, bool *seen, const char *value, size_t len)
{
    if (!*seen) {
        size_t n = TKT_MIN(len, max);

        *seen = true;
        memcpy(out, value, n);
        out[n] = '\0';
    }
}

static void keep_received(struct tkt_keyscan *s, const char *value, size_t len)
{
    struct tkt_received received;

    if (s->hinted || s->received_seen) {
        return;
    }
    tkt_received_parse(value, len, &received);
    if (received.is_lmtp) {
        return;
    }
    s->received_seen = true;
    memcpy(s->queue_id, received.id, sizeof(received.id));
    memcpy(s->mta_host, received.host, sizeof(received.host));
    memcpy(s->stamp, received.stamp, sizeof(received.stamp));
}

static void keep_message_id(struct tkt_keyscan *s, const char *value, size_t len)
{
    if (len >= 2 && value[0] == '<' && value[len - 1] == '>') {
        value++;
        len -= 2;
    }
    keep_bounded(s->message_id, TKT_KEYSCAN_ID_MAX, &s->message_id_seen, value, len);
}

static void keep_content_type(struct tkt_keyscan *s, const char *value, size_t len)
{
    struct tkt_ctype type;

    tkt_ctype_parse(value, len, &type);
    s->result.is_report = strcmp(type.name, "multipart/report") == 0;
    if (strcmp(type.name, "multipart/signed") == 0) {
        s->result.security = TKT_SECURITY_SIGNED;
    } else if (strcmp(type.name, "multipart/encrypted") == 0) {
        s->result.security = TKT_SECURITY_ENCRYPTED;
    } else if (strcmp(type.name, "application/pkcs7-mime") == 0 ||
               strcmp(type.name, "application/x-pkcs7-mime") == 0) {
        s->result.security = strcmp(type.smime_type, "signed-data") == 0
                                 ? TKT_SECURITY_SIGNED
                                 : TKT_SECURITY_ENCRYPTED;
    }
}

static void keep_place(struct tkt_keyscan *s, enum field_id id, bool is_client)
{
    if (id == FIELD_DATE && !s->date_seen) {
        s->date_is_first = !s->client_field_seen;
        s->date_is_last = s->client_field_seen;
    } else if (is_client) {
        s->client_field_seen = true;
        s->date_is_last = false;
    } else if (id == FIELD_FROM && !s->date_seen) {
        s->client_field_seen = true; /* before a Date it is the client's own */
    }
}

void tkt_keyscan_field(void *arg, const char *name, const char *value, size_t len)
{
    struct tkt_keyscan *s = arg;
    const struct field_row *row = find_field(name); /* never NULL: wants() said so */

    keep_place(s, row->id, row->is_client);
    switch (row->id) {
    case FIELD_FROM:
        if (!s->from_seen) {
            s->from_seen = true;
            tkt_addrspec_first(value, len, s->from, sizeof(s->from));
        }
        break;
    case FIELD_MESSAGE_ID:
        keep_message_id(s, value, len);
        break;
    case FIELD_DATE:
        keep_bounded(s->date, TKT_KEYSCAN_DATE_MAX, &s->date_seen, value, len);
        break;
    case FIELD_SUBJECT:
        keep_text(&s->subject, value, len);
        break;
    case FIELD_RECEIVED:
        keep_received(s, value, len);
        break;
    case FIELD_REFERENCES:
        keep_text(&s->references, value, len);
        break;
    case FIELD_IN_REPLY_TO:
        keep_text(&s->in_reply_to, value, len);
        break;
    case FIELD_TO:
        keep_text(&s->to, value, len);
        break;
    case FIELD_CC:
        keep_text(&s->cc, value, len);
        break;
    case FIELD_AUTO_SUBMITTED:
        s->result.auto_submitted |= !(len >= 2 && tkt_ascii_ieqn(value, "no", 2) &&
                                      (len == 2 || value[2] == ';' || value[2] == ' '));
        break;
    case FIELD_LIST:
        s->result.is_list = true;
        break;
    case FIELD_PRECEDENCE:
        s->result.is_list |= tkt_ascii_ieq(value, "list");
        break;
    case FIELD_CONTENT_TYPE:
        keep_content_type(s, value, len);
        break;
    case FIELD_CLIENT:
        break;
    }
}
