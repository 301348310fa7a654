/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/hook/peer.h"

#include "base/network.h"

#include <stdio.h>
#include <string.h>

#define HOP_MAX 64

/* The address of a hop, as it is always written: "192.0.2.1:80", "[2001:db8::1]:80",
 * "2001:db8::1". false: it is none ("unknown", a name made up). */
static bool address_of(const char *hop, size_t len, char out[INET6_ADDRSTRLEN])
{
    struct in6_addr v6;
    struct in_addr v4;
    char text[HOP_MAX];

    while (len > 0 && strchr(" \t", hop[len - 1]) != NULL) {
        len--;
    }
    while (len > 0 && strchr(" \t", *hop) != NULL) {
        hop++;
        len--;
    }
    if (len == 0 || len >= sizeof(text)) {
        return false;
    }
    (void)snprintf(text, sizeof(text), "%.*s", (int)len, hop); /* has room */
    char *start = text + (text[0] == '[');
    char *colon = strchr(start, ':');
    if (text[0] == '[') {
        start[strcspn(start, "]")] = '\0';
    } else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        *colon = '\0';
    }
    if (inet_pton(AF_INET, start, &v4) == 1) {
        return inet_ntop(AF_INET, &v4, out, INET6_ADDRSTRLEN) != NULL;
    }
    if (inet_pton(AF_INET6, start, &v6) != 1) {
        return false;
    }
    /* One address has one name. */
    return IN6_IS_ADDR_V4MAPPED(&v6)
               ? inet_ntop(AF_INET, v6.s6_addr + 12, out, INET6_ADDRSTRLEN) != NULL
               : inet_ntop(AF_INET6, &v6, out, INET6_ADDRSTRLEN) != NULL;
}

void tkt_hook_client(const char *peer, char *const *proxies, size_t count,
                     const char *forwarded, char out[INET6_ADDRSTRLEN])
{
    size_t end = forwarded == NULL ? 0 : strlen(forwarded);
    char hop[INET6_ADDRSTRLEN];

    (void)snprintf(out, INET6_ADDRSTRLEN, "%s", peer); /* addresses have room */
    for (int i = 0; end > 0 && i < TKT_HOOK_HOPS_MAX; i++) {
        size_t start = end;

        if (!tkt_networks_have(proxies, count, out)) {
            return;
        }
        while (start > 0 && forwarded[start - 1] != ',') {
            start--;
        }
        if (!address_of(forwarded + start, end - start, hop)) {
            return;
        }
        (void)snprintf(out, INET6_ADDRSTRLEN, "%s", hop); /* the same size */
        end = start > 0 ? start - 1 : 0;
    }
}

void tkt_hook_caller(const char *address, char out[INET6_ADDRSTRLEN])
{
    struct in6_addr v6;

    if (inet_pton(AF_INET6, address, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6)) {
        memset(v6.s6_addr + 8, 0, 8);
        (void)inet_ntop(AF_INET6, &v6, out, INET6_ADDRSTRLEN); /* has room */
    } else {
        (void)snprintf(out, INET6_ADDRSTRLEN, "%s", address); /* the same size */
    }
}
