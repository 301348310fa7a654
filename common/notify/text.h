/* SPDX-License-Identifier: BSD-2-Clause
 * The words of notices: templates by name and language, shipped ones and the admin's.
 *
 * A text is LANGUAGE/NAME.txt: "Subject: ..." in its first line, an empty line, then plain
 * text; beside it may be NAME.html. The admin's folder goes before what is shipped, file by
 * file. Which names a text may use is tkt_notice_vars; all are compiled when the settings
 * are read, so that a misspelt one is an error of the configuration test.
 * Promise: a value cannot add a header field, a tag or an attribute (template.h).
 * Owner: load's result is immutable; render borrows the values. Threads: any.
 * Limits: TKT_NOTICE_TEXTS_MAX files; TKT_TEMPLATE_MAX bytes of one; TKT_NOTICE_TEXT_MAX of
 * what comes out. Errors: CONF with file and line.
 */
#ifndef TKT_NOTIFY_TEXT_H
#define TKT_NOTIFY_TEXT_H
#include "base/buf.h"
#include "conf/conf.h"
#include "template/template.h"

#define TKT_NOTICE_TEXTS_MAX 1000
#define TKT_NOTICE_SUBJECT_MAX 900

struct tkt_notice_shipped { /* made of conf/templates when the program is built */
    const char *name;       /* "de/created.txt"; NULL ends the table */
    const char *text;
};
extern const struct tkt_notice_shipped tkt_notice_shipped[];
/* "ticket.id", ...; NULL-terminated. */
extern const char *const tkt_notice_vars[];

struct tkt_notice_texts;

/* Also checks that each subscription's template is there. NULL: CONF or TEMP. */
struct tkt_notice_texts *tkt_notice_texts_load(const struct tkt_conf *conf,
                                               struct tkt_err *err);
void tkt_notice_texts_free(struct tkt_notice_texts **texts);

/* The text of that name in that language, else in `otherwise`, else in English, else in
 * whatever it has. Appends; html stays as it is where the text has none. -1: PERM (there is
 * no such text), TEMP. */
struct tkt_notice_words {
    struct tkt_buf *subject; /* one line */
    struct tkt_buf *text;
    struct tkt_buf *html; /* or NULL */
};
int tkt_notice_texts_render(const struct tkt_notice_texts *texts, const char *name,
                            const char *language, const char *otherwise,
                            const struct tkt_var *vars, size_t count,
                            const struct tkt_notice_words *out, struct tkt_err *err);
/* The language it would be in; NULL: there is no such text. */
const char *tkt_notice_texts_language(const struct tkt_notice_texts *texts,
                                      const char *name, const char *language,
                                      const char *otherwise);

#endif
