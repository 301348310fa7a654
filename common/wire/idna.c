/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/idna.h"

#include "base/enc.h"

#include <stdint.h>
#include <string.h>

#define LABEL_POINTS_MAX 63

/* RFC 3492 section 5. */
#define BASE 36
#define TMIN 1
#define TMAX 26
#define SKEW 38
#define DAMP 700
#define INITIAL_BIAS 72
#define INITIAL_N 128

static uint32_t fold(uint32_t c)
{
    bool latin1 = c >= 0xc0 && c <= 0xde && c != 0xd7;
    bool greek = c >= 0x391 && c <= 0x3a9;
    bool cyrillic = c >= 0x410 && c <= 0x42f;

    if ((c >= 'A' && c <= 'Z') || latin1 || greek || cyrillic) {
        return c + 0x20;
    }
    return c >= 0x400 && c <= 0x40f ? c + 0x50 : c;
}

/* One character of well-formed UTF-8. */
static uint32_t next_point(const unsigned char **p)
{
    const unsigned char *s = *p;
    uint32_t c = s[0];
    size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

    if (more > 0) {
        c &= 0x3fU >> more;
    }
    for (size_t i = 1; i <= more; i++) {
        c = c << 6 | (s[i] & 0x3fU);
    }
    *p = s + 1 + more;
    return c;
}

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;

    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE) {
        delta /= BASE - TMIN;
    }
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static char digit(uint32_t d)
{
    return (char)(d < 26 ? 'a' + d : '0' + (d - 26));
}

static void add_delta(struct tkt_buf *out, uint32_t delta, uint32_t bias)
{
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t t = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
        if (delta < t) {
            break;
        }
        (void)tkt_buf_addc(out,
                           digit(t + (delta - t) % (BASE - t))); /* checked at last */
        delta = (delta - t) / (BASE - t);
    }
    (void)tkt_buf_addc(out, digit(delta)); /* as above */
}

/* At most 63 points below 2^21 keep all arithmetic within 32 bits. */
static void add_punycode(struct tkt_buf *out, const uint32_t *points, uint32_t count)
{
    uint32_t n = INITIAL_N;
    uint32_t delta = 0;
    uint32_t bias = INITIAL_BIAS;
    uint32_t basic = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (points[i] < 0x80) {
            (void)tkt_buf_addc(out, (char)points[i]); /* as above */
            basic++;
        }
    }
    if (basic > 0) {
        (void)tkt_buf_addc(out, '-'); /* as above */
    }
    for (uint32_t done = basic; done < count; delta++, n++) {
        uint32_t m = UINT32_MAX;
        for (uint32_t i = 0; i < count; i++) {
            m = points[i] >= n && points[i] < m ? points[i] : m;
        }
        delta += (m - n) * (done + 1);
        n = m;
        for (uint32_t i = 0; i < count; i++) {
            delta += points[i] < n ? 1 : 0;
            if (points[i] == n) {
                add_delta(out, delta, bias);
                bias = adapt(delta, done + 1, done == basic);
                delta = 0;
                done++;
            }
        }
    }
}

/* A label of well-formed UTF-8. */
static void add_label(struct tkt_buf *out, const char *label, size_t len)
{
    uint32_t points[LABEL_POINTS_MAX];
    uint32_t count = 0;
    bool ascii = true;
    const unsigned char *p = (const unsigned char *)label;
    const unsigned char *end = p + len;

    while (p < end && count < LABEL_POINTS_MAX) {
        points[count] = fold(next_point(&p));
        ascii = ascii && points[count] < 0x80;
        count++;
    }
    if (p < end) {                          /* longer than any label: no row is like it */
        (void)tkt_buf_add(out, label, len); /* as above */
        return;
    }
    if (!ascii) {
        (void)tkt_buf_adds(out, "xn--"); /* as above */
        add_punycode(out, points, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)tkt_buf_addc(out, (char)points[i]); /* as above */
    }
}

static void add_domain(struct tkt_buf *out, const char *domain, size_t len)
{
    if (!tkt_utf8_valid(domain, len)) {
        (void)tkt_buf_add(out, domain, len); /* as above */
        return;
    }
    for (size_t at = 0; at < len;) {
        const char *dot = memchr(domain + at, '.', len - at);
        size_t n = dot != NULL ? (size_t)(dot - domain) - at : len - at;
        add_label(out, domain + at, n);
        at += n;
        if (dot != NULL) {
            (void)tkt_buf_addc(out, '.'); /* as above */
            at++;
        }
    }
}

int tkt_idna_domain(const char *domain, size_t len, char *out, size_t cap)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(cap - 1);

    add_domain(&b, domain, len);
    if (b.failed) {
        return -1;
    }
    memcpy(out, tkt_buf_str(&b), b.len + 1);
    tkt_ascii_lower(out);
    return (int)b.len;
}
