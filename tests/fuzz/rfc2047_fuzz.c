/* SPDX-License-Identifier: BSD-2-Clause
 * Encoded-words and parameters: what comes out is UTF-8 on one line.
 */
#include "base/enc.h"
#include "base/util.h"
#include "message/charset.h"
#include "message/date.h"
#include "message/mimeheader.h"
#include "message/rfc2047.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_a_line(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)p[i] < ' ' || p[i] == 0x7f) {
            abort();
        }
    }
    if (!tkt_utf8_valid(p, n)) {
        abort();
    }
}

static void params(const char *field, const char *p, size_t n)
{
    struct tkt_mime_header h = {.type = NULL};
    struct tkt_wire_arena arena = {NULL};

    tkt_mime_header_add(&h, field, strlen(field), p, n, 64, &arena);
    if (h.name != NULL) {
        must_be_a_line(h.name, strlen(h.name));
    }
    if (h.boundary != NULL && strlen(h.boundary) > TKT_BOUNDARY_MAX) {
        abort();
    }
    tkt_wire_arena_release(&arena);
}

/* The first byte chooses a label; "" and unknown ones are guessed. */
static void dates_and_bytes(const char *p, size_t n)
{
    static const char *const labels[] = {"",       "utf-8",   "iso-8859-1", "iso-2022-jp",
                                         "euc-kr", "gb18030", "utf-7",      "utf-16",
                                         "koi8-r", "big5"};
    struct tkt_buf out = TKT_BUF_INIT(16 * n + 16);
    const char *label = labels[n == 0 ? 0 : (unsigned char)p[0] % TKT_ARRAY_LEN(labels)];
    int64_t date_s = 0;

    tkt_charset_add(&out, label, strlen(label), p, n, NULL);
    if (!tkt_utf8_valid(tkt_buf_str(&out), out.len)) {
        abort();
    }
    tkt_buf_release(&out);
    if (tkt_date_read(p, n, &date_s) && date_s == 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_buf out = TKT_BUF_INIT(16 * size + 16);
    const char *p = (const char *)data;

    if (tkt_charset_init(NULL) < 0) {
        abort();
    }
    tkt_rfc2047_add_near(&out, size > 0 && p[0] == 'k' ? "koi8-r" : "", p, size);
    must_be_a_line(tkt_buf_str(&out), out.len);
    tkt_buf_release(&out);
    dates_and_bytes(p, size);
    params("Content-Type", p, size);
    params("Content-Disposition", p, size);
    return 0;
}
