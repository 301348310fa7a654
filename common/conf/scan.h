/* SPDX-License-Identifier: BSD-2-Clause
 * Tokens of one configuration file. See source.h for why this is not left to libconfuse.
 */
#ifndef TKT_CONF_SCAN_H
#define TKT_CONF_SCAN_H
#include "base/err.h"
#include "conf/source.h"

#include <stddef.h>

enum tkt_conf_lexeme_kind {
    TKT_CONF_END,
    TKT_CONF_WORD,   /* unquoted */
    TKT_CONF_QUOTED, /* in '' or "" */
    TKT_CONF_ASSIGN, /* = */
    TKT_CONF_APPEND, /* += */
    TKT_CONF_PUNCT   /* { } ( ) , */
};

struct tkt_conf_lexeme {
    enum tkt_conf_lexeme_kind kind;
    const char *raw; /* with its quotes; points into the file's text */
    size_t len;
    struct tkt_conf_pos pos;
};

struct tkt_conf_scan {
    struct tkt_conf_source *source;
    const char *at;
    const char *end;
    struct tkt_conf_pos pos;
};

/* The next token, after blanks and comments. */
int tkt_conf_scan_next(struct tkt_conf_scan *scan, struct tkt_conf_lexeme *out,
                       struct tkt_err *err);
/* The value of a WORD or QUOTED token; free() it. NULL: memory. */
char *tkt_conf_lexeme_value(const struct tkt_conf_lexeme *token);
/* True for the punctuation c. */
bool tkt_conf_lexeme_is(const struct tkt_conf_lexeme *token, char c);

#endif
