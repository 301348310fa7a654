/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/guard.h"

#include "base/util.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct range4 {
    uint32_t net;
    int bits;
};
struct range6 {
    unsigned char net[16];
    int bits;
};

#define IP4(a, b, c, d)                                                                  \
    (((uint32_t)(a) << 24) | ((uint32_t)(b) << 16) | ((uint32_t)(c) << 8) | (uint32_t)(d))

/* The special-purpose registries of IANA (RFC 6890 and later), multicast, class E. */
static const struct range4 closed4[] = {
    {IP4(0, 0, 0, 0), 8},      {IP4(10, 0, 0, 0), 8},     {IP4(100, 64, 0, 0), 10},
    {IP4(127, 0, 0, 0), 8},    {IP4(169, 254, 0, 0), 16}, {IP4(172, 16, 0, 0), 12},
    {IP4(192, 0, 0, 0), 24},   {IP4(192, 0, 2, 0), 24},   {IP4(192, 88, 99, 0), 24},
    {IP4(192, 168, 0, 0), 16}, {IP4(198, 18, 0, 0), 15},  {IP4(198, 51, 100, 0), 24},
    {IP4(203, 0, 113, 0), 24}, {IP4(224, 0, 0, 0), 4},    {IP4(240, 0, 0, 0), 4},
};
static const struct range6 closed6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* Teredo, ORCHID, benchmarks ... */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff, 0x00}, 20},       /* documentation */
};

static bool is_public4(uint32_t ip)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(closed4); i++) {
        uint32_t mask = ~(uint32_t)0 << (32 - closed4[i].bits);

        if ((ip & mask) == closed4[i].net) {
            return false;
        }
    }
    return true;
}

static uint32_t read4(const unsigned char *p)
{
    return IP4(p[0], p[1], p[2], p[3]);
}

static bool starts_with(const unsigned char ip[16], const struct range6 *r)
{
    int whole = r->bits / 8;
    unsigned char mask = (unsigned char)(0xff00 >> (r->bits % 8));

    return memcmp(ip, r->net, (size_t)whole) == 0 &&
           (r->bits % 8 == 0 || (ip[whole] & mask) == (r->net[whole] & mask));
}

static bool is_public6(const unsigned char ip[16])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};

    if (memcmp(ip, mapped, 12) == 0 || memcmp(ip, nat64, 12) == 0) {
        return is_public4(read4(ip + 12));
    }
    if (ip[0] == 0x20 && ip[1] == 0x02) { /* 6to4 */
        return is_public4(read4(ip + 2));
    }
    /* Only 2000::/3 is given out. */
    if ((ip[0] & 0xe0) != 0x20) {
        return false;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(closed6); i++) {
        if (starts_with(ip, &closed6[i])) {
            return false;
        }
    }
    return true;
}

bool tkt_address_is_public(const struct sockaddr *address, socklen_t len)
{
    if (address->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;

        memcpy(&in, address, sizeof(in));
        return is_public4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in6;

        memcpy(&in6, address, sizeof(in6));
        return is_public6(in6.sin6_addr.s6_addr);
    }
    return false;
}

bool tkt_address_is_loopback(const struct sockaddr *address, socklen_t len)
{
    if (address->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;

        memcpy(&in, address, sizeof(in));
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    if (address->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in6;

        memcpy(&in6, address, sizeof(in6));
        return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) && in6.sin6_addr.s6_addr[12] == 127);
    }
    return false;
}
