/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/jis.h"

#include "base/util.h"

#include <string.h>

enum set {
    ASCII,
    KANA,  /* JIS X 0201, upper half */
    KANJI, /* JIS X 0208 */
    UNKNOWN
};

static const struct {
    const char *escape; /* behind ESC */
    enum set set;
} sequences[] = {
    {"(B", ASCII}, {"(J", ASCII}, {"(H", ASCII},  {"(I", KANA},
    {"$@", KANJI}, {"$B", KANJI}, {"$(@", KANJI}, {"$(B", KANJI},
};

/* The set that the sequence behind ESC at p calls; *len: its length with the ESC. */
static enum set read_escape(const unsigned char *p, size_t n, size_t *len)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(sequences); i++) {
        size_t l = strlen(sequences[i].escape);
        if (n > l && memcmp(p + 1, sequences[i].escape, l) == 0) {
            *len = l + 1;
            return sequences[i].set;
        }
    }
    return UNKNOWN;
}

/* Row and column, both from 0x21, as two bytes of Shift_JIS. */
static void add_pair(struct tkt_buf *out, unsigned row, unsigned column)
{
    unsigned lead = (row - 0x21) / 2 + 0x81;
    unsigned trail = row % 2 == 0 ? column + 0x7e : column + 0x1f + (column >= 0x60);

    tkt_buf_addc(out, (char)(lead >= 0xa0 ? lead + 0x40 : lead));
    tkt_buf_addc(out, (char)trail);
}

static bool is_code(unsigned char c)
{
    return c > 0x20 && c < 0x7f;
}

bool tkt_jis_to_sjis(struct tkt_buf *out, const void *data, size_t n)
{
    const unsigned char *p = data;
    enum set set = ASCII;

    for (size_t i = 0; i < n;) {
        size_t len = 1;
        if (p[i] == 0x1b) {
            set = read_escape(p + i, n - i, &len);
            if (set == UNKNOWN) {
                return false;
            }
        } else if (p[i] == '\n') {
            set = ASCII; /* a line ends in it; some forget to say so */
            tkt_buf_addc(out, '\n');
        } else if (set == KANJI && i + 1 < n && is_code(p[i]) && is_code(p[i + 1])) {
            add_pair(out, p[i], p[i + 1]);
            len = 2;
        } else if (set == KANA && is_code(p[i])) {
            tkt_buf_addc(out, (char)(p[i] | 0x80));
        } else {
            tkt_buf_addc(out, (char)p[i]);
        }
        i += len;
    }
    return !out->failed;
}
