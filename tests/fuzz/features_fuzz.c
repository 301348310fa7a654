/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes as a text: every feature is a piece of the folded text, which is UTF-8.
 */
#include "base/enc.h"
#include "decide/features.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_features f = TKT_FEATURES_INIT;
    size_t half = size / 2;

    if (tkt_features_add(&f, (const char *)data, half, 0) < 0 ||
        tkt_features_add(&f, (const char *)data + half, size - half, 1) < 0) {
        abort();
    }
    if (f.count > f.cap || !tkt_utf8_valid(f.folded.data, f.folded.len)) {
        abort();
    }
    for (size_t i = 0; i < f.count; i++) {
        const struct tkt_feature *x = &f.items[i];
        if (x->len == 0 || (size_t)x->at + x->len > f.folded.len ||
            !tkt_utf8_valid(f.folded.data + x->at, x->len)) {
            abort();
        }
    }
    tkt_features_release(&f);
    return 0;
}
