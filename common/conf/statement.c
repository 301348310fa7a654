/* SPDX-License-Identifier: BSD-2-Clause
 * Statements of one file: keys, sections, include().
 */
#include "base/util.h"
#include "conf/reader.h"
#include "conf/suggest.h"
#include "conf/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
}

/* ---- keys ---- */

static int expect(struct tkt_conf_reader *r, const struct tkt_conf_lexeme *token,
                  const char *after, const char *want, struct tkt_err *err)
{
    if (token->kind == TKT_CONF_END) {
        return tkt_conf_source_fail(r->scan.source, token->pos, err,
                                    "the file ends after %s; write %s", after, want);
    }
    int n = token->len > 60 ? 60 : (int)token->len;
    return tkt_conf_source_fail(r->scan.source, token->pos, err,
                                "unexpected %.*s after %s; write %s", n, token->raw,
                                after, want);
}

static bool is_text(const struct tkt_conf_lexeme *token)
{
    return token->kind == TKT_CONF_WORD || token->kind == TKT_CONF_QUOTED;
}

static int next_and_emit(struct tkt_conf_reader *r, struct tkt_conf_lexeme *token,
                         struct tkt_err *err)
{
    if (tkt_conf_scan_next(&r->scan, token, err) < 0) {
        return -1;
    }
    return token->kind == TKT_CONF_END ? 0
                                       : tkt_conf_source_emit(r->scan.source, token, err);
}

/* The items of a list behind its "{". A comma behind the last one is fine, but libconfuse
 * is not asked. */
static int read_list(struct tkt_conf_reader *r, const char *key, size_t *items,
                     struct tkt_err *err)
{
    struct tkt_conf_lexeme token;
    struct tkt_conf_lexeme comma = {.kind = TKT_CONF_END};

    for (;;) {
        if (tkt_conf_scan_next(&r->scan, &token, err) < 0) {
            return -1;
        }
        if (tkt_conf_lexeme_is(&token, '}')) {
            return tkt_conf_source_emit(r->scan.source, &token, err);
        }
        if (comma.kind == TKT_CONF_END && *items > 0) {
            return expect(r, &token, key, ", or } here", err);
        }
        if (!is_text(&token)) {
            return expect(r, &token, key, "an item or } here", err);
        }
        if ((*items > 0 && tkt_conf_source_emit(r->scan.source, &comma, err) < 0) ||
            tkt_conf_source_emit(r->scan.source, &token, err) < 0) {
            return -1;
        }
        (*items)++;
        struct tkt_conf_scan before = r->scan;
        if (tkt_conf_scan_next(&r->scan, &comma, err) < 0) {
            return -1;
        }
        if (!tkt_conf_lexeme_is(&comma, ',')) {
            comma.kind = TKT_CONF_END;
            r->scan = before;
        }
    }
}

static int read_value(struct tkt_conf_reader *r, const struct tkt_conf_row *row,
                      size_t *items, struct tkt_err *err)
{
    struct tkt_conf_lexeme token;

    if (next_and_emit(r, &token, err) < 0) {
        return -1;
    }
    if (is_text(&token)) {
        *items = 1;
        return 0;
    }
    if (!tkt_conf_lexeme_is(&token, '{')) {
        return expect(r, &token, row->key, "a value", err);
    }
    if (row->type != TKT_CONF_LIST) {
        return tkt_conf_source_fail(r->scan.source, token.pos, err,
                                    "%s takes one value; write it without { }", row->key);
    }
    return read_list(r, row->key, items, err);
}

static int unknown_key(struct tkt_conf_reader *r, const char *key,
                       struct tkt_conf_pos pos, struct tkt_err *err)
{
    char hint[160];

    tkt_conf_suggest_key(r->section, key, hint, sizeof(hint));
    return tkt_conf_source_fail(
        r->scan.source, pos, err, "%.60s is not known %s%s; %s", key,
        r->title == NULL && r->section->name[0] == '\0' ? "here" : "in section ",
        r->section->name, hint);
}

static int read_assignment(struct tkt_conf_reader *r,
                           const struct tkt_conf_lexeme *key_token,
                           const struct tkt_conf_lexeme *op, struct tkt_err *err)
{
    struct tkt_conf_source *source = r->scan.source;
    TKT_AUTO_FREE char *key = tkt_conf_lexeme_value(key_token);

    if (key == NULL) {
        return no_memory(err);
    }
    const struct tkt_conf_row *row = tkt_conf_row_find(r->section, key);
    if (row == NULL) {
        return unknown_key(r, key, key_token->pos, err);
    }
    bool append = op->kind == TKT_CONF_APPEND;
    if (append && row->type != TKT_CONF_LIST) {
        return tkt_conf_source_fail(source, op->pos, err,
                                    "%s is no list; write = for +=", key);
    }
    const struct tkt_conf_statement *earlier = tkt_conf_reader_earlier(r, row);
    if (earlier != NULL && !append) {
        return tkt_conf_source_fail(
            source, key_token->pos, err, "%s stands twice, first at %s:%u; remove one",
            key, tkt_conf_source_file(source, earlier->pos), earlier->pos.line);
    }
    size_t items = 0;
    if (tkt_conf_source_emit(source, key_token, err) < 0 ||
        tkt_conf_source_emit(source, op, err) < 0 ||
        read_value(r, row, &items, err) < 0 ||
        tkt_conf_reader_add(r, row, key_token->pos, err) < 0) {
        return -1;
    }
    source->statements[source->statement_count - 1].items = items;
    source->statements[source->statement_count - 1].append = append;
    return 0;
}

/* ---- sections ---- */

static int unknown_section(struct tkt_conf_reader *r, const char *name,
                           struct tkt_conf_pos pos, struct tkt_err *err)
{
    char hint[160];

    tkt_conf_suggest_section(name, hint, sizeof(hint));
    return tkt_conf_source_fail(r->scan.source, pos, err,
                                "section %.60s is not known; %s", name, hint);
}

static int check_title(struct tkt_conf_reader *r, const struct tkt_conf_section *section,
                       const struct tkt_conf_lexeme *title, struct tkt_conf_pos pos,
                       struct tkt_err *err)
{
    if (section->titled && title == NULL) {
        return tkt_conf_source_fail(r->scan.source, pos, err,
                                    "section %s has no title; write %s \"name\" {",
                                    section->name, section->name);
    }
    if (!section->titled && title != NULL) {
        return tkt_conf_source_fail(r->scan.source, pos, err,
                                    "section %s takes no title; write %s {",
                                    section->name, section->name);
    }
    if (title == NULL) {
        return 0;
    }
    r->title = tkt_conf_lexeme_value(title);
    if (r->title == NULL) {
        return no_memory(err);
    }
    const char *want =
        section->title != NULL ? section->title(r->title) : tkt_conf_is_title(r->title);
    return want == NULL
               ? 0
               : tkt_conf_source_fail(r->scan.source, pos, err,
                                      "\"%.60s\" is no title; write %s", r->title, want);
}

static bool is_wanted(const struct tkt_conf_source *source,
                      const struct tkt_conf_section *section)
{
    return source->only == 0 ||
           (source->only & UINT64_C(1) << (section - tkt_conf_sections)) != 0;
}

/* To the end of the section, behind its "{". */
static int pass_over(struct tkt_conf_reader *r, const struct tkt_conf_lexeme *name,
                     struct tkt_err *err)
{
    struct tkt_conf_lexeme token;
    unsigned depth = 1;

    while (depth > 0) {
        if (tkt_conf_scan_next(&r->scan, &token, err) < 0) {
            return -1;
        }
        if (token.kind == TKT_CONF_END) {
            return tkt_conf_source_fail(
                r->scan.source, name->pos, err,
                "section %.*s is never closed; write } at its end",
                name->len > 60 ? 60 : (int)name->len, name->raw);
        }
        depth += tkt_conf_lexeme_is(&token, '{');
        depth -= tkt_conf_lexeme_is(&token, '}');
    }
    return 0;
}

static int open_section(struct tkt_conf_reader *r,
                        const struct tkt_conf_lexeme *name_token,
                        const struct tkt_conf_lexeme *title,
                        const struct tkt_conf_lexeme *brace, struct tkt_err *err)
{
    struct tkt_conf_source *source = r->scan.source;
    TKT_AUTO_FREE char *name = tkt_conf_lexeme_value(name_token);

    if (name == NULL) {
        return no_memory(err);
    }
    const struct tkt_conf_section *section = tkt_conf_section_find(name);
    if (r->section != &tkt_conf_sections[TKT_CONF_TOP]) {
        return tkt_conf_source_fail(
            source, name_token->pos, err,
            "section %.60s within section %s of line %u; write } to "
            "close that one first",
            name, r->section->name, r->opened.line);
    }
    if (section == NULL) {
        return unknown_section(r, name, name_token->pos, err);
    }
    if (!is_wanted(source, section)) {
        return pass_over(r, name_token, err);
    }
    if (check_title(r, section, title, name_token->pos, err) < 0) {
        return -1;
    }
    r->section = section;
    r->opened = name_token->pos;
    const struct tkt_conf_statement *earlier = tkt_conf_reader_earlier(r, NULL);
    if (earlier != NULL) {
        return tkt_conf_source_fail(
            source, name_token->pos, err,
            "section %s%s%s stands twice, first at %s:%u; put them "
            "together",
            name, title == NULL ? "" : " ", title == NULL ? "" : r->title,
            tkt_conf_source_file(source, earlier->pos), earlier->pos.line);
    }
    if (++source->section_count > TKT_CONF_SECTIONS_MAX) {
        return tkt_conf_source_fail(source, name_token->pos, err,
                                    "more than %d sections; remove some",
                                    TKT_CONF_SECTIONS_MAX);
    }
    if (tkt_conf_source_emit(source, name_token, err) < 0 ||
        (title != NULL && tkt_conf_source_emit(source, title, err) < 0) ||
        tkt_conf_source_emit(source, brace, err) < 0) {
        return -1;
    }
    return tkt_conf_reader_add(r, NULL, name_token->pos, err);
}

static int close_section(struct tkt_conf_reader *r, const struct tkt_conf_lexeme *brace,
                         struct tkt_err *err)
{
    if (r->section == &tkt_conf_sections[TKT_CONF_TOP]) {
        return tkt_conf_source_fail(r->scan.source, brace->pos, err,
                                    "} without an open section; remove it");
    }
    r->section = &tkt_conf_sections[TKT_CONF_TOP];
    free(r->title);
    r->title = NULL;
    return tkt_conf_source_emit(r->scan.source, brace, err);
}

/* ---- the file ---- */

static int read_function(struct tkt_conf_reader *r, const struct tkt_conf_lexeme *name,
                         struct tkt_err *err)
{
    struct tkt_conf_source *source = r->scan.source;
    struct tkt_conf_lexeme token;
    struct tkt_conf_lexeme close;

    if (name->len != 7 || memcmp(name->raw, "include", 7) != 0) {
        return tkt_conf_source_fail(source, name->pos, err,
                                    "%.*s() is not known; only include(\"file\") is",
                                    name->len > 60 ? 60 : (int)name->len, name->raw);
    }
    if (tkt_conf_scan_next(&r->scan, &token, err) < 0) {
        return -1;
    }
    if (!is_text(&token)) {
        return expect(r, &token, "include(", "a file name in quotes", err);
    }
    if (tkt_conf_scan_next(&r->scan, &close, err) < 0) {
        return -1;
    }
    if (!tkt_conf_lexeme_is(&close, ')')) {
        return expect(r, &close, "the file name", ") here", err);
    }
    if (r->section != &tkt_conf_sections[TKT_CONF_TOP]) {
        return tkt_conf_source_fail(source, name->pos, err,
                                    "include() within section %s; move it outside",
                                    r->section->name);
    }
    if (!source->may_include) {
        return tkt_conf_source_fail(source, name->pos, err,
                                    "include() is not taken here; write the text itself");
    }
    TKT_AUTO_FREE char *pattern = tkt_conf_lexeme_value(&token);
    return pattern == NULL ? no_memory(err)
                           : tkt_conf_reader_include(r, pattern, name->pos, err);
}

static int read_statement(struct tkt_conf_reader *r, const struct tkt_conf_lexeme *first,
                          struct tkt_err *err)
{
    struct tkt_conf_lexeme second;
    struct tkt_conf_lexeme third;

    if (tkt_conf_lexeme_is(first, '}')) {
        return close_section(r, first, err);
    }
    if (first->kind != TKT_CONF_WORD) {
        return tkt_conf_source_fail(r->scan.source, first->pos, err,
                                    "unexpected %.*s; write a key or a section here",
                                    first->len > 60 ? 60 : (int)first->len, first->raw);
    }
    if (tkt_conf_scan_next(&r->scan, &second, err) < 0) {
        return -1;
    }
    if (second.kind == TKT_CONF_ASSIGN || second.kind == TKT_CONF_APPEND) {
        return read_assignment(r, first, &second, err);
    }
    if (tkt_conf_lexeme_is(&second, '{')) {
        return open_section(r, first, NULL, &second, err);
    }
    if (tkt_conf_lexeme_is(&second, '(')) {
        return read_function(r, first, err);
    }
    char after[64];
    snprintf(after, sizeof(after), "%.*s", first->len > 60 ? 60 : (int)first->len,
             first->raw);
    if (!is_text(&second)) {
        return expect(r, &second, after, "= and a value", err);
    }
    if (tkt_conf_scan_next(&r->scan, &third, err) < 0) {
        return -1;
    }
    if (tkt_conf_lexeme_is(&third, '{')) {
        return open_section(r, first, &second, &third, err);
    }
    return expect(r, &second, after, "= before a value", err);
}

int tkt_conf_reader_run(struct tkt_conf_reader *r, struct tkt_err *err)
{
    struct tkt_conf_lexeme token;

    for (;;) {
        if (tkt_conf_scan_next(&r->scan, &token, err) < 0) {
            return -1;
        }
        if (token.kind == TKT_CONF_END) {
            break;
        }
        if (read_statement(r, &token, err) < 0) {
            return -1;
        }
    }
    if (r->section != &tkt_conf_sections[TKT_CONF_TOP]) {
        return tkt_conf_source_fail(r->scan.source, r->opened, err,
                                    "section %s%s%s is never closed; write } at its end",
                                    r->section->name, r->title == NULL ? "" : " ",
                                    r->title == NULL ? "" : r->title);
    }
    return 0;
}
