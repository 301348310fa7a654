/* SPDX-License-Identifier: BSD-2-Clause
 * Address fields: any bytes up to the cap of a field, in time and within the caps.
 */
#include "message/address.h"
#include "message/parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_wire_arena arena = {NULL};
    struct tkt_addresses list = {NULL, 0};

    if (tkt_message_parser_init(NULL) < 0) {
        abort();
    }
    size = size > 32768 ? 32768 : size;
    enum tkt_address_result rc =
        tkt_address_add((const char *)data, size, 256, &list, &arena);
    if (rc == TKT_ADDRESS_NO_MEMORY || list.count > TKT_MESSAGE_ADDRS_MAX) {
        abort();
    }
    for (size_t i = 0; i < list.count; i++) {
        if (strlen(list.items[i].address) > TKT_ADDRESS_MAX ||
            strchr(list.items[i].address, '@') == NULL) {
            abort();
        }
    }
    tkt_wire_arena_release(&arena);
    return 0;
}
