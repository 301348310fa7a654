/* SPDX-License-Identifier: BSD-2-Clause
 * A person being filled in by a backend: what a directory says is a stranger's word, so
 * each value is made clean UTF-8 in one line and cut. Private to common/directory.
 *
 * The first value of a field counts. A failure for want of memory shows at the end.
 */
#ifndef TKT_DIRECTORY_FORM_H
#define TKT_DIRECTORY_FORM_H
#include "directory/directory.h"

#define TKT_FORM_NAMES_MAX 8 /* of one field */

enum tkt_form_field {
    TKT_FORM_NAME,
    TKT_FORM_DEPARTMENT,
    TKT_FORM_COMPANY,
    TKT_FORM_TITLE,
    TKT_FORM_LOCATION,
    TKT_FORM_MANAGER,
    TKT_FORM_LANGUAGE,
    TKT_FORM_GROUPS,
    TKT_FORM_MAIL,
    TKT_FORM_VIP,
    TKT_FORM_FIELDS
};

/* What the fields are called in a directory: as map says, else as its type does. */
struct tkt_form_names {
    const char *names[TKT_FORM_FIELDS][TKT_FORM_NAMES_MAX]; /* into conf, or static */
    size_t counts[TKT_FORM_FIELDS];
};
/* def: as map, parted by blanks; a field may come more than once. CONF: map names a field
 * that there is not. */
int tkt_form_names_make(const struct tkt_conf_directory *conf, const char *const *def,
                        struct tkt_form_names *out, struct tkt_err *err);

struct tkt_directory_form {
    const struct tkt_conf_directory *conf;
    struct tkt_directory_answer *out;
    char *groups[TKT_PERSON_GROUPS_MAX];
    size_t group_count;
    size_t groups_seen; /* also those that were not kept */
    bool failed;
};

void tkt_form_set(struct tkt_directory_form *form, enum tkt_form_field field,
                  const char *value, size_t n);
/* A group's name: false when no more are looked at. */
bool tkt_form_group(struct tkt_directory_form *form, const char *name, size_t n);
/* An attribute or column, as it is called there, for vip_values. */
void tkt_form_value(struct tkt_directory_form *form, const char *attribute,
                    const char *value, size_t n);
/* A cell of a table: sets the field that the column stands for; groups may be several,
 * parted by , ; or line ends. */
void tkt_form_cell(struct tkt_directory_form *form, const struct tkt_form_names *names,
                   const char *column, const char *value, size_t n);
/* What a server told before it was lost must not mix with what is told next. */
void tkt_form_restart(struct tkt_directory_form *form);
int tkt_form_end(struct tkt_directory_form *form);

/* The defaults of tables: the fields' own names. */
extern const char *const tkt_form_table_names[];

/* query with each {address} replaced by mark ("?1", "$1", "?"); how many, or -1. */
int tkt_form_query(const char *query, const char *mark, struct tkt_buf *out);

#endif
