/* SPDX-License-Identifier: BSD-2-Clause
 * HTML -> text: never more than a few bytes out for one in, in a few steps a byte, UTF-8
 * without control bytes, and marks in order within the text.
 */
#include "base/enc.h"
#include "message/html.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_buf in = TKT_BUF_INIT(4 * size + 16);
    struct tkt_buf out = TKT_BUF_INIT(64 * size + 64);
    struct tkt_marks marks = {.count = 0};

    tkt_utf8_add_clean(&in, data, size);
    struct tkt_html_notes notes = {.marks = &marks};
    tkt_html_text(&out, tkt_buf_str(&in), in.len, &notes);
    if (out.failed || !tkt_utf8_valid(tkt_buf_str(&out), out.len) ||
        notes.steps > 48 * in.len + 1024) {
        abort();
    }
    for (size_t i = 0; i < out.len; i++) {
        unsigned char c = (unsigned char)out.data[i];
        if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f) {
            abort();
        }
    }
    for (size_t i = 0; i < marks.count; i++) {
        if (marks.items[i].offset > out.len ||
            (i > 0 && marks.items[i].offset < marks.items[i - 1].offset)) {
            abort();
        }
    }
    tkt_buf_release(&in);
    tkt_buf_release(&out);
    return 0;
}
