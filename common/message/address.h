/* SPDX-License-Identifier: BSD-2-Clause
 * Address fields -> addresses, by GMime behind caps of ours.
 *
 * GMime's parser calls itself for each ':' of a group, so a field with more of them than
 * colons_max (outside quotes) never reaches it: a plain search for user@domain reads that
 * one. It also gets no more entries of a list than are kept. Encoded-words are decoded here first and handed on as quoted strings in UTF-8,
 * because GMime would open a converter for their charset. Names are one line, domains
 * are lower case, groups are flattened.
 */
#ifndef TKT_MESSAGE_ADDRESS_H
#define TKT_MESSAGE_ADDRESS_H
#include "message/message.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_ADDRESS_MAX 1024

enum tkt_address_result {
    TKT_ADDRESS_OK,
    TKT_ADDRESS_COLONS, /* read by the plain search */
    TKT_ADDRESS_BROKEN, /* something stands there, but no address */
    TKT_ADDRESS_MANY,   /* more than TKT_MESSAGE_ADDRS_MAX in all: the rest is left out */
    TKT_ADDRESS_NO_MEMORY
};

/* Appends to out, whose items are allocated in arena at the first call. */
enum tkt_address_result tkt_address_add(const char *value, size_t n, size_t colons_max,
                                        struct tkt_addresses *out,
                                        struct tkt_wire_arena *arena);

#endif
