/* SPDX-License-Identifier: BSD-2-Clause
 * The address of a link, and whether its text tells it already. Pure, linear.
 */
#ifndef TKT_MESSAGE_HTMLLINK_H
#define TKT_MESSAGE_HTMLLINK_H
#include <stdbool.h>
#include <stddef.h>

/* The address in an href as one would write it: references decoded, "mailto:" and "tel:"
 * removed, the wrapping of Outlook's Safe Links undone. Returns its length; 0 when it is
 * nothing for a reader (an anchor, a script) or does not fit. */
size_t tkt_html_link_url(const char *href, size_t n, char *out, size_t size);
/* Whether text, as it stands on the page, holds url. */
bool tkt_html_link_says(const char *text, size_t n, const char *url);

#endif
