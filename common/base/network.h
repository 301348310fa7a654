/* SPDX-License-Identifier: BSD-2-Clause
 * Networks of IP addresses: "192.0.2.0/24", "2001:db8::/32", or one address.
 *
 * Bits behind the prefix do not count. An IPv4 address mapped into IPv6 is the IPv4
 * address; "IPv6:" before an address (as in SMTP) is skipped. Pure; no memory.
 */
#ifndef TKT_BASE_NETWORK_H
#define TKT_BASE_NETWORK_H
#include <stdbool.h>

struct tkt_network {
    unsigned char bytes[16];
    unsigned length; /* of the address: 4 or 16 bytes */
    unsigned bits;   /* of the prefix */
};

bool tkt_network_parse(const char *text, struct tkt_network *out);
/* False too when address is none. */
bool tkt_network_has(const struct tkt_network *network, const char *address);
/* Whether address is in one of the networks, which are text; what is none has nothing. */
bool tkt_networks_have(char *const *networks, unsigned long count, const char *address);

#endif
