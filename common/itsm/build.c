/* SPDX-License-Identifier: BSD-2-Clause */
#include "itsm/build.h"

#include "net/json.h"

#include "base/enc.h"
#include "base/util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static enum tkt_itsm_next no_memory(struct tkt_err *err)
{
    tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
    return TKT_ITSM_FAILED;
}

/* ---- texts ---------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 0))) static char *
vtext(struct tkt_itsm_call *call, const char *before, const char *fmt, va_list ap)
{
    va_list again;
    size_t skip = strlen(before);

    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *out = n < 0 ? NULL : tkt_wire_arena_alloc(&call->arena, skip + (size_t)n + 1);
    if (out != NULL) {
        memcpy(out, before, skip);
        (void)vsnprintf(out + skip, (size_t)n + 1, fmt, ap); /* measured above */
    }
    return out;
}

const char *tkt_itsm_text(struct tkt_itsm_call *call, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *out = vtext(call, "", fmt, ap);
    va_end(ap);
    return out;
}

const char *tkt_itsm_url(struct tkt_itsm_call *call, const char *fmt, ...)
{
    char *base = tkt_itsm_keep(call, call->site->conf->url);
    va_list ap;

    if (base == NULL) {
        return NULL;
    }
    for (size_t n = strlen(base); n > 0 && base[n - 1] == '/'; n--) {
        base[n - 1] = '\0';
    }
    va_start(ap, fmt);
    char *out = vtext(call, base, fmt, ap);
    va_end(ap);
    return out;
}

char *tkt_itsm_keep(struct tkt_itsm_call *call, const char *text)
{
    return tkt_wire_arena_strdup(&call->arena, text == NULL ? "" : text,
                                 text == NULL ? 0 : strlen(text));
}

const char *tkt_itsm_escape(struct tkt_itsm_call *call, const char *text)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(TKT_HTTP_URL_MAX);

    return tkt_escape_add(TKT_ESCAPE_URL, text, &out) < 0
               ? NULL
               : tkt_itsm_keep(call, tkt_buf_str(&out));
}

const char *tkt_itsm_line(struct tkt_itsm_call *call, const char *text, size_t max)
{
    char *out = tkt_itsm_keep(call, text);
    size_t points = 0;

    for (char *p = out; p != NULL && *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        points += (c & 0xc0) != 0x80; /* not a byte in the middle of a character */
        if (max > 0 && points > max) {
            *p = '\0';
            break;
        }
        *p = c < 0x20 || c == 0x7f ? ' ' : *p;
    }
    return out;
}

static const char *cut_to(struct tkt_itsm_call *call, const char *text, size_t max,
                          const char *more)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4 * TKT_HTTP_ANSWER_MAX);
    size_t n = strlen(text);
    bool cut = max > 0 && n > max;

    n = cut ? tkt_utf8_cut(text, n, max - TKT_MIN(max, strlen(more))) : n;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        tkt_buf_addc(&out,
                     (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ? ' ' : text[i]);
    }
    tkt_buf_adds(&out, cut ? more : "");
    return out.failed ? NULL
                      : tkt_wire_arena_strdup(&call->arena, tkt_buf_str(&out), out.len);
}

const char *tkt_itsm_body(struct tkt_itsm_call *call, const char *text, size_t max)
{
    return cut_to(call, text, max, "\n[...]");
}

const char *tkt_itsm_fit(struct tkt_itsm_call *call, const char *text, size_t max)
{
    const char *more =
        tkt_itsm_text(call, "\n[... cut: the whole is kept with %s]", call->ticket->id);

    return more == NULL ? NULL : cut_to(call, text, max, more);
}

const char *tkt_itsm_break(struct tkt_itsm_call *call, const char *text,
                           const char *const *orders)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4 * TKT_HTTP_ANSWER_MAX);

    for (const char *p = text == NULL ? "" : text; *p != '\0'; p++) {
        tkt_buf_addc(&out, *p);
        for (size_t i = 0; orders[i] != NULL; i++) {
            if (strncasecmp(p, orders[i], strlen(orders[i])) == 0) {
                tkt_buf_addc(&out, ' ');
                break;
            }
        }
    }
    return text == NULL || out.failed ? NULL : tkt_itsm_keep(call, tkt_buf_str(&out));
}

const char *tkt_itsm_html(struct tkt_itsm_call *call, const char *text)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(2 * TKT_HTTP_ANSWER_MAX);

    for (const char *p = text; p != NULL && *p != '\0'; p++) {
        switch (*p) {
        case '&':
            tkt_buf_adds(&out, "&amp;");
            break;
        case '<':
            tkt_buf_adds(&out, "&lt;");
            break;
        case '>':
            tkt_buf_adds(&out, "&gt;");
            break;
        case '\n':
            tkt_buf_adds(&out, "<br>");
            break;
        default:
            tkt_buf_addc(&out, *p);
        }
    }
    return text == NULL || out.failed ? NULL : tkt_itsm_keep(call, tkt_buf_str(&out));
}

static int digit_of(char c)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

char *tkt_itsm_unbase64(struct tkt_itsm_call *call, const char *coded, size_t *len)
{
    char *out = tkt_wire_arena_alloc(&call->arena, strlen(coded) / 4 * 3 + 4);
    uint32_t bits = 0;
    unsigned have = 0;

    *len = 0;
    for (; out != NULL && *coded != '\0'; coded++) {
        int digit = digit_of(*coded);

        if (digit < 0 && strchr(" \t\r\n", *coded) == NULL) {
            break;
        }
        if (digit < 0) {
            continue;
        }
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[(*len)++] = (char)(bits >> have);
        }
    }
    if (out != NULL) {
        out[*len] = '\0';
    }
    return out;
}

/* ---- requests ------------------------------------------------------------------------- */

void tkt_itsm_header(struct tkt_itsm_call *call, const char *line)
{
    struct tkt_itsm_request *r = &call->request;

    if (line != NULL && r->header_count < TKT_ARRAY_LEN(r->headers)) {
        r->headers[r->header_count++] = line;
    }
}

enum tkt_itsm_next tkt_itsm_get(struct tkt_itsm_call *call, const char *url,
                                struct tkt_err *err)
{
    if (url == NULL) {
        return no_memory(err);
    }
    call->request.method = "GET";
    call->request.url = url;
    call->request.repeatable = true;
    call->request.accept_type = "application/json";
    tkt_itsm_header(call, "Accept: application/json");
    return TKT_ITSM_SEND;
}

enum tkt_itsm_next tkt_itsm_json(struct tkt_itsm_call *call, const char *method,
                                 const char *url, cJSON *body, struct tkt_err *err)
{
    TKT_AUTO_FREE char *text = body == NULL ? NULL : cJSON_PrintUnformatted(body);

    cJSON_Delete(body);
    if (url == NULL || text == NULL) {
        return no_memory(err);
    }
    call->request.method = method;
    call->request.url = url;
    call->request.body_len = strlen(text);
    call->request.body = tkt_itsm_keep(call, text);
    call->request.accept_type = "application/json";
    tkt_itsm_header(call, "Accept: application/json");
    tkt_itsm_header(call, "Content-Type: application/json");
    return call->request.body == NULL ? no_memory(err) : TKT_ITSM_SEND;
}

enum tkt_itsm_next tkt_itsm_upload(struct tkt_itsm_call *call, const char *method,
                                   const char *url, const char *type, struct tkt_err *err)
{
    const char *header = tkt_itsm_text(call, "Content-Type: %s", type);

    if (url == NULL || header == NULL) {
        return no_memory(err);
    }
    call->request.method = method;
    call->request.url = url;
    call->request.file = call->file;
    call->request.accept_type = "application/json";
    tkt_itsm_header(call, "Accept: application/json");
    tkt_itsm_header(call, header);
    return TKT_ITSM_SEND;
}

/* A file name inside quotes of a Content-Disposition of multipart/form-data: RFC 7578 has
 * UTF-8 as it is, HTML's way of escaping quotes and line ends. */
static void add_quoted(struct tkt_buf *out, const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        if (*p == '"') {
            tkt_buf_adds(out, "%22");
        } else if ((unsigned char)*p < 0x20) {
            tkt_buf_addc(out, '_');
        } else {
            tkt_buf_addc(out, *p);
        }
    }
}

enum tkt_itsm_next tkt_itsm_form(struct tkt_itsm_call *call, const char *url,
                                 const char *name, const char *const *texts,
                                 struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf head = TKT_BUF_INIT(64 * 1024);
    /* The key is random: the file cannot hold it. */
    const char *boundary = tkt_itsm_text(call, "ticket-%s", call->ticket->corr);

    if (url == NULL || boundary == NULL) {
        return no_memory(err);
    }
    for (; texts != NULL && texts[0] != NULL; texts += 2) {
        tkt_buf_addf(&head,
                     "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n",
                     boundary, texts[0], texts[1]);
    }
    tkt_buf_addf(&head,
                 "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"",
                 boundary, name);
    add_quoted(&head, call->file->name);
    tkt_buf_addf(&head, "\"\r\nContent-Type: %s\r\n\r\n", call->file->type);
    call->request.file_head = tkt_itsm_keep(call, tkt_buf_str(&head));
    call->request.file_tail = tkt_itsm_text(call, "\r\n--%s--\r\n", boundary);
    if (head.failed || call->request.file_head == NULL ||
        call->request.file_tail == NULL) {
        return no_memory(err);
    }
    const char *type = tkt_itsm_text(call, "multipart/form-data; boundary=%s", boundary);
    return type == NULL ? no_memory(err) : tkt_itsm_upload(call, "POST", url, type, err);
}

enum tkt_itsm_next tkt_itsm_odd(struct tkt_itsm_call *call, struct tkt_err *err,
                                const char *what)
{
    tkt_err_set(err, TKT_ERR_TEMP, "%s: the answer has no %s", call->site->conf->name,
                what);
    return TKT_ITSM_FAILED;
}

/* ---- answers -------------------------------------------------------------------------- */

char *tkt_itsm_str(struct tkt_itsm_call *call, const cJSON *json, const char *path)
{
    const cJSON *v = tkt_json_at(json, path);
    char number[40];

    if (cJSON_IsNumber(v)) {
        double d = v->valuedouble;

        /* Its last digits are lost: as an id it would be another ticket's. */
        if (!(d >= -9e15 && d <= 9e15)) {
            return tkt_itsm_keep(call, "");
        }
        (void)snprintf(number, sizeof(number), d == (double)(int64_t)d ? "%.0f" : "%.17g",
                       d); /* has room */
        return tkt_itsm_keep(call, number);
    }
    if (cJSON_IsBool(v)) {
        return tkt_itsm_keep(call, cJSON_IsTrue(v) ? "true" : "false");
    }
    return tkt_itsm_keep(call, cJSON_GetStringValue(v));
}

int tkt_itsm_need_secret(const struct tkt_conf_itsm *conf, const char *what,
                         struct tkt_err *err)
{
    return conf->secret[0] != '\0'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF,
                             "no secret; write secret = \"file:/path/of/the/%s\"", what);
}

int tkt_itsm_need_project(const struct tkt_conf_itsm *conf, const char *how,
                          struct tkt_err *err)
{
    return conf->project[0] != '\0'
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF, "no project; %s", how);
}

const cJSON *tkt_itsm_named(const cJSON *array, const char *name, const char *is)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, array)
    {
        const char *have = cJSON_GetStringValue(tkt_json_at(item, name));

        if (have != NULL && strcmp(have, is) == 0) {
            return item;
        }
    }
    return NULL;
}

size_t tkt_itsm_count(const cJSON *json, const char *path)
{
    const cJSON *v = tkt_json_at(json, path);

    return cJSON_IsArray(v) ? (size_t)cJSON_GetArraySize(v) : 0;
}

/* ---- settings ------------------------------------------------------------------------- */

const char *tkt_itsm_map(const struct tkt_conf_list *rows, const char *ours,
                         const char *fallback)
{
    size_t n = strlen(ours);

    for (size_t i = 0; i < rows->count; i++) {
        if (strncmp(rows->items[i], ours, n) == 0 && rows->items[i][n] == '=') {
            return rows->items[i] + n + 1;
        }
    }
    return fallback;
}

const char *tkt_itsm_unmap(struct tkt_itsm_call *call, const struct tkt_conf_list *rows,
                           const char *theirs, const char *fallback)
{
    for (size_t i = 0; i < rows->count; i++) {
        size_t n = strcspn(rows->items[i], "=");

        if (rows->items[i][n] == '=' && tkt_ascii_ieq(rows->items[i] + n + 1, theirs)) {
            return tkt_wire_arena_strdup(&call->arena, rows->items[i], n);
        }
    }
    return fallback;
}

const char *tkt_itsm_option(const struct tkt_itsm_call *call, const char *name,
                            const char *fallback)
{
    return tkt_itsm_map(&call->site->conf->options, name, fallback);
}

bool tkt_itsm_wants(const struct tkt_itsm_call *call, const char *option)
{
    return strcmp(tkt_itsm_option(call, option, "no"), "yes") == 0;
}

/* ---- the ticket in a vendor's words --------------------------------------------------- */

const char *tkt_itsm_state(const struct tkt_itsm_call *call,
                           const struct tkt_itsm_word *own, const char *state,
                           const char *fallback)
{
    for (; own != NULL && own->ours != NULL; own++) {
        if (strcmp(own->ours, state) == 0) {
            fallback = own->theirs;
            break;
        }
    }
    return tkt_itsm_map(&call->site->conf->states, state, fallback);
}

const char *tkt_itsm_priority(struct tkt_itsm_call *call, const char *const own[6])
{
    int p = call->ticket->priority;
    const char *ours = tkt_itsm_text(call, "%d", p);
    const char *theirs = own == NULL ? NULL : own[p >= 1 && p <= 5 ? p : 0];

    return ours == NULL ? theirs
                        : tkt_itsm_map(&call->site->conf->priorities, ours, theirs);
}

bool tkt_itsm_tells(const struct tkt_itsm_call *call, enum tkt_itsm_member member)
{
    return call->op != TKT_ITSM_UPDATE || call->only == 0 ||
           (call->only & (unsigned)member) != 0;
}

cJSON *tkt_itsm_told(const struct tkt_itsm_call *call)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; tkt_itsm_member_names[i] != NULL; i++) {
        if (tkt_itsm_tells(call, (enum tkt_itsm_member)(1u << i))) {
            cJSON_AddItemToArray(list, cJSON_CreateString(tkt_itsm_member_names[i]));
        }
    }
    return list;
}

bool tkt_itsm_is_mute(const struct tkt_itsm_call *call, cJSON *body, const cJSON *object)
{
    if (call->op != TKT_ITSM_UPDATE || object == NULL || object->child != NULL) {
        return false;
    }
    cJSON_Delete(body);
    return true;
}

const char *tkt_itsm_place(const struct tkt_itsm_call *call)
{
    return tkt_itsm_map(&call->site->conf->groups, call->ticket->group,
                        call->site->conf->project);
}

const char *tkt_itsm_said(struct tkt_itsm_call *call)
{
    const struct tkt_itsm_comment *c = call->comment;

    if (c->author[0] == '\0') {
        return c->text;
    }
    return c->author_name[0] == '\0'
               ? tkt_itsm_text(call, "%s:\n%s", c->author, c->text)
               : tkt_itsm_text(call, "%s <%s>:\n%s", c->author_name, c->author, c->text);
}

const char *tkt_itsm_sent_by(struct tkt_itsm_call *call)
{
    const struct tkt_itsm_ticket *t = call->ticket;

    if (t->requester[0] == '\0') {
        return t->text;
    }
    return t->requester_name[0] == '\0'
               ? tkt_itsm_text(call, "%s:\n%s", t->requester, t->text)
               : tkt_itsm_text(call, "%s <%s>:\n%s", t->requester_name, t->requester,
                               t->text);
}

const char *tkt_itsm_subject(struct tkt_itsm_call *call, size_t max)
{
    const char *line = tkt_itsm_line(call, call->ticket->subject, max);

    return line != NULL && *line == '\0' ? call->ticket->id : line;
}

int tkt_itsm_add_member(void *arg, const char *name, const char *value)
{
    return cJSON_AddStringToObject(arg, name, value) == NULL ? -1 : 0;
}
