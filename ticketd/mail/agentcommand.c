/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/mail/agentcommand.h"

#include "base/enc.h"
#include "base/util.h"
#include "decide/decide.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 330      /* an address with its NUL */
#define SHOWN_MAX 60      /* bytes of what was not understood */
#define ADORNMENT_MAX 100 /* bytes: whoever writes more of it means no note */
#define WIDE_HASH "\xef\xbc\x83"

struct reading {
    const struct tkt_conf *conf;
    const char *from;
    const char *p;
    struct tkt_agentcommand *out;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool begins(const char *p, const char *with)
{
    return strncmp(p, with, strlen(with)) == 0;
}

/* The length of one that is wider than ASCII, or has no width at all; or 0. Programs put them
 * before what people type: to who looks at it the line begins with the word. */
static size_t wide_blank(const char *p)
{
    static const char *const some[] = {"\xc2\xa0",     "\xc2\xad",     "\xcd\x8f",
                                       "\xd8\x9c",     "\xe1\x9a\x80", "\xe1\xa0\x8e",
                                       "\xe3\x80\x80", "\xef\xbb\xbf", "\xef\xbf\xbd"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(some); i++) {
        if (begins(p, some[i])) {
            return strlen(some[i]);
        }
    }
    if (begins(p, "\xe2\x80")) { /* U+2000 to 200F, 2028 to 202F */
        unsigned char last = (unsigned char)p[2];
        return (last >= 0x80 && last <= 0x8f) || (last >= 0xa8 && last <= 0xaf) ? 3 : 0;
    }
    if (begins(p, "\xe2\x81")) { /* U+205F to 206F */
        unsigned char last = (unsigned char)p[2];
        return last >= 0x9f && last <= 0xaf ? 3 : 0;
    }
    return 0;
}

static const char *skip(const char *p, const char *ascii)
{
    for (;;) {
        size_t n = strspn(p, ascii) + wide_blank(p + strspn(p, ascii));

        if (n == 0) {
            return p;
        }
        p += n;
    }
}

/* The rest of this line, the space before and behind it left out. */
static size_t rest_of_line(struct reading *r)
{
    r->p += strspn(r->p, " \t\r");
    size_t n = strcspn(r->p, "\n");

    while (n > 0 && strchr(" \t\r", r->p[n - 1]) != NULL) {
        n--;
    }
    return n;
}

static void say_wrong(struct reading *r, const char *why, const char *what, size_t n)
{
    if (r->out->wrong[0] == '\0') {
        int cut = (int)tkt_utf8_cut(what, n, SHOWN_MAX);

        (void)snprintf(r->out->wrong, sizeof(r->out->wrong), "%s: %.*s", why, cut,
                       what); /* has room */
    }
}

/* The next word of this line, or what stands between quotes; false: there is none, or it is
 * no word. */
static bool take_word(struct reading *r, char word[WORD_MAX])
{
    size_t left = rest_of_line(r);
    bool quoted = left > 0 && r->p[0] == '"';
    const char *at = r->p + quoted;
    size_t n = quoted ? strcspn(at, "\"\n") : strcspn(at, " \t\r\n");

    if (left == 0 || n == 0 || n >= WORD_MAX || (quoted && at[n] != '"')) {
        return false;
    }
    memcpy(word, at, n);
    word[n] = '\0';
    r->p = at + n + quoted;
    return true;
}

/* ---- what they are about ------------------------------------------------------------------ */

static const char *agent_named(const struct tkt_conf *conf, const char *address)
{
    for (size_t i = 0; i < conf->group_count; i++) {
        for (size_t k = 0; k < conf->groups[i].members.count; k++) {
            if (tkt_ascii_ieq(conf->groups[i].members.items[k], address)) {
                return conf->groups[i].members.items[k];
            }
        }
    }
    return NULL;
}

static bool set_assignee(struct reading *r)
{
    char word[WORD_MAX];

    if (r->out->assignee != NULL || !take_word(r, word)) {
        return false;
    }
    r->out->assignee = agent_named(r->conf, tkt_ascii_ieq(word, "me") ? r->from : word);
    return r->out->assignee != NULL;
}

static bool set_group(struct reading *r)
{
    char word[WORD_MAX];

    if (r->out->group != NULL || !take_word(r, word)) {
        return false;
    }
    for (size_t i = 0; i < r->conf->group_count; i++) {
        if (tkt_ascii_ieq(r->conf->groups[i].name, word)) {
            r->out->group = r->conf->groups[i].name;
        }
    }
    return r->out->group != NULL;
}

static bool set_priority(struct reading *r)
{
    char word[WORD_MAX];

    if (r->out->priority != 0 || !take_word(r, word) || word[0] < '1' || word[0] > '5' ||
        word[1] != '\0') {
        return false;
    }
    r->out->priority = word[0] - '0';
    return true;
}

static bool set_state(struct reading *r, enum tkt_ticket_state state)
{
    if (r->out->state >= 0) {
        return false;
    }
    r->out->state = (int)state;
    return true;
}

/* ---- lines ---------------------------------------------------------------------------------- */

enum word {
    W_INTERNAL,
    W_PUBLIC,
    W_CLOSE,
    W_RESOLVE,
    W_PENDING,
    W_ASSIGN,
    W_PRIORITY,
    W_GROUP
};
static const struct {
    const char *name;
    enum word word;
} words[] = {
    {"#internal", W_INTERNAL}, {"#note", W_INTERNAL},     {"#public", W_PUBLIC},
    {"#close", W_CLOSE},       {"#resolve", W_RESOLVE},   {"#pending", W_PENDING},
    {"#assign", W_ASSIGN},     {"#priority", W_PRIORITY}, {"#group", W_GROUP}};

static bool carry_out(struct reading *r, enum word word)
{
    switch (word) {
    case W_INTERNAL:
        r->out->is_internal = true;
        return !r->out->is_public;
    case W_PUBLIC:
        r->out->is_public = true;
        return !r->out->is_internal;
    case W_CLOSE:
        return set_state(r, TKT_STATE_CLOSED);
    case W_RESOLVE:
        return set_state(r, TKT_STATE_RESOLVED);
    case W_PENDING:
        return set_state(r, TKT_STATE_PENDING);
    case W_ASSIGN:
        return set_assignee(r);
    case W_PRIORITY:
        return set_priority(r);
    case W_GROUP:
        return set_group(r);
    default:
        return false;
    }
}

/* One command. *text: what follows in its line is text (#internal he is on leave). */
static bool take_command(struct reading *r, bool *text)
{
    size_t shown = rest_of_line(r);
    const char *line = r->p;
    size_t n = strcspn(r->p, " \t\r\n");

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (strlen(words[i].name) == n && tkt_ascii_ieqn(words[i].name, r->p, n)) {
            r->p += n;
            *text = words[i].word == W_INTERNAL || words[i].word == W_PUBLIC;
            if (carry_out(r, words[i].word)) {
                return true;
            }
            break;
        }
    }
    say_wrong(r, "not understood", line, shown);
    return false;
}

/* false: the text begins at r->p. */
static bool take_line(struct reading *r)
{
    bool text = false;

    do {
        if (!take_command(r, &text)) {
            return false;
        }
    } while (rest_of_line(r) > 1 && r->p[0] == '#' && is_letter(r->p[1]));
    size_t left = rest_of_line(r);
    if (left > 0) {
        if (!text) { /* "#close it": whoever wrote that meant something else, maybe */
            say_wrong(r, "not understood", r->p, left);
        }
        return false;
    }
    r->p += strcspn(r->p, "\n");
    r->p += *r->p == '\n';
    return true;
}

/* ---- a note that is none --------------------------------------------------------------- */

/* word, and a blank or the end of the line behind it. */
static bool word_ends(const char *p, const char *word)
{
    size_t n = strlen(word);

    return tkt_ascii_ieqn(p, word, n) && (strchr(" \t\r\n", p[n]) != NULL ||
                                          wide_blank(p + n) > 0); /* or of the text */
}

/* "*", "- ", "[logo]" and the like before the first word of a line, which HTML becomes. Not
 * ">": what he quotes is not his. */
static const char *skip_adornment(const char *line)
{
    const char *p = line;

    while (p - line < ADORNMENT_MAX) {
        const char *was = p;
        size_t bracket = p[0] == '[' ? strcspn(p, "]\n") : 0;

        p = p[bracket] == ']' ? p + bracket + 1 : p;
        p = skip(p, " \t\r*_~`'\"([{<-+.:!|=");
        while ((p[0] & 0x80) != 0 && !begins(p, WIDE_HASH)) { /* a bullet */
            p++;
        }
        if (p == was) {
            break;
        }
    }
    return p;
}

static bool is_stray(const char *line, bool is_first)
{
    const char *p = skip_adornment(line);

    if (p[0] != '#' && !begins(p, WIDE_HASH)) {
        return false;
    }
    p = skip(p + (p[0] == '#' ? strspn(p, "#") : strlen(WIDE_HASH)),
             is_first ? " \t" : "");
    size_t n = tkt_ascii_ieqn(p, "internal", 8) ? 8
               : tkt_ascii_ieqn(p, "note", 4)   ? 4
                                                : 0;
    return n > 0 && !is_letter(p[n]) && (p[n] < '0' || p[n] > '9') && p[n] != '_';
}

/* The line that looks like the mark of a note, but is not where or as one is read: whoever
 * wrote it believes that what follows stays here. Comments of shell scripts have a blank
 * behind their #: below the first line those are none. */
static const char *stray_word(const char *text)
{
    const char *line = skip(text, " \t\r\n");

    for (bool is_first = true; line[0] != '\0'; is_first = false) {
        if (is_stray(line, is_first)) {
            return line;
        }
        line += strcspn(line, "\n");
        line += line[0] == '\n';
    }
    return NULL;
}

/* ---- all of it ------------------------------------------------------------------------- */

void tkt_agentcommand_read(const char *text, const struct tkt_conf *conf,
                           const char *from, struct tkt_agentcommand *out)
{
    struct reading r = {.conf = conf, .from = from, .p = text, .out = out};

    *out = (struct tkt_agentcommand){.state = -1};
    const char *first = skip(text, " \t\r\n");
    if (first[0] == '#') {
        r.p = first;
    }
    while (r.p[0] == '#' && is_letter(r.p[1]) && take_line(&r)) {
        const char *line = skip(r.p, " \t\r");

        if (line[0] == '#') {
            r.p = line;
        }
    }
    r.p += strspn(r.p, r.p == text ? " \t\r\n" : "\r\n");
    out->body = (size_t)(r.p - text);
    const char *stray =
        out->is_internal || out->is_public ? NULL : stray_word(text + out->body);
    if (stray != NULL) {
        say_wrong(&r, "not where a note is marked", stray, strcspn(stray, "\r\n"));
    }
}

bool tkt_agentcommand_is_note(const char *text)
{
    static const char *const notes[] = {"#internal", "#note"};
    const char *first = skip(text, " \t\r\n");

    for (size_t i = 0; i < TKT_ARRAY_LEN(notes); i++) {
        if (word_ends(first, notes[i])) {
            return true;
        }
    }
    return !word_ends(first, "#public") && stray_word(text) != NULL;
}
