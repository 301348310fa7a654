/* SPDX-License-Identifier: BSD-2-Clause
 * What the person wrote: cuts a text into reply, signature and earlier messages.
 *
 * Nothing is lost: every line of the text goes to exactly one of reply, signature and
 * quoted, in order. Inline answers keep the quoted lines they answer in reply; where
 * only marks tell that a line is quoted, it gets a "> " there.
 * Linear in the text: a line is looked at a fixed number of times, only its first
 * TKT_TRIM_LINE_MAX bytes, and the tables TKT_TRIM_LOOKS_MAX times in all (past that
 * less is recognised); no regular expressions. Memory: the outputs, bounded by their
 * maxima, and TKT_TRIM_LINES_MAX small records; what stands past that many lines goes
 * where the last of them went. No locale, no clock. text is UTF-8 with LF line ends; marks
 * (of the HTML that the text was made from) and subject may be NULL. An index of the
 * tables is made as they are first used: one thread at a time. Owner: the caller
 * releases, also after -1.
 */
#ifndef TKT_MESSAGE_TRIM_H
#define TKT_MESSAGE_TRIM_H
#include "base/buf.h"
#include "message/mark.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_TRIM_LINES_MAX 20000
#define TKT_TRIM_LOOKS_MAX 10000 /* at the tables of languages, by their cost */
#define TKT_TRIM_LINE_MAX 512
#define TKT_TRIM_FIELD_MAX 1024 /* of a forwarded message: From, Date, Subject */

struct tkt_trim {
    struct tkt_buf reply;
    struct tkt_buf signature;
    struct tkt_buf quoted;
    bool is_forward;             /* the quoted part is a forwarded message ... */
    struct tkt_buf forward_from; /* ... whose fields said this, as written, */
    struct tkt_buf forward_date;
    struct tkt_buf forward_subject;
    struct tkt_buf forward_text; /* and whose own text is this, without "> " */
    const char *language_hint;   /* of the quote header that matched, or NULL */
};
/* 0, or -1 when memory or max (of each output) ends. */
int tkt_trim_text(const char *text, size_t n, const struct tkt_marks *marks,
                  const char *subject, size_t max, struct tkt_trim *out);
void tkt_trim_release(struct tkt_trim *out);

/* Whether the first prefix of a Subject is one of a forward: "Fwd:", "WG:", "TR:". */
bool tkt_trim_subject_is_forward(const char *subject);
/* Seconds since 1970 of a date as a client wrote it above a quote, in the languages of
 * the quote headers; without a zone it counts as UTC. 0: unreadable. language (or NULL)
 * decides whether 3/4 is in March or April. */
int64_t tkt_trim_date(const char *s, size_t n, const char *language);

#endif
