/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/prints.h"

#include "base/util.h"
#include "message/words.h"
#include "store/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct tkt_prints {
    pthread_mutex_t lock;
    uint64_t prints[TKT_PRINTS_MAX]; /* apart, so that a lookup reads nothing else */
    int64_t tickets[TKT_PRINTS_MAX];
    int64_t at_ms[TKT_PRINTS_MAX];
    uint32_t desks[TKT_PRINTS_MAX];
    uint64_t senders[TKT_PRINTS_MAX]; /* 0: not known */
    size_t count;
    size_t next; /* where the next one goes: a ring */
};

/* Two desks of one hash: a suggestion is looked up and its desk compared. */
static uint32_t desk_hash(const char *desk)
{
    uint32_t h = 2166136261U;

    for (; *desk != '\0'; desk++) {
        h = (h ^ (unsigned char)*desk) * 16777619U;
    }
    return h;
}

/* Without regard to case; two of one hash are counted as one. Never 0 but for "". */
static uint64_t sender_hash(const char *sender)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *sender != '\0'; sender++) {
        unsigned char c = (unsigned char)*sender;
        h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32U : c)) * UINT64_C(1099511628211);
    }
    return h == UINT64_C(14695981039346656037) ? 0 : h | 1;
}

struct tkt_prints *tkt_prints_new(void)
{
    struct tkt_prints *p = calloc(1, sizeof(*p));

    if (p) {
        pthread_mutex_init(&p->lock, NULL);
    }
    return p;
}

void tkt_prints_free(struct tkt_prints **p)
{
    if (*p) {
        pthread_mutex_destroy(&(*p)->lock);
        free(*p);
        *p = NULL;
    }
}

void tkt_prints_add(struct tkt_prints *p, const char *desk, int64_t ticket,
                    const char *sender, uint64_t print, int64_t at_ms)
{
    if (print == 0) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    size_t i = p->next;
    p->prints[i] = print;
    p->tickets[i] = ticket;
    p->at_ms[i] = at_ms;
    p->desks[i] = desk_hash(desk);
    p->senders[i] = sender_hash(sender);
    p->next = (i + 1) % TKT_PRINTS_MAX;
    p->count = TKT_MIN(p->count + 1, (size_t)TKT_PRINTS_MAX);
    pthread_mutex_unlock(&p->lock);
}

int tkt_prints_load(struct tkt_prints *p, struct tkt_reader *reader, int64_t now_ms,
                    struct tkt_err *err)
{
    struct tkt_store_print *rows = calloc(TKT_PRINTS_MAX, sizeof(*rows));

    if (!rows) {
        return tkt_err_set(err, TKT_ERR_TEMP, "prints: no memory");
    }
    int n =
        tkt_reader_prints(reader, now_ms - TKT_PRINTS_AGE_MS, rows, TKT_PRINTS_MAX, err);
    for (int i = n - 1; i >= 0; i--) {
        tkt_prints_add(p, rows[i].desk, rows[i].ticket, rows[i].sender, rows[i].print,
                       rows[i].at_ms);
    }
    free(rows);
    return n < 0 ? -1 : 0;
}

struct nearest {
    unsigned distance;
    int64_t ticket;
};

/* Inlined twice: with the processor's own instruction it takes a fifth of the time. */
static inline __attribute__((always_inline)) void
search_all(const struct tkt_prints *p, uint32_t desk, uint64_t print, int64_t since_ms,
           struct nearest *out)
{
    for (size_t i = 0; i < p->count; i++) {
        unsigned distance = (unsigned)__builtin_popcountll(p->prints[i] ^ print);
        if (distance <= out->distance && p->desks[i] == desk && p->at_ms[i] > since_ms &&
            (distance < out->distance || p->tickets[i] > out->ticket)) {
            *out = (struct nearest){distance, p->tickets[i]};
        }
    }
}

#ifdef __x86_64__
__attribute__((target("popcnt"))) static void search_fast(const struct tkt_prints *p,
                                                          uint32_t desk, uint64_t print,
                                                          int64_t since_ms,
                                                          struct nearest *out)
{
    search_all(p, desk, print, since_ms, out);
}
#endif

static void search(const struct tkt_prints *p, uint32_t desk, uint64_t print,
                   int64_t since_ms, struct nearest *out)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("popcnt")) {
        search_fast(p, desk, print, since_ms, out);
        return;
    }
#endif
    search_all(p, desk, print, since_ms, out);
}

int64_t tkt_prints_find(struct tkt_prints *p, const char *desk, uint64_t print,
                        int64_t now_ms)
{
    struct nearest found = {TKT_PRINT_DISTANCE_MAX, 0};

    if (print != 0) {
        pthread_mutex_lock(&p->lock);
        search(p, desk_hash(desk), print, now_ms - TKT_PRINTS_AGE_MS, &found);
        pthread_mutex_unlock(&p->lock);
    }
    return found.ticket;
}

/* ---- how many say the same ------------------------------------------------------------ */

#define PLACES 2048 /* a power of two, more than twice the senders */
_Static_assert(PLACES > 2 * TKT_PRINTS_SENDERS_MAX, "places are found soon");

struct crowd {
    uint32_t count; /* of different senders; 0: places are not ready */
    uint64_t places[PLACES];
};

/* True when it was not there. 0 is nobody. */
static bool put(uint64_t places[PLACES], uint64_t sender)
{
    size_t i = (sender >> 7) % PLACES;

    while (places[i] != 0 && places[i] != sender) {
        i = (i + 1) % PLACES;
    }
    bool is_new = places[i] == 0 && sender != 0;
    places[i] = sender;
    return is_new;
}

/* Most mail is like no other: the places are cleared for the first that is. */
static void join(struct crowd *c, uint64_t asker, uint64_t sender)
{
    if (c->count == 0) {
        memset(c->places, 0, sizeof(c->places));
        (void)put(c->places, asker); /* one, whether known or not */
        c->count = 1;
    }
    c->count += put(c->places, sender) ? 1 : 0;
}

struct crowd_query {
    uint32_t desk;
    uint64_t print;
    uint64_t sender;
    int64_t since_ms;
};

static inline __attribute__((always_inline)) void
count_all(const struct tkt_prints *p, const struct crowd_query *q, struct crowd *out)
{
    for (size_t i = 0; i < p->count && out->count < TKT_PRINTS_SENDERS_MAX; i++) {
        unsigned distance = (unsigned)__builtin_popcountll(p->prints[i] ^ q->print);
        if (distance <= TKT_PRINT_DISTANCE_MAX && p->at_ms[i] > q->since_ms &&
            p->desks[i] == q->desk && p->senders[i] != 0) {
            join(out, q->sender, p->senders[i]);
        }
    }
}

#ifdef __x86_64__
__attribute__((target("popcnt"))) static void
count_fast(const struct tkt_prints *p, const struct crowd_query *q, struct crowd *out)
{
    count_all(p, q, out);
}
#endif

static void count_near(const struct tkt_prints *p, const struct crowd_query *q,
                       struct crowd *out)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("popcnt")) {
        count_fast(p, q, out);
        return;
    }
#endif
    count_all(p, q, out);
}

uint32_t tkt_prints_affected(struct tkt_prints *p, const char *desk, const char *sender,
                             uint64_t print, int64_t since_ms)
{
    const struct crowd_query q = {.desk = desk_hash(desk),
                                  .print = print,
                                  .sender = sender_hash(sender),
                                  .since_ms = since_ms};
    struct crowd found;

    found.count = 0;
    if (print == 0) {
        return 0;
    }
    pthread_mutex_lock(&p->lock);
    count_near(p, &q, &found);
    pthread_mutex_unlock(&p->lock);
    return TKT_MAX(found.count, 1U);
}
