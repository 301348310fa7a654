/* SPDX-License-Identifier: BSD-2-Clause
 * The decoders of what a child tells: what they take encodes to the same bytes again.
 */
#include "decide/decide.h"
#include "message/message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_same(const struct tkt_buf *b, int rc, const uint8_t *data,
                         size_t size)
{
    if (rc < 0 || b->len != size || memcmp(b->data, data, size) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_buf b = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    struct tkt_message m;
    struct tkt_facts f;
    struct tkt_decisions d;

    if (tkt_message_decode(data, size, &m, NULL) == 0) {
        must_be_same(&b, tkt_message_encode(&m, &b), data, size);
        tkt_message_release(&m);
    }
    if (tkt_facts_decode(data, size, &f, NULL) == 0) {
        must_be_same(&b, tkt_facts_encode(&f, &b), data, size);
        tkt_facts_release(&f);
    }
    if (tkt_decisions_decode(data, size, &d, NULL) == 0) {
        must_be_same(&b, tkt_decisions_encode(&d, &b), data, size);
        tkt_decisions_release(&d);
    }
    tkt_buf_release(&b);
    return 0;
}
