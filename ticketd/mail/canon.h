/* SPDX-License-Identifier: BSD-2-Clause
 * The canonical text of a message body: what the message key hashes and copies compares.
 *
 * A push parser over raw bytes in any chunking; the result does not depend on the
 * chunks. CRLF becomes LF, blanks (and CRs) at line ends and blank lines at the end of
 * the body and of each part go. Quoted-printable content of any leaf and base64 content
 * of text leaves is decoded, part headers are given as "name:value" lines without
 * Content-Transfer-Encoding: so an 8-to-7-bit hop changes nothing. See docs/design.md,
 * "Message key".
 *
 * It cannot fail and allocates nothing. What exceeds a cap is taken as plain text of the
 * part it stands in, and `degraded` is set. Owner: the caller; about 40 KiB, reset by
 * init. One thread at a time.
 */
#ifndef TKT_TICKETD_CANON_H
#define TKT_TICKETD_CANON_H
#include "ticketd/mail/ctype.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_CANON_LINE_MAX 1024   /* a longer line is handled in pieces of this size */
#define TKT_CANON_FIELD_MAX 8448  /* of a header field, unfolded; the rest is dropped */
#define TKT_CANON_NAME_MAX 256    /* of a field name; a longer one is no header field */
#define TKT_CANON_DEPTH_MAX 32    /* multiparts within each other */
#define TKT_CANON_BLANKS_MAX 1024 /* a longer run of blanks is not taken for trailing */
#define TKT_CANON_STAGE 16384     /* text is handed on in runs of up to this size */

struct tkt_canon_ops {
    /* Whether a field of the message's own header is wanted; name in lower case. */
    bool (*wants)(void *arg, const char *name);
    /* A wanted field: value unfolded, every run of blanks one space, none at the ends.
     * Content-Type and Content-Transfer-Encoding are used by the parser besides. */
    void (*field)(void *arg, const char *name, const char *value, size_t len);
    void (*header_end)(void *arg);
    void (*text)(void *arg, const void *data, size_t n);
};

enum tkt_canon_state {
    TKT_CANON_HEADER, /* of the message */
    TKT_CANON_PART_HEADER,
    TKT_CANON_BODY
};
enum tkt_canon_coding {
    TKT_CANON_PLAIN,
    TKT_CANON_QP,
    TKT_CANON_BASE64
};

struct tkt_canon {
    const struct tkt_canon_ops *ops;
    void *arg;
    bool degraded;
    enum tkt_canon_state state;
    bool at_line_start;
    bool first_line;
    char line[TKT_CANON_LINE_MAX];
    size_t line_len;
    /* the header field being collected: "name\0value" */
    char name[TKT_CANON_NAME_MAX + 1];
    char field[TKT_CANON_FIELD_MAX + 1];
    size_t field_len;
    bool in_field;
    bool field_wanted;
    bool field_blank;
    /* of the part whose header is or was read */
    bool has_type;
    bool has_coding;
    struct tkt_ctype type;
    enum tkt_canon_coding coding;
    struct {
        char text[TKT_CTYPE_BOUNDARY_MAX + 1];
        size_t len;
        bool digest;
    } boundary[TKT_CANON_DEPTH_MAX];
    size_t depth;
    /* decoders */
    char qp[2];
    size_t qp_len;
    uint32_t b64;
    unsigned b64_count;
    /* text on its way out */
    bool any_text;
    uint64_t newlines;
    char blanks[TKT_CANON_BLANKS_MAX];
    size_t blank_len;
    char stage[TKT_CANON_STAGE];
    size_t stage_len;
};

void tkt_canon_init(struct tkt_canon *c, const struct tkt_canon_ops *ops, void *arg);
void tkt_canon_add(struct tkt_canon *c, const void *data, size_t n);
/* Ends the message; header_end is called here when the header had no end. */
void tkt_canon_final(struct tkt_canon *c);

/* ---- canon_text.c: between the parts of the parser ---- */

/* Bytes of the leaf being read; may hold LF. */
void tkt_canon_text(struct tkt_canon *c, const char *p, size_t n);
/* The same for bytes without LF. */
void tkt_canon_segment(struct tkt_canon *c, const char *p, size_t n);
void tkt_canon_newline(struct tkt_canon *c);
/* A piece of an encoded line, LF not included; eol: the line ends here. */
void tkt_canon_qp(struct tkt_canon *c, const char *p, size_t n, bool eol);
void tkt_canon_base64(struct tkt_canon *c, const char *p, size_t n);
/* The leaf ends: decoders are emptied, its blank lines at the end are forgotten. */
void tkt_canon_leaf_end(struct tkt_canon *c);
void tkt_canon_flush(struct tkt_canon *c);

#endif
