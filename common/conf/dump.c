/* SPDX-License-Identifier: BSD-2-Clause
 * The settings as a file that can be loaded again.
 */
#include "conf/conf.h"
#include "conf/read.h"
#include "conf/value.h"

#include <string.h>

struct dump {
    struct tkt_buf *out;
    bool only_changed;
    bool failed;
};

static void dump_rows(struct dump *d, const struct tkt_conf_section *section,
                      const void *base, const void *defaults)
{
    const char *indent = section->name[0] == '\0' ? "" : "    ";

    for (size_t i = 0; i < section->row_count; i++) {
        const struct tkt_conf_row *row = &section->rows[i];
        if ((d->only_changed || section->sparse) &&
            tkt_conf_value_equal(row, base, defaults)) {
            continue;
        }
        d->failed |= tkt_buf_addf(d->out, "%s%s = ", indent, row->key) < 0 ||
                     tkt_conf_value_format(row, base, d->out) < 0 ||
                     tkt_buf_addc(d->out, '\n') < 0;
    }
}

static bool any_changed(const struct tkt_conf_section *section, const void *base,
                        const void *defaults)
{
    for (size_t i = 0; i < section->row_count; i++) {
        if (!tkt_conf_value_equal(&section->rows[i], base, defaults)) {
            return true;
        }
    }
    return false;
}

static void dump_section(struct dump *d, const struct tkt_conf_section *section,
                         const char *title, const void *base, const void *defaults)
{
    bool top = section->name[0] == '\0';

    if (d->only_changed && !section->titled && !any_changed(section, base, defaults)) {
        return;
    }
    if (!top) {
        d->failed |= tkt_buf_addf(d->out, "%s%s%s%s {\n", section->name,
                                  title[0] == '\0' ? "" : " \"", title,
                                  title[0] == '\0' ? "" : "\"") < 0;
    }
    dump_rows(d, section, base, defaults);
    if (!top) {
        d->failed |= tkt_buf_adds(d->out, "}\n") < 0;
    }
}

/* An element named like the one that is dumped, with what follows from its name. */
static const void *named_reference(struct tkt_conf *reference,
                                   const struct tkt_conf_section *section,
                                   const char *title)
{
    struct tkt_conf one = {0};

    if (section != &tkt_conf_sections[TKT_CONF_DESK]) {
        return tkt_conf_element(reference, section, "");
    }
    one.hostname = reference->hostname;
    one.desks = &reference->desks[0];
    one.desk_count = 1;
    char *name = one.desks->name;
    one.desks->name = (char *)title; /* only read */
    one.desks->display_name[0] = '\0';
    int rc = tkt_conf_derive(&one);
    one.desks->name = name;
    return rc < 0 ? NULL : one.desks;
}

static void dump_titled(struct dump *d, const struct tkt_conf *conf,
                        const struct tkt_conf_section *section,
                        struct tkt_conf *reference)
{
    const char *items = *(char *const *)((const char *)conf + section->offset);
    size_t count = *(const size_t *)((const char *)conf + section->count_offset);

    for (size_t i = 0; i < count; i++) {
        const char *element = items + i * section->size;
        const char *title = *(char *const *)element;
        const void *defaults = named_reference(reference, section, title);
        if (defaults == NULL) {
            d->failed = true;
            return;
        }
        /* itsm "local" is there without being written */
        bool implied = section == &tkt_conf_sections[TKT_CONF_ITSM] &&
                       strcmp(title, "local") == 0 &&
                       !any_changed(section, element, defaults);
        if (!d->only_changed || !implied) {
            dump_section(d, section, title, element, defaults);
        }
    }
}

/* An element of each titled section, to compare with. */
static struct tkt_conf *make_reference(void)
{
    struct tkt_conf *conf = tkt_conf_new();

    for (int id = 0; conf != NULL && id < TKT_CONF_SECTIONS; id++) {
        if (tkt_conf_sections[id].titled &&
            tkt_conf_element_add(conf, (enum tkt_conf_section_id)id, "") == NULL) {
            tkt_conf_free(&conf);
        }
    }
    if (conf != NULL && tkt_conf_derive(conf) < 0) {
        tkt_conf_free(&conf);
    }
    return conf;
}

int tkt_conf_dump(const struct tkt_conf *conf, bool only_changed, struct tkt_buf *out)
{
    struct dump d = {.out = out, .only_changed = only_changed};
    struct tkt_conf *reference = make_reference();

    if (reference == NULL) {
        return -1;
    }
    for (size_t i = 0; i < TKT_CONF_SECTIONS; i++) {
        const struct tkt_conf_section *s = &tkt_conf_sections[i];
        if (s->titled) {
            dump_titled(&d, conf, s, reference);
        } else {
            dump_section(&d, s, "", (const char *)conf + s->offset,
                         (const char *)reference + s->offset);
        }
    }
    tkt_conf_free(&reference);
    return d.failed ? -1 : 0;
}
