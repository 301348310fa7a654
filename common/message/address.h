/* SPDX-License-Identifier: BSD-2-Clause
 * Address fields -> addresses.
 *
 * RFC 5322 with its obsolete forms and RFC 6532; own code, because libraries recurse on
 * groups, take seconds for lists that are none, and open converters for encoded-words.
 * Read all the same, as people's mail has it: names that are not quoted ("Smith, John"
 * <..>), a quote or a bracket that never closes, encoded-words inside quotes or around the
 * address itself, "mailto:", an address that stands in the name. Groups are flattened.
 * Names are one line of UTF-8 in normal form C, domains are lower case (beyond ASCII, too).
 *
 * One pass, no recursion; what goes beyond a cap is left out. Pure but for the converters
 * (message/charset.h): one thread at a time.
 */
#ifndef TKT_MESSAGE_ADDRESS_H
#define TKT_MESSAGE_ADDRESS_H
#include "message/message.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_ADDRESS_MAX 1024

struct tkt_address_caps {
    size_t addresses_max; /* at most TKT_MESSAGE_ADDRS_MAX */
    size_t name_max;      /* bytes, at most TKT_MESSAGE_NAME_MAX */
};
enum tkt_address_result {
    TKT_ADDRESS_OK,
    TKT_ADDRESS_AMBIGUOUS, /* an entry could be read as another address, too */
    TKT_ADDRESS_BROKEN,    /* something stands there, but no address */
    TKT_ADDRESS_MANY,      /* more than addresses_max in all: the rest is left out */
    TKT_ADDRESS_NO_MEMORY
};

/* Appends to out, whose items are allocated in arena at the first call. hint: a charset
 * for raw 8-bit text, or "". */
enum tkt_address_result tkt_address_add(const char *value, size_t n, const char *hint,
                                        const struct tkt_address_caps *caps,
                                        struct tkt_addresses *out,
                                        struct tkt_wire_arena *arena);

#endif
