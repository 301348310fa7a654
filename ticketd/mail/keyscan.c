/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/keyscan.h"

#include "base/util.h"
#include "ticketd/mail/addrspec.h"
#include "ticketd/mail/keyscan_private.h"

#include <stdlib.h>
#include <string.h>

/* A change of anything that goes into the key needs a new version here. */
#define KEY_VERSION "tkt-key-1\n"
#define HEAD_VERSION "tkt-head-1\n"
#define DESK_VERSION "tkt-desk-1\n"
#define IN_REPLY_TO_MAX 8 /* of the refs; References get the rest */

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
static void refs_backwards(struct tkt_keyscan *s, struct tkt_keyscan_text *t, size_t max)
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
    if (!s->from_seen) {
        memcpy(s->from, s->sender, sizeof(s->from));
    }
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

    .wants = tkt_keyscan_wants,
    .field = tkt_keyscan_field,
    .header_end = header_end,
    .text = body_text};

/* ---- life --------------------------------------------------------------------------- */

static void text_reset(struct tkt_keyscan_text *t)
{
    t->data[0] = '\0';
    t->len = 0;
    t->seen = false;
}

static void hint_copy(char out[TKT_KEYSCAN_HINT_MAX + 1], const char *hint)
{
    size_t n = hint == NULL ? 0 : strlen(hint);

    n = n > TKT_KEYSCAN_HINT_MAX ? 0 : n; /* no MTA has such a name: as good as unknown */
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
    hint_copy(s->queue_id, hints->queue_id);
    s->hinted = s->queue_id[0] != '\0';
    hint_copy(s->mta_host, s->hinted ? hints->mta_host : NULL);
    s->mail_time_s = s->hinted ? hints->mail_time_s : 0;
    s->stamp[0] = '\0';
    s->received_seen = false;
    s->client_field_seen = false;
    s->date_seen = false;
    s->date_is_first = false;
    s->date_is_last = false;
    s->date[0] = '\0';
    s->from[0] = '\0';
    s->from_seen = false;
    s->sender[0] = '\0';
    if (hints->sender != NULL) {
        tkt_addrspec_first(hints->sender, strlen(hints->sender), s->sender,
                           sizeof(s->sender));
    }
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
