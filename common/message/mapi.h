/* SPDX-License-Identifier: BSD-2-Clause
 * The inside of message/tnef.c: bytes of a TNEF stream under the bounds of what encloses
 * them, and the MAPI properties in it. Used by tnef.c and mapi.c alone.
 */
#ifndef TKT_MESSAGE_MAPI_H
#define TKT_MESSAGE_MAPI_H
#include "message/tnef.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- bytes ---- */

/* Streams that are entries themselves while they are read. */
struct tkt_tnef_tee {
    void *content;
    bool is_wanted;
};

struct tkt_tnef_in {
    struct tkt_content *content;
    const struct tkt_visitor *visitor;
    const char *p; /* what is left of the piece at hand */
    size_t n;
    struct tkt_tnef_tee tees[TKT_TNEF_DEPTH_MAX];
    size_t tee_count;
    bool is_ended;  /* before its time: nothing more can be read */
    bool is_failed; /* *err is set */
    bool is_done;   /* the visitor wants no more */
    struct tkt_err *err;
};

/* The next bytes, at most want; 0 at the end of the stream. */
size_t tkt_tnef_some(struct tkt_tnef_in *in, uint64_t want, const char **p);
/* All of n bytes, counted off *left; false: they are not there. */
bool tkt_tnef_take(struct tkt_tnef_in *in, uint64_t *left, void *out, size_t n);
/* Little endian, n <= 4. */
bool tkt_tnef_number(struct tkt_tnef_in *in, uint64_t *left, size_t n, uint32_t *out);
bool tkt_tnef_skip(struct tkt_tnef_in *in, uint64_t *left, uint64_t n);
/* Up to room bytes of n into out, the others are passed over. */
bool tkt_tnef_gather(struct tkt_tnef_in *in, uint64_t *left, uint64_t n,
                     struct tkt_buf *out);
/* n bytes to the visitor; content may be NULL. */
bool tkt_tnef_pipe(struct tkt_tnef_in *in, uint64_t *left, uint64_t n, void *content);

/* ---- properties ---- */

enum tkt_mapi_id { /* the ones that matter to us */
    TKT_MAPI_SUBJECT = 0x0037,
    TKT_MAPI_BODY = 0x1000,
    TKT_MAPI_RTF = 0x1009,
    TKT_MAPI_HTML = 0x1013,
    TKT_MAPI_DISPLAY_NAME = 0x3001,
    TKT_MAPI_DATA = 0x3701,
    TKT_MAPI_FILENAME = 0x3704,
    TKT_MAPI_LONG_FILENAME = 0x3707,
    TKT_MAPI_MIME_TAG = 0x370e,
    TKT_MAPI_CONTENT_ID = 0x3712,
    TKT_MAPI_CODEPAGE = 0x3fde
};
enum tkt_mapi_type {
    TKT_MAPI_SHORT = 0x0002,
    TKT_MAPI_LONG = 0x0003,
    TKT_MAPI_BOOLEAN = 0x000b,
    TKT_MAPI_OBJECT = 0x000d,
    TKT_MAPI_STRING8 = 0x001e,
    TKT_MAPI_UNICODE = 0x001f,
    TKT_MAPI_BINARY = 0x0102
};

struct tkt_mapi_value {
    uint16_t id;
    uint16_t type;
    uint32_t number; /* of a LONG */
    uint64_t len;    /* of a string, binary or object, which is still to be read */
};
/* Called for each value of variable length, which it may read from in, counting it off
 * *left (set to len; what it leaves is passed over), and for each LONG. */
typedef void tkt_mapi_fn(void *arg, struct tkt_tnef_in *in,
                         const struct tkt_mapi_value *value, uint64_t *left);
/* A list of properties within *left bytes. False: it is broken, or ended early. */
bool tkt_mapi_read(struct tkt_tnef_in *in, uint64_t *left, tkt_mapi_fn *fn, void *arg);
/* Bytes of a string property as UTF-8 on one line, without what follows a NUL. */
void tkt_mapi_line(struct tkt_buf *out, const struct tkt_buf *raw, uint16_t type,
                   const char *charset);

#endif
