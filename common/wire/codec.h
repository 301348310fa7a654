/* SPDX-License-Identifier: BSD-2-Clause
 * What the request and the reply codec share: checked strings, numbers, growing arrays,
 * header fields in one line. Private to common/wire; libc only; no state.
 *
 * A decoder copies the packet's body once into the arena of its struct and decodes it in
 * place there; decoded strings point into that copy.
 */
#ifndef TKT_WIRE_CODEC_H
#define TKT_WIRE_CODEC_H
#include "wire/intake.h"

/* ---- encoding ---- */

/* Leaves empty (or NULL) strings out; cuts and cleans the rest. */
void tkt_codec_add_text(struct tkt_buf *b, const char *name, const char *text);
void tkt_codec_add_flag(struct tkt_buf *b, const char *name, bool on);
/* "LABEL=INDEX NAME:VALUE"; -1 when the name or the value may not travel. */
int tkt_codec_add_field(struct tkt_buf *b, const char *label, unsigned index,
                        const char *name, const char *value, struct tkt_err *err);

/* ---- decoding ---- */

struct tkt_codec_reader {
    struct tkt_wire_cursor cursor;
    struct tkt_wire_arena *arena;
    char *name;
    char *value;
    struct tkt_err *err;
};

/* Copies the body and checks that the first line is "v=1". */
int tkt_codec_begin(struct tkt_codec_reader *r, const struct tkt_wire_packet *pkt,
                    struct tkt_wire_arena *arena, struct tkt_err *err);
/* As tkt_wire_next, into r->name and r->value. */
int tkt_codec_next(struct tkt_codec_reader *r);
/* All of these: 0, or -1 with the line named in the error. */
int tkt_codec_fail(struct tkt_codec_reader *r, const char *why);
int tkt_codec_text(struct tkt_codec_reader *r, const char **out);
int tkt_codec_flag(struct tkt_codec_reader *r, bool *out);
int tkt_codec_u64(struct tkt_codec_reader *r, uint64_t max, uint64_t *out);
int tkt_codec_field(struct tkt_codec_reader *r, unsigned *index, const char **name,
                    const char **value);
/* Room for one more item, zeroed, in an array that has *count items and may have max;
 * NULL (error set) when that is too many. */
void *tkt_codec_more(struct tkt_codec_reader *r, void *items, size_t *count, size_t max,
                     size_t size);

#endif
