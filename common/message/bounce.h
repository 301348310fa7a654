/* SPDX-License-Identifier: BSD-2-Clause
 * What a delivery report tells: for whom, what happened, why, and of which message.
 *
 * Reports in the fields of RFC 3464 (also RFC 6533's, also pasted into prose) are read as
 * such; the many that are prose alone by their shape: an address that stands alone or is
 * the object of a failure, the reply of a server behind it, and where the returned
 * message begins. The readers are pure and linear, look at no more than
 * TKT_BOUNCE_TEXT_MAX bytes, and never fail: what is not found stays "". All strings are
 * valid UTF-8 on one line if the input is valid UTF-8. Threads: no state.
 */
#ifndef TKT_MESSAGE_BOUNCE_H
#define TKT_MESSAGE_BOUNCE_H
#include "base/err.h"
#include "message/reading.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_BOUNCE_TEXT_MAX (64 * 1024)
#define TKT_BOUNCE_ADDRESS_MAX 512
#define TKT_BOUNCE_STATUS_MAX 12 /* "5.999.999" and a NUL */
#define TKT_BOUNCE_DIAGNOSTIC_MAX 1024

enum tkt_bounce_action { /* strongest last: what decides when recipients differ */
    TKT_BOUNCE_NONE,
    TKT_BOUNCE_EXPANDED,
    TKT_BOUNCE_RELAYED,
    TKT_BOUNCE_DELIVERED,
    TKT_BOUNCE_DELAYED,
    TKT_BOUNCE_FAILED,
    TKT_BOUNCE_ACTIONS
};
extern const char *const tkt_bounce_actions[TKT_BOUNCE_ACTIONS]; /* "", "expanded" ... */

struct tkt_bounce_found {
    enum tkt_bounce_action action;
    char recipient[TKT_BOUNCE_ADDRESS_MAX];
    char status[TKT_BOUNCE_STATUS_MAX];
    char diagnostic[TKT_BOUNCE_DIAGNOSTIC_MAX];
};

/* The fields of RFC 3464, wherever they stand in the text: of all recipients the first
 * whose action is the strongest. False when there are none. */
bool tkt_bounce_fields(const char *text, size_t n, struct tkt_bounce_found *out);

struct tkt_bounce_hints {
    const char *const
        *not_recipient; /* addresses of the report's own sender and readers */
    size_t not_recipient_count;
    const char *recipient; /* known from a field, or "": its diagnostic is looked for */
};
/* A report in prose. Sets what it finds and nothing else; action only where the text says
 * that it is a delay. */
void tkt_bounce_prose(const char *text, size_t n, const struct tkt_bounce_hints *hints,
                      struct tkt_bounce_found *out);
/* Where the returned message (or its header) begins in the text of a report; n if it
 * does not. *body_at, if not NULL: where its own first line is. */
size_t tkt_bounce_returned_at(const char *text, size_t n, size_t *body_at);

/* The first enhanced status (RFC 3463) in the text that is none of an IP address or a
 * version; false without one. */
bool tkt_bounce_status_find(const char *text, size_t n, char out[TKT_BOUNCE_STATUS_MAX]);
/* The status for what a server or a program said: an enhanced one that stands there, else
 * by the reply code and the words of the text; "5.0.0" or (is_delayed) "4.0.0" at worst. */
void tkt_bounce_status_of(const char *text, size_t n, bool is_delayed,
                          char out[TKT_BOUNCE_STATUS_MAX]);
/* Whether a reply code begins at p: three digits, the class 2, 4 or 5, and its end. */
bool tkt_bounce_is_reply(const char *p, size_t n);

/* An event of Amazon SES as JSON: *kind is what it says of itself ("Bounce"). False for
 * other text. */
bool tkt_bounce_json(const char *text, size_t n, char *kind, size_t kind_max,
                     struct tkt_bounce_found *out);

/* Fills msg->bounce of a report and adds the returned message's Message-ID and References
 * to msg->references: a report names our message nowhere else. found is what class.c read
 * from the report parts (action NONE: nothing). */
int tkt_bounce_read(struct tkt_reading *r, const struct tkt_bounce_found *found,
                    struct tkt_err *err);
/* The header field that names a failed recipient, if any; out has ADDRESS_MAX bytes. */
bool tkt_bounce_failed_recipient(const struct tkt_header *h, char *out);
/* The first address in the text from *at on, which moves behind it; false at the end. */
bool tkt_bounce_address_find(const char *text, size_t n, size_t *at, size_t *from,
                             char out[TKT_BOUNCE_ADDRESS_MAX]);
/* Copies one line: runs of blanks and line ends become one blank; cut at max - 1. */
void tkt_bounce_one_line(const char *text, size_t n, char *out, size_t max);

#endif
