/* SPDX-License-Identifier: BSD-2-Clause
 * Which addresses a request on somebody else's behalf may reach. Pure; any thread.
 */
#ifndef TKT_NET_GUARD_H
#define TKT_NET_GUARD_H
#include <stdbool.h>
#include <sys/socket.h>

/* An address of the public internet: none of this host, of a private, shared, link-local,
 * documentation, benchmark, multicast or reserved range, nor one of these inside an
 * address of IPv6. Other families are none. */
bool tkt_address_is_public(const struct sockaddr *address, socklen_t len);
/* 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104. */
bool tkt_address_is_loopback(const struct sockaddr *address, socklen_t len);

#endif
