/* SPDX-License-Identifier: BSD-2-Clause
 * What the person wrote: cuts a text into reply, signature and earlier messages.
 *
 * Nothing is lost: every line of the text goes to exactly one of the outputs, in order
 * (inline answers keep the quoted lines they answer in reply). Linear in the text; no
 * regular expressions, no allocation but the outputs, which are bounded by their maxima.
 * Pure: no locale, no clock. text is UTF-8 with LF line ends; marks (of the HTML that the
 * text was made from) may be NULL.
 */
#ifndef TKT_MESSAGE_TRIM_H
#define TKT_MESSAGE_TRIM_H
#include "base/buf.h"
#include "message/mark.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tkt_trim {
    struct tkt_buf reply;
    struct tkt_buf signature;
    struct tkt_buf quoted;
    bool is_forward;           /* the quoted part is a forwarded message ... */
    size_t forward_at;         /* ... whose header lines begin at this byte of text, */
    size_t forward_body_at;    /* and whose own text here */
    const char *language_hint; /* of the quote header that matched, or NULL */
};
/* out's buffers are initialised with the maximum max each; -1 when memory ends. */
int tkt_trim_text(const char *text, size_t n, const struct tkt_marks *marks,
                  bool subject_says_forward, size_t max, struct tkt_trim *out);
void tkt_trim_release(struct tkt_trim *out);

#endif
