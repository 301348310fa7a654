/* SPDX-License-Identifier: BSD-2-Clause
 * The state of one tkt_message_parse(), shared by the files that fill the struct: each
 * takes a subject of its own (fields, text, attachments). Nothing outside
 * common/message sees it. One thread; lives on the stack of the parse.
 */
#ifndef TKT_MESSAGE_READING_H
#define TKT_MESSAGE_READING_H
#include "message/parse.h"
#include "message/prescan.h"

struct tkt_reading {
    const struct tkt_message_source *src;
    const struct tkt_message_options *opt;
    struct tkt_scan scan;
    struct tkt_message *msg;
    const char *charset_hint; /* of the first part that names one: for raw 8-bit fields */
    bool no_memory; /* the parse ends TEMP; what is read until then may be missing */
};

extern char tkt_nothing[1]; /* "": no string of a parsed message is NULL */

/* A copy in the message's arena; tkt_nothing for n = 0 and when memory ends. */
char *tkt_reading_keep(struct tkt_reading *r, const char *s, size_t n);
/* Appends a copy to a list of the message, whose cap is always the same max. */
void tkt_reading_add(struct tkt_reading *r, struct tkt_strings *list, size_t max,
                     const char *s, size_t n);

#endif
