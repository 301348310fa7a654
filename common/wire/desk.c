/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/enc.h"
#include "wire/idna.h"
#include "wire/intake.h"

#include <stdlib.h>
#include <string.h>

/* RFC 5321 4.5.3.1.3 has 256; more than this is nobody's desk. */
#define ADDRESS_MAX 1024
#define LOCAL_MAX (ADDRESS_MAX / 2)

struct slot {
    char *key; /* normalised address; NULL = free */
    size_t len;
    const struct tkt_wire_desk *desk;
};

struct tkt_wire_desk_index {
    size_t mask;              /* slots - 1; slots is a power of two, at most half full */
    unsigned char delims[32]; /* one bit a byte: a delimiter of some row */
    struct slot slots[];
};

/* FNV-1a: the keys in the table are the administrator's, so nobody can make them meet. */
static size_t hash_of(const char *key, size_t len)
{
    uint64_t h = 0xcbf29ce484222325U;

    for (size_t i = 0; i < len; i++) {
        h = (h ^ (unsigned char)key[i]) * 0x100000001b3U;
    }
    return (size_t)(h ^ h >> 32);
}

static struct slot *probe(const struct tkt_wire_desk_index *index, const char *key,
                          size_t len)
{
    size_t at = hash_of(key, len) & index->mask;

    for (;;) {
        struct slot *s = (struct slot *)(uintptr_t)&index->slots[at];
        if (s->key == NULL || (s->len == len && memcmp(s->key, key, len) == 0)) {
            return s;
        }
        at = (at + 1) & index->mask;
    }
}

static const struct tkt_wire_desk *lookup(const struct tkt_wire_desk_index *index,
                                          const char *key, size_t len)
{
    return probe(index, key, len)->desk;
}

/* The local part without its quotes, in lower case. Of a longer one than anybody's the
 * beginning is enough: the rest can only belong to a sub-address. */
static size_t copy_local(const char *addr, size_t n, char *out)
{
    bool quoted = n >= 2 && addr[0] == '"' && addr[n - 1] == '"';
    size_t len = 0;

    for (size_t i = quoted ? 1 : 0; i < n - (quoted ? 1 : 0) && len < LOCAL_MAX; i++) {
        i += quoted && addr[i] == '\\' && i + 2 < n ? 1 : 0;
        out[len++] = addr[i];
    }
    out[len] = '\0';
    tkt_ascii_lower(out);
    return len;
}

/* "Local@Domain" in the form of the table; *local_len is the offset of the '@'. */
static int normalise(const char *addr, char out[ADDRESS_MAX], size_t *local_len)
{
    const char *at = strrchr(addr, '@');

    if (at == NULL) {
        return -1;
    }
    size_t local = copy_local(addr, (size_t)(at - addr), out);
    out[local] = '@';
    const char *domain = at + 1;
    size_t dlen = strlen(domain);
    if (dlen > 1 && domain[dlen - 1] == '.') {
        dlen--;
    }
    int n = tkt_idna_domain(domain, dlen, out + local + 1, ADDRESS_MAX - local - 1);
    *local_len = local;
    return n < 0 ? -1 : (int)local + 1 + n;
}

static int insert(struct tkt_wire_desk_index *index, const struct tkt_wire_desk *desk)
{
    char key[ADDRESS_MAX];
    size_t local;
    int len = normalise(desk->address, key, &local);

    if (len < 0) {
        return 0; /* can match nothing; the configuration test says so */
    }
    struct slot *s = probe(index, key, (size_t)len);
    if (s->key != NULL) {
        return 0; /* the first row of an address wins */
    }
    s->key = strndup(key, (size_t)len);
    if (s->key == NULL) {
        return -1;
    }
    s->len = (size_t)len;
    s->desk = desk;
    for (const unsigned char *d = (const unsigned char *)desk->delimiters; *d != 0; d++) {
        index->delims[*d / 8] |= (unsigned char)(1U << *d % 8);
    }
    return 0;
}

struct tkt_wire_desk_index *tkt_wire_desks_index(const struct tkt_wire_desk *desks,
                                                 size_t count)
{
    size_t slots = 8;

    while (slots < 2 * count) {
        slots *= 2;
    }
    struct tkt_wire_desk_index *index =
        calloc(1, sizeof(*index) + slots * sizeof(index->slots[0]));
    if (index == NULL) {
        return NULL;
    }
    index->mask = slots - 1;
    for (size_t i = 0; i < count; i++) {
        if (insert(index, &desks[i]) < 0) {
            tkt_wire_desks_index_free(&index);
            return NULL;
        }
    }
    return index;
}

void tkt_wire_desks_index_free(struct tkt_wire_desk_index **index)
{
    if (*index == NULL) {
        return;
    }
    for (size_t i = 0; i <= (*index)->mask; i++) {
        free((*index)->slots[i].key);
    }
    free(*index);
    *index = NULL;
}

static bool is_delimiter(const struct tkt_wire_desk_index *index, char c)
{
    unsigned char u = (unsigned char)c;

    return (index->delims[u / 8] & 1U << u % 8) != 0;
}

/* The row of the address up to the first delimiter that has one. */
static const struct tkt_wire_desk *find_sub(const struct tkt_wire_desk_index *index,
                                            const char *key, size_t len, size_t local,
                                            size_t *cut)
{
    char base[ADDRESS_MAX];

    for (size_t i = 1; i < local; i++) {
        if (!is_delimiter(index, key[i])) {
            continue;
        }
        memcpy(base, key, i);
        memcpy(base + i, key + local, len - local);
        const struct tkt_wire_desk *d = lookup(index, base, i + len - local);
        if (d != NULL && strchr(d->delimiters, key[i]) != NULL) {
            *cut = i;
            return d;
        }
    }
    return NULL;
}

const struct tkt_wire_desk *tkt_wire_desk_find(const struct tkt_wire_desk_index *index,
                                               const char *addr, size_t *sub)
{
    char key[ADDRESS_MAX];
    size_t local;
    size_t cut = 0;

    *sub = 0;
    int n = normalise(addr, key, &local);
    if (n < 0) {
        return NULL;
    }
    size_t len = (size_t)n;
    const struct tkt_wire_desk *d = lookup(index, key, len);
    if (d != NULL) {
        return d;
    }
    d = find_sub(index, key, len, local, &cut);
    if (d != NULL) {
        *sub = addr[0] == '"' ? 0 : cut + 1;
        return d;
    }
    return lookup(index, key + local, len - local);
}
