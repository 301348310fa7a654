/* SPDX-License-Identifier: BSD-2-Clause
 * Templates: a small subset of Mustache for texts that leave this host.
 *
 *   {{name}}              a value, escaped as the kind of the output asks
 *   {{#name}}...{{/name}} once for each item of a list; once for a value that is not empty
 *   {{^name}}...{{/name}} when the list or value is empty
 *   {{! comment }}        nothing
 *   {{{name}}}, {{&name}} not escaped: for TKT_ESCAPE_NONE alone, elsewhere an error
 *
 * Names have dots ("requester.name"); in a section over a list they are looked up in the
 * item first, then outward; "." is the item itself. A line with nothing but a tag of a
 * section or a comment leaves no line. Delimiters, partials and lambdas of Mustache do
 * not exist.
 *
 * Promise: which names there are is checked when a template is compiled, so a misspelt one
 * is an error of the configuration test, not of the night; a value can never end the line,
 * the attribute, the string or the component of the URL it stands in.
 * Owner: compile copies the text; render borrows the values. Threads: a template is
 * immutable, render may be called by many threads. Limits: below; the output is bounded by
 * its buffer. Errors: CONF with "line N: what"; render -1 when out is full.
 * Source: mustache(5).
 */
#ifndef TKT_TEMPLATE_TEMPLATE_H
#define TKT_TEMPLATE_TEMPLATE_H
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define TKT_TEMPLATE_MAX (64 * 1024) /* bytes of one */
#define TKT_TEMPLATE_NAME_MAX 128
#define TKT_TEMPLATE_DEPTH_MAX 8 /* sections within each other */

enum tkt_escape {
    TKT_ESCAPE_NONE, /* plain text */
    TKT_ESCAPE_LINE, /* a header field, a Subject: control characters become blanks */
    TKT_ESCAPE_HTML, /* text or a quoted attribute */
    TKT_ESCAPE_JSON, /* inside the quotes of a string */
    TKT_ESCAPE_URL,  /* a component: all but unreserved characters (RFC 3986, 2.3) */
    TKT_ESCAPE_COUNT
};

/* A value with its name: a text, an object (members in items), or a list (items without
 * names, each a text or an object). */
struct tkt_var {
    const char *name;
    const char *text; /* NULL: an object or a list */
    const struct tkt_var *items;
    size_t count;
    bool is_list;
};

struct tkt_template;

/* names: what there will be, NULL-terminated: "ticket.id", "fields.*" (any name below),
 * "files[].name" (in the items of a list), "tags[]" (a list of texts). */
struct tkt_template *tkt_template_compile(const char *text, enum tkt_escape escape,
                                          const char *const *names, struct tkt_err *err);
void tkt_template_free(struct tkt_template **t);
/* Values that are named in names but not among vars are empty. */
int tkt_template_render(const struct tkt_template *t, const struct tkt_var *vars,
                        size_t count, struct tkt_buf *out);
/* Appends text as a value of that kind stands in an output. */
int tkt_escape_add(enum tkt_escape escape, const char *text, struct tkt_buf *out);

#endif
