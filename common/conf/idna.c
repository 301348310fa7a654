/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/idna.h"

#include "base/enc.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BASE 36
#define TMIN 1
#define TMAX 26
#define SKEW 38
#define DAMP 700
#define INITIAL_BIAS 72
#define INITIAL_N 128

struct label {
    uint32_t cp[TKT_IDNA_LABEL_MAX + 1];
    size_t count;
    bool ascii;
};

static uint32_t lower(uint32_t c)
{
    bool pairs_even = (c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) ||
                      (c >= 0x14a && c <= 0x177) || (c >= 0x460 && c <= 0x481) ||
                      (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f) ||
                      (c >= 0x1e00 && c <= 0x1e95) || (c >= 0x1ea0 && c <= 0x1eff);
    bool pairs_odd = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);

    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
        (c >= 0x391 && c <= 0x3ab && c != 0x3a2) || (c >= 0x410 && c <= 0x42f)) {
        return c + 32;
    }
    if (pairs_even) {
        return c | 1;
    }
    if (pairs_odd) {
        return c % 2 == 1 ? c + 1 : c;
    }
    if (c >= 0x400 && c <= 0x40f) {
        return c + 80;
    }
    return c >= 0x531 && c <= 0x556 ? c + 48 : c; /* Armenian */
}

/* One character of valid UTF-8. */
static uint32_t next_char(const char **s)
{
    const unsigned char *p = (const unsigned char *)*s;
    int more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
    uint32_t c = more == 0 ? p[0] : p[0] & (0x3fU >> more);

    for (int i = 1; i <= more; i++) {
        c = c << 6 | (p[i] & 0x3f);
    }
    *s += more + 1;
    return c;
}

static int add_utf8(struct tkt_buf *out, uint32_t c)
{
    if (c < 0x80) {
        return tkt_buf_addc(out, (char)c);
    }
    char b[4];
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    for (int i = more; i > 0; i--) {
        b[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    b[0] = (char)(((0xff00 >> (more + 1)) & 0xff) | (int)c);
    return tkt_buf_add(out, b, (size_t)more + 1);
}

static bool is_combining(uint32_t c)
{
    return c >= 0x300 && c <= 0x36f;
}

/* Reads the label at *s up to the next dot (also the ideographic ones) or the end. */
static int read_label(const char **s, struct label *out)
{
    out->count = 0;
    out->ascii = true;
    while (**s != '\0') {
        uint32_t c = next_char(s);
        if (c == '.' || c == 0x3002 || c == 0xff0e || c == 0xff61) {
            *s -= c == '.' ? 1 : 3;
            return 0;
        }
        if (out->count > TKT_IDNA_LABEL_MAX - 1 || is_combining(c)) {
            return -1;
        }
        out->ascii = out->ascii && c < 0x80;
        out->cp[out->count++] = lower(c);
    }
    return 0;
}

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;

    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    while (delta > ((BASE - TMIN) * TMAX) / 2) {
        delta /= BASE - TMIN;
        k += BASE;
    }
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t threshold(uint32_t k, uint32_t bias)
{
    return k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
}

static char digit(uint32_t d)
{
    return (char)(d < 26 ? 'a' + d : '0' + d - 26);
}

static void add_integer(struct tkt_buf *out, uint32_t q, uint32_t bias)
{
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t t = threshold(k, bias);
        if (q < t) {
            (void)tkt_buf_addc(out, digit(q)); /* the caller checks out->failed */
            return;
        }
        (void)tkt_buf_addc(out, digit(t + (q - t) % (BASE - t))); /* as above */
        q = (q - t) / (BASE - t);
    }
}

/* RFC 3492, 6.3. At most 63 code points below 2^21: delta stays below 2^28. */
static int encode_label(const struct label *l, struct tkt_buf *out)
{
    uint32_t n = INITIAL_N;
    uint32_t delta = 0;
    uint32_t bias = INITIAL_BIAS;
    uint32_t basic = 0;

    (void)tkt_buf_adds(out, "xn--"); /* out->failed is checked below */
    for (size_t i = 0; i < l->count; i++) {
        if (l->cp[i] < 0x80) {
            (void)tkt_buf_addc(out, (char)l->cp[i]); /* as above */
            basic++;
        }
    }
    if (basic > 0) {
        (void)tkt_buf_addc(out, '-'); /* as above */
    }
    for (uint32_t done = basic; done < l->count; delta++, n++) {
        uint32_t next = UINT32_MAX;
        for (size_t i = 0; i < l->count; i++) {
            next = l->cp[i] >= n && l->cp[i] < next ? l->cp[i] : next;
        }
        delta += (next - n) * (done + 1);
        n = next;
        for (size_t i = 0; i < l->count; i++) {
            delta += l->cp[i] < n ? 1 : 0;
            if (l->cp[i] == n) {
                add_integer(out, delta, bias);
                bias = adapt(delta, done + 1, done == basic);
                delta = 0;
                done++;
            }
        }
    }
    return out->failed ? -1 : 0;
}

static int digit_value(uint32_t c)
{
    if (c >= 'a' && c <= 'z') {
        return (int)(c - 'a');
    }
    return c >= '0' && c <= '9' ? (int)(c - '0') + 26 : -1;
}

/* One generalised variable-length integer at in[*at]; -1 when broken or too large. */
static int read_integer(const struct label *in, size_t *at, uint32_t bias,
                        uint32_t *value)
{
    uint32_t weight = 1;

    for (uint32_t k = BASE;; k += BASE) {
        int d = *at < in->count ? digit_value(in->cp[(*at)++]) : -1;
        uint32_t part;
        if (d < 0 || __builtin_mul_overflow((uint32_t)d, weight, &part) ||
            __builtin_add_overflow(*value, part, value)) {
            return -1;
        }
        uint32_t t = threshold(k, bias);
        if ((uint32_t)d < t) {
            return 0;
        }
        if (__builtin_mul_overflow(weight, BASE - t, &weight)) {
            return -1;
        }
    }
}

/* RFC 3492, 6.2. in is a whole A-label, lower case. */
static int decode_label(const struct label *in, struct label *out)
{
    uint32_t n = INITIAL_N;
    uint32_t i = 0;
    uint32_t bias = INITIAL_BIAS;
    size_t at = 4;

    out->count = 0;
    for (size_t k = in->count; k > 4; k--) {
        if (in->cp[k - 1] == '-') {
            for (size_t b = 4; b < k - 1; b++) {
                out->cp[out->count++] = in->cp[b];
            }
            at = k;
            break;
        }
    }
    while (at < in->count) {
        uint32_t old = i;
        if (read_integer(in, &at, bias, &i) < 0 || out->count >= TKT_IDNA_LABEL_MAX) {
            return -1;
        }
        uint32_t points = (uint32_t)out->count + 1;
        bias = adapt(i - old, points, old == 0);
        if (i / points > 0x10ffff) {
            return -1;
        }
        n += i / points;
        i %= points;
        if (n > 0x10ffff || (n >= 0xd800 && n <= 0xdfff)) {
            return -1;
        }
        memmove(&out->cp[i + 1], &out->cp[i], (out->count - i) * sizeof(out->cp[0]));
        out->cp[i++] = n;
        out->count++;
    }
    return 0;
}

static bool is_a_label(const struct label *l)
{
    return l->ascii && l->count > 4 && l->cp[0] == 'x' && l->cp[1] == 'n' &&
           l->cp[2] == '-' && l->cp[3] == '-';
}

static int add_label(const struct label *l, struct tkt_buf *out)
{
    for (size_t i = 0; i < l->count; i++) {
        if (add_utf8(out, l->cp[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int add_ascii(const struct label *l, struct tkt_buf *out)
{
    size_t start = out->len;
    int rc = l->ascii ? add_label(l, out) : encode_label(l, out);

    return rc < 0 || out->len - start > TKT_IDNA_LABEL_MAX ? -1 : 0;
}

static int add_unicode(const struct label *l, struct tkt_buf *out)
{
    struct label plain;

    if (is_a_label(l) && decode_label(l, &plain) == 0) {
        return add_label(&plain, out);
    }
    return add_label(l, out);
}

static int convert(const char *domain, struct tkt_buf *out,
                   int (*add)(const struct label *, struct tkt_buf *))
{
    if (!tkt_utf8_valid(domain, strlen(domain))) {
        return -1;
    }
    for (const char *s = domain;;) {
        struct label l;
        if (read_label(&s, &l) < 0 || add(&l, out) < 0) {
            return -1;
        }
        if (*s == '\0') {
            return 0;
        }
        (void)next_char(&s); /* the dot */
        if (tkt_buf_addc(out, '.') < 0) {
            return -1;
        }
    }
}

int tkt_idna_to_ascii(const char *domain, struct tkt_buf *out)
{
    return convert(domain, out, add_ascii);
}

int tkt_idna_to_unicode(const char *domain, struct tkt_buf *out)
{
    return convert(domain, out, add_unicode);
}
