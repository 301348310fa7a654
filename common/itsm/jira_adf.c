/* SPDX-License-Identifier: BSD-2-Clause
 * Plain text as an Atlassian document (ADF, version 1).
 *
 * Blocks between empty lines are paragraphs, line ends within them hard breaks, URLs links.
 * Lines between ``` fences, and blocks that are indented throughout, are code. A text node
 * is never empty, and holds no control characters: Jira refuses both.
 */
#include "base/util.h"
#include "itsm/jira.h"

#include <string.h>

struct span {
    const char *start, *end;
};

static bool add_to(cJSON *list, cJSON *item)
{
    if (item == NULL || !cJSON_AddItemToArray(list, item)) {
        cJSON_Delete(item);
        return false;
    }
    return true;
}

static cJSON *node(const char *type)
{
    cJSON *n = cJSON_CreateObject();

    if (cJSON_AddStringToObject(n, "type", type) == NULL) {
        cJSON_Delete(n);
        return NULL;
    }
    return n;
}

/* Without what XML, in which Jira keeps texts, cannot hold. */
static char *clean(struct span s)
{
    char *out = malloc((size_t)(s.end - s.start) + 1);
    size_t n = 0;

    for (const char *p = s.start; out != NULL && p < s.end; p++) {
        unsigned char c = (unsigned char)*p;
        bool is_noncharacter =
            s.end - p >= 3 && c == 0xef && (unsigned char)p[1] == 0xbf &&
            ((unsigned char)p[2] == 0xbe || (unsigned char)p[2] == 0xbf);

        if (is_noncharacter) {
            p += 2;
        } else if ((c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n') {
            out[n++] = *p;
        }
    }
    if (out != NULL) {
        out[n] = '\0';
    }
    return out;
}

static bool add_text(cJSON *list, struct span s, const char *href)
{
    TKT_AUTO_FREE char *text = clean(s);

    if (text == NULL || *text == '\0') {
        return text != NULL;
    }
    cJSON *n = node("text");
    bool ok = n != NULL && cJSON_AddStringToObject(n, "text", text) != NULL;
    if (ok && href != NULL) {
        cJSON *mark = node("link");
        cJSON *attrs = cJSON_AddObjectToObject(mark, "attrs");
        ok = cJSON_AddStringToObject(attrs, "href", text) != NULL;
        ok = add_to(cJSON_AddArrayToObject(n, "marks"), mark) && ok;
    }
    return add_to(list, n) && ok;
}

static bool add_line(cJSON *list, struct span s)
{
    const char *from = s.start;
    bool ok = true;

    for (const char *p = s.start; p < s.end && ok;) {
        size_t n = tkt_jira_link(p, s.end);

        if (n == 0 || (p > s.start && ((p[-1] | 0x20) >= 'a' && (p[-1] | 0x20) <= 'z'))) {
            p++;
            continue;
        }
        ok = add_text(list, (struct span){from, p}, NULL) &&
             add_text(list, (struct span){p, p + n}, p);
        p += n;
        from = p;
    }
    return ok && add_text(list, (struct span){from, s.end}, NULL);
}

static bool add_paragraph(cJSON *content, struct span block)
{
    cJSON *paragraph = node("paragraph");
    cJSON *list = cJSON_AddArrayToObject(paragraph, "content");
    const char *p = block.start;
    bool ok = add_to(content, paragraph);

    while (ok && p < block.end) {
        const char *end = memchr(p, '\n', (size_t)(block.end - p));

        ok = add_line(list, (struct span){p, end == NULL ? block.end : end});
        if (end != NULL && end + 1 < block.end) {
            ok = ok && add_to(list, node("hardBreak"));
        }
        p = end == NULL ? block.end : end + 1;
    }
    return ok && list != NULL;
}

static bool add_code(cJSON *content, struct span block)
{
    cJSON *code = node("codeBlock");
    cJSON *list = cJSON_AddArrayToObject(code, "content");

    return add_to(content, code) && list != NULL && add_text(list, block, NULL);
}

/* ---- blocks --------------------------------------------------------------------------- */

static struct span line_at(const char *p)
{
    return (struct span){p, p + strcspn(p, "\n")};
}

static bool is_blank(struct span line)
{
    for (const char *p = line.start; p < line.end; p++) {
        if (*p != ' ' && *p != '\t' && *p != '\r') {
            return false;
        }
    }
    return true;
}

static bool is_fence(struct span line)
{
    return line.end - line.start >= 3 && memcmp(line.start, "```", 3) == 0;
}

static bool is_indented(struct span line)
{
    return *line.start == '\t' ||
           (line.end - line.start > 4 && memcmp(line.start, "    ", 4) == 0);
}

static const char *behind(struct span line)
{
    return line.end + (*line.end == '\n');
}

/* Lines up to the closing fence; NULL when it never comes. */
static const char *fenced(const char *p, struct span *block)
{
    const char *start = behind(line_at(p));

    for (const char *q = start; *q != '\0'; q = behind(line_at(q))) {
        if (is_fence(line_at(q))) {
            *block = (struct span){start, q > start ? q - 1 : q};
            return behind(line_at(q));
        }
    }
    return NULL;
}

/* Lines up to an empty one or a fence. */
static const char *block_at(const char *p, struct span *block, bool *is_code)
{
    struct span line = line_at(p);

    *block = line;
    *is_code = true;
    while (line.start != line.end && !is_blank(line) &&
           (line.start == block->start || !is_fence(line))) {
        *is_code = *is_code && is_indented(line);
        block->end = line.end;
        p = behind(line);
        if (*p == '\0') {
            break;
        }
        line = line_at(p);
    }
    return p;
}

static bool add_blocks(cJSON *content, const char *p)
{
    bool ok = content != NULL;

    while (ok && *p != '\0') {
        struct span block, line = line_at(p);
        bool is_code = false;
        const char *next = is_fence(line) ? fenced(p, &block) : NULL;

        if (is_blank(line)) {
            p = behind(line);
        } else if (next != NULL) {
            ok = block.end <= block.start || add_code(content, block);
            p = next;
        } else {
            p = block_at(p, &block, &is_code);
            ok = is_code ? add_code(content, block) : add_paragraph(content, block);
        }
    }
    return ok;
}

cJSON *tkt_jira_adf(const char *text)
{
    cJSON *doc = node("doc");
    cJSON *content;

    cJSON_AddNumberToObject(doc, "version", 1);
    content = cJSON_AddArrayToObject(doc, "content");
    if (!add_blocks(content, text)) {
        cJSON_Delete(doc);
        return NULL;
    }
    return doc;
}
