/* SPDX-License-Identifier: BSD-2-Clause
 * A mail's text as Redmine shows it: as text. Redmine formats what it is given by Textile,
 * by Markdown (CommonMark, GitHub's flavour) or not at all, and whatever the format makes
 * links, macros and mentions of it; within a block of code it leaves all that alone. So a
 * text becomes such a block, out of which nothing in it leads.
 */
#include "base/enc.h"
#include "base/util.h"
#include "itsm/redmine_private.h"

#include <ctype.h>
#include <string.h>

#define NOTHING "\xe2\x80\x8b" /* U+200B: no width; what it splits is no mark any more */
#define TEXT_MAX (16 * 1024 * 1024)
#define LINE_MAX_POINTS                                                                  \
    110 /* a block of code scrolls: longer lines are folded at blanks */
#define FENCE "~~~~~~~~\n"
#define FENCE_END "\n~~~~~~~~"
#define PRE "<pre>\n"
#define PRE_END "\n</pre>"

enum markup {
    TEXTILE,
    MARKDOWN,
    NONE
};

static enum markup markup_of(const struct tkt_itsm_call *call)
{
    const char *word = tkt_itsm_option(call, "markup", "textile");

    return strcmp(word, "none") == 0       ? NONE
           : strcmp(word, "markdown") == 0 ? MARKDOWN
                                           : TEXTILE;
}

int tkt_redmine_check_markup(const struct tkt_conf_itsm *conf, struct tkt_err *err)
{
    static const char *const words[] = {"textile", "markdown", "none"};

    for (size_t i = 0; i < conf->options.count; i++) {
        const char *row = conf->options.items[i];
        bool is_known = strncmp(row, "markup=", 7) != 0;

        for (size_t w = 0; w < TKT_ARRAY_LEN(words); w++) {
            is_known = is_known || strcmp(row + 7, words[w]) == 0;
        }
        if (!is_known) {
            return tkt_err_set(
                err, TKT_ERR_CONF,
                "options: markup is textile, markdown or none, as Settings, "
                "General of Redmine has it; not \"%.40s\"",
                row + 7);
        }
    }
    return 0;
}

/* ---- marks ---------------------------------------------------------------------------- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || ((unsigned char)c & 0x80) != 0;
}

/* Textile ends a block at one of its four tags. Whatever may be a tag or a comment is split:
 * the server may be set to Markdown, where the block is HTML. */
static bool is_tag(const char *p)
{
    return *p == '<' && (isalpha((unsigned char)p[1]) ||
                         (p[1] != '\0' && strchr("/!?", p[1]) != NULL));
}

/* "@ann", behind no word: Redmine would write to her. */
static bool mentions(const char *p, char before)
{
    return *p == '@' && is_word(p[1]) && !is_word(before);
}

/* A line that could end a block of code: any marker of three, wherever it stands. */
static bool is_fence(const char *p, bool at_start)
{
    return at_start && (strncmp(p, "~~~", 3) == 0 || strncmp(p, "```", 3) == 0);
}

/* A word that makes a link with what stands behind its colon. */
static bool is_prefix(const char *text, const char *colon)
{
    static const char *const words[] = {"attachment", "document", "version", "forum",
                                        "news",       "message",  "project", "commit",
                                        "source",     "export",   "user"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        size_t n = strlen(words[i]);

        if ((size_t)(colon - text) >= n && strncmp(colon - n, words[i], n) == 0) {
            return true;
        }
    }
    return false;
}

/* What is read in a text without a format: {{macro}}, [[page]], #1, @ann, source:x, r1. */
static bool refers(const char *text, const char *p)
{
    char before = p > text ? p[-1] : '\n';

    switch (*p) {
    case '{':
    case '[':
        return p[1] == *p;
    case '#':
        return before != '&' && (isdigit((unsigned char)p[1]) || p[1] == '#' ||
                                 strncmp(p + 1, "note", 4) == 0);
    case 'r':
        return isdigit((unsigned char)p[1]) && !is_word(before);
    case ':':
        return p[1] != '\0' && strchr(" \t\n<", p[1]) == NULL && is_prefix(text, p);
    default:
        return mentions(p, before);
    }
}

/* ---- to it ---------------------------------------------------------------------------- */

/* Where the line that begins there is folded: at the last blank that has room, else at the
 * first one behind. NULL: nowhere. */
static const char *fold_at(const char *line)
{
    const char *blank = NULL;
    size_t points = 0;

    for (const char *p = line; *p != '\0' && *p != '\n'; p++) {
        points += ((unsigned char)*p & 0xc0) != 0x80;
        if (*p == ' ' && p[1] != ' ' && p > line && p[1] != '\n' && p[1] != '\0') {
            blank = points <= LINE_MAX_POINTS || blank == NULL ? p : blank;
        }
    }
    return points > LINE_MAX_POINTS ? blank : NULL;
}

static void add_block(struct tkt_buf *out, const char *text, enum markup markup)
{
    const char *fold = fold_at(text);
    bool at_start = true; /* but for blanks */

    for (const char *p = text; *p != '\0'; p++) {
        char before = p > text ? p[-1] : '\n';

        if (p == fold) {
            tkt_buf_addc(out, '\n');
            fold = fold_at(p + 1);
            at_start = true;
            continue;
        }
        if (markup == MARKDOWN && is_fence(p, at_start)) {
            tkt_buf_adds(out, NOTHING);
        }
        tkt_buf_addc(out, *p);
        if (markup == TEXTILE ? is_tag(p) : mentions(p, before)) {
            tkt_buf_adds(out, NOTHING);
        }
        at_start = *p == '\n' || (at_start && (*p == ' ' || *p == '\t'));
        fold = *p == '\n' ? fold_at(p + 1) : fold;
    }
}

const char *tkt_redmine_text(struct tkt_itsm_call *call, const char *text)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(TEXT_MAX);
    enum markup markup = markup_of(call);
    const char *body = text == NULL ? NULL : tkt_itsm_body(call, text, 0);
    char *clean = body == NULL ? NULL : tkt_itsm_keep(call, body);

    if (clean == NULL) {
        return NULL;
    }
    for (size_t n = strlen(clean); n > 0 && strchr(" \n", clean[n - 1]) != NULL; n--) {
        clean[n - 1] = '\0';
    }
    for (const char *p = clean; markup == NONE && *p != '\0'; p++) {
        tkt_buf_addc(&out, *p);
        tkt_buf_adds(&out, refers(clean, p) ? NOTHING : "");
    }
    if (markup != NONE && *clean != '\0') {
        tkt_buf_adds(&out, markup == TEXTILE ? PRE : FENCE);
        add_block(&out, clean, markup);
        tkt_buf_adds(&out, markup == TEXTILE ? PRE_END : FENCE_END);
    }
    return out.failed ? NULL : tkt_itsm_keep(call, tkt_buf_str(&out));
}

/* ---- and back ------------------------------------------------------------------------- */

/* Without what stands around it, if both are there. */
static void strip(char *text, const char *head, const char *tail)
{
    size_t n = strlen(text);
    size_t h = strlen(head);
    size_t t = strlen(tail);

    if (n >= h + t && strncmp(text, head, h) == 0 && strcmp(text + n - t, tail) == 0) {
        text[n - t] = '\0';
        memmove(text, text + h, n - t - h + 1);
    }
}

char *tkt_redmine_plain(struct tkt_itsm_call *call, const char *text)
{
    char *out = tkt_itsm_keep(call, text);
    char *to = out;

    if (out == NULL) {
        return NULL;
    }
    for (const char *p = out;
         *p != '\0';) { /* line ends are as browsers send them there */
        if (strncmp(p, NOTHING, strlen(NOTHING)) == 0) {
            p += strlen(NOTHING);
            continue;
        }
        p += *p == '\r' && p[1] == '\n';
        *to++ = *p++;
    }
    *to = '\0';
    strip(out, PRE, PRE_END);
    strip(out, FENCE, FENCE_END);
    return out;
}
