/* SPDX-License-Identifier: BSD-2-Clause
 * Address fields: any bytes up to the cap of a field, in time and within the caps.
 */
#include "base/enc.h"
#include "message/address.h"
#include "message/parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_a_line(const char *s, size_t max)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < ' ' && s[i] != '\t') {
            abort();
        }
    }
    if (n > max || !tkt_utf8_valid(s, n)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_wire_arena arena = {NULL};
    struct tkt_addresses list = {NULL, 0};

    if (tkt_message_parser_init(NULL) < 0) {
        abort();
    }
    size = size > 32768 ? 32768 : size;
    struct tkt_address_caps caps = {TKT_MESSAGE_ADDRS_MAX, 1024};
    enum tkt_address_result rc =
        tkt_address_add((const char *)data, size, "", &caps, &list, &arena);
    if (rc == TKT_ADDRESS_NO_MEMORY || list.count > TKT_MESSAGE_ADDRS_MAX) {
        abort();
    }
    for (size_t i = 0; i < list.count; i++) {
        must_be_a_line(list.items[i].name, caps.name_max);
        must_be_a_line(list.items[i].address, TKT_ADDRESS_MAX);
        if (strchr(list.items[i].address, '@') == NULL) {
            abort();
        }
    }
    tkt_wire_arena_release(&arena);
    return 0;
}
