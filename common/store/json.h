/* SPDX-License-Identifier: BSD-2-Clause
 * Writing JSON objects and arrays into a bounded buffer; the buffer's failed flag tells
 * at the end whether all of it fitted. Header only.
 */
#ifndef TKT_STORE_JSON_H
#define TKT_STORE_JSON_H
#include "base/buf.h"
#include "base/enc.h"

#include <inttypes.h>
#include <string.h>

/* The comma that belongs between this value and what stands before it. */
static inline void json_sep(struct tkt_buf *b)
{
    if (b->len > 0 && strchr("{[:", b->data[b->len - 1]) == NULL) {
        (void)tkt_buf_addc(b, ','); /* b->failed tells */
    }
}

static inline void json_key(struct tkt_buf *b, const char *key)
{
    json_sep(b);
    (void)tkt_buf_addc(b, '"'); /* keys are ours: nothing to escape */
    (void)tkt_buf_adds(b, key);
    (void)tkt_buf_add(b, "\":", 2);
}

static inline void json_open(struct tkt_buf *b, const char *key, char bracket)
{
    if (key != NULL) {
        json_key(b, key);
    } else {
        json_sep(b);
    }
    (void)tkt_buf_addc(b, bracket); /* b->failed tells */
}

static inline void json_close(struct tkt_buf *b, char bracket)
{
    (void)tkt_buf_addc(b, bracket); /* b->failed tells */
}

static inline void json_str(struct tkt_buf *b, const char *key, const char *value)
{
    if (key != NULL) {
        json_key(b, key);
    } else {
        json_sep(b);
    }
    (void)tkt_json_add_string(b, value, strlen(value)); /* b->failed tells */
}

/* The same, left out when there is nothing to say. */
static inline void json_str_opt(struct tkt_buf *b, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        json_str(b, key, value);
    }
}

static inline void json_int(struct tkt_buf *b, const char *key, int64_t value)
{
    json_key(b, key);
    (void)tkt_buf_addf(b, "%" PRId64, value); /* b->failed tells */
}

static inline void json_bool(struct tkt_buf *b, const char *key, int value)
{
    json_key(b, key);
    (void)tkt_buf_adds(b, value ? "true" : "false"); /* b->failed tells */
}

/* data is JSON that we wrote ourselves, or "" for null. */
static inline void json_raw(struct tkt_buf *b, const char *key, const char *data)
{
    json_key(b, key);
    (void)tkt_buf_adds(b, data[0] != '\0' ? data : "null"); /* b->failed tells */
}

#endif
