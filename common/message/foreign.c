/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/foreign.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

#define DIGITS_MAX 20
#define NUMBER_MIN 3   /* of a number that only a word makes an ID */
#define RECORD_MIN 6   /* digits behind INC and its like */
#define BETWEEN_MAX 12 /* bytes between "Ticket" and its number */

struct reader {
    const char *at; /* the Subject, NUL-terminated */
    const char *const *own;
    size_t own_count;
    struct tkt_message *msg;
    char project[TKT_FOREIGN_ID_MAX + 1]; /* "owner/project" of a bracket before, or "" */
    bool is_jira;                         /* "[JIRA]" stood before */
    bool no_memory;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_letter(c) || is_digit(c) || c == '_' || (c & 0x80) != 0;
}

static size_t digits(const char *p)
{
    size_t n = strspn(p, "0123456789");

    return n <= DIGITS_MAX ? n : 0;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

/* ---- what was found ------------------------------------------------------------------- */

static void add(struct reader *r, const char *id, size_t n)
{
    struct tkt_strings *list = &r->msg->foreign_ids;

    if (n == 0 || n > TKT_FOREIGN_ID_MAX || list->count == TKT_MESSAGE_IDS_MAX) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (strlen(list->items[i]) == n && memcmp(list->items[i], id, n) == 0) {
            return;
        }
    }
    if (list->items == NULL) {
        list->items = tkt_wire_arena_alloc(&r->msg->arena,
                                           TKT_MESSAGE_IDS_MAX * sizeof(*list->items));
    }
    char *kept =
        list->items == NULL ? NULL : tkt_wire_arena_strdup(&r->msg->arena, id, n);
    if (kept == NULL) {
        r->no_memory = true;
        return;
    }
    list->items[list->count++] = kept;
}

/* word, "#" and number, in upper case. */
static void add_numbered(struct reader *r, const char *word, size_t word_len,
                         const char *number, size_t n)
{
    char id[TKT_FOREIGN_ID_MAX + DIGITS_MAX + 2];

    if (word_len > TKT_FOREIGN_ID_MAX) {
        return;
    }
    for (size_t i = 0; i < word_len; i++) {
        id[i] = upper(word[i]);
    }
    id[word_len] = '#';
    memcpy(id + word_len + 1, number, n);
    add(r, id, word_len + 1 + n);
}

/* ---- "ABC-123" ------------------------------------------------------------------------- */

static bool is_ours(const struct reader *r, const char *key, size_t n)
{
    for (size_t i = 0; i < r->own_count; i++) {
        if (strlen(r->own[i]) == n && tkt_ascii_ieqn(key, r->own[i], n)) {
            return true;
        }
    }
    return false;
}

/* Names with a number that everybody writes. */
static bool is_common_name(const char *key, size_t n)
{
    static const char *const names[] = {"UTF", "ISO", "COVID", "RFC", "SHA",
                                        "CVE", "TLS", "HTTP",  "WIN", "DIN"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        if (strlen(names[i]) == n && memcmp(key, names[i], n) == 0) {
            return true;
        }
    }
    return false;
}

/* All of s[0..n) is a key in capitals, a dash, a number. */
static bool take_key(struct reader *r, const char *s, size_t n)
{
    size_t key = 0;

    while (key < n && key <= 12 &&
           ((s[key] >= 'A' && s[key] <= 'Z') ||
            (key > 0 && (is_digit(s[key]) || s[key] == '_')))) {
        key++;
    }
    if (key < 2 || key > 12 || key == n || s[key] != '-' || s[key + 1] == '0' ||
        digits(s + key + 1) == 0 || key + 1 + digits(s + key + 1) != n) {
        return false;
    }
    if (!is_ours(r, s, key) && !is_common_name(s, key)) {
        add(r, s, n);
    }
    return true;
}

/* ---- words that a number follows --------------------------------------------------------- */

/* Length of a word at p that trackers put before their numbers, or 0. */
static size_t tracker_word(const char *p)
{
    static const char *const words[] = {
        "ticket",  "case",    "request",   "incident",        "issue",
        "bug",     "vorgang", "anfrage",   "auftrag",         "demande",
        "dossier", "caso",    "richiesta", "solicitud",       "zaak",
        "ärende",  "sak",     "sag",       "zg\u0142oszenie", "chamado"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        size_t n = strlen(words[i]);
        if (tkt_ascii_ieqn(p, words[i], n) && !is_word(p[n])) {
            return n;
        }
    }
    return 0;
}

/* What may stand between: "#", ":", "ID", "No.", "Nr.", "number". Only such a mark makes the
 * number an ID; inside brackets a blank is enough. */
static const char *skip_mark(const char *p, bool *marked)
{
    static const char *const marks[] = {"number", "nummer", "id", "no", "nr", "n\u00b0"};
    const char *start = p;

    while (p - start < BETWEEN_MAX && *p != '\0' && !is_digit(*p)) {
        size_t n = 0;
        for (size_t i = 0; i < TKT_ARRAY_LEN(marks) && n == 0; i++) {
            n = tkt_ascii_ieqn(p, marks[i], strlen(marks[i])) ? strlen(marks[i]) : 0;
        }
        if (n == 0 && strchr(" :#.-", *p) == NULL) {
            return p;
        }
        *marked = *marked || n > 0 || *p == '#';
        p += n > 0 ? n : 1;
    }
    return p;
}

/* "Ticket#2023...", "Case ID: 123"; returns what was read, 0 when it is none. */
static size_t take_word(struct reader *r, const char *p, bool in_bracket)
{
    size_t word = tracker_word(p);
    bool marked = in_bracket;

    if (word == 0) {
        return 0;
    }
    const char *number = skip_mark(p + word, &marked);
    size_t n = digits(number);
    if (!marked || n == 0 || (!in_bracket && n < NUMBER_MIN) || is_word(number[n])) {
        return 0;
    }
    add_numbered(r, p, word, number, n);
    return (size_t)(number - p) + n;
}

/* "INC0012345": letters of a known kind of record and at least six digits. */
static size_t take_record(struct reader *r, const char *p)
{
    static const char *const kinds[] = {"INC",   "RITM",   "REQ", "CHG",  "PRB", "CRQ",
                                        "TASK",  "SCTASK", "CS",  "CASE", "WO",  "PBI",
                                        "CTASK", "HRC",    "IMS", "MSG",  "SR",  "IM"};
    char id[8 + DIGITS_MAX];

    for (size_t i = 0; i < TKT_ARRAY_LEN(kinds); i++) {
        size_t k = strlen(kinds[i]);
        size_t n = tkt_ascii_ieqn(p, kinds[i], k) ? digits(p + k) : 0;
        if (n >= RECORD_MIN && !is_word(p[k + n]) && !is_ours(r, p, k)) {
            memcpy(id, kinds[i], k);
            memcpy(id + k, p + k, n);
            add(r, id, k + n);
            return k + n;
        }
    }
    return 0;
}

/* "ref:...:ref"; its letters are kept. */
static size_t take_reference(struct reader *r, const char *p)
{
    if (!tkt_ascii_ieqn(p, "ref:", 4)) {
        return 0;
    }
    size_t n = 4;
    while (is_word(p[n]) || p[n] == '.' || p[n] == '!') {
        n++;
    }
    if (n < 12 || strncmp(p + n, ":ref", 4) != 0) {
        return 0;
    }
    add(r, p, n + 4);
    return n + 4;
}

static size_t take_hashes(struct reader *r, const char *p)
{
    size_t n = p[0] == '#' && p[1] == '#' ? digits(p + 2) : 0;

    if (n == 0 || p[2 + n] != '#' || p[3 + n] != '#') {
        return 0;
    }
    add(r, p, 2 + n);
    return n + 4;
}

/* "#SR-1234" */
static size_t take_marked(struct reader *r, const char *p)
{
    size_t n = 1;

    while (is_word(p[n]) || p[n] == '-') {
        n++;
    }
    return n > 1 && take_key(r, p + 1, n - 1) ? n : 0;
}

/* ---- brackets ---------------------------------------------------------------------------- */

/* Content that ends in "#123": the word before it says whose number it is. */
static bool take_hash(struct reader *r, const char *s, size_t n)
{
    const char *hash = memrchr(s, '#', n);
    size_t count = hash == NULL ? 0 : digits(hash + 1);

    if (count == 0 || hash + 1 + count != s + n) {
        return false;
    }
    const char *end = hash;
    while (end > s && (end[-1] == ' ' || end[-1] == ':')) {
        end--;
    }
    const char *word = end;
    while (word > s && word[-1] != ' ' && word[-1] != '#') {
        word--;
    }
    if (word < end) {
        add_numbered(r, word, (size_t)(end - word), hash + 1, count);
    } else {
        add_numbered(r, r->project, strlen(r->project), hash + 1, count);
    }
    return true;
}

static void keep_project(struct reader *r, const char *s, size_t n)
{
    if (memchr(s, '/', n) != NULL && memchr(s, ' ', n) == NULL) {
        memcpy(r->project, s, n);
        r->project[n] = '\0';
    }
    r->is_jira = r->is_jira || (n == 4 && tkt_ascii_ieqn(s, "JIRA", 4));
}

/* At '[' or '(': returns how much was understood, 0 when the content is to be read as any
 * other text. */
static size_t take_bracket(struct reader *r, const char *p)
{
    char close = *p == '[' ? ']' : ')';
    const char *s = p + 1;
    size_t n = 0;

    while (n <= TKT_FOREIGN_ID_MAX && s[n] != '\0' && s[n] != close && s[n] != *p) {
        n++;
    }
    if (n == 0 || n > TKT_FOREIGN_ID_MAX || s[n] != close) {
        return 0;
    }
    size_t mark = *s == '#'; /* Freshservice: "[#SR-12]" */
    bool is_key = (*p == '[' || r->is_jira) && take_key(r, s + mark, n - mark);
    if (is_key || take_hash(r, s, n)) {
        return n + 2;
    }
    size_t word = take_word(r, s, true);
    if (word > 0) {
        return word + 1;
    }
    keep_project(r, s, n);
    return 0;
}

static size_t take(struct reader *r, const char *p, bool at_word)
{
    size_t n = 0;

    if (*p == '[' || *p == '(') {
        return take_bracket(r, p);
    }
    if (*p == '#') {
        n = take_hashes(r, p);
        return n > 0 ? n : take_marked(r, p);
    }
    if (at_word) {
        n = take_record(r, p);
        n = n > 0 ? n : take_reference(r, p);
        n = n > 0 ? n : take_word(r, p, false);
    }
    return n;
}

int tkt_foreign_read(struct tkt_message *msg, const char *const *own, size_t own_count)
{
    struct reader r = {
        .at = msg->subject, .own = own, .own_count = own_count, .msg = msg};
    bool at_word = true;

    msg->foreign_ids = (struct tkt_strings){NULL, 0};
    if (strpbrk(msg->subject, "0123456789:") == NULL) { /* most Subjects */
        return 0;
    }
    while (*r.at != '\0') {
        size_t n = take(&r, r.at, at_word && is_word(*r.at));
        if (n == 0) {
            n = 1;
        }
        at_word = !is_word(r.at[n - 1]);
        r.at += n;
    }
    return r.no_memory ? -1 : 0;
}
