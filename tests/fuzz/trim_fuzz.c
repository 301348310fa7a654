/* SPDX-License-Identifier: BSD-2-Clause
 * Trimming: every line of the text comes out once, in one of the three parts and in its
 * order, whatever the marks and the subject say. The first byte tells how many marks
 * stand at the end of the input, three bytes each.
 */
#include "base/util.h"
#include "message/trim.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MARKS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t take_marks(const uint8_t *data, size_t size, struct tkt_marks *marks)
{
    size_t count = size > 0 ? data[0] % MARKS_MAX : 0;
    uint32_t offset = 0;

    marks->count = 0;
    while (count-- > 0 && size > 4) {
        const uint8_t *p = data + size - 3;
        offset += (uint32_t)p[0] << 8 | p[1];
        marks->items[marks->count++] =
            (struct tkt_mark){offset, p[2] % (TKT_MARK_FORWARD + 1)};
        size -= 3;
    }
    return size;
}

/* The next line of b behind *at, or NULL. */
static const char *next_line(const struct tkt_buf *b, size_t *at, size_t *n)
{
    const char *p = tkt_buf_str(b) + *at;
    const char *end = *at < b->len ? memchr(p, '\n', b->len - *at) : NULL;

    if (end == NULL) {
        return NULL;
    }
    *n = (size_t)(end - p);
    *at += *n + 1;
    return p;
}

/* Takes each line of the text from the part that has it next. */
static void check_lines(const char *text, size_t n, bool marked, const struct tkt_trim *t)
{
    const struct tkt_buf *const parts[] = {&t->reply, &t->signature, &t->quoted};
    size_t total = t->reply.len + t->signature.len + t->quoted.len;
    uint64_t sum = 0;
    uint64_t parts_sum = 0;

    if (n > 0 && (marked ? total < n : total != n + (text[n - 1] != '\n'))) {
        abort();
    }
    if (marked) {
        return; /* the lines of its quotes may have got a "> " */
    }
    /* The same lines, in any distribution: sums of line hashes are equal. */
    for (size_t i = 0, from = 0; i <= n && n > 0; i++) {
        if (i == n ? i > from || text[n - 1] != '\n' : text[i] == '\n') {
            uint64_t h = 1469598103934665603u;
            for (size_t k = from; k < i; k++) {
                h = (h ^ (uint8_t)text[k]) * 1099511628211u;
            }
            sum += h;
            from = i + 1;
        }
    }
    for (size_t k = 0; k < TKT_ARRAY_LEN(parts); k++) {
        size_t at = 0;
        size_t len = 0;
        const char *p;
        while ((p = next_line(parts[k], &at, &len)) != NULL) {
            uint64_t h = 1469598103934665603u;
            for (size_t i = 0; i < len; i++) {
                h = (h ^ (uint8_t)p[i]) * 1099511628211u;
            }
            parts_sum += h;
        }
    }
    if (sum != parts_sum) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_marks marks;
    struct tkt_trim t;
    size_t n = take_marks(data, size, &marks);
    const char *text = (const char *)data + (n > 0 ? 1 : 0);
    const char *subject = size > 0 && (data[0] & 0x10) != 0   ? "Fwd: x"
                          : size > 0 && (data[0] & 0x20) != 0 ? "VS: x"
                                                              : NULL;

    n -= n > 0;
    if (tkt_trim_text(text, n, &marks, subject, n + 1, &t) < 0) {
        abort();
    }
    check_lines(text, n, marks.count > 0, &t);
    (void)tkt_trim_date(tkt_buf_str(&t.forward_date), t.forward_date.len,
                        t.language_hint); /* that it returns is enough */
    tkt_trim_release(&t);
    return 0;
}
