/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/network.h"

#include "base/enc.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool parse_address(const char *text, struct tkt_network *out)
{
    if (tkt_ascii_ieqn(text, "IPv6:", 5)) {
        text += 5;
    }
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, text, out->bytes) == 1) {
        out->length = 4;
    } else if (inet_pton(AF_INET6, text, out->bytes) == 1) {
        out->length = 16;
    } else {
        return false;
    }
    if (out->length == 16 && memcmp(out->bytes, mapped, sizeof(mapped)) == 0) {
        memmove(out->bytes, out->bytes + sizeof(mapped), 4);
        out->length = 4;
    }
    out->bits = out->length * 8;
    return true;
}

bool tkt_network_parse(const char *text, struct tkt_network *out)
{
    const char *slash = strchr(text, '/');
    char address[64];
    char *end;

    if (slash == NULL) {
        return parse_address(text, out);
    }
    size_t n = (size_t)(slash - text);
    if (n >= sizeof(address) || slash[1] < '0' || slash[1] > '9') {
        return false;
    }
    memcpy(address, text, n);
    address[n] = '\0';
    unsigned long bits = strtoul(slash + 1, &end, 10);
    if (*end != '\0' || !parse_address(address, out) || bits > out->bits) {
        return false;
    }
    out->bits = (unsigned)bits;
    return true;
}

bool tkt_network_has(const struct tkt_network *network, const char *address)
{
    struct tkt_network a;

    if (!parse_address(address, &a) || a.length != network->length) {
        return false;
    }
    for (unsigned i = 0; i < network->bits; i++) {
        unsigned char bit = (unsigned char)(0x80 >> i % 8);
        if (((a.bytes[i / 8] ^ network->bytes[i / 8]) & bit) != 0) {
            return false;
        }
    }
    return true;
}

bool tkt_networks_have(char *const *networks, unsigned long count, const char *address)
{
    struct tkt_network network;

    for (unsigned long i = 0; i < count; i++) {
        if (tkt_network_parse(networks[i], &network) &&
            tkt_network_has(&network, address)) {
            return true;
        }
    }
    return false;
}
