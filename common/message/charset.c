/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/charset.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/detect.h"
#include "message/jis.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#define LABEL_MAX 40
static const char utf8[] = "utf8";
static const char fallback[] = "windows1252";

/* What a label in mail means, which is often a superset of what it says: senders write
 * iso-8859-1 and use windows-1252, write gb2312 and use GB18030. Labels are compared in
 * lower case without '-', '_', '.', ':' and blanks. */
struct alias {
    const char *label;
    const char *converter;
};
static const struct alias aliases[] = {
    {"ascii", ""},
    {"default", ""},
    {"none", ""},
    {"unknown", ""},
    {"8bit", ""},
    {"xuserdefined", ""},
    {"utf8mb4", utf8},
    {"unicode20utf8", utf8},
    {"xunicode20utf8", utf8},
    {"cp65001", utf8},
    {"windows65001", utf8},
    {"usascii", ""},
    {"ansix341968", ""},
    {"unknown8bit", ""},
    {"xunknown", ""},
    {"unicode11utf8", utf8},
    {"iso88591", fallback},
    {"latin1", fallback},
    {"l1", fallback},
    {"88591", fallback},
    {"iso8859", fallback},
    {"isoir100", fallback},
    {"ibm819", fallback},
    {"cp819", fallback},
    {"latin1windows", fallback},
    {"iso885911", "windows874"},
    {"tis620", "windows874"},
    {"iso88599", "windows1254"},
    {"latin5", "windows1254"},
    {"latin2", "iso88592"},
    {"latin9", "iso885915"},
    {"l2", "iso88592"},
    {"latin3", "iso88593"},
    {"latin4", "iso88594"},
    {"cyrillic", "iso88595"},
    {"arabic", "iso88596"},
    {"greek", "iso88597"},
    {"elot928", "iso88597"},
    {"hebrew", "iso88598"},
    {"latin6", "iso885910"},
    {"latin7", "iso885913"},
    {"latin8", "iso885914"},
    {"latin10", "iso885916"},
    {"iso88598i", "iso88598"},
    {"iso88598e", "iso88598"},
    {"iso88596i", "iso88596"},
    {"iso88596e", "iso88596"},
    {"gb2312", "gb18030"},
    {"euccn", "gb18030"},
    {"xgbk", "gb18030"},
    {"gb23121980", "gb18030"},
    {"gb231280", "gb18030"},
    {"csgb2312", "gb18030"},
    {"xeuccn", "gb18030"},
    {"gbk", "gb18030"},
    {"cp936", "gb18030"},
    {"windows936", "gb18030"},
    {"big5", "big5hkscs"},
    {"cp950", "big5hkscs"},
    {"windows950", "big5hkscs"},
    {"xbig5", "big5hkscs"},
    {"big5eten", "big5hkscs"},
    {"cnbig5", "big5hkscs"},
    {"xxbig5", "big5hkscs"},
    {"euckr", "cp949"},
    {"ksc56011987", "cp949"},
    {"ksc5601", "cp949"},
    {"ksc56011989", "cp949"},
    {"ksc56011992", "cp949"},
    {"ksx1001", "cp949"},
    {"korean", "cp949"},
    {"xeuckr", "cp949"},
    {"xwindows949", "cp949"},
    {"uhc", "cp949"},
    {"windows949", "cp949"},
    {"shiftjis", "cp932"},
    {"sjis", "cp932"},
    {"xsjis", "cp932"},
    {"mskanji", "cp932"},
    {"xmscp932", "cp932"},
    {"windows932", "cp932"},
    {"windows31j", "cp932"},
    {"shiftjisx0213", "cp932"},
    {"xeucjp", "eucjp"},
    {"eucjpms", "eucjp"},
    {"ujis", "eucjp"},
    {"iso2022jp1", "iso2022jp"},
    {"iso2022jp2", "iso2022jp"},
    {"iso2022jp3", "iso2022jp"},
    {"iso2022jpms", "iso2022jp"},
    {"cp50220", "iso2022jp"},
    {"cp50221", "iso2022jp"},
    {"csiso2022jp", "iso2022jp"},
    {"jis", "iso2022jp"},
    {"csiso2022kr", "iso2022kr"},
    {"cp850", "ibm850"},
    {"cp437", "ibm437"},
    {"cp852", "ibm852"},
    {"cp866", "ibm866"},
    {"mac", "macintosh"},
    {"xmacroman", "macintosh"},
    {"koi8", "koi8r"},
    {"cskoi8r", "koi8r"},
    {"koi8ru", "koi8u"},
    {"xmaccyrillic", "maccyrillic"},
    {"xmacce", "maccentraleurope"},
    {"ibm855", "cp855"},
    {"ucs2", "utf16"},
    {"iso10646ucs2", "utf16"},
    {"unicode", "utf16"},
    {"unicode11utf7", "utf7"},
};

/* How a converter's bytes look; it decides which lies of the label can be told. */
enum kind {
    SINGLE, /* one byte, one character; ASCII in its lower half */
    PAIRS,  /* ASCII, and pairs of bytes that begin above it */
    OTHER
};
/* label: as compared; name: for iconv_open. Stateful and rare ones with a record of
 * faults in glibc (ISO-2022-CN-EXT, the IBM13xx family) are left out on purpose. */
struct converter {
    const char *label;
    const char *name;
    enum kind kind;
    iconv_t cd;
};
#define NOT_OPEN ((iconv_t)(-1))
static struct converter converters[] = {
    {fallback, "WINDOWS-1252", SINGLE, NOT_OPEN},
    {"iso88592", "ISO-8859-2", SINGLE, NOT_OPEN},
    {"iso88593", "ISO-8859-3", SINGLE, NOT_OPEN},
    {"iso88594", "ISO-8859-4", SINGLE, NOT_OPEN},
    {"iso88595", "ISO-8859-5", SINGLE, NOT_OPEN},
    {"iso88596", "ISO-8859-6", SINGLE, NOT_OPEN},
    {"iso88597", "ISO-8859-7", SINGLE, NOT_OPEN},
    {"iso88598", "ISO-8859-8", SINGLE, NOT_OPEN},
    {"iso885910", "ISO-8859-10", SINGLE, NOT_OPEN},
    {"iso885913", "ISO-8859-13", SINGLE, NOT_OPEN},
    {"iso885914", "ISO-8859-14", SINGLE, NOT_OPEN},
    {"iso885915", "ISO-8859-15", SINGLE, NOT_OPEN},
    {"iso885916", "ISO-8859-16", SINGLE, NOT_OPEN},
    {"windows1250", "WINDOWS-1250", SINGLE, NOT_OPEN},
    {"windows1251", "WINDOWS-1251", SINGLE, NOT_OPEN},
    {"windows1253", "WINDOWS-1253", SINGLE, NOT_OPEN},
    {"windows1254", "WINDOWS-1254", SINGLE, NOT_OPEN},
    {"windows1255", "WINDOWS-1255", SINGLE, NOT_OPEN},
    {"windows1256", "WINDOWS-1256", SINGLE, NOT_OPEN},
    {"windows1257", "WINDOWS-1257", SINGLE, NOT_OPEN},
    {"windows1258", "WINDOWS-1258", SINGLE, NOT_OPEN},
    {"windows874", "CP874", SINGLE, NOT_OPEN},
    {"koi8r", "KOI8-R", SINGLE, NOT_OPEN},
    {"koi8u", "KOI8-U", SINGLE, NOT_OPEN},
    {"ibm437", "IBM437", SINGLE, NOT_OPEN},
    {"ibm850", "IBM850", SINGLE, NOT_OPEN},
    {"ibm852", "IBM852", SINGLE, NOT_OPEN},
    {"ibm866", "IBM866", SINGLE, NOT_OPEN},
    {"macintosh", "MACINTOSH", SINGLE, NOT_OPEN},
    {"maccyrillic", "MAC-CYRILLIC", SINGLE, NOT_OPEN},
    {"maccentraleurope", "MAC-CENTRALEUROPE", SINGLE, NOT_OPEN},
    {"cp855", "IBM855", SINGLE, NOT_OPEN},
    {"iso2022jp", "ISO-2022-JP-2", OTHER, NOT_OPEN},
    {"eucjp", "EUC-JP-MS", PAIRS, NOT_OPEN},
    {"cp932", "CP932", PAIRS, NOT_OPEN},
    {"gb18030", "GB18030", PAIRS, NOT_OPEN},
    {"big5hkscs", "BIG5-HKSCS", PAIRS, NOT_OPEN},
    {"euctw", "EUC-TW", PAIRS, NOT_OPEN},
    {"cp949", "CP949", PAIRS, NOT_OPEN},
    {"iso2022kr", "ISO-2022-KR", OTHER, NOT_OPEN},
    {"utf7", "UTF-7", OTHER, NOT_OPEN},
    {"utf16", "UTF-16", OTHER, NOT_OPEN},
    {"utf16le", "UTF-16LE", OTHER, NOT_OPEN},
    {"utf16be", "UTF-16BE", OTHER, NOT_OPEN},
    {"utf32", "UTF-32", OTHER, NOT_OPEN},
    {"armscii8", "ARMSCII-8", SINGLE, NOT_OPEN},
    {"georgianps", "GEORGIAN-PS", SINGLE, NOT_OPEN},
    {"viscii", "VISCII", SINGLE, NOT_OPEN},
    {"tcvn", "TCVN", SINGLE, NOT_OPEN},
};

int tkt_charset_init(struct tkt_err *err)
{
    static bool done;

    for (size_t i = 0; i < TKT_ARRAY_LEN(converters) && !done; i++) {
        converters[i].cd = iconv_open("UTF-8", converters[i].name);
    }
    done = true;
    if (converters[0].cd == NOT_OPEN) {
        return tkt_err_set(err, TKT_ERR_TEMP, "iconv has no %s", converters[0].name);
    }
    return 0;
}

/* The label as compared; "" when it is longer than any that we know. */
static void normalise(const char *charset, size_t n, char out[LABEL_MAX])
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        if (strchr("-_.: \t\"'", charset[i]) != NULL && charset[i] != '\0') {
            continue;
        }
        if (len == LABEL_MAX - 1) {
            len = 0;
            break;
        }
        out[len++] = charset[i];
    }
    out[len] = '\0';
    tkt_ascii_lower(out);
}

/* "iso_8859-1:1987", "_iso-2022-jp$ESC", "utf-8;". */
static void drop_suffix(char label[LABEL_MAX])
{
    label[strcspn(label, "$;,")] = '\0';
    size_t n = strlen(label);
    if (n > 9 && strncmp(label, "iso8859", 7) == 0 &&
        strncmp(label + n - 4, "19", 2) == 0) {
        label[n - 4] = '\0';
    }
}

/* "cp1252", "xcp1252" and "win1252" are windows1252. */
static void spell_windows(char label[LABEL_MAX])
{
    static const char *const prefixes[] = {"cp125", "xcp125", "win125", "ms125"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(prefixes); i++) {
        size_t n = strlen(prefixes[i]);
        if (strncmp(label, prefixes[i], n) == 0 && label[n] != '\0' &&
            label[n + 1] == '\0') {
            char digit = label[n];
            memcpy(label, "windows125", 10);
            label[10] = digit;
            label[11] = '\0';
            return;
        }
    }
}

static const struct converter *find_converter(const char *label)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(converters); i++) {
        if (converters[i].label[0] == label[0] && converters[i].cd != NOT_OPEN &&
            strcmp(converters[i].label, label) == 0) {
            return &converters[i];
        }
    }
    return NULL;
}

static const char *resolve(const char *charset, size_t n, char label[LABEL_MAX])
{
    normalise(charset, n, label);
    if (label[0] == '\0' || strcmp(label, utf8) == 0) {
        return label; /* most of them */
    }
    drop_suffix(label);
    spell_windows(label);
    for (size_t i = 0; i < TKT_ARRAY_LEN(aliases); i++) {
        if (aliases[i].label[0] == label[0] && strcmp(aliases[i].label, label) == 0) {
            return aliases[i].converter;
        }
    }
    return label;
}

/* Back to the first state. Converters of letters that may get a mark (Hebrew, Vietnamese,
 * Big5-HKSCS) keep the last one until they know. */
static void start_over(iconv_t cd, struct tkt_buf *out)
{
    char kept[64];
    char *to = kept;
    size_t room = sizeof(kept);

    iconv(cd, NULL, NULL, &to, &room);
    tkt_utf8_add_clean(out, kept, (size_t)(to - kept));
}

/* One byte of what did not convert. Stateful charsets start over behind it. */
static void skip_bad(iconv_t cd, char **in, size_t *left, struct tkt_buf *out)
{
    start_over(cd, out);
    tkt_buf_adds(out, "\xef\xbf\xbd");
    (*in)++;
    (*left)--;
}

/* Returns how many bytes did not convert. */
static size_t convert(iconv_t cd, struct tkt_buf *out, const void *data, size_t n)
{
    char *in = (char *)data; /* iconv's prototype; it does not write there */
    size_t left = n;
    size_t bad = 0;
    char chunk[4096];

    iconv(cd, NULL, NULL, NULL, NULL);
    while (left > 0 && !out->failed) {
        char *to = chunk;
        size_t room = sizeof(chunk);
        size_t before = left;
        size_t rc = iconv(cd, &in, &left, &to, &room);
        int error = rc == (size_t)-1 ? errno : 0;
        tkt_utf8_add_clean(out, chunk, (size_t)(to - chunk));
        /* A converter that neither reads nor writes would hold us for ever. */
        bool stuck = left == before && room == sizeof(chunk);
        if (left > 0 && (error == EILSEQ || error == EINVAL || stuck)) {
            skip_bad(cd, &in, &left, out);
            bad++;
        }
    }
    start_over(cd, out);
    return bad;
}

static bool is_ascii(const void *data, size_t n)
{
    return tkt_ascii_run(data, n) == n;
}

/* Senders that say iso-8859-N and mean windows-125N use bytes that the former has not. */
static const struct converter *wider(const struct converter *c, const unsigned char *p,
                                     size_t n)
{
    static const char *const rows[][2] = {
        {"iso88592", "windows1250"},  {"iso88597", "windows1253"},
        {"iso88598", "windows1255"},  {"iso885913", "windows1257"},
        {"iso885915", "windows1252"},
    };
    const char *label = NULL;

    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        label = strcmp(rows[i][0], c->label) == 0 ? rows[i][1] : label;
    }
    for (size_t i = 0; label != NULL && i < n; i++) {
        if (p[i] >= 0x80 && p[i] < 0xa0) {
            const struct converter *w = find_converter(label);
            return w != NULL ? w : c;
        }
    }
    return c;
}

/* Whether bytes labelled as one byte a character are UTF-8: nobody writes such text. */
static bool is_hidden_utf8(const char *label, const void *data, size_t n)
{
    struct tkt_utf8_count c = tkt_utf8_count(data, n);

    if (c.bad > 0 || c.unlikely > 0) {
        return false;
    }
    /* A capital and a sign may meet once: only in Latin letters is that no accident. */
    bool latin = strcmp(label, fallback) == 0 || strcmp(label, "iso885915") == 0;
    return c.more > 0 || c.two >= (latin ? 1 : 3);
}

static void add_single(const struct converter *c, struct tkt_buf *out, const void *data,
                       size_t n)
{
    if (is_hidden_utf8(c->label, data, n)) {
        tkt_utf8_add_clean(out, data, n);
    } else {
        convert(wider(c, data, n)->cd, out, data, n);
    }
}

/* Pairs that do not come out even are perhaps not what their label says. */
static void add_pairs(const struct converter *c, struct tkt_buf *out, const void *data,
                      size_t n)
{
    struct tkt_utf8_count count = tkt_utf8_count(data, n);
    size_t from = out->len;

    if (count.bad == 0 && count.more >= 2) {
        tkt_utf8_add_clean(out, data, n);
        return;
    }
    size_t bad = convert(c->cd, out, data, n);
    if (bad > 0 && count.bad == 0 && !out->failed) {
        out->len = from;
        tkt_utf8_add_clean(out, data, n);
    }
}

static void add_utf8(struct tkt_buf *out, const void *data, size_t n)
{
    bool has_mark = n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0;
    const char *p = (const char *)data + (has_mark ? 3 : 0);

    n -= has_mark ? 3 : 0;
    struct tkt_utf8_count c = tkt_utf8_count(p, n);
    if (c.bad == 0 || c.two + c.more >= c.bad) {
        tkt_utf8_add_clean(out, p, n);
    } else {
        tkt_charset_guess(out, p, n);
    }
}

/* Without a mark RFC 2781 says big endian; most senders that leave it out do not. */
static void add_utf16(struct tkt_buf *out, const void *data, size_t n)
{
    const unsigned char *p = data;
    size_t zeros[2] = {0, 0};
    bool marked =
        n >= 2 && ((p[0] == 0xfe && p[1] == 0xff) || (p[0] == 0xff && p[1] == 0xfe));

    for (size_t i = 0; i < n; i++) {
        zeros[i % 2] += p[i] == 0 ? 1 : 0;
    }
    if (!marked && zeros[0] + zeros[1] == 0 && tkt_utf8_valid(data, n)) {
        tkt_utf8_add_clean(out, data, n); /* the label lies */
        return;
    }
    bool big = marked ? p[0] == 0xfe : zeros[0] > zeros[1];
    const struct converter *c = find_converter(big ? "utf16be" : "utf16le");
    if (c != NULL) {
        convert(c->cd, out, p + (marked ? 2 : 0), n - (marked ? 2 : 0));
    }
}

/* With this converter, whatever the bytes look like. */
static void add_exactly(const struct converter *c, struct tkt_buf *out, const void *data,
                        size_t n)
{
    TKT_AUTO_BUF struct tkt_buf sjis = TKT_BUF_INIT(n + 1);
    const struct converter *cp932 = find_converter("cp932");

    if (strcmp(c->label, "iso2022jp") == 0 && cp932 != NULL &&
        tkt_jis_to_sjis(&sjis, data, n)) {
        convert(cp932->cd, out, tkt_buf_str(&sjis), sjis.len);
    } else {
        convert(c->cd, out, data, n);
    }
}

static void add_label(const struct converter *c, struct tkt_buf *out, const void *data,
                      size_t n)
{
    bool ascii = is_ascii(data, n);

    if (c->kind != OTHER && ascii) {
        tkt_charset_guess(out, data, n); /* escape sequences, if anything */
    } else if (c->kind == SINGLE) {
        add_single(c, out, data, n);
    } else if (c->kind == PAIRS) {
        add_pairs(c, out, data, n);
    } else if (strcmp(c->label, "utf16") == 0) {
        add_utf16(out, data, n);
    } else if (strncmp(c->label, "iso2022", 7) == 0 && !ascii) {
        tkt_charset_guess(out, data, n);
    } else {
        add_exactly(c, out, data, n);
    }
}

/* "": UTF-8, with its faults if it has any. */
static const char *pick(const void *data, size_t n)
{
    bool escapes = memchr(data, 0x1b, n) != NULL;

    return !escapes && tkt_utf8_valid(data, n) ? "" : tkt_charset_detect(data, n);
}

const char *tkt_charset_pick(const char *hint, const void *data, size_t n)
{
    char label[LABEL_MAX];
    const struct converter *c = find_converter(resolve(hint, strlen(hint), label));

    /* Latin labels stand on mail of every kind: they are no hint. */
    if (n == 0 || c == NULL || c->kind == OTHER || strcmp(c->label, fallback) == 0 ||
        tkt_utf8_valid(data, n)) {
        return n == 0 ? "" : pick(data, n);
    }
    TKT_AUTO_BUF struct tkt_buf trial = TKT_BUF_INIT(4 * n);
    return convert(c->cd, &trial, data, n) == 0 ? c->label : pick(data, n);
}

void tkt_charset_add_picked(struct tkt_buf *out, const char *picked, const void *data,
                            size_t n)
{
    char label[LABEL_MAX];
    const struct converter *c = find_converter(resolve(picked, strlen(picked), label));

    if (c == NULL) {
        tkt_utf8_add_clean(out, data, n);
    } else {
        add_exactly(c, out, data, n);
    }
}

void tkt_charset_guess(struct tkt_buf *out, const void *data, size_t n)
{
    if (n > 0) {
        tkt_charset_add_picked(out, pick(data, n), data, n);
    }
}

void tkt_charset_add(struct tkt_buf *out, const char *charset, size_t charset_len,
                     const void *data, size_t n, bool *known)
{
    char label[LABEL_MAX];
    const char *name = resolve(charset, charset_len, label);
    const struct converter *c = find_converter(name);

    if (known != NULL) {
        *known = c != NULL || name[0] == '\0' || strcmp(name, utf8) == 0;
    }
    if (n == 0) {
        return;
    }
    if (strcmp(name, utf8) == 0) {
        add_utf8(out, data, n);
    } else if (c == NULL) {
        tkt_charset_guess(out, data, n);
    } else {
        add_label(c, out, data, n);
    }
}
