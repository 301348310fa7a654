/* SPDX-License-Identifier: BSD-2-Clause
 * The text of one part: transfer encoding, characters, then what the type asks for.
 *
 * The charset is what a byte order mark says, else what the part declares, else for HTML
 * what a <meta> in its beginning declares, else guessed; labels that cannot be true are
 * not believed (message/charset.h). Memory is bounded by a few times text_max.
 */
#ifndef TKT_MESSAGE_PARTTEXT_H
#define TKT_MESSAGE_PARTTEXT_H
#include "message/body.h"

/* Appends to out, which is cut at its max; body tells the rest. */
int tkt_part_text(const struct tkt_message_source *src, struct tkt_scan *scan,
                  size_t part, struct tkt_buf *out, struct tkt_body *body,
                  struct tkt_err *err);
/* The same for text that is at hand, as UTF-8. */
void tkt_part_text_add(struct tkt_buf *out, const struct tkt_buf *utf8, bool is_html,
                       size_t text_max, struct tkt_body *body);

#endif
