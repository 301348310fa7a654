/* SPDX-License-Identifier: BSD-2-Clause
 * What comes from outside as a token, an address, a Message-ID or an X-Ticket-ID: nothing
 * is valid by chance, what is split is made whole again.
 */
#include "ticketd/mail/xid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char msg_key[TKT_SHA256_LEN];
    struct tkt_token_keys keys = {.count = 0};
    struct tkt_token t;
    char token[TKT_TOKEN_LEN + 1];
    char id[TKT_XID_ID_MAX + 1];
    char base[512];
    char whole[1024];
    char *text = strndup((const char *)data, size);

    if (text == NULL || tkt_token_keys_add(&keys, "a key of sixteen", 16, NULL) != 0) {
        abort();
    }
    if (tkt_token_verify(&keys, (const char *)data, size, 0, &t) <= TKT_TOKEN_EXPIRED ||
        tkt_xid_verify(&keys, text, "it", msg_key, 0, 86400, id) <= TKT_TOKEN_EXPIRED) {
        abort();
    }
    if (tkt_token_split(text, '+', token, base, sizeof(base)) &&
        tkt_token_address(base, '+', token, whole, sizeof(whole)) == 0 &&
        strcasecmp(whole, text) != 0) {
        abort();
    }
    if (tkt_token_from_message_id(text, "mx.example.test", token) &&
        strlen(token) != TKT_TOKEN_LEN) {
        abort();
    }
    free(text);
    return 0;
}
