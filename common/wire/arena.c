/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/packet.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK 4000
#define ARENA_ALIGN 16

struct block {
    struct block *next;
    size_t used;
    size_t cap;
    _Alignas(ARENA_ALIGN) char data[];
};

void *tkt_wire_arena_alloc(struct tkt_wire_arena *a, size_t n)
{
    struct block *b = a->blocks;

    if (n > SIZE_MAX / 2) {
        return NULL;
    }
    n = (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (b == NULL || b->cap - b->used < n) {
        size_t cap = n > ARENA_CHUNK ? n : ARENA_CHUNK;
        b = malloc(sizeof(*b) + cap);
        if (b == NULL) {
            return NULL;
        }
        b->used = 0;
        b->cap = cap;
        b->next = a->blocks;
        a->blocks = b;
    }
    void *p = b->data + b->used;
    b->used += n;
    return p;
}

char *tkt_wire_arena_strdup(struct tkt_wire_arena *a, const char *s, size_t n)
{
    char *copy = tkt_wire_arena_alloc(a, n + 1);

    if (copy != NULL) {
        memcpy(copy, s, n);
        copy[n] = '\0';
    }
    return copy;
}

void tkt_wire_arena_release(struct tkt_wire_arena *a)
{
    struct block *b = a->blocks;

    while (b != NULL) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
    a->blocks = NULL;
}
