/* SPDX-License-Identifier: BSD-2-Clause
 * The text of a configuration: its files, what is stated where, and the one text that
 * libconfuse gets to read.
 *
 * libconfuse takes many mistakes in silence: a section that is never closed, a key given
 * twice, backslashes lost in double quotes, bytes it does not know, ${NAME} from the
 * environment, and its scanner keeps its state after an error. So the files are scanned
 * here first, includes are resolved, every statement is matched with its row, and
 * libconfuse sees only tokens that mean the same to both, one a line.
 *
 * Caps: 1 MiB a file, 16 MiB in all, 256 files, 8 includes deep, 16384 sections. Errors
 * are CONF, "file:line: what; what to do". One thread at a time.
 */
#ifndef TKT_CONF_SOURCE_H
#define TKT_CONF_SOURCE_H
#include "base/buf.h"
#include "base/err.h"
#include "conf/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TKT_CONF_FILE_MAX (1024 * 1024)
#define TKT_CONF_TEXT_MAX (16 * 1024 * 1024)
#define TKT_CONF_FILES_MAX 256
#define TKT_CONF_DEPTH_MAX 8
#define TKT_CONF_SECTIONS_MAX 16384

struct tkt_conf_pos {
    unsigned file;
    unsigned line;
};

struct tkt_conf_statement {
    const struct tkt_conf_section *section;
    const struct tkt_conf_row *row; /* NULL: the head of the section */
    char *title;                    /* "" without one */
    size_t items;                   /* values given */
    bool append;                    /* += */
    struct tkt_conf_pos pos;
};

struct tkt_conf_source {
    char **files;
    size_t file_count;
    struct tkt_conf_statement *statements;
    size_t statement_count;
    size_t section_count;
    size_t *heads; /* index + 1 in statements of each head, by its hash; 0 = free */
    size_t heads_cap;
    struct tkt_conf_pos *tokens; /* of line i + 1 of text */
    size_t token_count;
    struct tkt_buf text;
    struct tkt_buf warnings; /* "file:line: what\n" each */
    bool may_include;
    uint64_t
        only; /* bits 1 << enum tkt_conf_section_id; 0 = all. Others are passed over */
};

struct tkt_conf_source *tkt_conf_source_new(void);
void tkt_conf_source_free(struct tkt_conf_source **source);
/* Reads path and what it includes. */
int tkt_conf_source_read(struct tkt_conf_source *source, const char *path,
                         struct tkt_err *err);
/* The same from memory; name stands for the file, include() is refused. */
int tkt_conf_source_scan(struct tkt_conf_source *source, const char *name,
                         const char *data, size_t n, struct tkt_err *err);
/* A CONF error with the position in front. Returns -1. */
int tkt_conf_source_fail(const struct tkt_conf_source *source, struct tkt_conf_pos pos,
                         struct tkt_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Where key of the section stands; else where the section begins, else line 1 of the
 * first file. key may be NULL. source may be NULL: then file 0, line 0. */
struct tkt_conf_pos tkt_conf_source_where(const struct tkt_conf_source *source,
                                          enum tkt_conf_section_id section,
                                          const char *title, const char *key);
const char *tkt_conf_source_file(const struct tkt_conf_source *source,
                                 struct tkt_conf_pos pos);

#endif
