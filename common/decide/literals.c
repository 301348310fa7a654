/* SPDX-License-Identifier: BSD-2-Clause
 * A reader of the part of the syntax of expressions that most of them are written in. Each
 * piece of a pattern gives a set of literals of which one is in whatever it matches, or no
 * set; of pieces in a row the best set is taken, of alternatives all together.
 */
#include "decide/literals.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

struct set {
    char items[TKT_LITERALS_MAX][TKT_LITERAL_MAX + 1];
    size_t count; /* 0: none is known */
};

struct reader {
    const struct tkt_wordfold *fold;
    const char *at;
    const char *end;
    unsigned depth;
    bool lost;   /* something was not understood */
    bool failed; /* no memory */
};

/* What a row of pieces has given so far. */
struct row {
    struct set *best;
    char run[TKT_LITERAL_MAX + 1]; /* literal characters that stand side by side */
    size_t run_len;
    size_t last; /* length of the run before its last character: that may be quantified */
};

static size_t shortest(const struct set *s)
{
    size_t min = s->count == 0 ? 0 : SIZE_MAX;

    for (size_t i = 0; i < s->count; i++) {
        size_t n = strlen(s->items[i]);
        min = n < min ? n : min;
    }
    return min;
}

static bool is_better(const struct set *a, const struct set *b)
{
    size_t x = shortest(a);
    size_t y = shortest(b);

    return x > y || (x == y && a->count < b->count);
}

static void end_run(struct row *row)
{
    if (row->run_len >= TKT_LITERAL_MIN) {
        struct set one = {.count = 1};
        memcpy(one.items[0], row->run, row->run_len);
        one.items[0][row->run_len] = '\0';
        if (is_better(&one, row->best)) {
            *row->best = one;
        }
    }
    row->run_len = 0;
    row->last = 0;
}

static void add_char(struct reader *r, struct row *row, const char *s, size_t n)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(64 * 1024);

    if (tkt_wordfold_add(r->fold, s, n, &b) < 0) {
        r->failed = true;
        return;
    }
    if (memchr(tkt_buf_str(&b), ' ', b.len) != NULL) { /* runs of blanks become one */
        end_run(row);
        return;
    }
    if (row->run_len + b.len > TKT_LITERAL_MAX) {
        end_run(row);
    }
    row->last = row->run_len;
    memcpy(row->run + row->run_len, tkt_buf_str(&b), b.len);
    row->run_len += b.len;
}

static void add_set(struct row *row, const struct set *s)
{
    end_run(row);
    if (s->count > 0 && is_better(s, row->best)) {
        *row->best = *s;
    }
}

/* ---- pieces ---- */

static bool looking_at(const struct reader *r, const char *s)
{
    size_t n = strlen(s);

    return (size_t)(r->end - r->at) >= n && memcmp(r->at, s, n) == 0;
}

static bool skip_to(struct reader *r, char close)
{
    const char *p = memchr(r->at, close, (size_t)(r->end - r->at));

    if (p == NULL) {
        r->lost = true;
        return false;
    }
    r->at = p + 1;
    return true;
}

static void skip_class(struct reader *r)
{
    r->at++;
    if (r->at < r->end && *r->at == '^') {
        r->at++;
    }
    if (r->at < r->end && *r->at == ']') {
        r->at++;
    }
    while (r->at < r->end && *r->at != ']') {
        if (*r->at == '\\') {
            if (looking_at(r, "\\Q")) {
                r->lost = true;
            }
            r->at++;
        } else if (looking_at(r, "[:") || looking_at(r, "[.") || looking_at(r, "[=")) {
            char close[3] = {r->at[1], ']', '\0'};
            const char *p = memmem(r->at + 2, (size_t)(r->end - r->at - 2), close, 2);
            r->at = p == NULL ? r->at : p + 1;
        }
        r->at++;
    }
    if (r->at >= r->end) {
        r->lost = true;
        r->at = r->end;
        return;
    }
    r->at++;
}

/* Behind \p, \x, \g, \k, \o, \N: what belongs to it. */
static void skip_argument(struct reader *r)
{
    static const char pairs[][2] = {{'{', '}'}, {'<', '>'}, {'\'', '\''}};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (r->at < r->end && *r->at == pairs[i][0]) {
            r->at++;
            (void)skip_to(r, pairs[i][1]); /* r->lost tells */
            return;
        }
    }
    r->lost = true; /* \pL, \x41, \g1: seldom, and not worth a mistake */
}

/* Behind the backslash. */
static void read_escape(struct reader *r, struct row *row)
{
    char c = r->at < r->end ? *r->at++ : '\0';

    if (c == '\0') {
        r->lost = true;
    } else if ((unsigned char)c >= 0x80) {
        r->lost = true;
    } else if (strchr("dDwWsShHvVRXbBAzZGKtnrfe", c) != NULL) {
        end_run(row);
    } else if (strchr("pPxgkoN", c) != NULL) {
        end_run(row);
        if (c == 'N' && (r->at >= r->end || *r->at != '{')) {
            return;
        }
        skip_argument(r);
    } else if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
               (c >= 'A' && c <= 'Z')) {
        r->lost = true; /* \Q, \E, back references ... */
    } else {
        add_char(r, row, &c, 1);
    }
}

/* A quantifier at r->at: how often at least. false: there is none. */
static bool read_quantifier(struct reader *r, bool *at_least_once)
{
    char c = r->at < r->end ? *r->at : '\0';

    if (c == '*' || c == '?' || c == '+') {
        *at_least_once = c == '+';
        r->at++;
    } else if (c == '{') {
        const char *p = r->at + 1;
        size_t digits = strspn(p, "0123456789");
        size_t more = p[digits] == ',' ? 1 + strspn(p + digits + 1, "0123456789") : 0;
        if (p[digits + more] != '}' || digits == 0) {
            /* a brace that means itself, or {,3} of newer versions: which one is not
             * known, so whatever stands before it counts for nothing */
            *at_least_once = false;
            r->lost = true;
            return true;
        }
        *at_least_once = strspn(p, "0") != digits;
        r->at = p + digits + more + 1;
    } else {
        return false;
    }
    if (r->at < r->end && (*r->at == '+' || *r->at == '?')) {
        r->at++;
    }
    return true;
}

static void read_alternatives(struct reader *r, struct set *out);

/* The head of a group behind "(?": false when the group says nothing about what must be
 * there. */
static bool read_group_head(struct reader *r, bool *is_flags)
{
    *is_flags = false;
    if (looking_at(r, ":") || looking_at(r, ">")) {
        r->at++;
        return true;
    }
    if (looking_at(r, "=") || looking_at(r, "!") || looking_at(r, "<=") ||
        looking_at(r, "<!")) {
        r->at += *r->at == '<' ? 2 : 1;
        return false;
    }
    if (looking_at(r, "<") || looking_at(r, "P<") || looking_at(r, "'")) {
        char close = looking_at(r, "'") ? '\'' : '>';
        r->at += looking_at(r, "P<") ? 2 : 1;
        return skip_to(r, close);
    }
    size_t flags = strspn(r->at, "imsJnU-");
    char behind = r->at[flags];
    if (flags > 0 && (behind == ')' || behind == ':')) {
        r->at += flags;
        *is_flags = behind == ')';
        r->at += behind == ':' ? 1 : 0;
        return true;
    }
    r->lost = true; /* (?x), comments, conditions, recursion, callouts */
    return false;
}

static void read_group(struct reader *r, struct row *row)
{
    struct set *inner = calloc(1, sizeof(*inner));
    bool counts = true;
    bool is_flags = false;
    bool once = true;

    if (inner == NULL || ++r->depth > DEPTH_MAX) {
        r->failed |= inner == NULL;
        r->lost = true;
        free(inner);
        return;
    }
    r->at++;
    if (looking_at(r, "*")) {
        r->lost = true; /* (*VERB) */
    } else if (looking_at(r, "?")) {
        r->at++;
        counts = read_group_head(r, &is_flags);
    }
    if (!r->lost && !is_flags) {
        read_alternatives(r, inner);
    }
    if (!r->lost && (r->at >= r->end || *r->at != ')')) {
        r->lost = true;
    }
    if (!r->lost) {
        r->at++;
        end_run(row);
        bool quantified = read_quantifier(r, &once);
        if (counts && (!quantified || once)) {
            add_set(row, inner);
        }
    }
    r->depth--;
    free(inner);
}

static void read_literal(struct reader *r, struct row *row)
{
    size_t n = tkt_wordfold_char(r->at, r->end);

    add_char(r, row, r->at, n);
    r->at += n;
}

/* A quantifier behind a character takes that one from the run if it may be absent. */
static void quantify_last(struct reader *r, struct row *row)
{
    bool once;

    if (read_quantifier(r, &once)) {
        if (!once) {
            row->run_len = row->last;
        }
        end_run(row);
    }
}

static void read_row(struct reader *r, struct set *best)
{
    struct row row = {.best = best};

    best->count = 0;
    while (!r->lost && !r->failed && r->at < r->end && *r->at != '|' && *r->at != ')') {
        char c = *r->at;
        if (c == '(') {
            read_group(r, &row);
            continue;
        }
        size_t before = row.run_len;
        if (c == '[') {
            end_run(&row);
            skip_class(r);
        } else if (c == '\\') {
            r->at++;
            read_escape(r, &row);
        } else if (c == '.' || c == '^' || c == '$') {
            end_run(&row);
            r->at++;
        } else if (c == '*' || c == '+' || c == '?' || c == '{') {
            r->lost = true; /* nothing to quantify, or a brace that means itself */
        } else {
            read_literal(r, &row);
        }
        if (row.run_len == before) {
            row.last = row.run_len; /* a character that folds to nothing */
        }
        quantify_last(r, &row);
    }
    end_run(&row);
}

/* All alternatives must say something, else nothing must be there. */
static void read_alternatives(struct reader *r, struct set *out)
{
    struct set *one = calloc(1, sizeof(*one));
    bool all = true;

    out->count = 0;
    if (one == NULL) {
        r->failed = true;
        return;
    }
    for (;;) {
        read_row(r, one);
        all = all && one->count > 0 && out->count + one->count <= TKT_LITERALS_MAX;
        if (all) {
            memcpy(out->items + out->count, one->items,
                   one->count * sizeof(one->items[0]));
            out->count += one->count;
        }
        if (r->lost || r->failed || r->at >= r->end || *r->at != '|') {
            break;
        }
        r->at++;
    }
    if (!all || r->lost) {
        out->count = 0;
    }
    free(one);
}

static int keep(const struct set *s, struct tkt_literals *out)
{
    *out = (struct tkt_literals){NULL, 0};
    if (s->count == 0) {
        return 0;
    }
    out->items = malloc(s->count * sizeof(*out->items));
    if (out->items == NULL) {
        return -1;
    }
    memcpy(out->items, s->items, s->count * sizeof(*out->items));
    out->count = s->count;
    return 0;
}

int tkt_literals_of_regex(const struct tkt_wordfold *fold, const char *pattern,
                          struct tkt_literals *out)
{
    struct reader r = {.fold = fold, .at = pattern, .end = pattern + strlen(pattern)};
    struct set *s = calloc(1, sizeof(*s));
    int rc = -1;

    if (s == NULL) {
        return -1;
    }
    read_alternatives(&r, s);
    if (r.lost || r.at < r.end) { /* a ) too many */
        s->count = 0;
    }
    if (!r.failed) {
        rc = keep(s, out);
    }
    free(s);
    return rc;
}

int tkt_literals_of_glob(const char *glob, struct tkt_literals *out)
{
    struct set *s = calloc(1, sizeof(*s));
    struct row row = {.best = s};
    const char *p = glob;

    if (s == NULL) {
        return -1;
    }
    while (*p != '\0') {
        if (*p == '[') {
            const char *close = strchr(p + 1 + (p[1] != '\0'), ']');
            p = close == NULL ? p + strlen(p) : close + 1;
            end_run(&row);
            continue;
        }
        if (*p == '*' || *p == '?' || *p == ' ') {
            end_run(&row);
            p++;
            continue;
        }
        p += *p == '\\' && p[1] != '\0' ? 1 : 0;
        if (row.run_len == TKT_LITERAL_MAX) {
            end_run(&row);
        }
        row.run[row.run_len++] = *p++;
    }
    end_run(&row);
    int rc = keep(s, out);
    free(s);
    return rc;
}

void tkt_literals_release(struct tkt_literals *literals)
{
    free(literals->items);
    *literals = (struct tkt_literals){NULL, 0};
}
