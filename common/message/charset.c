/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/charset.h"

#include "base/enc.h"
#include "base/util.h"

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
    {"usascii", ""},
    {"ansix341968", ""},
    {"unknown8bit", ""},
    {"xunknown", ""},
    {"unicode11utf8", utf8},
    {"iso88591", fallback},
    {"latin1", fallback},
    {"l1", fallback},
    {"iso885911", "windows874"},
    {"tis620", "windows874"},
    {"iso88599", "windows1254"},
    {"latin5", "windows1254"},
    {"latin2", "iso88592"},
    {"latin9", "iso885915"},
    {"iso88598i", "iso88598"},
    {"iso88598e", "iso88598"},
    {"iso88596i", "iso88596"},
    {"iso88596e", "iso88596"},
    {"gb2312", "gb18030"},
    {"euccn", "gb18030"},
    {"xgbk", "gb18030"},
    {"gbk", "gb18030"},
    {"cp936", "gb18030"},
    {"windows936", "gb18030"},
    {"big5", "big5hkscs"},
    {"cp950", "big5hkscs"},
    {"euckr", "cp949"},
    {"ksc56011987", "cp949"},
    {"ksc5601", "cp949"},
    {"uhc", "cp949"},
    {"windows949", "cp949"},
    {"shiftjis", "cp932"},
    {"sjis", "cp932"},
    {"xsjis", "cp932"},
    {"mskanji", "cp932"},
    {"windows31j", "cp932"},
    {"iso2022jp1", "iso2022jp"},
    {"iso2022jp2", "iso2022jp"},
    {"cp850", "ibm850"},
    {"cp437", "ibm437"},
    {"cp852", "ibm852"},
    {"cp866", "ibm866"},
    {"mac", "macintosh"},
    {"xmacroman", "macintosh"},
    {"koi8", "koi8r"},
    {"ucs2", "utf16"},
    {"iso10646ucs2", "utf16"},
    {"unicode", "utf16"},
    {"unicode11utf7", "utf7"},
};

/* label: as compared; name: for iconv_open. Stateful and rare ones with a record of
 * faults in glibc (ISO-2022-CN-EXT, the IBM13xx family) are left out on purpose. */
struct converter {
    const char *label;
    const char *name;
    iconv_t cd;
};
#define NOT_OPEN ((iconv_t)(-1))
static struct converter converters[] = {
    {fallback, "WINDOWS-1252", NOT_OPEN},
    {"iso88592", "ISO-8859-2", NOT_OPEN},
    {"iso88593", "ISO-8859-3", NOT_OPEN},
    {"iso88594", "ISO-8859-4", NOT_OPEN},
    {"iso88595", "ISO-8859-5", NOT_OPEN},
    {"iso88596", "ISO-8859-6", NOT_OPEN},
    {"iso88597", "ISO-8859-7", NOT_OPEN},
    {"iso88598", "ISO-8859-8", NOT_OPEN},
    {"iso885910", "ISO-8859-10", NOT_OPEN},
    {"iso885913", "ISO-8859-13", NOT_OPEN},
    {"iso885914", "ISO-8859-14", NOT_OPEN},
    {"iso885915", "ISO-8859-15", NOT_OPEN},
    {"iso885916", "ISO-8859-16", NOT_OPEN},
    {"windows1250", "WINDOWS-1250", NOT_OPEN},
    {"windows1251", "WINDOWS-1251", NOT_OPEN},
    {"windows1253", "WINDOWS-1253", NOT_OPEN},
    {"windows1254", "WINDOWS-1254", NOT_OPEN},
    {"windows1255", "WINDOWS-1255", NOT_OPEN},
    {"windows1256", "WINDOWS-1256", NOT_OPEN},
    {"windows1257", "WINDOWS-1257", NOT_OPEN},
    {"windows1258", "WINDOWS-1258", NOT_OPEN},
    {"windows874", "CP874", NOT_OPEN},
    {"koi8r", "KOI8-R", NOT_OPEN},
    {"koi8u", "KOI8-U", NOT_OPEN},
    {"ibm437", "IBM437", NOT_OPEN},
    {"ibm850", "IBM850", NOT_OPEN},
    {"ibm852", "IBM852", NOT_OPEN},
    {"ibm866", "IBM866", NOT_OPEN},
    {"macintosh", "MACINTOSH", NOT_OPEN},
    {"iso2022jp", "ISO-2022-JP-2", NOT_OPEN},
    {"eucjp", "EUC-JP", NOT_OPEN},
    {"cp932", "CP932", NOT_OPEN},
    {"gb18030", "GB18030", NOT_OPEN},
    {"big5hkscs", "BIG5-HKSCS", NOT_OPEN},
    {"euctw", "EUC-TW", NOT_OPEN},
    {"cp949", "CP949", NOT_OPEN},
    {"iso2022kr", "ISO-2022-KR", NOT_OPEN},
    {"utf7", "UTF-7", NOT_OPEN},
    {"utf16", "UTF-16", NOT_OPEN},
    {"utf16le", "UTF-16LE", NOT_OPEN},
    {"utf16be", "UTF-16BE", NOT_OPEN},
    {"utf32", "UTF-32", NOT_OPEN},
    {"armscii8", "ARMSCII-8", NOT_OPEN},
    {"georgianps", "GEORGIAN-PS", NOT_OPEN},
    {"viscii", "VISCII", NOT_OPEN},
    {"tcvn", "TCVN", NOT_OPEN},
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

static struct converter *find_converter(const char *label)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(converters); i++) {
        if (strcmp(converters[i].label, label) == 0 && converters[i].cd != NOT_OPEN) {
            return &converters[i];
        }
    }
    return NULL;
}

static const char *resolve(const char *charset, size_t n, char label[LABEL_MAX])
{
    normalise(charset, n, label);
    spell_windows(label);
    for (size_t i = 0; i < TKT_ARRAY_LEN(aliases); i++) {
        if (strcmp(aliases[i].label, label) == 0) {
            return aliases[i].converter;
        }
    }
    return label;
}

/* One byte of what did not convert. Stateful charsets start over behind it. */
static void skip_bad(iconv_t cd, char **in, size_t *left, struct tkt_buf *out)
{
    tkt_buf_adds(out, "\xef\xbf\xbd");
    (*in)++;
    (*left)--;
    iconv(cd, NULL, NULL, NULL, NULL);
}

static void convert(iconv_t cd, struct tkt_buf *out, const void *data, size_t n)
{
    char *in = (char *)data; /* iconv's prototype; it does not write there */
    size_t left = n;
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
        }
    }
}

void tkt_charset_guess(struct tkt_buf *out, const void *data, size_t n)
{
    if (tkt_utf8_valid(data, n) || converters[0].cd == NOT_OPEN) {
        tkt_utf8_add_clean(out, data, n);
        return;
    }
    convert(converters[0].cd, out, data, n);
}

void tkt_charset_add(struct tkt_buf *out, const char *charset, size_t charset_len,
                     const void *data, size_t n, bool *known)
{
    char label[LABEL_MAX];
    const char *name = resolve(charset, charset_len, label);
    struct converter *c = find_converter(name);

    if (known != NULL) {
        *known = c != NULL || name[0] == '\0' || strcmp(name, utf8) == 0;
    }
    if (strcmp(name, utf8) == 0) {
        tkt_utf8_add_clean(out, data, n);
    } else if (c == NULL) {
        tkt_charset_guess(out, data, n);
    } else {
        convert(c->cd, out, data, n);
    }
}
