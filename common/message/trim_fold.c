/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/trim_line.h"

#include "base/util.h"

#include <string.h>

/* The plain letters of U+00C0 to U+017F. */
static const char latin[] = "aaaaaaaceeeeiiii"
                            "dnoooooxouuuuyts"
                            "aaaaaaaceeeeiiii"
                            "dnooooo/ouuuuyty"
                            "aaaaaaccccccccdd"
                            "ddeeeeeeeeeegggg"
                            "gggghhhhiiiiiiii"
                            "iiiijjkkklllllll"
                            "lllnnnnnnnnnoooo"
                            "oooorrrrrrssssss"
                            "ssttttttuuuuuuuu"
                            "uuuuwwyyyzzzzzzs";

struct range {
    uint32_t from;
    uint32_t to;
    int32_t shift; /* added; or one of these */
};
enum {
    SPACE = 1 << 24,
    DROP,
    QUOTE,
    APOSTROPHE,
    DASH,
    LETTER = 1 << 25 /* and which */
};

/* Sorted. What is not named stays. */
#define RANGES_LOW 45 /* of them below U+2000 */
static const struct range ranges[] = {
    {0x0080, 0x009f, SPACE},
    {0x00a0, 0x00a0, SPACE},
    {0x00ab, 0x00ab, QUOTE},
    {0x00ad, 0x00ad, DROP},
    {0x00b4, 0x00b4, APOSTROPHE},
    {0x00bb, 0x00bb, QUOTE},
    {0x01a0, 0x01a1, LETTER + 'o'},
    {0x01af, 0x01b0, LETTER + 'u'},
    {0x0218, 0x0219, LETTER + 's'},
    {0x021a, 0x021b, LETTER + 't'},
    {0x0300, 0x036f, DROP},
    {0x0386, 0x0386, 0x03b1 - 0x0386},
    {0x0388, 0x0388, 0x03b5 - 0x0388},
    {0x0389, 0x0389, 0x03b7 - 0x0389},
    {0x038a, 0x038a, 0x03b9 - 0x038a},
    {0x038c, 0x038c, 0x03bf - 0x038c},
    {0x038e, 0x038e, 0x03c5 - 0x038e},
    {0x038f, 0x038f, 0x03c9 - 0x038f},
    {0x0391, 0x03a9, 0x20},
    {0x03ac, 0x03ac, 0x03b1 - 0x03ac},
    {0x03ad, 0x03ad, 0x03b5 - 0x03ad},
    {0x03ae, 0x03ae, 0x03b7 - 0x03ae},
    {0x03af, 0x03af, 0x03b9 - 0x03af},
    {0x03c2, 0x03c2, 1},
    {0x03cc, 0x03cc, 0x03bf - 0x03cc},
    {0x03cd, 0x03cd, 0x03c5 - 0x03cd},
    {0x03ce, 0x03ce, 0x03c9 - 0x03ce},
    {0x0401, 0x0401, 0x0435 - 0x0401}, /* io is written ie */
    {0x0407, 0x0407, 0x0456 - 0x0407}, /* yi: i with a mark */
    {0x0419, 0x0419, 0x0438 - 0x0419}, /* short i: i with a mark */
    {0x0400, 0x040f, 0x50},
    {0x0410, 0x042f, 0x20},
    {0x0439, 0x0439, -1},
    {0x0451, 0x0451, 0x0435 - 0x0451},
    {0x0457, 0x0457, -1},
    {0x05be, 0x05be, DASH},
    {0x064b, 0x0652, DROP},
    {0x0660, 0x0669, '0' - 0x0660},
    {0x06f0, 0x06f9, '0' - 0x06f0},
    {0x1ea0, 0x1eb7, LETTER + 'a'},
    {0x1eb8, 0x1ec7, LETTER + 'e'},
    {0x1ec8, 0x1ecb, LETTER + 'i'},
    {0x1ecc, 0x1ee3, LETTER + 'o'},
    {0x1ee4, 0x1ef1, LETTER + 'u'},
    {0x1ef2, 0x1ef9, LETTER + 'y'},
    {0x2000, 0x200a, SPACE},
    {0x200b, 0x200f, DROP},
    {0x2010, 0x2015, DASH},
    {0x2018, 0x201b, APOSTROPHE},
    {0x201c, 0x201f, QUOTE},
    {0x2028, 0x202e, DROP},
    {0x202f, 0x202f, SPACE},
    {0x205f, 0x205f, SPACE},
    {0x2060, 0x206f, DROP},
    {0x3000, 0x3000, SPACE},
    {0xfe00, 0xfe0f, DROP},
    {0xfeff, 0xfeff, DROP},
    {0xff01, 0xff20, 0x21 - 0xff01},
    {0xff21, 0xff3a, 'a' - 0xff21},
    {0xff3b, 0xff5e, 0x3b + 0x20 - 0xff3b},
};

_Static_assert(RANGES_LOW < TKT_ARRAY_LEN(ranges), "the first row of U+2000 and above");

static uint32_t folded(uint32_t cp)
{
    if (cp < 0x80) {
        return cp >= 'A' && cp <= 'Z' ? cp + 32
               : cp == '*'            ? DROP
               : cp <= ' '            ? SPACE
                                      : cp;
    }
    if (cp >= 0xc0 && cp <= 0x17f) {
        return (unsigned char)latin[cp - 0xc0];
    }
    for (size_t i = cp < 0x2000 ? 0 : RANGES_LOW; i < TKT_ARRAY_LEN(ranges); i++) {
        if (cp >= ranges[i].from && cp <= ranges[i].to) {
            int32_t shift = ranges[i].shift;
            if (shift >= LETTER) {
                return (uint32_t)(shift - LETTER);
            }
            return shift >= SPACE ? (uint32_t)shift : (uint32_t)((int32_t)cp + shift);
        }
    }
    return cp;
}

/* One character; what is no UTF-8 counts byte by byte. */
static size_t decode(const char *p, size_t n, uint32_t *cp)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t len = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};

    *cp = u[0] & first[len];
    if ((u[0] >= 0x80 && u[0] < 0xc0) || len > n) {
        *cp = '?';
        return 1;
    }
    for (size_t i = 1; i < len; i++) {
        if ((u[i] & 0xc0) != 0x80) {
            *cp = '?';
            return 1;
        }
        *cp = *cp << 6 | (u[i] & 0x3f);
    }
    return len;
}

static void put(struct tkt_folded *f, uint32_t cp)
{
    char b[4];
    size_t len = 0;

    if (cp < 0x80) {
        b[len++] = (char)cp;
    } else if (cp < 0x800) {
        b[len++] = (char)(0xc0 | cp >> 6);
        b[len++] = (char)(0x80 | (cp & 0x3f));
    } else if (cp < 0x10000) {
        b[len++] = (char)(0xe0 | cp >> 12);
        b[len++] = (char)(0x80 | (cp >> 6 & 0x3f));
        b[len++] = (char)(0x80 | (cp & 0x3f));
    } else {
        b[len++] = (char)(0xf0 | (cp >> 18 & 7));
        b[len++] = (char)(0x80 | (cp >> 12 & 0x3f));
        b[len++] = (char)(0x80 | (cp >> 6 & 0x3f));
        b[len++] = (char)(0x80 | (cp & 0x3f));
    }
    memcpy(f->s + f->n, b, len);
    f->n += len;
}

/* Mail that was escaped once too often. */
static size_t entity(const char *p, size_t n, uint32_t *cp)
{
    static const struct {
        const char *name;
        uint32_t cp;
    } known[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&nbsp;", ' '}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(known); i++) {
        size_t len = strlen(known[i].name);
        if (n >= len && memcmp(p, known[i].name, len) == 0) {
            *cp = known[i].cp;
            return len;
        }
    }
    return 0;
}

/* ASCII that folds to one byte, 0 for what needs a closer look. */
/* clang-format off */
static const char plain[256] = {
    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
    ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ',
    ' ', '!', '"', '#', '$', '%', 0, '\'', '(', ')', 0, '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    '@', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '[', '\\', ']', '^', '_',
    '`', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '{', '|', '}', '~', 0x7f,
};
/* clang-format on */

/* Letters, digits and signs that fold to one byte, and the blanks between them: most of
 * most lines. Returns how many bytes of p were taken. */
static size_t add_plain(struct tkt_folded *f, const char *p, size_t n, bool *space)
{
    char *to = f->s + f->n;
    const char *stop = f->s + TKT_TRIM_LINE_MAX - 6;
    size_t i = 0;
    char c;

    if (*space) {
        *to++ = ' ';
    }
    for (; i < n && to < stop && (c = plain[(unsigned char)p[i]]) != 0; i++) {
        if (c != ' ' || (to > f->s && to[-1] != ' ')) {
            *to++ = c;
        }
    }
    /* A blank is written before what follows it. */
    *space = to > f->s && to[-1] == ' ';
    f->n = (size_t)(to - f->s) - (*space ? 1 : 0);
    return i;
}

void tkt_fold_add(struct tkt_folded *f, const char *p, size_t n)
{
    bool space = f->n > 0;

    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        i += add_plain(f, p + i, n - i, &space);
        if (i == n) {
            break;
        }
        size_t len = p[i] == '&' ? entity(p + i, n - i, &cp) : 0;
        i += len > 0 ? len : decode(p + i, n - i, &cp);
        cp = folded(cp);
        if (cp == DROP) {
            continue;
        }
        if (cp == SPACE) {
            space = f->n > 0;
            continue;
        }
        if (f->n + 5 > TKT_TRIM_LINE_MAX) {
            f->cut = true;
            break;
        }
        if (space) {
            f->s[f->n++] = ' ';
            space = false;
        }
        put(f, cp == QUOTE ? '"' : cp == APOSTROPHE ? '\'' : cp == DASH ? '-' : cp);
    }
    f->s[f->n] = '\0';
}

void tkt_fold_line(struct tkt_folded *f, const struct tkt_lines *l, size_t i)
{
    const struct tkt_line *line = &l->items[i];
    size_t n = line->len - line->skip;

    /* A folded text is never longer than its source by more than a few bytes, and a
     * source with a great many invisible characters is nobody's quote header. */
    f->cut = f->cut || n > 2 * TKT_TRIM_LINE_MAX;
    tkt_fold_add(f, l->text + line->at + line->skip, TKT_MIN(n, 2 * TKT_TRIM_LINE_MAX));
}

bool tkt_lines_may_look(struct tkt_lines *l, unsigned cost)
{
    l->looks -= TKT_MIN(cost, l->looks);
    return l->looks > 0;
}

bool tkt_fold_next(const char **list, const char **item, size_t *n)
{
    if (*list == NULL || **list == '\0') {
        return false;
    }
    const char *bar = strchrnul(*list, '|');
    *item = *list;
    *n = (size_t)(bar - *list);
    *list = *bar == '|' ? bar + 1 : bar;
    return true;
}

/* Nearly every line is compared with every table and is in none of them. So the items of
 * a table are found by their first two bytes, and whether one could end a line by its
 * last two; a table is indexed when it is first used. */
#define TABLES_MAX 512
#define PROBES_MAX 16
#define ITEMS_MAX 8192
#define CHAINS 128

struct item {
    const char *s;
    uint16_t len;
    uint16_t next; /* 0: the last of its chain */
};

struct table {
    const char *list; /* a table lives as long as the program: its address names it */
    uint16_t first[CHAINS]; /* chains in the order of the list */
    uint16_t one;           /* ... of the items of one byte */
    uint64_t last[CHAINS / 64];
    bool is_plain; /* not indexed: no room */
};

static struct item items[ITEMS_MAX]; /* [0] is none */
static size_t item_count = 1;

static unsigned chain_of(const char *p)
{
    return ((unsigned char)p[0] * 31U + (unsigned char)p[1]) % CHAINS;
}

static void add_item(struct table *t, const char *s, size_t len)
{
    if (len > UINT16_MAX || item_count == ITEMS_MAX) {
        t->is_plain = true;
        return;
    }
    uint16_t *at = len < 2 ? &t->one : &t->first[chain_of(s)];
    while (*at != 0) {
        at = &items[*at].next;
    }
    *at = (uint16_t)item_count;
    items[item_count++] = (struct item){s, (uint16_t)len, 0};
    if (len >= 2) {
        unsigned end = chain_of(s + len - 2);
        t->last[end / 64] |= UINT64_C(1) << end % 64;
    }
}

static void fill_table(struct table *t, const char *list)
{
    const char *item;
    size_t len;

    t->list = list;
    while (tkt_fold_next(&list, &item, &len)) {
        if (len > 0) {
            add_item(t, item, len);
        }
    }
}

static const struct table *table_of(const char *list)
{
    static struct table tables[TABLES_MAX];
    size_t slot = ((uintptr_t)list >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 55;

    for (size_t i = 0; i < PROBES_MAX; i++) {
        struct table *t = &tables[(slot + i) % TABLES_MAX];
        if (t->list == NULL) {
            fill_table(t, list);
        }
        if (t->list == list) {
            return t->is_plain ? NULL : t;
        }
    }
    return NULL;
}

bool tkt_fold_is_one_of(const char *s, size_t n, const char *list)
{
    const struct table *t = list == NULL ? NULL : table_of(list);
    const char *item;
    size_t len;

    if (t != NULL) {
        size_t i = n == 0 ? 0 : n == 1 ? t->one : t->first[chain_of(s)];
        while (i != 0 && (items[i].len != n || memcmp(items[i].s, s, n) != 0)) {
            i = items[i].next;
        }
        return i != 0;
    }
    while (tkt_fold_next(&list, &item, &len)) {
        if (len == n && memcmp(item, s, n) == 0) {
            return true;
        }
    }
    return false;
}

/* Scripts that put spaces between words; others have no word borders to look for. */
static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
}

static bool spaced(unsigned char first)
{
    return is_letter(first) && first < 0xe0;
}

static bool ends_word(const char *item, size_t len, const char *after, const char *end)
{
    unsigned char first = (unsigned char)item[0];

    return after == end || !spaced(first) || !is_letter((unsigned char)item[len - 1]) ||
           !is_letter((unsigned char)*after);
}

static bool is_start(const char *s, size_t n, const char *item, size_t len)
{
    return len > 0 && len <= n && item[len - 1] == s[len - 1] &&
           memcmp(item, s, len) == 0 && ends_word(item, len, s + len, s + n);
}

/* Whether the item is not what the folded text of p begins with: certain when the bytes
 * up to the difference fold to themselves. */
static bool differs(const struct item *item, const char *p, size_t n)
{
    for (size_t i = 0; i < item->len; i++) {
        char c = i < n ? plain[(unsigned char)p[i]] : '\0';
        bool simple = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool blank = c == ' ' && i + 1 < n && p[i + 1] > ' ' && p[i + 1] != '*';
        if (i == n) {
            return true;
        }
        if (!simple && !blank) {
            return false;
        }
        if (c != item->s[i]) {
            return true;
        }
    }
    return false;
}

bool tkt_fold_begins_none(const char *p, size_t n, const char *list)
{
    const struct table *t = list == NULL ? NULL : table_of(list);

    if (t == NULL || n < 2) {
        return false;
    }
    const char two[2] = {plain[(unsigned char)p[0]], plain[(unsigned char)p[1]]};
    /* Two letters: no item of one byte is a whole word of it. */
    if (two[0] < 'a' || two[0] > 'z' || two[1] < 'a' || two[1] > 'z') {
        return false;
    }
    for (size_t i = t->first[chain_of(two)]; i != 0; i = items[i].next) {
        if (!differs(&items[i], p, n)) {
            return false;
        }
    }
    return true;
}

/* The item of a chain that s starts with, or 0. */
static size_t start_in(size_t i, const char *s, size_t n)
{
    while (i != 0 && !is_start(s, n, items[i].s, items[i].len)) {
        i = items[i].next;
    }
    return i;
}

size_t tkt_fold_starts(const char *s, size_t n, const char *list)
{
    const struct table *t = list == NULL ? NULL : table_of(list);
    const char *item;
    size_t len;

    if (t != NULL) {
        size_t i = start_in(t->one, s, n);
        size_t k = n < 2 ? 0 : start_in(t->first[chain_of(s)], s, n);
        i = i == 0 || (k != 0 && k < i) ? k : i; /* the first of the list */
        return i == 0 ? 0 : items[i].len;
    }
    while (tkt_fold_next(&list, &item, &len)) {
        if (is_start(s, n, item, len)) {
            return len;
        }
    }
    return 0;
}

void tkt_fold_union_add(struct tkt_fold_union *u, const char *list)
{
    size_t len = list == NULL ? 0 : strlen(list);

    if (len == 0) {
        return;
    }
    if (u->n + len + 2 > sizeof(u->list)) {
        u->is_full = true;
        return;
    }
    if (u->n > 0) {
        u->list[u->n++] = '|';
    }
    memcpy(u->list + u->n, list, len + 1);
    u->n += len;
}

size_t tkt_fold_longest_start(const char *s, size_t n, const char *list)
{
    const struct table *t = list == NULL ? NULL : table_of(list);

    if (t == NULL) {
        return tkt_fold_starts(s, n, list);
    }
    size_t longest = start_in(t->one, s, n) != 0 ? 1 : 0;
    for (size_t i = n < 2 ? 0 : t->first[chain_of(s)]; i != 0; i = items[i].next) {
        if (items[i].len > longest && is_start(s, n, items[i].s, items[i].len)) {
            longest = items[i].len;
        }
    }
    return longest;
}

bool tkt_fold_may_end(const char *s, size_t n, const char *list)
{
    const struct table *t = list == NULL ? NULL : table_of(list);

    if (t == NULL || t->one != 0) {
        return true;
    }
    unsigned end = n < 2 ? 0 : chain_of(s + n - 2);
    return n >= 2 && (t->last[end / 64] >> end % 64 & 1) != 0;
}

bool tkt_fold_ends(const char *s, size_t n, const char *list)
{
    const char *item;
    size_t len;

    if (!tkt_fold_may_end(s, n, list)) {
        return false;
    }
    while (tkt_fold_next(&list, &item, &len)) {
        if (len <= n && memcmp(s + n - len, item, len) == 0 &&
            ((unsigned char)item[0] >= 0xe0 || len == n || s[n - len - 1] == ' ')) {
            return true;
        }
    }
    return false;
}

static const char *find(const char *s, size_t n, const char *item, size_t len)
{
    const char *end = s + n;
    const char *p = s;

    while (len > 0 && (size_t)(end - p) >= len &&
           (p = memmem(p, (size_t)(end - p), item, len)) != NULL) {
        bool begins =
            p == s || !spaced((unsigned char)item[0]) || !is_letter((unsigned char)p[-1]);
        if (begins && ends_word(item, len, p + len, end)) {
            return p;
        }
        p++;
    }
    return NULL;
}

const char *tkt_fold_finds(const char *s, size_t n, const char *list, size_t *len)
{
    const char *item;
    size_t k;

    while (tkt_fold_next(&list, &item, &k)) {
        const char *p = find(s, n, item, k);
        if (p != NULL) {
            *len = k;
            return p;
        }
    }
    return NULL;
}

size_t tkt_fold_words(const char *s, size_t n)
{
    size_t words = 0;
    bool in = false;

    for (size_t i = 0; i < n; i++) {
        bool letter = is_letter((unsigned char)s[i]);
        words += letter && !in;
        in = letter || (in && (s[i] == '\'' || s[i] == '-' || s[i] == '.'));
    }
    return words;
}

void tkt_fold_strip(const char **s, size_t *n, const char *set)
{
    while (*n > 0 && strchr(set, **s) != NULL && **s != '\0') {
        (*s)++;
        (*n)--;
    }
    while (*n > 0 && strchr(set, (*s)[*n - 1]) != NULL && (*s)[*n - 1] != '\0') {
        (*n)--;
    }
}

/* ---- evidence ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool in_address(char c)
{
    return is_letter((unsigned char)c) || strchr("._-+=%/~!#$&^`{}'", c) != NULL;
}

/* The numbers that belong together: 28.01.2016, 20:16:05, 7. */
struct group {
    size_t numbers;
    size_t digits[4];
    unsigned values[4];
    char between;
};

static size_t read_group(const char *s, size_t n, size_t i, struct group *g)
{
    memset(g, 0, sizeof(*g));
    while (i < n && is_digit(s[i]) && g->numbers < 4) {
        size_t k = g->numbers++;
        for (; i < n && is_digit(s[i]); i++) {
            g->values[k] =
                g->digits[k] < 6 ? g->values[k] * 10 + (unsigned)(s[i] - '0') : 0;
            g->digits[k]++;
        }
        if (i + 1 < n && strchr(":./-h", s[i]) != NULL && is_digit(s[i + 1]) &&
            (g->between == 0 || g->between == s[i])) {
            g->between = s[i++];
            continue;
        }
        break;
    }
    return i;
}

static bool is_year(const struct group *g, size_t k)
{
    return g->digits[k] == 4 && g->values[k] >= 1970 && g->values[k] < 2100;
}

static void weigh_group(const struct group *g, struct tkt_evidence *e, bool *year,
                        size_t *small)
{
    bool pair = g->numbers >= 2 && g->digits[1] == 2 && g->digits[0] <= 2 &&
                g->values[0] < 24 && g->values[1] < 60;

    if (pair && (g->between == ':' || g->between == 'h')) {
        e->time = true;
    } else if (pair && g->numbers == 2 && g->between == '.') {
        e->time = true; /* or a day and a month: both are evidence */
    } else if (g->numbers == 3 && g->between != ':' && g->between != 'h' &&
               (is_year(g, 0) || is_year(g, 2) || g->digits[2] == 2)) {
        e->date = true;
    } else if (g->numbers == 1 && is_year(g, 0)) {
        *year = true;
    } else if (g->numbers == 1 && g->digits[0] <= 2 && g->values[0] <= 31) {
        (*small)++;
    }
}

static void read_address(const char *s, size_t n, size_t at, struct tkt_evidence *e)
{
    size_t from = at;
    size_t to = at + 1;

    while (from > 0 && in_address(s[from - 1])) {
        from--;
    }
    while (to < n && (is_letter((unsigned char)s[to]) || s[to] == '.' || s[to] == '-')) {
        to++;
    }
    if (from == at || to == at + 1) {
        return;
    }
    bool opened = from > 0 && strchr("<([:", s[from - 1]) != NULL;
    while (from > 0 && strchr("<([ ", s[from - 1]) != NULL && s[from - 1] != '\0' &&
           opened) {
        from--;
    }
    while (to < n && strchr(">)]", s[to]) != NULL) {
        to++;
        e->enclosed = true;
    }
    if (!e->address) {
        e->address_at = from;
    }
    e->address = true;
    e->enclosed = e->enclosed || opened;
    e->address_end = to;
}

void tkt_evidence_read(const char *s, size_t n, struct tkt_evidence *e)
{
    bool year = false;
    bool any = false;
    size_t small = 0;

    memset(e, 0, sizeof(*e));
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '@') {
            read_address(s, n, i, e);
        }
    }
    for (size_t i = 0; i < n;) {
        bool inside = e->address && i >= e->address_at && i < e->address_end;
        if (!is_digit(s[i]) || inside) {
            i++;
            continue;
        }
        struct group g;
        size_t end = read_group(s, n, i, &g);
        weigh_group(&g, e, &year, &small);
        e->date_at = any ? e->date_at : i;
        e->date_end = end;
        any = true;
        i = end;
    }
    /* "28 January 2016", "Aug 19 at 2:36" and the like. */
    e->date = e->date || (year && small > 0) || (small > 0 && e->time);
}
