/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/read.h"

#include "base/util.h"
#include "conf/value.h"

#include <confuse.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
}

/* ---- structs ---- */

static int set_defaults(const struct tkt_conf_section *section, void *base)
{
    for (size_t i = 0; i < section->row_count; i++) {
        if (tkt_conf_value_default(&section->rows[i], base) < 0) {
            return -1;
        }
    }
    return 0;
}

struct tkt_conf *tkt_conf_new(void)
{
    struct tkt_conf *conf = calloc(1, sizeof(*conf));

    for (size_t i = 0; conf != NULL && i < TKT_CONF_SECTIONS; i++) {
        const struct tkt_conf_section *s = &tkt_conf_sections[i];
        if (!s->titled && set_defaults(s, (char *)conf + s->offset) < 0) {
            tkt_conf_free(&conf);
        }
    }
    return conf;
}

static void *array_of(const struct tkt_conf *conf, const struct tkt_conf_section *section)
{
    return *(void *const *)((const char *)conf + section->offset);
}

static size_t count_of(const struct tkt_conf *conf,
                       const struct tkt_conf_section *section)
{
    return *(const size_t *)((const char *)conf + section->count_offset);
}

void *tkt_conf_element_add(struct tkt_conf *conf, enum tkt_conf_section_id id,
                           const char *title)
{
    const struct tkt_conf_section *section = &tkt_conf_sections[id];
    size_t *count = (size_t *)((char *)conf + section->count_offset);
    char *items = reallocarray(array_of(conf, section), *count + 1, section->size);

    if (items == NULL) {
        return NULL;
    }
    *(void **)((char *)conf + section->offset) = items;
    char *element = items + *count * section->size;
    memset(element, 0, section->size);
    (*count)++; /* from here on tkt_conf_free() looks after it */
    char *name = strdup(title);
    *(char **)element = name;
    return name == NULL || set_defaults(section, element) < 0 ? NULL : element;
}

void *tkt_conf_element(const struct tkt_conf *conf,
                       const struct tkt_conf_section *section, const char *title)
{
    if (!section->titled) {
        return (char *)conf + section->offset;
    }
    char *items = array_of(conf, section);
    for (size_t i = count_of(conf, section); i > 0;
         i--) { /* mostly the last is asked for */
        char *element = items + (i - 1) * section->size;
        if (strcmp(*(char **)element, title) == 0) {
            return element;
        }
    }
    return NULL;
}

static void release_rows(const struct tkt_conf_section *section, void *base)
{
    for (size_t i = 0; i < section->row_count; i++) {
        tkt_conf_value_release(&section->rows[i], base);
    }
}

void tkt_conf_free(struct tkt_conf **conf)
{
    struct tkt_conf *c = *conf;

    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->desk_count; i++) {
        tkt_conf_list_release(&c->desks[i].matches);
    }
    for (size_t i = 0; i < TKT_CONF_SECTIONS; i++) {
        const struct tkt_conf_section *s = &tkt_conf_sections[i];
        if (!s->titled) {
            release_rows(s, (char *)c + s->offset);
            continue;
        }
        char *items = array_of(c, s);
        for (size_t k = 0; k < count_of(c, s); k++) {
            free(*(char **)(items + k * s->size));
            release_rows(s, items + k * s->size);
        }
        free(items);
    }
    tkt_conf_source_free(&c->source);
    free(c->path);
    free(c);
    *conf = NULL;
}

/* ---- libconfuse ---- */

/* libconfuse's scanner is one set of globals, and its error function has no argument. */
static pthread_mutex_t confuse_lock = PTHREAD_MUTEX_INITIALIZER;
static char confuse_error[200];
static int confuse_line;

static void keep_error(cfg_t *cfg, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void keep_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    if (confuse_error[0] == '\0') {
        vsnprintf(confuse_error, sizeof(confuse_error), fmt, ap);
        confuse_line = cfg == NULL ? 0 : cfg->line;
    }
}

static const cfg_opt_t end_opt = CFG_END();

static void fill_opts(const struct tkt_conf_section *section, cfg_opt_t *opts)
{
    for (size_t i = 0; i < section->row_count; i++) {
        const struct tkt_conf_row *row = &section->rows[i];
        cfg_opt_t scalar = CFG_STR(row->key, NULL, CFGF_NODEFAULT);
        cfg_opt_t list = CFG_STR_LIST(row->key, NULL, CFGF_NODEFAULT);
        opts[i] = row->type == TKT_CONF_LIST ? list : scalar;
    }
    opts[section->row_count] = end_opt;
}

/* cfg_init copies the tables, so they live on the stack of one call. */
static cfg_t *make_parser(void)
{
    enum {
        ROWS = 96
    };
    cfg_opt_t sections[TKT_CONF_SECTIONS][ROWS];
    cfg_opt_t top[ROWS];
    size_t n = tkt_conf_sections[TKT_CONF_TOP].row_count;

    fill_opts(&tkt_conf_sections[TKT_CONF_TOP], top);
    for (size_t i = 1; i < TKT_CONF_SECTIONS; i++) {
        const struct tkt_conf_section *s = &tkt_conf_sections[i];
        cfg_flag_t flags = s->titled ? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES : 0;
        cfg_opt_t opt = CFG_SEC(s->name, sections[i], flags);
        fill_opts(s, sections[i]);
        top[n++] = opt;
    }
    top[n] = end_opt;
    cfg_t *cfg = cfg_init(top, CFGF_NONE);
    if (cfg != NULL) {
        (void)cfg_set_error_function(cfg, keep_error); /* returns the old one */
    }
    return cfg;
}

static int parse(cfg_t *cfg, struct tkt_conf_source *source, struct tkt_err *err)
{
    confuse_error[0] = '\0';
    if (source->text.len == 0 || cfg_parse_buf(cfg, source->text.data) == CFG_SUCCESS) {
        return 0;
    }
    struct tkt_conf_pos pos = {0, 1};
    if (confuse_line > 0 && (size_t)confuse_line <= source->token_count) {
        pos = source->tokens[confuse_line - 1];
    }
    return tkt_conf_source_fail(source, pos, err, "%s; mend what stands here",
                                confuse_error[0] == '\0' ? "cannot be read"
                                                         : confuse_error);
}

/* ---- statements to structs ---- */

/* Both sides have the sections in the order of the files, and s is of the newest. */
static cfg_opt_t *find_opt(const struct tkt_conf *conf, cfg_t *cfg,
                           const struct tkt_conf_statement *s)
{
    cfg_t *section = cfg;

    if (s->section->titled) {
        section =
            cfg_getnsec(cfg, s->section->name, (unsigned)count_of(conf, s->section) - 1);
    } else if (s->section != &tkt_conf_sections[TKT_CONF_TOP]) {
        section = cfg_getsec(cfg, s->section->name);
    }
    return section == NULL ? NULL : cfg_getopt(section, s->row->key);
}

static int apply_values(const struct tkt_conf_statement *s, cfg_opt_t *opt, size_t first,
                        void *base, struct tkt_err *err)
{
    struct tkt_err why = TKT_ERR_INIT;

    for (size_t i = 0; i < s->items; i++) {
        const char *text = cfg_opt_getnstr(opt, (unsigned)(first + i));
        if (text == NULL || tkt_conf_value_set(s->row, base, text, &why) < 0) {
            return tkt_err_set(err, why.class, "%s",
                               text == NULL ? "nothing was read" : why.text);
        }
    }
    return 0;
}

/* libconfuse gathers the items of all "+=" of a list; ours begin behind the earlier. */
static size_t items_before(const struct tkt_conf_source *source,
                           const struct tkt_conf_statement *s)
{
    size_t count = 0;

    if (s->append) {
        for (const struct tkt_conf_statement *e = s; e-- > source->statements;) {
            if (e->row == NULL && e->section == s->section) {
                break; /* the head: a section stands once */
            }
            count += e->section == s->section && e->row == s->row ? e->items : 0;
        }
    }
    return count;
}

static int apply(struct tkt_conf *conf, cfg_t *cfg, const struct tkt_conf_source *source,
                 const struct tkt_conf_statement *s, struct tkt_err *err)
{
    struct tkt_err why = TKT_ERR_INIT;
    void *base = tkt_conf_element(conf, s->section, s->title);
    cfg_opt_t *opt = find_opt(conf, cfg, s);

    if (base == NULL || opt == NULL) {
        return tkt_err_set(err, TKT_ERR_BUG, "%s was scanned but not read", s->row->key);
    }
    if (!s->append && tkt_conf_value_clear(s->row, base) < 0) {
        return no_memory(err);
    }
    size_t first = items_before(source, s);
    if (apply_values(s, opt, first, base, &why) < 0) {
        return why.class == TKT_ERR_CONF
                   ? tkt_conf_source_fail(source, s->pos, err, "%s: %s", s->row->key,
                                          why.text)
                   : tkt_err_set(err, why.class, "%s: %s", s->row->key, why.text);
    }
    return 0;
}

static int apply_all(struct tkt_conf *conf, cfg_t *cfg,
                     const struct tkt_conf_source *source, struct tkt_err *err)
{
    for (size_t i = 0; i < source->statement_count; i++) {
        const struct tkt_conf_statement *s = &source->statements[i];
        if (s->row != NULL) {
            if (apply(conf, cfg, source, s, err) < 0) {
                return -1;
            }
            continue;
        }
        enum tkt_conf_section_id id =
            (enum tkt_conf_section_id)(s->section - tkt_conf_sections);
        if (s->section->titled && tkt_conf_element_add(conf, id, s->title) == NULL) {
            return no_memory(err);
        }
    }
    return 0;
}

int tkt_conf_read(struct tkt_conf *conf, struct tkt_conf_source *source,
                  struct tkt_err *err)
{
    int rc = -1;

    pthread_mutex_lock(&confuse_lock);
    cfg_t *cfg = make_parser();
    if (cfg == NULL) {
        (void)no_memory(err); /* rc says so */
    } else if (parse(cfg, source, err) == 0) {
        rc = apply_all(conf, cfg, source, err);
    }
    if (cfg != NULL) {
        (void)cfg_free(cfg); /* fails only for NULL */
    }
    pthread_mutex_unlock(&confuse_lock);
    tkt_buf_release(&source->text);
    free(source->tokens);
    source->tokens = NULL;
    source->token_count = 0;
    return rc;
}
