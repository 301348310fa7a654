/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/enc.h"
#include "template/template.h"

#include <string.h>

static void add_line(struct tkt_buf *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        tkt_buf_addc(out, c < 0x20 || c == 0x7f ? ' ' : *p);
    }
}

static void add_html(struct tkt_buf *out, const char *text)
{
    static const char special[] = "&<>\"'";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

    for (const char *p = text; *p != '\0'; p++) {
        const char *at = strchr(special, *p);

        if (at != NULL) {
            tkt_buf_adds(out, entities[at - special]);
        } else {
            tkt_buf_addc(out, *p);
        }
    }
}

static void add_json(struct tkt_buf *out, const char *text)
{
    size_t at = out->len;

    if (tkt_json_add_string(out, text, strlen(text)) == 0) {
        out->len--; /* the template has the quotes */
        memmove(out->data + at, out->data + at + 1, out->len - at);
        out->len--;
        out->data[out->len] = '\0';
    }
}

static void add_url(struct tkt_buf *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;

        if (plain) {
            tkt_buf_addc(out, *p);
        } else {
            tkt_buf_addf(out, "%%%02X", c);
        }
    }
}

int tkt_escape_add(enum tkt_escape escape, const char *text, struct tkt_buf *out)
{
    switch (escape) {
    case TKT_ESCAPE_LINE:
        add_line(out, text);
        break;
    case TKT_ESCAPE_HTML:
        add_html(out, text);
        break;
    case TKT_ESCAPE_JSON:
        add_json(out, text);
        break;
    case TKT_ESCAPE_URL:
        add_url(out, text);
        break;
    default:
        tkt_buf_adds(out, text);
    }
    return out->failed ? -1 : 0;
}
