/* SPDX-License-Identifier: BSD-2-Clause
 * Prints what the schema says of each key, for tests/conf_doc_check.sh: one line
 * "SECTION<TAB>KEY<TAB>..." a row. With "sample" the default as it is written; with
 * "man" the line of facts that stands in ticket-milter.conf(5); with nothing all fields.
 * "load FILE" tells whether a sample loads. Built with the folders of a distribution,
 * which are those of the documentation.
 */
#include "conf/conf.h"
#include "conf/read.h"
#include "conf/schema.h"
#include "conf/unit.h"
#include "conf/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 4096

/* " 1s to 2m", " yes or no", or nothing. */
static void add_range(const struct tkt_conf_row *row, struct tkt_buf *out)
{
    if (row->type == TKT_CONF_BOOL) {
        tkt_buf_adds(out, ", yes or no");
    } else if (row->words != NULL) {
        for (const struct tkt_conf_word *w = row->words; w->word != NULL; w++) {
            tkt_buf_adds(out, w == row->words ? ", " : w[1].word == NULL ? " or " : ", ");
            tkt_buf_adds(out, w->word);
        }
    }
    if (row->type == TKT_CONF_LIST) {
        tkt_buf_addf(out, ", %d to %d items", (int)row->min, (int)row->max);
    } else if (row->type == TKT_CONF_INT || row->type == TKT_CONF_SIZE ||
               row->type == TKT_CONF_TIME || row->type == TKT_CONF_OCTAL) {
        tkt_buf_adds(out, ", ");
        tkt_conf_number_format(row->type, row->min, out);
        tkt_buf_adds(out, " to ");
        tkt_conf_number_format(row->type, row->max, out);
    }
}

static void add_facts(const struct tkt_conf_row *row, const char *def,
                      struct tkt_buf *out)
{
    tkt_buf_addf(out, "Type: %s%s", tkt_conf_type_name(row->type),
                 row->secret ? " of secret references" : "");
    add_range(row, out);
    tkt_buf_addf(out, ". Default: %s. Taken by a %s.", def,
                 row->reload ? "reload" : "restart");
}

static void print_row(const char *mode, const struct tkt_conf_section *section,
                      const struct tkt_conf_row *row, const void *base)
{
    TKT_AUTO_BUF struct tkt_buf def = TKT_BUF_INIT(LINE_MAX_LEN);
    TKT_AUTO_BUF struct tkt_buf facts = TKT_BUF_INIT(LINE_MAX_LEN);
    const char *name = section->name[0] == '\0' ? "-" : section->name;

    if (tkt_conf_value_format(row, base, &def) < 0) {
        abort();
    }
    add_facts(row, tkt_buf_str(&def), &facts);
    if (strcmp(mode, "sample") == 0) {
        printf("%s\t%s\t%s\n", name, row->key, tkt_buf_str(&def));
    } else if (strcmp(mode, "man") == 0) {
        printf("%s\t%s\t%s\n", name, row->key, tkt_buf_str(&facts));
    } else {
        printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name, row->key,
               tkt_conf_type_name(row->type), tkt_buf_str(&def), row->unit,
               row->reload ? "reload" : "restart", row->secret ? "secret" : "",
               tkt_buf_str(&facts), row->help);
    }
}

static int load(const char *path)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = tkt_conf_load(path, &err);

    if (conf == NULL) {
        fprintf(stderr, "%s\n", err.text);
        return EXIT_FAILURE;
    }
    tkt_conf_free(&conf);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "load") == 0) {
        return load(argv[2]);
    }
    struct tkt_conf *conf = tkt_conf_new();

    for (int id = 0; id < TKT_CONF_SECTIONS; id++) {
        const struct tkt_conf_section *s = &tkt_conf_sections[id];
        if (conf == NULL ||
            (s->titled &&
             tkt_conf_element_add(conf, (enum tkt_conf_section_id)id, "") == NULL)) {
            return EXIT_FAILURE;
        }
        const void *base = tkt_conf_element(conf, s, "");
        for (size_t i = 0; i < s->row_count; i++) {
            print_row(argc > 1 ? argv[1] : "", s, &s->rows[i], base);
        }
    }
    tkt_conf_free(&conf);
    return EXIT_SUCCESS;
}
