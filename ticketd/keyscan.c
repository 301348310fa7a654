/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/keyscan.h"

#include "base/enc.h"
#include "base/util.h"
#include "ticketd/addrspec.h"
#include "ticketd/canon.h"
#include "ticketd/mtafield.h"

#include <stdlib.h>
#include <string.h>

/* A change of anything that goes into the key needs a new version here. */
#define KEY_VERSION "tkt-key-1\n"
#define HEAD_VERSION "tkt-head-1\n"
#define DESK_VERSION "tkt-desk-1\n"
#define DATE_MAX 128
#define HINT_MAX TKT_MTAFIELD_HOST_MAX
#define IN_REPLY_TO_MAX 8 /* of the refs; References get the rest */

struct text { /* a collected field */
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
    char queue_id[HINT_MAX + 1];
    char mta_host[HINT_MAX + 1];
    char stamp[TKT_MTAFIELD_STAMP_MAX + 1];
    bool received_seen;
    /* the Date's place among the fields that clients write */
    bool client_field_seen;
    bool date_seen;
    bool date_is_first;
    bool date_is_last;
    char date[DATE_MAX + 1];
    char from[TKT_KEYSCAN_ADDR_MAX + 1];
    bool from_seen;
    char message_id[TKT_KEYSCAN_ID_MAX + 1];
    bool message_id_seen;
    struct text subject;
    struct text in_reply_to;
    struct text references;
    struct text to;
    struct text cc;
    struct tkt_keyscan_ref refs[TKT_KEYSCAN_REFS_MAX];
    char key_subject_data[TKT_KEYSCAN_FIELD_MAX + 1];
    struct tkt_canon canon;
};

/* ---- collecting fields -------------------------------------------------------------- */

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

static bool wants(void *arg, const char *name)
{
    (void)arg; /* the same fields for every scan */
    return find_field(name) != NULL;
}

/* The first field of a name counts, as in every MTA. */
static void keep_text(struct text *t, const char *value, size_t len)
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

static void field(void *arg, const char *name, const char *value, size_t len)
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
        keep_bounded(s->date, DATE_MAX, &s->date_seen, value, len);
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

/* ---- references --------------------------------------------------------------------- */

static void add_ref(struct tkt_keyscan *s, char *id)
{
    struct tkt_keyscan_ref *ref = &s->refs[s->result.ref_count];
    size_t n = strlen(id);

    if (n == 0 || n > TKT_KEYSCAN_ID_MAX) {
        return;
    }
    for (size_t i = 0; i < s->result.ref_count; i++) {
        if (strcmp(s->refs[i].id, id) == 0) {
            return;
        }
    }
    ref->id = id;
    tkt_sha256(id, n, ref->hash);
    s->result.ref_count++;
}

/* "<id>" from the end of t backwards; the ids stay in t's memory. */
static void refs_backwards(struct tkt_keyscan *s, struct text *t, size_t max)
{
    char *end = t->data + t->len;

    while (s->result.ref_count < max) {
        char *close = memrchr(t->data, '>', (size_t)(end - t->data));
        char *open =
            close == NULL ? NULL : memrchr(t->data, '<', (size_t)(close - t->data));

        if (open == NULL) {
            return;
        }
        *close = '\0';
        add_ref(s, open + 1 + strspn(open + 1, " "));
        end = open;
    }
}

/* ---- the key ------------------------------------------------------------------------ */

/* Length first: no two lists of fields give the same bytes. */
static void hash_field(struct tkt_sha256 *h, const char *value, size_t len)
{
    unsigned char n[4] = {(unsigned char)(len >> 24), (unsigned char)(len >> 16),
                          (unsigned char)(len >> 8), (unsigned char)len};

    tkt_sha256_add(h, n, sizeof(n));
    tkt_sha256_add(h, value, len);
}

/* The Subject without our tags, blanks single and none at the ends. */
static size_t key_subject(struct tkt_keyscan *s)
{
    const char *value = s->subject.data;
    char *out = s->key_subject_data;
    size_t len = 0;
    size_t i = 0;
    size_t at;
    size_t tag_len;

    while (i < s->subject.len) {
        size_t stop = s->subject.len;
        size_t next = stop;

        if (tkt_subject_find_tag(&s->own, value, stop, i, &at, &tag_len)) {
            stop = at;
            next = at + tag_len + tkt_subject_gap(value, s->subject.len, at + tag_len);
        }
        for (; i < stop; i++) {
            if (value[i] != ' ' || (len > 0 && out[len - 1] != ' ')) {
                out[len++] = value[i];
            }
        }
        i = next;
    }
    len = TKT_MIN(len, TKT_KEYSCAN_SUBJECT_MAX);
    while (len > 0 && out[len - 1] == ' ') {
        len--;
    }
    return len;
}

static void hash_head(struct tkt_keyscan *s, struct tkt_sha256 *h, size_t subject_len)
{
    const char *id = s->result.message_id_is_mta ? "" : s->message_id;
    const char *date = s->result.date_is_mta ? "" : s->date;

    hash_field(h, s->from, strlen(s->from));
    hash_field(h, id, strlen(id));
    hash_field(h, date, strlen(date));
    hash_field(h, s->key_subject_data, subject_len);
}

static void judge_mta_fields(struct tkt_keyscan *s)
{
    struct tkt_date_facts facts = {
        .date = s->date,
        .message_id = s->message_id,
        .is_last = s->date_is_last,
        .is_first = s->date_is_first,
        .mail_time_s = s->mail_time_s,
        .stamp = s->stamp,
    };

    s->result.message_id_is_mta =
        tkt_message_id_is_mta(s->message_id, s->queue_id, s->mta_host);
    facts.message_id_is_mta = s->result.message_id_is_mta;
    s->result.date_is_mta = s->date_seen && tkt_date_is_mta(&facts);
}

static void header_end(void *arg)
{
    struct tkt_keyscan *s = arg;
    struct tkt_keyscan_result *r = &s->result;
    struct tkt_sha256 head;
    size_t subject_len = key_subject(s);

    judge_mta_fields(s);
    r->blind = s->message_id[0] == '\0' || r->message_id_is_mta;
    r->has_head_key = !r->blind;
    tkt_sha256_init(&s->key);
    tkt_sha256_add(&s->key, KEY_VERSION, strlen(KEY_VERSION));
    hash_head(s, &s->key, subject_len);
    if (r->has_head_key) {
        tkt_sha256_init(&head);
        tkt_sha256_add(&head, HEAD_VERSION, strlen(HEAD_VERSION));
        hash_head(s, &head, subject_len);
        tkt_sha256_final(&head, r->head_key);
    }
    if (s->message_id[0] != '\0') {
        tkt_sha256(s->message_id, strlen(s->message_id), r->message_id_hash);
    }
    refs_backwards(s, &s->in_reply_to, IN_REPLY_TO_MAX);
    refs_backwards(s, &s->references, TKT_KEYSCAN_REFS_MAX);
}

static void body_text(void *arg, const void *data, size_t n)
{
    struct tkt_keyscan *s = arg;

    tkt_sha256_add(&s->key, data, n);
}

static const struct tkt_canon_ops canon_ops = {
    .wants = wants, .field = field, .header_end = header_end, .text = body_text};

/* ---- life --------------------------------------------------------------------------- */

static void text_reset(struct text *t)
{
    t->data[0] = '\0';
    t->len = 0;
    t->seen = false;
}

static void hint_copy(char out[HINT_MAX + 1], const char *hint)
{
    size_t n = hint == NULL ? 0 : strlen(hint);

    n = n > HINT_MAX ? 0 : n; /* no MTA has such a name: as good as unknown */
    memcpy(out, n == 0 ? "" : hint, n);
    out[n] = '\0';
}

void tkt_keyscan_reset(struct tkt_keyscan *s, const struct tkt_prefixes *own,
                       const struct tkt_keyscan_hints *hints)
{
    static const struct tkt_keyscan_hints no_hints;

    if (hints == NULL) {
        hints = &no_hints;
    }
    tkt_sha256_release(&s->raw);
    tkt_sha256_release(&s->key);
    s->own = *own;
    memset(&s->result, 0, sizeof(s->result));
    s->mail_time_s = hints->mail_time_s;
    hint_copy(s->queue_id, hints->queue_id);
    hint_copy(s->mta_host, hints->mta_host);
    s->hinted = s->queue_id[0] != '\0' || s->mta_host[0] != '\0' || s->mail_time_s != 0;
    s->stamp[0] = '\0';
    s->received_seen = false;
    s->client_field_seen = false;
    s->date_seen = false;
    s->date_is_first = false;
    s->date_is_last = false;
    s->date[0] = '\0';
    s->from[0] = '\0';
    s->from_seen = false;
    s->message_id[0] = '\0';
    s->message_id_seen = false;
    text_reset(&s->subject);
    text_reset(&s->in_reply_to);
    text_reset(&s->references);
    text_reset(&s->to);
    text_reset(&s->cc);
    tkt_canon_init(&s->canon, &canon_ops, s);
    tkt_sha256_init(&s->raw);
}

struct tkt_keyscan *tkt_keyscan_new(const struct tkt_prefixes *own,
                                    const struct tkt_keyscan_hints *hints)
{
    struct tkt_keyscan *s = malloc(sizeof(*s));

    if (s != NULL) {
        s->raw.ctx = NULL;
        s->key.ctx = NULL;
        tkt_keyscan_reset(s, own, hints);
    }
    return s;
}

void tkt_keyscan_add(struct tkt_keyscan *s, const void *data, size_t n)
{
    tkt_sha256_add(&s->raw, data, n);
    s->result.size += n;
    tkt_canon_add(&s->canon, data, n);
}

const struct tkt_keyscan_result *tkt_keyscan_final(struct tkt_keyscan *s)
{
    struct tkt_keyscan_result *r = &s->result;

    tkt_canon_final(&s->canon);
    tkt_sha256_final(&s->raw, r->sha256);
    tkt_sha256_final(&s->key, r->key);
    r->from = s->from;
    r->subject = s->subject.data;
    r->message_id = s->message_id;
    r->refs = s->refs;
    r->degraded = s->canon.degraded;
    return r;
}

void tkt_keyscan_free(struct tkt_keyscan **scan)
{
    if (*scan != NULL) {
        tkt_sha256_release(&(*scan)->raw);
        tkt_sha256_release(&(*scan)->key);
        free(*scan);
        *scan = NULL;
    }
}

bool tkt_keyscan_in_to_cc(const struct tkt_keyscan *s, const char *addr)
{
    return tkt_addrspec_within(s->to.data, s->to.len, addr) ||
           tkt_addrspec_within(s->cc.data, s->cc.len, addr);
}

void tkt_keyscan_desk_key(const unsigned char key[TKT_SHA256_LEN], const char *desk,
                          unsigned char out[TKT_SHA256_LEN])
{
    struct tkt_sha256 h;

    tkt_sha256_init(&h);
    tkt_sha256_add(&h, DESK_VERSION, strlen(DESK_VERSION));
    tkt_sha256_add(&h, key, TKT_SHA256_LEN);
    tkt_sha256_add(&h, desk, strlen(desk));
    tkt_sha256_final(&h, out);
}
