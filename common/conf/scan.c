/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/scan.h"

#include <stdlib.h>
#include <string.h>

#define WORD_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/@-%"

static bool is_word_byte(char c)
{
    return c != '\0' && strchr(WORD_BYTES, c) != NULL;
}

static bool looking_at(const struct tkt_conf_scan *scan, const char *s)
{
    size_t n = strlen(s);

    return (size_t)(scan->end - scan->at) >= n && memcmp(scan->at, s, n) == 0;
}

static void skip_line(struct tkt_conf_scan *scan)
{
    const char *nl = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));

    scan->at = nl == NULL ? scan->end : nl;
}

static int skip_block(struct tkt_conf_scan *scan, struct tkt_err *err)
{
    struct tkt_conf_pos start = scan->pos;

    for (scan->at += 2; scan->at < scan->end; scan->at++) {
        if (looking_at(scan, "*/")) {
            scan->at += 2;
            return 0;
        }
        scan->pos.line += *scan->at == '\n' ? 1 : 0;
    }
    return tkt_conf_source_fail(scan->source, start, err,
                                "this comment never ends; write */ behind it");
}

static int skip_blank(struct tkt_conf_scan *scan, struct tkt_err *err)
{
    while (scan->at < scan->end) {
        char c = *scan->at;
        if (c == '\n') {
            scan->pos.line++;
            scan->at++;
        } else if (c == ' ' || c == '\t' || looking_at(scan, "\r\n")) {
            scan->at++;
        } else if (c == '#' || looking_at(scan, "//")) {
            skip_line(scan);
        } else if (looking_at(scan, "/*")) {
            if (skip_block(scan, err) < 0) {
                return -1;
            }
        } else {
            return 0;
        }
    }
    return 0;
}

/* What stands behind a backslash in double quotes. libconfuse drops the backslash of all
 * but the escapes it knows; those it knows make bytes that no value may hold. */
static int check_escape(struct tkt_conf_scan *scan, char c, struct tkt_err *err)
{
    if (c == '\\' || c == '"') {
        return 0;
    }
    if (strchr("ntrbfaevx0123456789", c) != NULL) {
        return tkt_conf_source_fail(
            scan->source, scan->pos, err,
            "the escape \\%c is not taken; write the text as it is, "
            "in single quotes if it has a backslash",
            c);
    }
    return tkt_buf_addf(
               &scan->source->warnings,
               "%s:%u: the backslash before %c is lost in double quotes; use single "
               "quotes\n",
               tkt_conf_source_file(scan->source, scan->pos), scan->pos.line, c) < 0
               ? tkt_conf_source_fail(scan->source, scan->pos, err,
                                      "too many warnings; mend those that come first")
               : 0;
}

static int check_quoted_byte(struct tkt_conf_scan *scan, char quote, const char *p,
                             struct tkt_err *err)
{
    unsigned char c = (unsigned char)*p;

    if (c == '\n' || c == '\r') {
        return tkt_conf_source_fail(
            scan->source, scan->pos, err,
            "this text is not closed on its line; put %c at its end", quote);
    }
    if (c < 0x20 && c != '\t') {
        return tkt_conf_source_fail(scan->source, scan->pos, err,
                                    "a control character (0x%02x); remove it", c);
    }
    if (quote == '"' && c == '$' && p + 1 < scan->end && p[1] == '{') {
        return tkt_conf_source_fail(scan->source, scan->pos, err,
                                    "${...} would come from the environment, which "
                                    "differs between programs; write "
                                    "the value, or use single quotes");
    }
    return 0;
}

static int scan_quoted(struct tkt_conf_scan *scan, struct tkt_conf_lexeme *out,
                       struct tkt_err *err)
{
    char quote = *scan->at;
    const char *p = scan->at + 1;

    for (; p < scan->end && *p != quote; p++) {
        if (*p == '\\' && p + 1 < scan->end && p[1] != '\n' && p[1] != '\r') {
            if (quote == '"' && check_escape(scan, p[1], err) < 0) {
                return -1;
            }
            p++; /* in single quotes it stays; a following quote does not end the text */
        }
        if (check_quoted_byte(scan, quote, p, err) < 0) {
            return -1;
        }
    }
    if (p >= scan->end) {
        return tkt_conf_source_fail(scan->source, scan->pos, err,
                                    "this text is not closed; put %c at its end", quote);
    }
    out->kind = TKT_CONF_QUOTED;
    out->len = (size_t)(p + 1 - scan->at);
    scan->at = p + 1;
    return 0;
}

static int scan_word(struct tkt_conf_scan *scan, struct tkt_conf_lexeme *out,
                     struct tkt_err *err)
{
    const char *p = scan->at;

    while (p < scan->end && is_word_byte(*p)) {
        p++;
    }
    out->kind = TKT_CONF_WORD;
    out->len = (size_t)(p - scan->at);
    bool ends_well =
        p == scan->end || (*p != '\0' && strchr(" \t\r\n#={}(),+", *p) != NULL);
    bool has_comment = memmem(scan->at, out->len, "//", 2) != NULL;
    if (out->len == 0 || !ends_well || has_comment) {
        const char *odd = has_comment ? "//" : p;
        unsigned char c = (unsigned char)*odd;
        if (c > 0x20 && c < 0x7f) {
            return tkt_conf_source_fail(scan->source, scan->pos, err,
                                        "unexpected %.*s; put the text in quotes",
                                        has_comment ? 2 : 1, odd);
        }
        return tkt_conf_source_fail(scan->source, scan->pos, err,
                                    "unexpected byte 0x%02x; put the text in quotes", c);
    }
    scan->at = p;
    return 0;
}

int tkt_conf_scan_next(struct tkt_conf_scan *scan, struct tkt_conf_lexeme *out,
                       struct tkt_err *err)
{
    if (skip_blank(scan, err) < 0) {
        return -1;
    }
    *out = (struct tkt_conf_lexeme){.raw = scan->at, .len = 1, .pos = scan->pos};
    if (scan->at == scan->end) {
        out->kind = TKT_CONF_END;
        out->len = 0;
        return 0;
    }
    char c = *scan->at;
    if (c == '"' || c == '\'') {
        return scan_quoted(scan, out, err);
    }
    if (looking_at(scan, "+=")) {
        out->kind = TKT_CONF_APPEND;
        out->len = 2;
    } else if (c == '=') {
        out->kind = TKT_CONF_ASSIGN;
    } else if (c != '\0' && strchr("{}(),", c) != NULL) {
        out->kind = TKT_CONF_PUNCT;
    } else {
        return scan_word(scan, out, err);
    }
    scan->at += out->len;
    return 0;
}

char *tkt_conf_lexeme_value(const struct tkt_conf_lexeme *token)
{
    if (token->kind != TKT_CONF_QUOTED) {
        return strndup(token->raw, token->len);
    }
    char quote = token->raw[0];
    char *value = malloc(token->len);
    size_t n = 0;
    for (size_t i = 1; value != NULL && i + 1 < token->len; i++) {
        char next = token->raw[i + 1];
        bool escape = token->raw[i] == '\\' && i + 2 < token->len;
        if (escape && (quote == '"' || next == '\\' || next == '\'')) {
            i++;
        }
        value[n++] = token->raw[i];
    }
    if (value != NULL) {
        value[n] = '\0';
    }
    return value;
}

bool tkt_conf_lexeme_is(const struct tkt_conf_lexeme *token, char c)
{
    return token->kind == TKT_CONF_PUNCT && token->raw[0] == c;
}
