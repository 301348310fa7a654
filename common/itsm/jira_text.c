/* SPDX-License-Identifier: BSD-2-Clause
 * Texts on their way to Jira and back: cut into pieces that it takes, as wiki markup where
 * it knows no documents, and out of documents into plain text.
 */
#include "base/buf.h"
#include "base/util.h"
#include "itsm/jira.h"

#include <stdlib.h>
#include <string.h>

#define PLAIN_MAX (256 * 1024)
#define DEPTH_MAX 32
#define ROOM 600 /* for what is said of the pieces, of a sender, and the key */

/* ---- pieces --------------------------------------------------------------------------- */

static size_t units_at(const char *p)
{
    unsigned char c = (unsigned char)*p;

    return (c & 0xc0) == 0x80 ? 0 : c >= 0xf0 ? 2 : 1;
}

size_t tkt_jira_units(const char *text)
{
    size_t units = 0;

    for (; *text != '\0'; text++) {
        units += units_at(text);
    }
    return units;
}

/* How many bytes of the text make at most so many units; at a line's end if there is one in
 * the second half. */
static size_t piece(const char *text, size_t max)
{
    size_t units = 0;
    const char *p = text;
    const char *line = NULL;

    for (; *p != '\0' && units + units_at(p) <= max; p++) {
        units += units_at(p);
        line = *p == '\n' && units > max / 2 ? p + 1 : line;
    }
    return *p != '\0' && line != NULL ? (size_t)(line - text) : (size_t)(p - text);
}

static size_t text_max(const struct tkt_itsm_call *call)
{
    int max = atoi(tkt_itsm_option(call, "text_max", "0"));

    return max >= 2000 && max <= 1000000 ? (size_t)max : TKT_JIRA_TEXT_MAX;
}

/* As it is counted there: markup is longer than what it shows. */
static size_t units_there(struct tkt_itsm_call *call, const char *text)
{
    bool is_wiki = !tkt_jira_is_cloud(call) || tkt_jira_is_jsm(call);
    const char *wiki = is_wiki ? tkt_jira_to_wiki(call, text) : NULL;

    return tkt_jira_units(wiki == NULL ? text : wiki);
}

/* As piece, of so many units there. */
static size_t piece_there(struct tkt_itsm_call *call, const char *text, size_t max)
{
    size_t n = piece(text, max);

    for (size_t aim = max; aim > 1;) {
        const char *part = tkt_wire_arena_strdup(&call->arena, text, n);
        size_t units = part == NULL ? 0 : units_there(call, part);

        if (units <= max) {
            break;
        }
        aim = TKT_MIN(aim * max / units, aim - 1);
        n = piece(text, aim);
    }
    return n;
}

const char *tkt_jira_part(struct tkt_itsm_call *call, const char *text, size_t n,
                          size_t *count)
{
    size_t max = text_max(call) - ROOM;
    const char *start = text;
    const char *p = text;

    if (units_there(call, text) <= max) {
        *count = 1;
        return text;
    }
    for (*count = 0; *p != '\0' && *count < TKT_JIRA_PARTS_MAX; ++*count) {
        start = *count == n ? p : start;
        p += piece_there(call, p, max);
    }
    const char *more = *p != '\0' && n + 1 == *count ? "\n[...]" : "";
    int len = (int)piece_there(call, start, max);
    return n == 0 ? tkt_itsm_text(call, "%.*s\n\n[1/%zu: more in the comments]", len,
                                  start, *count)
                  : tkt_itsm_text(call, "[%zu/%zu]\n%.*s%s", n + 1, *count, len, start,
                                  more);
}

const char *tkt_jira_sent_by(struct tkt_itsm_call *call, const char *name,
                             const char *address, const char *text)
{
    return text == NULL || *address == '\0'
               ? text
               : tkt_itsm_text(call, "%s <%s>:\n\n%s", tkt_itsm_line(call, name, 100),
                               tkt_itsm_line(call, address, 320), text);
}

const char *tkt_jira_text(struct tkt_itsm_call *call)
{
    const char *text = call->ticket->text;

    return tkt_itsm_body(call, *text != '\0' ? text : "-", 0);
}

const char *tkt_jira_description(struct tkt_itsm_call *call,
                                 const struct tkt_jira_work *w)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    const char *text = tkt_jira_text(call);
    size_t count;

    text = text == NULL ? NULL : tkt_jira_part(call, text, 0, &count);
    return w->reporter != NULL && !w->no_reporter
               ? text
               : tkt_jira_sent_by(call, t->requester_name, t->requester, text);
}

const char *tkt_jira_summary(struct tkt_itsm_call *call)
{
    const char *line = tkt_itsm_line(call, call->ticket->subject, 0);

    if (line == NULL || line[strspn(line, " ")] == '\0') {
        return line == NULL ? NULL : call->ticket->id;
    }
    return tkt_wire_arena_strdup(&call->arena, line, piece(line, TKT_JIRA_SUMMARY_MAX));
}

/* ---- links ---------------------------------------------------------------------------- */

size_t tkt_jira_link(const char *p, const char *end)
{
    static const char *const schemes[] = {"https://", "http://", "mailto:"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);
        const char *q = p + n;

        if ((size_t)(end - p) <= n || memcmp(p, schemes[i], n) != 0) {
            continue;
        }
        while (q < end && (unsigned char)*q > 0x20 && (unsigned char)*q < 0x7f &&
               strchr("<>\"'`{}|\\^[]", *q) == NULL) {
            q++;
        }
        while (q > p + n && strchr(".,;:!?)", q[-1]) != NULL) {
            q--; /* the sentence's */
        }
        return q > p + n ? (size_t)(q - p) : 0;
    }
    return 0;
}

cJSON *tkt_jira_rich(struct tkt_itsm_call *call, const char *text)
{
    if (tkt_jira_is_cloud(call)) {
        return tkt_jira_adf(text);
    }
    const char *wiki = tkt_jira_to_wiki(call, text);
    return wiki == NULL ? NULL : cJSON_CreateString(wiki);
}

/* ---- documents ------------------------------------------------------------------------ */

static void end_line(struct tkt_buf *out)
{
    if (out->len > 0 && out->data[out->len - 1] != '\n') {
        tkt_buf_addc(out, '\n');
    }
}

static void add_node(struct tkt_buf *out, const cJSON *n, int depth)
{
    static const char *const blocks[] = {"paragraph",  "heading",  "codeBlock",
                                         "blockquote", "listItem", "tableRow",
                                         "rule",       "panel"};
    static const char *const said[] = {"text", "shortName", "url", "title"};
    const char *type = cJSON_GetStringValue(tkt_json_at(n, "type"));
    const char *text = cJSON_GetStringValue(tkt_json_at(n, "text"));
    const cJSON *attrs = tkt_json_at(n, "attrs");
    bool is_block = false;
    const cJSON *child;

    if (type == NULL || depth > DEPTH_MAX) {
        return;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(blocks); i++) {
        is_block = is_block || strcmp(type, blocks[i]) == 0;
    }
    if (is_block && strcmp(type, "listItem") != 0) {
        end_line(out);
    }
    if (strcmp(type, "paragraph") == 0 && out->len > 0 && depth == 1) {
        tkt_buf_addc(out, '\n');
    }
    for (size_t i = 0; text == NULL && i < TKT_ARRAY_LEN(said); i++) {
        text = cJSON_GetStringValue(tkt_json_at(attrs, said[i])); /* mentions, cards */
    }
    tkt_buf_adds(out, strcmp(type, "hardBreak") == 0 ? "\n" : text == NULL ? "" : text);
    cJSON_ArrayForEach(child, tkt_json_at(n, "content"))
    {
        add_node(out, child, depth + 1);
    }
    if (is_block) {
        end_line(out);
    }
}

char *tkt_jira_plain(struct tkt_itsm_call *call, const cJSON *rich)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(PLAIN_MAX);

    if (cJSON_IsString(rich)) {
        return tkt_jira_from_wiki(call, rich->valuestring);
    }
    add_node(&out, rich, 0); /* longer than the buffer: as far as it goes */
    size_t n = out.len;
    while (n > 0 && out.data[n - 1] == '\n') {
        n--;
    }
    return tkt_wire_arena_strdup(&call->arena, tkt_buf_str(&out), n);
}
