/* SPDX-License-Identifier: BSD-2-Clause
 * What desks keep as HTML, as text again.
 */
#include "base/enc.h"
#include "base/util.h"
#include "itsm/build.h"

#include <string.h>

/* Decodes the character references that editors write, in place. */
static void decode(char *text)
{
    static const struct {
        const char *name, *is;
    } names[] = {{"&lt;", "<"},  {"&#60;", "<"}, {"&gt;", ">"},    {"&#62;", ">"},
                 {"&amp;", "&"}, {"&#38;", "&"}, {"&quot;", "\""}, {"&#34;", "\""},
                 {"&#39;", "'"}, {"&nbsp;", " "}};
    char *to = text;

    for (const char *p = text; *p != '\0';) {
        size_t i = 0;

        while (i < TKT_ARRAY_LEN(names) &&
               strncmp(p, names[i].name, strlen(names[i].name)) != 0) {
            i++;
        }
        *to++ = i < TKT_ARRAY_LEN(names) ? *names[i].is : *p;
        p += i < TKT_ARRAY_LEN(names) ? strlen(names[i].name) : 1;
    }
    *to = '\0';
}

static bool ends_line(const char *tag)
{
    static const char *const tags[] = {"br", "/p", "/div", "/li"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(tags); i++) {
        size_t n = strlen(tags[i]);
        if (tkt_ascii_ieqn(tag, tags[i], n) && strchr(" />", tag[n]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Some (GLPI before 10) keep the tags themselves escaped. */
char *tkt_itsm_unhtml(struct tkt_itsm_call *call, char *html)
{
    char *to = html;

    if (html == NULL) {
        return NULL;
    }
    if (strchr(html, '<') == NULL) {
        decode(html);
    }
    for (char *p = html; *p != '\0'; p++) {
        char *end = *p == '<' ? strchr(p, '>') : NULL;

        if (end == NULL) {
            *to++ = *p;
            continue;
        }
        if (ends_line(p + 1)) {
            *to++ = '\n';
        }
        p = end;
    }
    while (to > html && to[-1] == '\n') {
        to--;
    }
    *to = '\0';
    decode(html);
    return tkt_itsm_keep(call, html);
}
