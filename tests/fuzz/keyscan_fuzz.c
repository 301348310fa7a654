/* SPDX-License-Identifier: BSD-2-Clause
 * The key scan: any bytes give a result, the same in one piece and in small ones, with
 * LF and with CRLF; a text is a copy of itself.
 */
#include "ticketd/mail/copies.h"
#include "ticketd/mail/keyscan.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const items[] = {"IT", "HR"};
static const struct tkt_prefixes own = {items, 2};

static void scan_pieces(struct tkt_keyscan *s, const uint8_t *data, size_t size,
                        size_t piece, unsigned char key[TKT_SHA256_LEN])
{
    tkt_keyscan_reset(s, &own, NULL);
    for (size_t at = 0; at < size; at += piece) {
        tkt_keyscan_add(s, data + at, size - at < piece ? size - at : piece);
    }
    const struct tkt_keyscan_result *r = tkt_keyscan_final(s);
    if (r->size != size || r->ref_count > TKT_KEYSCAN_REFS_MAX ||
        strlen(r->from) > TKT_KEYSCAN_ADDR_MAX) {
        abort();
    }
    memcpy(key, r->key, TKT_SHA256_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_keyscan *s = tkt_keyscan_new(&own, NULL);
    struct tkt_copies_text *a = tkt_copies_new();
    struct tkt_copies_text *b = tkt_copies_new();
    unsigned char whole[TKT_SHA256_LEN];
    unsigned char pieces[TKT_SHA256_LEN];

    scan_pieces(s, data, size, size > 0 ? size : 1, whole);
    for (size_t piece = 1; piece < 8; piece += 3) {
        scan_pieces(s, data, size, piece, pieces);
        if (memcmp(whole, pieces, sizeof(whole)) != 0) {
            abort();
        }
    }
    tkt_copies_add(a, data, size);
    tkt_copies_add(b, data, size / 2);
    tkt_copies_add(b, data + size / 2, size - size / 2);
    if (!tkt_copies_is_copy(a, b)) {
        abort();
    }
    tkt_copies_free(&a);
    tkt_copies_free(&b);
    tkt_keyscan_free(&s);
    return 0;
}
