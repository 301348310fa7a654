/* SPDX-License-Identifier: BSD-2-Clause
 * What MTAs do to a message on its way, for property tests: encoders of a hop that turns
 * 8-bit content into 7-bit, and small random numbers with a printed seed. Header only.
 */
#ifndef TKT_TESTS_RECODE_H
#define TKT_TESTS_RECODE_H
#include "base/buf.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t recode_state;

/* TKT_SEED in the environment repeats a run. */
static inline void recode_seed(void)
{
    const char *given = getenv("TKT_SEED");

    recode_state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)random();
    if (given == NULL) {
        FILE *f = fopen("/dev/urandom", "rb");

        if (f != NULL) {
            (void)!fread(&recode_state, 4, 1, f); /* the old value serves as well */
            fclose(f);
        }
    }
    printf("TKT_SEED=%" PRIu64 "\n", recode_state);
}

static inline unsigned recode_random(unsigned below)
{
    recode_state =
        recode_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(recode_state >> 33) % below;
}

/* Quoted-printable of LF text, lines of at most 76. */
static inline void recode_qp(const char *p, size_t n, const char *eol,
                             struct tkt_buf *out)
{
    size_t column = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        int at_end = i + 1 == n || p[i + 1] == '\n';

        if (c == '\n') {
            (void)tkt_buf_adds(out, eol);
            column = 0;
            continue;
        }
        if (column >= 72) {
            (void)tkt_buf_addf(out, "=%s", eol);
            column = 0;
        }
        if (c == '=' || c > 126 || (c < 32 && c != '\t') || (at_end && c <= ' ')) {
            (void)tkt_buf_addf(out, "=%02X", c);
            column += 3;
        } else {
            (void)tkt_buf_addc(out, (char)c);
            column++;
        }
    }
}

/* Base64 with lines of 76; the content's LFs become CRLF first, as MTAs do. */
static inline void recode_base64(const char *p, size_t n, const char *eol,
                                 struct tkt_buf *out)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    TKT_AUTO_BUF struct tkt_buf in = TKT_BUF_INIT(1 << 22);

    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n') {
            (void)tkt_buf_addc(&in, '\r');
        }
        (void)tkt_buf_addc(&in, p[i]);
    }
    for (size_t i = 0; i < in.len; i += 3) {
        unsigned char b[3] = {0, 0, 0};
        size_t have = in.len - i < 3 ? in.len - i : 3;

        memcpy(b, in.data + i, have);
        (void)tkt_buf_addc(out, digits[b[0] >> 2]);
        (void)tkt_buf_addc(out, digits[(b[0] & 3) << 4 | b[1] >> 4]);
        (void)tkt_buf_addc(out, have > 1 ? digits[(b[1] & 15) << 2 | b[2] >> 6] : '=');
        (void)tkt_buf_addc(out, have > 2 ? digits[b[2] & 63] : '=');
        if (i % 57 == 54) {
            (void)tkt_buf_adds(out, eol);
        }
    }
    (void)tkt_buf_adds(out, eol);
}

/* LF -> CRLF. */
static inline void recode_crlf(const char *p, size_t n, struct tkt_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n' && (i == 0 || p[i - 1] != '\r')) {
            (void)tkt_buf_addc(out, '\r');
        }
        (void)tkt_buf_addc(out, p[i]);
    }
}

#endif
