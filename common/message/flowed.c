/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/flowed.h"

#include <string.h>

/* A line without its end, its quote marks and its stuffing. */
struct line {
    const char *text;
    size_t len;
    size_t depth;
};

static struct line read_line(const char *p, size_t n)
{
    struct line l = {p, n, 0};

    while (l.depth < n && p[l.depth] == '>') {
        l.depth++;
    }
    l.text += l.depth;
    l.len -= l.depth;
    if (l.len > 0 && *l.text == ' ') {
        l.text++;
        l.len--;
    }
    return l;
}

static void begin(struct tkt_buf *out, const struct line *l)
{
    for (size_t i = 0; i < l->depth; i++) {
        tkt_buf_addc(out, '>');
    }
    if (l->depth > 0 && l->len > 0) {
        tkt_buf_addc(out, ' ');
    }
}

static bool is_signature_line(const struct line *l)
{
    return l->len == 3 && memcmp(l->text, "-- ", 3) == 0;
}

void tkt_flowed_add(struct tkt_buf *out, const char *text, size_t n, bool delsp)
{
    const char *end = text + n;
    bool flows = false; /* the line before goes on */
    size_t depth = 0;

    while (text < end && !out->failed) {
        const char *nl = memchr(text, '\n', (size_t)(end - text));
        size_t len = (size_t)((nl == NULL ? end : nl) - text);
        struct line l = read_line(text, len > 0 && text[len - 1] == '\r' ? len - 1 : len);
        bool signature = is_signature_line(&l);
        if (flows && (l.depth != depth || signature)) {
            tkt_buf_addc(out, '\n'); /* a soft break in front of another paragraph */
            flows = false;
        }
        if (!flows) {
            begin(out, &l);
        }
        flows = !signature && nl != NULL && l.len > 0 && l.text[l.len - 1] == ' ';
        depth = l.depth;
        tkt_buf_add(out, l.text, l.len - (flows && delsp ? 1 : 0));
        if (nl != NULL && !flows) {
            tkt_buf_addc(out, '\n');
        }
        text = nl == NULL ? end : nl + 1;
    }
}
