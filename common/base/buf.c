/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tkt_buf_init(struct tkt_buf *b, size_t max)
{
    *b = (struct tkt_buf)TKT_BUF_INIT(max);
}

void tkt_buf_release(struct tkt_buf *b)
{
    free(b->data);
    tkt_buf_init(b, b->max);
}

void tkt_buf_reset(struct tkt_buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL) {
        b->data[0] = '\0';
    }
}

int tkt_buf_reserve(struct tkt_buf *b, size_t more)
{
    if (b->failed || more > b->max - b->len) {
        b->failed = true;
        return -1;
    }
    size_t need = b->len + more + 1;
    if (need > b->cap) {
        size_t cap = b->cap * 2 < 64 ? 64 : b->cap * 2;
        cap = cap < need ? need : cap;
        cap = cap > b->max + 1 ? b->max + 1 : cap;
        char *data = realloc(b->data, cap);
        if (data == NULL) {
            b->failed = true;
            return -1;
        }
        b->data = data;
        b->cap = cap;
    }
    return 0;
}

int tkt_buf_add(struct tkt_buf *b, const void *data, size_t n)
{
    if (tkt_buf_reserve(b, n) < 0) {
        return -1;
    }
    if (n > 0) {
        memcpy(b->data + b->len, data, n);
    }
    b->len += n;
    b->data[b->len] = '\0';
    return 0;
}

int tkt_buf_addc(struct tkt_buf *b, char c)
{
    return tkt_buf_add(b, &c, 1);
}

int tkt_buf_adds(struct tkt_buf *b, const char *s)
{
    return tkt_buf_add(b, s, strlen(s));
}

int tkt_buf_addf(struct tkt_buf *b, const char *fmt, ...)
{
    size_t room = b->failed ? 0 : b->cap - b->len;
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(room > 0 ? b->data + b->len : NULL, room, fmt, ap);
    va_end(ap);
    if (n < 0 || tkt_buf_reserve(b, (size_t)n) < 0) {
        if (room > 0) {
            b->data[b->len] = '\0'; /* what was there stays */
        }
        b->failed = true;
        return -1;
    }
    if ((size_t)n >= room) { /* it did not fit at first */
        va_start(ap, fmt);
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    b->len += (size_t)n;
    return 0;
}

const char *tkt_buf_str(const struct tkt_buf *b)
{
    return b->data == NULL ? "" : b->data;
}

char *tkt_buf_take(struct tkt_buf *b, size_t *len)
{
    if (b->failed || tkt_buf_reserve(b, 0) < 0) {
        return NULL;
    }
    char *data = b->data;
    data[b->len] = '\0';
    if (len != NULL) {
        *len = b->len;
    }
    tkt_buf_init(b, b->max);
    return data;
}
