/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/copies.h"

#include "base/fs.h"
#include "base/hash.h"
#include "base/util.h"
#include "ticketd/mail/canon.h"

#include <stdlib.h>
#include <string.h>

#define READ_SIZE 65536
#define LINES_FIRST 256

struct line {
    uint64_t hash;
    uint64_t len;
};

struct tkt_copies_text {
    struct tkt_sha256 sha;
    unsigned char digest[TKT_SHA256_LEN]; /* of the whole text */
    struct line *lines;
    size_t count;
    size_t room;
    struct line current; /* the line that is still coming */
    uint64_t bytes;      /* of all lines, without their ends */
    bool over;           /* past a cap (or out of memory): only the digest counts */
    bool ended;
    struct tkt_canon canon;
};

/* FNV-1a. Somebody who builds colliding lines only makes copies of his own mail. */
static const struct line line_start = {UINT64_C(0xcbf29ce484222325), 0};

static void line_end(struct tkt_copies_text *t)
{
    struct line line = t->current;

    t->current = line_start;
    if (line.len == 0 || t->over) {
        return;
    }
    if (t->count == t->room) {
        size_t room = t->room == 0 ? LINES_FIRST : t->room * 2;
        struct line *lines =
            room > TKT_COPIES_LINES_MAX ? NULL : realloc(t->lines, room * sizeof(*lines));

        if (lines == NULL) {
            t->over = true;
            return;
        }
        t->lines = lines;
        t->room = room;
    }
    t->lines[t->count++] = line;
}

static void line_add(struct tkt_copies_text *t, const char *p, size_t n)
{
    uint64_t hash = t->current.hash;

    t->bytes += n;
    t->over |= t->bytes > TKT_COPIES_TEXT_MAX;
    if (t->over) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ (unsigned char)p[i]) * UINT64_C(0x100000001b3);
    }
    t->current.hash = hash;
    t->current.len += n;
}

static void text(void *arg, const void *data, size_t n)
{
    struct tkt_copies_text *t = arg;
    const char *p = data;

    tkt_sha256_add(&t->sha, data, n);
    while (n > 0 && !t->over) {
        const char *lf = memchr(p, '\n', n);
        size_t len = lf == NULL ? n : (size_t)(lf - p);

        line_add(t, p, len);
        if (lf == NULL) {
            return;
        }
        line_end(t);
        p += len + 1;
        n -= len + 1;
    }
}

static bool wants_nothing(void *arg, const char *name)
{
    (void)arg; /* the header is compared by the head key */
    (void)name;
    return false;
}

static void no_field(void *arg, const char *name, const char *value, size_t len)
{
    (void)arg; /* never called: nothing is wanted */
    (void)name;
    (void)value;
    (void)len;
}

static void no_header_end(void *arg)
{
    (void)arg; /* the body alone counts */
}

static const struct tkt_canon_ops ops = {
    .wants = wants_nothing, .field = no_field, .header_end = no_header_end, .text = text};

struct tkt_copies_text *tkt_copies_new(void)
{
    struct tkt_copies_text *t = malloc(sizeof(*t));

    if (t == NULL) {
        return NULL;
    }
    tkt_sha256_init(&t->sha);
    t->lines = NULL;
    t->count = 0;
    t->room = 0;
    t->current = line_start;
    t->bytes = 0;
    t->over = false;
    t->ended = false;
    tkt_canon_init(&t->canon, &ops, t);
    return t;
}

void tkt_copies_free(struct tkt_copies_text **textp)
{
    if (*textp != NULL) {
        tkt_sha256_release(&(*textp)->sha);
        free((*textp)->lines);
        free(*textp);
        *textp = NULL;
    }
}

void tkt_copies_add(struct tkt_copies_text *t, const void *raw, size_t n)
{
    tkt_canon_add(&t->canon, raw, n);
}

int tkt_copies_add_fd(struct tkt_copies_text *t, int fd, uint64_t size,
                      struct tkt_err *err)
{
    TKT_AUTO_FREE void *block = malloc(READ_SIZE);
    uint64_t off = 0;

    if (block == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    while (off < size) {
        size_t want = (size_t)TKT_MIN(size - off, (uint64_t)READ_SIZE);
        size_t got;

        if (tkt_pread_full(fd, block, want, (off_t)off, &got, err) != 0) {
            return -1;
        }
        if (got != want) {
            return tkt_err_set(err, TKT_ERR_TEMP,
                               "message file is shorter than its size");
        }
        tkt_copies_add(t, block, got);
        off += got;
    }
    return 0;
}

static int line_compare(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;

    if (x->hash != y->hash) {
        return x->hash < y->hash ? -1 : 1;
    }
    return x->len < y->len ? -1 : x->len > y->len;
}

void tkt_copies_final(struct tkt_copies_text *t)
{
    if (t->ended) {
        return;
    }
    t->ended = true;
    tkt_canon_final(&t->canon);
    line_end(t);
    tkt_sha256_final(&t->sha, t->digest);
    if (t->count > 0) {
        qsort(t->lines, t->count, sizeof(t->lines[0]), line_compare);
    }
}

/* Bytes of the lines that both have, each as often as both have it. */
static uint64_t common_bytes(const struct tkt_copies_text *a,
                             const struct tkt_copies_text *b)
{
    uint64_t sum = 0;
    size_t i = 0;
    size_t k = 0;

    while (i < a->count && k < b->count) {
        int order = line_compare(&a->lines[i], &b->lines[k]);

        if (order == 0) {
            sum += a->lines[i].len;
        }
        i += order <= 0;
        k += order >= 0;
    }
    return sum;
}

bool tkt_copies_is_copy(struct tkt_copies_text *a, struct tkt_copies_text *b)
{
    uint64_t smaller;

    tkt_copies_final(a);
    tkt_copies_final(b);
    if (memcmp(a->digest, b->digest, sizeof(a->digest)) == 0) {
        return true;
    }
    smaller = TKT_MIN(a->bytes, b->bytes);
    /* An empty text stands in every other: that says nothing, and the other's content
     * would be lost as a mere copy. */
    if (a->over || b->over || smaller == 0) {
        return false;
    }
    return common_bytes(a, b) * 100 >= smaller * TKT_COPIES_PERCENT;
}
