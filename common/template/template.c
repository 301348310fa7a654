/* SPDX-License-Identifier: BSD-2-Clause */
#include "template/template.h"

#include "base/util.h"
#include "template/names.h"

#include <stdlib.h>
#include <string.h>

enum kind {
    LITERAL,
    VALUE,
    RAW_VALUE,
    SECTION,
    INVERTED,
    END
};

struct piece {
    enum kind kind;
    const char *text; /* of a literal, else the name; NUL-terminated unless a literal */
    size_t len;
    size_t other; /* SECTION, INVERTED: its end */
};

struct tkt_template {
    enum tkt_escape escape;
    struct piece *pieces;
    size_t count;
    size_t cap;
    char *text; /* names are cut out of it in place */
};

/* ---- compile -------------------------------------------------------------------------- */

struct compiler {
    struct tkt_template *t;
    const char *const *names;
    size_t line;
    size_t open[TKT_TEMPLATE_DEPTH_MAX]; /* sections that are not closed yet */
    size_t open_line[TKT_TEMPLATE_DEPTH_MAX];
    size_t depth;
    struct tkt_scope scopes[TKT_TEMPLATE_DEPTH_MAX]; /* of which those over lists */
    size_t scope_count;
    size_t scopes_before[TKT_TEMPLATE_DEPTH_MAX];
    struct tkt_err *err;
};

static int fail(struct compiler *c, const char *what, const char *name)
{
    return tkt_err_set(c->err, TKT_ERR_CONF, "line %zu: %s%s", c->line, what, name);
}

static struct piece *add_piece(struct compiler *c, enum kind kind, const char *text,
                               size_t len)
{
    struct tkt_template *t = c->t;

    if (t->count == t->cap) {
        size_t cap = t->cap == 0 ? 16 : 2 * t->cap;
        struct piece *more = realloc(t->pieces, cap * sizeof(*more));

        if (more == NULL) {
            tkt_err_set(c->err, TKT_ERR_TEMP, "template: no memory");
            return NULL;
        }
        t->pieces = more;
        t->cap = cap;
    }
    t->pieces[t->count] = (struct piece){.kind = kind, .text = text, .len = len};
    return &t->pieces[t->count++];
}

static int add_literal(struct compiler *c, const char *text, size_t len)
{
    return len == 0 || add_piece(c, LITERAL, text, len) != NULL ? 0 : -1;
}

static int no_such_name(struct compiler *c, const char *name)
{
    TKT_AUTO_BUF struct tkt_buf there = TKT_BUF_INIT(600); /* what fits is told */

    tkt_names_tell(c->names, &there);
    return tkt_err_set(c->err, TKT_ERR_CONF, "line %zu: there is no {{%.64s}}; %s",
                       c->line, name, tkt_buf_str(&there));
}

static int add_value(struct compiler *c, const char *name, bool raw)
{
    if (raw && c->t->escape != TKT_ESCAPE_NONE) {
        return fail(c, "values are always escaped here; write two braces: ", name);
    }
    if (tkt_name_find(c->names, c->scopes, c->scope_count, name, NULL) !=
        TKT_NAME_VALUE) {
        return no_such_name(c, name);
    }
    return add_piece(c, raw ? RAW_VALUE : VALUE, name, strlen(name)) != NULL ? 0 : -1;
}

static int open_section(struct compiler *c, const char *name, bool inverted)
{
    struct tkt_scope inner;
    enum tkt_name_kind kind =
        tkt_name_find(c->names, c->scopes, c->scope_count, name, &inner);

    if (kind == TKT_NAME_NONE) {
        return no_such_name(c, name);
    }
    if (c->depth == TKT_TEMPLATE_DEPTH_MAX) {
        return fail(c, "too many sections within each other: ", name);
    }
    c->scopes_before[c->depth] = c->scope_count;
    c->open_line[c->depth] = c->line;
    c->open[c->depth++] = c->t->count;
    if (kind == TKT_NAME_LIST && !inverted) {
        c->scopes[c->scope_count++] = inner;
    }
    return add_piece(c, inverted ? INVERTED : SECTION, name, strlen(name)) != NULL ? 0
                                                                                   : -1;
}

static int close_section(struct compiler *c, const char *name)
{
    if (c->depth == 0) {
        return fail(c, "nothing is open that this could end: /", name);
    }
    size_t at = c->open[--c->depth];
    if (strcmp(c->t->pieces[at].text, name) != 0) {
        return fail(c, "another section has to end first: /", c->t->pieces[at].text);
    }
    c->scope_count = c->scopes_before[c->depth];
    c->t->pieces[at].other = c->t->count;
    return add_piece(c, END, name, strlen(name)) != NULL ? 0 : -1;
}

static bool is_name(const char *s)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t n = strlen(s);

    return n > 0 && n < TKT_TEMPLATE_NAME_MAX && strspn(s, allowed) == n;
}

static char *trim(char *s)
{
    s += strspn(s, " \t\r\n");
    for (size_t n = strlen(s); n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL; n--) {
        s[n - 1] = '\0';
    }
    return s;
}

/* tag: what stands between the braces, its own string. */
static int add_tag(struct compiler *c, char *tag, bool triple)
{
    char sigil = '\0';

    tag = trim(tag);
    if (triple) {
        sigil = '&';
    } else if (*tag != '\0' && strchr("#^/!&>=", *tag) != NULL) {
        sigil = *tag;
        tag = trim(tag + 1);
    }
    if (sigil == '!') {
        return 0;
    }
    if (sigil == '>' || sigil == '=') {
        return fail(c, "templates have no partials and no other delimiters", "");
    }
    if (!is_name(tag)) {
        return fail(c, "a name has letters, digits, '_', '-' and '.': ", tag);
    }
    switch (sigil) {
    case '#':
        return open_section(c, tag, false);
    case '^':
        return open_section(c, tag, true);
    case '/':
        return close_section(c, tag);
    default:
        return add_value(c, tag, sigil == '&');
    }
}

struct tag {
    char *start; /* the first brace */
    char *inner;
    char *end; /* of what stands between the braces */
    char *rest;
    bool triple;
};

/* false: it does not end. */
static bool find_tag(char *open, struct tag *tag)
{
    bool triple = open[2] == '{';
    size_t braces = triple ? 3 : 2;
    char *end = strstr(open + braces, triple ? "}}}" : "}}");

    *tag =
        (struct tag){open, open + braces, end, end == NULL ? open : end + braces, triple};
    return end != NULL;
}

/* A section's tag or a comment that has its line for itself: the line goes with it. */
static void take_line(const char *text, struct tag *tag)
{
    char *from = tag->start;
    char *to = tag->rest;

    if (strchr("#^/!", tag->inner[strspn(tag->inner, " \t")]) == NULL) {
        return;
    }
    while (from > text && (from[-1] == ' ' || from[-1] == '\t')) {
        from--;
    }
    to += strspn(to, " \t\r");
    if ((from == text || from[-1] == '\n') && (*to == '\n' || *to == '\0')) {
        tag->start = from;
        tag->rest = to + (*to == '\n');
    }
}

static size_t lines_in(const char *from, const char *to)
{
    size_t n = 0;

    for (; from < to; from++) {
        n += *from == '\n';
    }
    return n;
}

static int compile(struct compiler *c)
{
    char *at = c->t->text;
    char *first = at; /* nothing before it may be taken with a tag any more */

    for (char *open = strstr(at, "{{"); open != NULL; open = strstr(at, "{{")) {
        struct tag tag;

        c->line += lines_in(at, open);
        if (!find_tag(open, &tag)) {
            return fail(c, "{{ without }}", "");
        }
        take_line(first, &tag);
        size_t lines = lines_in(open, tag.rest);
        if (add_literal(c, at, (size_t)(tag.start - at)) < 0) {
            return -1;
        }
        *tag.end = '\0';
        if (add_tag(c, tag.inner, tag.triple) < 0) {
            return -1;
        }
        c->line += lines;
        at = tag.rest;
        first = at > c->t->text && at[-1] != '\n' ? at + strcspn(at, "\n") : at;
        first = TKT_MIN(first, at + strlen(at));
    }
    if (c->depth > 0) {
        c->line = c->open_line[c->depth - 1];
        return fail(c, "a section does not end: #",
                    c->t->pieces[c->open[c->depth - 1]].text);
    }
    return add_literal(c, at, strlen(at));
}

struct tkt_template *tkt_template_compile(const char *text, enum tkt_escape escape,
                                          const char *const *names, struct tkt_err *err)
{
    struct tkt_template *t;
    struct compiler c = {.names = names, .line = 1, .err = err};

    if (strlen(text) > TKT_TEMPLATE_MAX) {
        tkt_err_set(err, TKT_ERR_CONF, "a template has at most %d bytes",
                    TKT_TEMPLATE_MAX);
        return NULL;
    }
    t = calloc(1, sizeof(*t));
    if (t == NULL || (t->text = strdup(text)) == NULL) {
        free(t);
        tkt_err_set(err, TKT_ERR_TEMP, "template: no memory");
        return NULL;
    }
    t->escape = escape;
    c.t = t;
    if (compile(&c) < 0) {
        tkt_template_free(&t);
    }
    return t;
}

void tkt_template_free(struct tkt_template **t)
{
    if (*t != NULL) {
        free((*t)->pieces);
        free((*t)->text);
        free(*t);
        *t = NULL;
    }
}

/* ---- render --------------------------------------------------------------------------- */

struct frame { /* where names are looked up: the root's values, or an item of a list */
    const struct tkt_var *vars;
    size_t count;
    const struct tkt_var *self;
};

struct renderer {
    const struct tkt_template *t;
    struct frame frames[TKT_TEMPLATE_DEPTH_MAX + 1];
    size_t depth;
    struct tkt_buf *out;
};

static const struct tkt_var *member(const struct tkt_var *vars, size_t count,
                                    const char *name, size_t n)
{
    for (size_t i = 0; i < count; i++) {
        if (vars[i].name != NULL && strlen(vars[i].name) == n &&
            memcmp(vars[i].name, name, n) == 0) {
            return &vars[i];
        }
    }
    return NULL;
}

static const struct tkt_var *find_in(const struct frame *f, const char *name)
{
    const struct tkt_var *vars = f->vars;
    size_t count = f->count;
    const struct tkt_var *v = NULL;

    for (;;) {
        size_t n = strcspn(name, ".");

        v = member(vars, count, name, n);
        if (v == NULL || name[n] == '\0') {
            return v;
        }
        name += n + 1;
        vars = v->items;
        count = v->is_list ? 0 : v->count;
    }
}

static const struct tkt_var *find(const struct renderer *r, const char *name)
{
    const struct tkt_var *v = NULL;

    if (strcmp(name, ".") == 0) {
        return r->frames[r->depth].self;
    }
    for (size_t i = r->depth + 1; i > 0 && v == NULL; i--) {
        v = find_in(&r->frames[i - 1], name);
    }
    return v;
}

static bool is_empty(const struct tkt_var *v)
{
    return v == NULL || (v->text != NULL ? v->text[0] == '\0' : v->count == 0);
}

static void render(struct renderer *r, size_t from, size_t to);

static void render_list(struct renderer *r, const struct tkt_var *list, size_t from,
                        size_t to)
{
    r->depth++;
    for (size_t i = 0; i < list->count && !r->out->failed; i++) {
        const struct tkt_var *item = &list->items[i];

        r->frames[r->depth] = (struct frame){item->items, item->count, item};
        render(r, from, to);
    }
    r->depth--;
}

static void render_section(struct renderer *r, const struct piece *p, size_t from)
{
    const struct tkt_var *v = find(r, p->text);
    bool wanted = is_empty(v) == (p->kind == INVERTED);

    if (!wanted) {
        return;
    }
    if (p->kind == SECTION && v->is_list) {
        render_list(r, v, from, p->other);
    } else {
        render(r, from, p->other);
    }
}

static void render_value(struct renderer *r, const struct piece *p)
{
    const struct tkt_var *v = find(r, p->text);

    if (v != NULL && v->text != NULL) {
        (void)tkt_escape_add(p->kind == RAW_VALUE ? TKT_ESCAPE_NONE : r->t->escape,
                             v->text, r->out); /* out->failed tells */
    }
}

static void render(struct renderer *r, size_t from, size_t to)
{
    for (size_t i = from; i < to && !r->out->failed; i++) {
        const struct piece *p = &r->t->pieces[i];

        switch (p->kind) {
        case LITERAL:
            tkt_buf_add(r->out, p->text, p->len);
            break;
        case SECTION:
        case INVERTED:
            render_section(r, p, i + 1);
            i = p->other;
            break;
        case END:
            break;
        default:
            render_value(r, p);
        }
    }
}

int tkt_template_render(const struct tkt_template *t, const struct tkt_var *vars,
                        size_t count, struct tkt_buf *out)
{
    struct renderer r = {.t = t, .out = out};

    r.frames[0] = (struct frame){vars, count, NULL};
    render(&r, 0, t->count);
    return out->failed ? -1 : 0;
}
