/* SPDX-License-Identifier: BSD-2-Clause
 * One file of the configuration on its way through: its statements are matched with
 * their rows and handed on to libconfuse's text. Private to common/conf.
 */
#ifndef TKT_CONF_READER_H
#define TKT_CONF_READER_H
#include "base/err.h"
#include "conf/scan.h"
#include "conf/schema.h"
#include "conf/source.h"

struct tkt_conf_reader {
    struct tkt_conf_scan scan;
    const struct tkt_conf_section *section; /* the open one, or the top level */
    char *title;                            /* of it, or NULL; free() after run */
    struct tkt_conf_pos opened;
    unsigned depth; /* of includes */
};

/* All statements of the file (statement.c). */
int tkt_conf_reader_run(struct tkt_conf_reader *r, struct tkt_err *err);

/* The rest is source.c. Adds a line with the token to what libconfuse reads. */
int tkt_conf_source_emit(struct tkt_conf_source *source,
                         const struct tkt_conf_lexeme *token, struct tkt_err *err);
/* Notes that row (NULL: the section) stands at pos. */
int tkt_conf_reader_add(struct tkt_conf_reader *r, const struct tkt_conf_row *row,
                        struct tkt_conf_pos pos, struct tkt_err *err);
/* The earlier statement of this row (NULL: of the section's head) in the same section. */
const struct tkt_conf_statement *tkt_conf_reader_earlier(const struct tkt_conf_reader *r,
                                                         const struct tkt_conf_row *row);
/* Reads the files that match pattern. */
int tkt_conf_reader_include(struct tkt_conf_reader *r, const char *pattern,
                            struct tkt_conf_pos pos, struct tkt_err *err);

#endif
