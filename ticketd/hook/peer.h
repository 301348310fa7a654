/* SPDX-License-Identifier: BSD-2-Clause
 * Who calls: the connection's other end, or whom a trusted proxy names. Pure.
 */
#ifndef TKT_TICKETD_HOOK_PEER_H
#define TKT_TICKETD_HOOK_PEER_H
#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>

#define TKT_HOOK_HOPS_MAX 32 /* of X-Forwarded-For, from its end */

/* forwarded: all of X-Forwarded-For in the order of its lines, commas between; NULL: there
 * is none. It counts only as far as those who wrote it are in proxies (networks as text):
 * from its end, the first address that is none of theirs; else the last that was. Addresses
 * may have ports. */
void tkt_hook_client(const char *peer, char *const *proxies, size_t count,
                     const char *forwarded, char out[INET6_ADDRSTRLEN]);
/* Under what name an address is counted: one customer has at least a /64 of IPv6 (RFC 6177),
 * so this is its first address; of IPv4 itself. */
void tkt_hook_caller(const char *address, char out[INET6_ADDRSTRLEN]);

#endif
