/* SPDX-License-Identifier: BSD-2-Clause
 * What ticketd decodes of a parser child's answers, and the child of ticketd's facts. The
 * first byte says which; what is taken must survive encoding and decoding once more.
 */
#include "decide/decide.h"
#include "message/message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int rc)
{
    if (rc < 0) {
        abort();
    }
}

static void feed_message(const uint8_t *data, size_t size, struct tkt_buf *again)
{
    struct tkt_message m;

    if (tkt_message_decode(data, size, &m, NULL) == 0) {
        require(tkt_message_encode(&m, again));
        tkt_message_release(&m);
        require(tkt_message_decode(again->data, again->len, &m, NULL));
        tkt_message_release(&m);
    }
}

static void feed_decisions(const uint8_t *data, size_t size, struct tkt_buf *again)
{
    struct tkt_decisions d;
    struct tkt_facts facts = {0};

    if (tkt_decisions_decode(data, size, &d, NULL) == 0) {
        (void)tkt_decisions_check(&d, &facts, NULL); /* must only not crash */
        require(tkt_decisions_encode(&d, again));
        tkt_decisions_release(&d);
        require(tkt_decisions_decode(again->data, again->len, &d, NULL));
        tkt_decisions_release(&d);
    }
}

static void feed_facts(const uint8_t *data, size_t size, struct tkt_buf *again)
{
    struct tkt_facts f;

    if (tkt_facts_decode(data, size, &f, NULL) == 0) {
        require(tkt_facts_encode(&f, again));
        tkt_facts_release(&f);
        require(tkt_facts_decode(again->data, again->len, &f, NULL));
        tkt_facts_release(&f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_buf again = TKT_BUF_INIT(2 * TKT_MESSAGE_WIRE_MAX);

    if (size == 0) {
        return 0;
    }
    switch (data[0]) {
    case 'm':
        feed_message(data + 1, size - 1, &again);
        break;
    case 'd':
        feed_decisions(data + 1, size - 1, &again);
        break;
    case 'f':
        feed_facts(data + 1, size - 1, &again);
        break;
    default:
        break;
    }
    tkt_buf_release(&again);
    return 0;
}
