/* SPDX-License-Identifier: BSD-2-Clause
 * The milter protocol: the input is what an MTA sends. Fed at once and in pieces it must
 * be answered alike. The first byte chooses the pieces.
 */
#include "milter/proto.h"
#include "tests/unit/milter_fixture.h"

#include <stdlib.h>
#include <string.h>

#define HELD_MAX (TKT_PROTO_LENGTH_BYTES + TKT_PROTO_PACKET_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct mta {
    struct tkt_proto proto; /* first */
    struct tkt_buf heard;
};

static int hear(struct tkt_proto *p)
{
    struct mta *m = (struct mta *)(void *)p;
    int rc = tkt_buf_add(&m->heard, p->out.data, p->out.len);

    tkt_buf_reset(&p->out);
    return rc;
}

static void no_wait(struct tkt_proto *p)
{
    (void)p;
}

/* Feeds size bytes, step at a time, as the engine does. */
static void talk(struct mta *m, struct tkt_milter *milter, const char *data, size_t size,
                 size_t step)
{
    TKT_AUTO_BUF struct tkt_buf held = TKT_BUF_INIT(HELD_MAX + size);
    ssize_t taken = 0;

    tkt_proto_init(&m->proto, milter);
    m->proto.send = hear;
    m->proto.may_block = no_wait;
    tkt_buf_init(&m->heard, 64 << 20);
    for (size_t at = 0; at < size && taken >= 0; at += step) {
        size_t n = size - at < step ? size - at : step;
        if (tkt_buf_add(&held, data + at, n) < 0) {
            abort(); /* a packet was held that is larger than the limit */
        }
        taken = tkt_proto_feed(&m->proto, held.data, held.len);
        (void)hear(&m->proto); /* 64 MiB hold it */
        if (taken > 0) {
            memmove(held.data, held.data + taken, held.len - (size_t)taken);
            held.len -= (size_t)taken;
        }
        if (taken >= 0 && held.len > HELD_MAX) {
            abort();
        }
    }
    tkt_proto_release(&m->proto);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tkt_milter *milter;
    static struct mta whole;
    static struct mta pieces;

    if (milter == NULL) {
        milter = tkt_fixture_milter();
    }
    if (size == 0 || milter == NULL) {
        return 0;
    }
    const char *text = (const char *)data + 1;
    talk(&whole, milter, text, size - 1, size);
    talk(&pieces, milter, text, size - 1, 1 + (size_t)data[0] % 64);
    if (whole.heard.len != pieces.heard.len ||
        (whole.heard.len > 0 &&
         memcmp(whole.heard.data, pieces.heard.data, whole.heard.len) != 0)) {
        abort();
    }
    tkt_buf_release(&whole.heard);
    tkt_buf_release(&pieces.heard);
    return 0;
}
