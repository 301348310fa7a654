/* SPDX-License-Identifier: BSD-2-Clause
 * Wiki markup, which Data Center's fields and the API of requests read: what a person wrote
 * is none. A backslash takes their meaning from a set of characters; what is not in it, the
 * backslash among them, goes as a character reference.
 */
#include "base/buf.h"
#include "base/util.h"
#include "itsm/jira.h"

#include <ctype.h>
#include <string.h>

#define ESCAPABLE "![]^~+?%{}()*_-|@"

static const struct {
    char c;
    const char *reference;
} references[] = {{'\\', "&#92;"}, {'&', "&amp;"}, {'#', "&#35;"},
                  {'.', "&#46;"},  {':', "&#58;"}, {';', "&#59;"}};

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || ((unsigned char)c & 0x80) != 0;
}

/* A list, a rule, a phrase begins or ends; not the one within a word, nor alone. */
static bool is_phrase(const char *p, char before, bool at_start)
{
    if (at_start || *p == before || *p == p[1]) {
        return true;
    }
    return (!is_word(before) || !is_word(p[1])) && !(before == ' ' && p[1] == ' ');
}

/* "(x)", "(!)", "(on)": little pictures. */
static bool is_picture(const char *p)
{
    return p[1] != '\0' && p[1] != ' ' &&
           (p[2] == ')' || p[2] == 'r' || strncmp(p + 1, "on)", 3) == 0 ||
            strncmp(p + 1, "off)", 4) == 0 || strncmp(p + 1, "flag", 4) == 0);
}

static bool is_reference(const char *p)
{
    size_t n =
        strspn(p + 1, "#ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

    return n > 0 && p[1 + n] == ';';
}

/* "h1." and "bq." at the start of a line: what stands before the dot. */
static bool is_block(const char *line, const char *dot)
{
    return dot - line == 2 && ((line[0] == 'h' && isdigit((unsigned char)line[1])) ||
                               strncmp(line, "bq", 2) == 0);
}

static bool is_escaped(const char *p, char before, bool at_start)
{
    switch (*p) {
    case '{':
    case '}':
    case '[':
    case ']':
    case '!':
    case '*':
    case '|':
    case '^':
    case '~':
        return true;
    case '_':
    case '-':
    case '+':
        return is_phrase(p, before, at_start);
    case '?':
        return before == '?' || p[1] == '?';
    case '(':
        return before == ':' || is_picture(p);
    case ')':
        return before == ':' || before == ';';
    default:
        return false;
    }
}

static const char *reference_for(const char *p, const char *line, bool at_start)
{
    bool is = *p == '\\' || (*p == '&' && is_reference(p)) || (*p == '#' && at_start) ||
              (*p == '.' && is_block(line, p)) ||
              ((*p == ':' || *p == ';') && p[1] != '\0' && strchr("DPp", p[1]) != NULL &&
               !is_word(p[2]));

    for (size_t i = 0; is && i < TKT_ARRAY_LEN(references); i++) {
        if (references[i].c == *p) {
            return references[i].reference;
        }
    }
    return NULL;
}

char *tkt_jira_to_wiki(struct tkt_itsm_call *call, const char *text)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4 * TKT_HTTP_ANSWER_MAX);
    const char *end = text + strlen(text);
    const char *line = text; /* where its first character that is no blank stands */

    if (strcmp(tkt_itsm_option(call, "markup", "wiki"), "plain") == 0) {
        return tkt_itsm_keep(call, text);
    }
    for (const char *p = text; p < end; p++) {
        char before = p > text ? p[-1] : '\n';
        size_t link = tkt_jira_link(p, end);
        bool at_start = p == line;
        const char *reference = reference_for(p, line, at_start);

        line = *p == '\n' || (at_start && *p == ' ') ? p + 1 : line;
        if (link > 0) {
            tkt_buf_add(&out, p, link);
            p += link - 1;
            continue;
        }
        if (reference != NULL) {
            tkt_buf_adds(&out, reference);
            continue;
        }
        if (is_escaped(p, before, at_start)) {
            tkt_buf_addc(&out, '\\');
        }
        tkt_buf_addc(&out, *p);
    }
    return out.failed ? NULL
                      : tkt_wire_arena_strdup(&call->arena, tkt_buf_str(&out), out.len);
}

char *tkt_jira_from_wiki(struct tkt_itsm_call *call, const char *text)
{
    char *out = tkt_itsm_keep(call, text);
    size_t n = 0;

    for (const char *p = out; p != NULL && *p != '\0';) {
        size_t skip = 0;

        for (size_t i = 0; *p == '&' && skip == 0 && i < TKT_ARRAY_LEN(references); i++) {
            size_t len = strlen(references[i].reference);

            if (strncmp(p, references[i].reference, len) == 0) {
                out[n++] = references[i].c;
                skip = len;
            }
        }
        if (skip > 0) {
            p += skip;
            continue;
        }
        p += *p == '\\' && p[1] != '\0' && strchr(ESCAPABLE, p[1]) != NULL;
        if (*p != '\r') {
            out[n++] = *p;
        }
        p++;
    }
    if (out != NULL) {
        out[n] = '\0';
    }
    return out;
}
