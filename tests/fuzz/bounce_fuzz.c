/* SPDX-License-Identifier: BSD-2-Clause
 * Delivery reports: whatever the text, what is found is one line of UTF-8 within its size,
 * and the returned message begins within the text.
 */
#include "base/enc.h"
#include "base/util.h"
#include "message/bounce.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *s, size_t max)
{
    size_t n = strnlen(s, max);

    if (n == max || !tkt_utf8_valid(s, n)) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < ' ' || s[i] == 0x7f) {
            abort();
        }
    }
}

static void check(const struct tkt_bounce_found *f)
{
    if (f->action >= TKT_BOUNCE_ACTIONS) {
        abort();
    }
    check_line(f->recipient, sizeof(f->recipient));
    check_line(f->status, sizeof(f->status));
    check_line(f->diagnostic, sizeof(f->diagnostic));
    if (f->recipient[0] != '\0' && strchr(f->recipient, '@') == NULL) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const people[] = {"it@desk.example"};
    struct tkt_bounce_hints hints = {people, 1, ""};
    struct tkt_buf in = TKT_BUF_INIT(4 * size + 16);
    struct tkt_bounce_found f;
    char kind[16];
    size_t body = 0;

    tkt_utf8_add_clean(&in, data, size);
    const char *text = tkt_buf_str(&in);
    memset(&f, 0, sizeof(f));
    if (tkt_bounce_fields(text, in.len, &f)) {
        check(&f);
    }
    tkt_bounce_prose(text, in.len, &hints, &f);
    check(&f);
    memset(&f, 0, sizeof(f));
    hints.recipient = "ann@x.example";
    tkt_bounce_prose(text, in.len, &hints, &f);
    check(&f);
    if (tkt_bounce_json(text, in.len, kind, sizeof(kind), &f)) {
        check_line(kind, sizeof(kind));
        check(&f);
    }
    if (tkt_bounce_returned_at(text, in.len, &body) > in.len || body > in.len) {
        abort();
    }
    tkt_buf_release(&in);
    return 0;
}
