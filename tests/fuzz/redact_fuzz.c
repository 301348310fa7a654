/* SPDX-License-Identifier: BSD-2-Clause
 * Redaction: bounded, UTF-8 stays UTF-8, and what was redacted once is not changed by
 * patterns and numbers a second time.
 */
#include "base/enc.h"
#include "message/redact.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const patterns[] = {"EMP-####", "K?-*", "Projekt @#", "a*b*c"};
    static const struct tkt_redact_rules all = {true, true, true, patterns, 4};
    static const struct tkt_redact_rules numbers = {true, true, false, NULL, 0};
    struct tkt_buf in = TKT_BUF_INIT(4 * size + 16);
    struct tkt_buf out = TKT_BUF_INIT(TKT_REDACT_GROWTH * (4 * size + 16) + 64);
    struct tkt_buf again = TKT_BUF_INIT(TKT_REDACT_GROWTH * (4 * size + 16) + 64);
    size_t count = 0;

    tkt_utf8_add_clean(&in, data, size);
    if (tkt_redact_add(&out, tkt_buf_str(&in), in.len, &all, NULL) < 0 ||
        !tkt_utf8_valid(tkt_buf_str(&out), out.len)) {
        abort();
    }
    tkt_buf_reset(&out);
    if (tkt_redact_add(&out, tkt_buf_str(&in), in.len, &numbers, NULL) < 0 ||
        tkt_redact_add(&again, tkt_buf_str(&out), out.len, &numbers, &count) < 0 ||
        count > 0) {
        abort();
    }
    tkt_buf_release(&in);
    tkt_buf_release(&out);
    tkt_buf_release(&again);
    return 0;
}
