/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/uucode.h"

#include <string.h>

bool tkt_uu_begin(const char *line, size_t n, struct tkt_uu_begin *out)
{
    static const char plain[] = "begin ";
    static const char base64[] = "begin-base64 ";
    bool is_base64 = n > sizeof(base64) && memcmp(line, base64, sizeof(base64) - 1) == 0;
    size_t at = is_base64 ? sizeof(base64) - 1 : sizeof(plain) - 1;

    if (!is_base64 && (n <= sizeof(plain) || memcmp(line, plain, at) != 0)) {
        return false;
    }
    size_t mode = at;
    while (at < n && line[at] >= '0' && line[at] <= '7') {
        at++;
    }
    if (at - mode < 3 || at - mode > 6 || at == n || line[at] != ' ') {
        return false;
    }
    while (at < n && line[at] == ' ') {
        at++;
    }
    while (n > at && (line[n - 1] == ' ' || line[n - 1] == '\t')) {
        n--;
    }
    *out = (struct tkt_uu_begin){line + at, n - at, is_base64};
    return n > at;
}

bool tkt_uu_is_end(const char *line, size_t n)
{
    while (n > 3 && (line[n - 1] == ' ' || line[n - 1] == '\t')) {
        n--;
    }
    return n == 3 && memcmp(line, "end", 3) == 0;
}

/* 0..63, or -1 for what no line holds. '`' stands for a blank. */
static int value_at(const char *line, size_t n, size_t i)
{
    unsigned char c = i < n ? (unsigned char)line[i] : ' ';

    return c < ' ' || c > '`' ? -1 : (c - ' ') & 63;
}

int tkt_uu_decode(const char *line, size_t n, char *out)
{
    int len = n == 0 ? 0 : value_at(line, n, 0);
    size_t digits = len < 0 ? 0 : ((size_t)len + 2) / 3 * 4;

    /* Some writers end a last, short group early; many add a checksum. */
    if (len < 0 || n > digits + 1 + 2) {
        return -1;
    }
    for (size_t i = 1; i <= digits; i += 4) {
        int v[4];
        for (size_t k = 0; k < 4; k++) {
            v[k] = value_at(line, n, i + k);
            if (v[k] < 0) {
                return -1;
            }
        }
        *out++ = (char)(v[0] << 2 | v[1] >> 4);
        *out++ = (char)(v[1] << 4 | v[2] >> 2);
        *out++ = (char)(v[2] << 6 | v[3]);
    }
    return len;
}
