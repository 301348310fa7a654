/* SPDX-License-Identifier: BSD-2-Clause
 * Which elements mail programs put round a quote, a signature, a forwarded message.
 *
 * Known by class, id or name, also behind the "x_" that Outlook on the web puts before
 * the names of mail it quotes. Pure; linear in the attributes.
 */
#ifndef TKT_MESSAGE_HTMLMARK_H
#define TKT_MESSAGE_HTMLMARK_H
#include "message/mark.h"

#include <stdbool.h>
#include <stddef.h>

struct tkt_html_range {
    const char *p; /* NULL: no such attribute */
    size_t n;
};

/* false: nothing of the kind. *gmail: a container whose quote ends with the blockquote in
 * it, because an answer may follow inside of the container. */
bool tkt_html_mark_of(struct tkt_html_range class, struct tkt_html_range id,
                      struct tkt_html_range name, enum tkt_mark_kind *out, bool *gmail);

#endif
