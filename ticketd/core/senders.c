/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/senders.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/tail.h"
#include "store/thread.h"

#include <endian.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define SETS (TKT_SENDERS_CACHED / WAYS)
#define VERSION 1
#define IMAGE_COUNT_MAX 200
#define ADDRESS_MAX 1024

struct tail {
    uint8_t count;
    uint64_t hash[TKT_TAIL_LINES_MAX];
};
struct image {
    uint64_t hash;
    uint8_t count;
};
struct entry {
    unsigned char key[TKT_STORE_SENDER_KEY_LEN];
    bool used;
    bool changed;
    bool handed;   /* to the store as it is, in a transaction that may still fail */
    uint64_t turn; /* of the last use: the least one makes room */
    uint8_t mail_count;
    uint8_t image_count;
    struct tail mails[TKT_SENDERS_MAILS]; /* newest first */
    struct image images[TKT_SENDERS_IMAGES];
};

struct tkt_senders {
    pthread_mutex_t lock;
    uint64_t turn;
    size_t changed;
    size_t next_flush; /* where the next one begins ... */
    size_t flushed_to; /* ... once what was handed over last is committed */
    uint64_t forgets;
    struct entry entries[TKT_SENDERS_CACHED];
};

/* ---- bytes in the store --------------------------------------------------------------- */

static int put_u64(struct tkt_buf *b, uint64_t v)
{
    v = htole64(v);
    return tkt_buf_add(b, &v, sizeof(v));
}

static int encode(const struct entry *e, struct tkt_buf *b)
{
    (void)tkt_buf_addc(b, VERSION); /* b->failed tells */
    (void)tkt_buf_addc(b, (char)e->mail_count);
    for (size_t i = 0; i < e->mail_count; i++) {
        (void)tkt_buf_addc(b, (char)e->mails[i].count);
        for (size_t k = 0; k < e->mails[i].count; k++) {
            (void)put_u64(b, e->mails[i].hash[k]);
        }
    }
    (void)tkt_buf_addc(b, (char)e->image_count);
    for (size_t i = 0; i < e->image_count; i++) {
        (void)put_u64(b, e->images[i].hash);
        (void)tkt_buf_addc(b, (char)e->images[i].count);
    }
    return b->failed ? -1 : 0;
}

struct bytes {
    const unsigned char *at;
    size_t left;
    bool bad;
};

static uint8_t get_u8(struct bytes *b, uint8_t max)
{
    if (b->left < 1 || *b->at > max) {
        b->bad = true;
        return 0;
    }
    b->left--;
    return *b->at++;
}

static uint64_t get_u64(struct bytes *b)
{
    uint64_t v = 0;

    if (b->left < sizeof(v)) {
        b->bad = true;
        return 0;
    }
    memcpy(&v, b->at, sizeof(v));
    b->at += sizeof(v);
    b->left -= sizeof(v);
    return le64toh(v);
}

/* What another version wrote is as good as nothing. */
static void decode(const struct tkt_buf *data, struct entry *e)
{
    struct bytes b = {(const unsigned char *)data->data, data->len, false};

    b.bad = get_u8(&b, VERSION) != VERSION;
    e->mail_count = get_u8(&b, TKT_SENDERS_MAILS);
    for (size_t i = 0; i < e->mail_count && !b.bad; i++) {
        e->mails[i].count = get_u8(&b, TKT_TAIL_LINES_MAX);
        for (size_t k = 0; k < e->mails[i].count; k++) {
            e->mails[i].hash[k] = get_u64(&b);
        }
    }
    e->image_count = get_u8(&b, TKT_SENDERS_IMAGES);
    for (size_t i = 0; i < e->image_count && !b.bad; i++) {
        e->images[i].hash = get_u64(&b);
        e->images[i].count = get_u8(&b, UINT8_MAX);
    }
    if (b.bad || b.left > 0) {
        e->mail_count = 0;
        e->image_count = 0;
    }
}

/* ---- the table in memory ---------------------------------------------------------------- */

static void key_of(const struct tkt_message *msg,
                   unsigned char key[TKT_STORE_SENDER_KEY_LEN])
{
    char lower[ADDRESS_MAX];

    snprintf(lower, sizeof(lower), "%s", msg->from.address);
    tkt_ascii_lower(lower);
    tkt_store_sender_key(lower, key);
}

static struct entry *set_of(struct tkt_senders *s, const unsigned char *key)
{
    uint32_t h;

    memcpy(&h, key, sizeof(h)); /* of a SHA-256: any bytes will do */
    return &s->entries[(h % SETS) * WAYS];
}

static struct entry *find(struct tkt_senders *s, const unsigned char *key)
{
    struct entry *set = set_of(s, key);

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].used && memcmp(set[i].key, key, sizeof(set[i].key)) == 0) {
            set[i].turn = ++s->turn;
            return &set[i];
        }
    }
    return NULL;
}

/* In place of the one that was used longest ago, of those that are written if there are
 * such. */
static struct entry *insert(struct tkt_senders *s, const struct entry *e)
{
    struct entry *set = set_of(s, e->key);
    struct entry *victim = &set[0];

    for (size_t i = 1; i < WAYS; i++) {
        struct entry *other = &set[i];
        bool better = !other->used != !victim->used       ? !other->used
                      : other->changed != victim->changed ? !other->changed
                                                          : other->turn < victim->turn;
        victim = better ? other : victim;
    }
    s->changed -= victim->used && victim->changed;
    *victim = *e;
    victim->used = true;
    victim->turn = ++s->turn;
    return victim;
}

/* Nothing is asked of the store while others wait for the lock. */
static void load(struct tkt_reader *reader, struct entry *e)
{
    TKT_AUTO_BUF struct tkt_buf data = TKT_BUF_INIT(TKT_STORE_SENDER_MAX);

    if (reader && tkt_reader_sender(reader, e->key, &data, NULL) == 1) {
        decode(&data, e);
    }
}

/* ---- what a message has ------------------------------------------------------------------- */

static uint64_t hash_of_hex(const char *hex)
{
    char first[17];

    snprintf(first, sizeof(first), "%.16s", hex);
    return strtoull(first, NULL, 16);
}

static void tail_of(const struct tkt_message *msg, struct tail *t)
{
    t->count = (uint8_t)TKT_MIN(msg->tail_hashes.count, (size_t)TKT_TAIL_LINES_MAX);
    for (size_t i = 0; i < t->count; i++) {
        t->hash[i] = hash_of_hex(msg->tail_hashes.items[i]);
    }
}

/* 0: no picture inside the text. */
static uint64_t image_of(const struct tkt_attachment *a)
{
    bool image = a->is_inline && strncmp(a->type, "image/", 6) == 0;

    return image && a->sha256[0] != '\0' ? hash_of_hex(a->sha256) : 0;
}

static struct image *find_image(struct entry *e, uint64_t hash)
{
    for (size_t i = 0; i < e->image_count; i++) {
        if (e->images[i].hash == hash) {
            return &e->images[i];
        }
    }
    return NULL;
}

/* ---- asking --------------------------------------------------------------------------------- */

static unsigned common_lines(const struct entry *e, const struct tail *t)
{
    for (unsigned lines = t->count; lines > 0; lines--) {
        unsigned seen = 0;
        for (size_t i = 0; i < e->mail_count; i++) {
            seen += e->mails[i].count >= lines &&
                    e->mails[i].hash[lines - 1] == t->hash[lines - 1];
        }
        if (seen >= TKT_SENDERS_SEEN) {
            return lines;
        }
    }
    return 0;
}

static uint64_t known_images(struct entry *e, const struct tkt_message *msg)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < TKT_MIN(msg->attachment_count, (size_t)64); i++) {
        uint64_t hash = image_of(&msg->attachments[i]);
        const struct image *known = hash == 0 ? NULL : find_image(e, hash);
        if (known && known->count >= TKT_SENDERS_SEEN) {
            bits |= UINT64_C(1) << i;
        }
    }
    return bits;
}

static bool has_anything(const struct tkt_message *msg)
{
    bool person = msg->class == TKT_CLASS_HUMAN || msg->class == TKT_CLASS_LIST;

    if (!person || msg->from.address[0] == '\0' ||
        strlen(msg->from.address) >= ADDRESS_MAX) {
        return false;
    }
    for (size_t i = 0; i < msg->attachment_count; i++) {
        if (image_of(&msg->attachments[i]) != 0) {
            return true;
        }
    }
    return msg->tail_hashes.count > 0;
}

void tkt_senders_ask(struct tkt_senders *s, struct tkt_reader *reader,
                     const struct tkt_message *msg, struct tkt_learned *out)
{
    struct entry e;
    struct tail tail;

    *out = (struct tkt_learned){0};
    if (!has_anything(msg)) {
        return;
    }
    memset(&e, 0, sizeof(e));
    key_of(msg, e.key);
    tail_of(msg, &tail);
    pthread_mutex_lock(&s->lock);
    struct entry *known = find(s, e.key);
    if (!known) {
        uint64_t forgets = s->forgets;
        pthread_mutex_unlock(&s->lock);
        load(reader, &e);
        pthread_mutex_lock(&s->lock);
        if (forgets != s->forgets) { /* it may be what was to be forgotten */
            memset(e.mails, 0, sizeof(e.mails));
            e.mail_count = e.image_count = 0;
        }
        known = find(s, e.key); /* another thread may have been faster */
        known = known ? known : insert(s, &e);
    }
    out->tail_lines = common_lines(known, &tail);
    out->logos = known_images(known, msg);
    pthread_mutex_unlock(&s->lock);
}

/* ---- learning --------------------------------------------------------------------------------- */

static void count_image(struct entry *e, uint64_t hash)
{
    struct image *known = find_image(e, hash);

    if (!known && e->image_count < TKT_SENDERS_IMAGES) {
        known = &e->images[e->image_count++];
        *known = (struct image){hash, 0};
    }
    if (!known) { /* the rarest one makes room */
        known = &e->images[0];
        for (size_t i = 1; i < e->image_count; i++) {
            known = e->images[i].count < known->count ? &e->images[i] : known;
        }
        *known = (struct image){hash, 0};
    }
    known->count = (uint8_t)TKT_MIN(known->count + 1, IMAGE_COUNT_MAX);
}

static bool is_repeated(const struct tkt_message *msg, size_t at, uint64_t hash)
{
    for (size_t i = 0; i < at; i++) {
        if (image_of(&msg->attachments[i]) == hash) {
            return true;
        }
    }
    return false;
}

void tkt_senders_note(struct tkt_senders *s, const struct tkt_message *msg)
{
    struct entry fresh;

    if (!has_anything(msg)) {
        return;
    }
    memset(&fresh, 0, sizeof(fresh));
    key_of(msg, fresh.key);
    pthread_mutex_lock(&s->lock);
    struct entry *e = find(s, fresh.key);
    if (!e) {
        e = insert(s, &fresh);
    }
    if (msg->tail_hashes.count > 0) {
        memmove(&e->mails[1], &e->mails[0],
                (TKT_SENDERS_MAILS - 1) * sizeof(e->mails[0]));
        tail_of(msg, &e->mails[0]);
        e->mail_count = (uint8_t)TKT_MIN(e->mail_count + 1, TKT_SENDERS_MAILS);
    }
    for (size_t i = 0; i < TKT_MIN(msg->attachment_count, (size_t)64); i++) {
        uint64_t hash = image_of(&msg->attachments[i]);
        if (hash != 0 && !is_repeated(msg, i, hash)) {
            count_image(e, hash);
        }
    }
    s->changed += !e->changed;
    e->changed = true;
    e->handed = false;
    pthread_mutex_unlock(&s->lock);
}

/* ---- upkeep ------------------------------------------------------------------------------------- */

struct tkt_senders *tkt_senders_new(void)
{
    struct tkt_senders *s = calloc(1, sizeof(*s));

    if (s) {
        pthread_mutex_init(&s->lock, NULL);
    }
    return s;
}

void tkt_senders_free(struct tkt_senders **s)
{
    if (*s) {
        pthread_mutex_destroy(&(*s)->lock);
        free(*s);
        *s = NULL;
    }
}

bool tkt_senders_changed(struct tkt_senders *s)
{
    pthread_mutex_lock(&s->lock);
    bool changed = s->changed > 0;
    pthread_mutex_unlock(&s->lock);
    return changed;
}

/* The next one that changed at or behind *at, or NULL: then *at is past all. With the lock
 * held. */
static struct entry *next_changed(struct tkt_senders *s, size_t *at)
{
    while (*at < TKT_SENDERS_CACHED) {
        struct entry *e = &s->entries[(s->next_flush + (*at)++) % TKT_SENDERS_CACHED];
        if (e->used && e->changed) {
            return e;
        }
    }
    return NULL;
}

static bool hand_over(struct tkt_senders *s, size_t *at, struct entry *out)
{
    pthread_mutex_lock(&s->lock);
    if (*at == 0) { /* of a transaction that was undone */
        for (size_t i = 0; i < TKT_SENDERS_CACHED; i++) {
            s->entries[i].handed = false;
        }
    }
    struct entry *e = next_changed(s, at);
    if (e) {
        e->handed = true;
        *out = *e;
    }
    s->flushed_to = (s->next_flush + *at) % TKT_SENDERS_CACHED;
    pthread_mutex_unlock(&s->lock);
    return e != NULL;
}

int tkt_senders_flush(struct tkt_senders *s, struct tkt_store *store, int max,
                      int64_t now_ms, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf data = TKT_BUF_INIT(TKT_STORE_SENDER_MAX);
    struct entry e;
    size_t at = 0;
    int count = 0;

    while (count < max && hand_over(s, &at, &e)) {
        tkt_buf_reset(&data);
        if (encode(&e, &data) < 0) {
            return tkt_err_set(err, TKT_ERR_BUG, "senders: an entry is too long");
        }
        if (tkt_store_sender_set(store, e.key, data.data, data.len, now_ms, err) < 0) {
            return -1;
        }
        count++;
    }
    return count;
}

void tkt_senders_written(struct tkt_senders *s)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < TKT_SENDERS_CACHED; i++) {
        struct entry *e = &s->entries[i];
        if (e->handed) {
            s->changed -= e->changed;
            e->changed = false;
            e->handed = false;
        }
    }
    s->next_flush = s->flushed_to;
    pthread_mutex_unlock(&s->lock);
}

void tkt_senders_forget(struct tkt_senders *s, const char *address)
{
    struct tkt_message msg;

    memset(&msg, 0, sizeof(msg));
    msg.from.address = (char *)(uintptr_t)address;
    unsigned char key[TKT_STORE_SENDER_KEY_LEN];
    key_of(&msg, key);
    pthread_mutex_lock(&s->lock);
    s->forgets++;
    struct entry *e = find(s, key);
    if (e) {
        s->changed -= e->changed;
        memset(e, 0, sizeof(*e));
    }
    pthread_mutex_unlock(&s->lock);
}
