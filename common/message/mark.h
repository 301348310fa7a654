/* SPDX-License-Identifier: BSD-2-Clause
 * What the markup of a message says about its text: places in the text where a client
 * wrote structure that plain text cannot show. The HTML reader makes them, the trimmer
 * uses them. Offsets count bytes of the text and never fall; a list is bounded: past
 * TKT_MARKS_MAX marks are left out, and text is only less well understood.
 */
#ifndef TKT_MESSAGE_MARK_H
#define TKT_MESSAGE_MARK_H
#include <stddef.h>
#include <stdint.h>

#define TKT_MARKS_MAX 256

enum tkt_mark_kind {
    TKT_MARK_QUOTE,     /* blockquote, gmail_quote, yahoo_quoted ...: begins here */
    TKT_MARK_QUOTE_END, /* ... and ends */
    TKT_MARK_DIVIDER,   /* Outlook's border or hr above From:/Sent:, divRplyFwdMsg */
    TKT_MARK_SIGNATURE, /* gmail_signature, moz-signature, ms-outlook-mobile ... begins */
    TKT_MARK_SIGNATURE_END,
    TKT_MARK_FORWARD, /* a container that clients put round a forwarded message */
};
struct tkt_mark {
    uint32_t offset;
    enum tkt_mark_kind kind;
};
struct tkt_marks {
    struct tkt_mark items[TKT_MARKS_MAX];
    size_t count;
};

#endif
