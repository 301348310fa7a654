/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify/text.h"

#include "base/fs.h"
#include "base/util.h"
#include "notify/notify.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 64
#define PATH_MAX_LEN 1400

const char *const tkt_notice_vars[] = {"ticket.id",
                                       "ticket.number",
                                       "ticket.external_url",
                                       "ticket.url",
                                       "ticket.subject",
                                       "ticket.state",
                                       "ticket.priority",
                                       "ticket.type",
                                       "ticket.category",
                                       "ticket.service",
                                       "ticket.group",
                                       "ticket.assignee",
                                       "ticket.assignee_name",
                                       "ticket.created",
                                       "fields.*",
                                       "is.*",
                                       "desk.name",
                                       "desk.address",
                                       "requester.name",
                                       "requester.address",
                                       "to.name",
                                       "to.address",
                                       "to.role",
                                       "to.is_requester",
                                       "what",
                                       "message",
                                       "event.*",
                                       "items[].line",
                                       "items[].ticket",
                                       "items[].what",
                                       "items[].url",
                                       "count",
                                       "left_out",
                                       "unsubscribe",
                                       NULL};

struct one {
    char name[NAME_MAX_LEN + 1];
    char language[3];
    struct tkt_template *subject, *text, *html;
};

struct tkt_notice_texts {
    struct one *items;
    size_t count, room;
};

/* ---- reading -------------------------------------------------------------------------- */

static struct one *find(const struct tkt_notice_texts *t, const char *name,
                        const char *language)
{
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->items[i].language, language) == 0 &&
            strcmp(t->items[i].name, name) == 0) {
            return &t->items[i];
        }
    }
    return NULL;
}

static struct one *make(struct tkt_notice_texts *t, const char *name,
                        const char *language, struct tkt_err *err)
{
    struct one *o = find(t, name, language);

    if (o != NULL) {
        return o;
    }
    if (t->count == TKT_NOTICE_TEXTS_MAX) {
        tkt_err_set(err, TKT_ERR_CONF, "more than %d texts", TKT_NOTICE_TEXTS_MAX);
        return NULL;
    }
    if (t->count == t->room) {
        size_t room = t->room == 0 ? 64 : t->room * 2;
        struct one *items = realloc(t->items, room * sizeof(*items));

        if (items == NULL) {
            tkt_err_set(err, TKT_ERR_TEMP, "no memory");
            return NULL;
        }
        t->items = items;
        t->room = room;
    }
    o = &t->items[t->count++];
    *o = (struct one){.name = ""};
    (void)snprintf(o->name, sizeof(o->name), "%s", name);             /* was looked at */
    (void)snprintf(o->language, sizeof(o->language), "%s", language); /* the same */
    return o;
}

static int compile(struct tkt_template **into, const char *text, enum tkt_escape escape,
                   struct tkt_err *err)
{
    struct tkt_template *t = tkt_template_compile(text, escape, tkt_notice_vars, err);

    if (t == NULL) {
        return -1;
    }
    tkt_template_free(into);
    *into = t;
    return 0;
}

/* "Subject: ...\n\nbody" */
static int take_text(struct one *o, const char *text, struct tkt_err *err)
{
    static const char field[] = "Subject:";
    const char *end = strchr(text, '\n');
    TKT_AUTO_BUF struct tkt_buf subject = TKT_BUF_INIT(TKT_TEMPLATE_MAX);

    if (strncmp(text, field, sizeof(field) - 1) != 0 || end == NULL ||
        (end[1] != '\n' && end[1] != '\0')) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "line 1: write \"Subject: ...\", an empty line, the text");
    }
    const char *start = text + sizeof(field) - 1;
    start += strspn(start, " \t");
    if (tkt_buf_add(&subject, start, (size_t)(end - start)) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "line 1: the subject is too long");
    }
    return compile(&o->subject, tkt_buf_str(&subject), TKT_ESCAPE_LINE, err) < 0 ||
                   compile(&o->text, end + (end[1] == '\n' ? 2 : 1), TKT_ESCAPE_NONE,
                           err) < 0
               ? -1
               : 0;
}

/* file: "created.txt". 1: taken, 0: it is none, -1. */
static int take(struct tkt_notice_texts *t, const char *language, const char *file,
                const char *text, struct tkt_err *err)
{
    char name[NAME_MAX_LEN + 1];
    const char *dot = strrchr(file, '.');
    bool is_html = dot != NULL && strcmp(dot, ".html") == 0;

    if (dot == NULL || (!is_html && strcmp(dot, ".txt") != 0)) {
        return 0;
    }
    if ((size_t)(dot - file) > NAME_MAX_LEN || dot == file) {
        return tkt_err_set(err, TKT_ERR_CONF, "the name is too long");
    }
    memcpy(name, file, (size_t)(dot - file));
    name[dot - file] = '\0';
    struct one *o = make(t, name, language, err);
    if (o == NULL) {
        return -1;
    }
    return (is_html ? compile(&o->html, text, TKT_ESCAPE_HTML, err)
                    : take_text(o, text, err)) < 0
               ? -1
               : 1;
}

static int take_shipped(struct tkt_notice_texts *t, struct tkt_err *err)
{
    for (const struct tkt_notice_shipped *s = tkt_notice_shipped; s->name; s++) {
        const char language[] = {s->name[0], s->name[1], '\0'};

        if (take(t, language, s->name + 3, s->text, err) < 0) {
            return tkt_err_prefix(err, "shipped text %s", s->name);
        }
    }
    return 0;
}

static bool is_language(const char *name)
{
    return name[0] >= 'a' && name[0] <= 'z' && name[1] >= 'a' && name[1] <= 'z' &&
           name[2] == '\0';
}

static int take_file(struct tkt_notice_texts *t, const char *dir, const char *language,
                     const char *file, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(TKT_TEMPLATE_MAX);
    char path[PATH_MAX_LEN];
    const char *dot = strrchr(file, '.');

    if (file[0] == '.' || dot == NULL ||
        (strcmp(dot, ".html") != 0 && strcmp(dot, ".txt") != 0)) {
        return 0; /* an editor's, a README */
    }
    int n = snprintf(path, sizeof(path), "%s/%s/%s", dir, language, file);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s: the path is too long", file);
    }
    if (tkt_read_file(path, &text, err) < 0) {
        err->class = TKT_ERR_CONF;
        return -1;
    }
    return take(t, language, file, tkt_buf_str(&text), err) < 0
               ? tkt_err_prefix(err, "%s", path)
               : 0;
}

static int take_language(struct tkt_notice_texts *t, const char *dir,
                         const char *language, struct tkt_err *err)
{
    char path[PATH_MAX_LEN];
    const struct dirent *e;
    int rc = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, language); /* dir is <= 1024 */
    DIR *d = opendir(path);
    if (d == NULL) {
        return errno == ENOTDIR ? 0 : tkt_err_errno(err, TKT_ERR_CONF, "%s", path);
    }
    while (rc == 0 && (e = readdir(d)) != NULL) {
        rc = take_file(t, dir, language, e->d_name, err);
    }
    (void)closedir(d); /* it was only read */
    return rc;
}

static int take_folder(struct tkt_notice_texts *t, const char *dir, struct tkt_err *err)
{
    const struct dirent *e;
    int rc = 0;
    DIR *d = opendir(dir);

    if (d == NULL) {
        return tkt_err_errno(err, TKT_ERR_CONF, "templates: %s", dir);
    }
    while (rc == 0 && (e = readdir(d)) != NULL) {
        if (is_language(e->d_name)) {
            rc = take_language(t, dir, e->d_name, err);
        }
    }
    (void)closedir(d); /* it was only read */
    return rc;
}

/* ---- checks ---------------------------------------------------------------------------- */

static bool has(const struct tkt_notice_texts *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->items[i].text != NULL && strcmp(t->items[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static int check(const struct tkt_notice_texts *t, const struct tkt_conf *conf,
                 struct tkt_err *err)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->items[i].text == NULL) {
            return tkt_err_set(err, TKT_ERR_CONF,
                               "templates: %s/%s.html has no %s.txt beside it",
                               t->items[i].language, t->items[i].name, t->items[i].name);
        }
    }
    for (size_t i = 0; i < conf->notify_count; i++) {
        const struct tkt_conf_notify *n = &conf->notifys[i];

        if (n->template_name[0] != '\0' && !has(t, n->template_name)) {
            return tkt_err_set(err, TKT_ERR_CONF,
                               "notify %s: there is no text %s.txt in any language",
                               n->name, n->template_name);
        }
    }
    return 0;
}

struct tkt_notice_texts *tkt_notice_texts_load(const struct tkt_conf *conf,
                                               struct tkt_err *err)
{
    struct tkt_notice_texts *t = calloc(1, sizeof(*t));

    if (t == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "no memory");
        return NULL;
    }
    if (take_shipped(t, err) < 0 ||
        (conf->templates[0] != '\0' && take_folder(t, conf->templates, err) < 0) ||
        check(t, conf, err) < 0) {
        tkt_notice_texts_free(&t);
    }
    return t;
}

void tkt_notice_texts_free(struct tkt_notice_texts **texts)
{
    struct tkt_notice_texts *t = *texts;

    *texts = NULL;
    for (size_t i = 0; t != NULL && i < t->count; i++) {
        tkt_template_free(&t->items[i].subject);
        tkt_template_free(&t->items[i].text);
        tkt_template_free(&t->items[i].html);
    }
    if (t != NULL) {
        free(t->items);
    }
    free(t);
}

/* ---- use ------------------------------------------------------------------------------ */

static const struct one *choose(const struct tkt_notice_texts *t, const char *name,
                                const char *language, const char *otherwise)
{
    const char *const order[] = {language, otherwise, "en"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(order); i++) {
        const struct one *o = find(t, name, order[i]);

        if (o != NULL) {
            return o;
        }
    }
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->items[i].name, name) == 0) {
            return &t->items[i];
        }
    }
    return NULL;
}

const char *tkt_notice_texts_language(const struct tkt_notice_texts *texts,
                                      const char *name, const char *language,
                                      const char *otherwise)
{
    const struct one *o = choose(texts, name, language, otherwise);

    return o == NULL ? NULL : o->language;
}

int tkt_notice_texts_render(const struct tkt_notice_texts *texts, const char *name,
                            const char *language, const char *otherwise,
                            const struct tkt_var *vars, size_t count,
                            const struct tkt_notice_words *out, struct tkt_err *err)
{
    const struct one *o = choose(texts, name, language, otherwise);

    if (o == NULL) {
        return tkt_err_set(err, TKT_ERR_PERM, "there is no text %.64s", name);
    }
    if (tkt_template_render(o->subject, vars, count, out->subject) < 0 ||
        tkt_template_render(o->text, vars, count, out->text) < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "the text %.64s becomes too long", name);
    }
    if (out->html != NULL && o->html != NULL &&
        tkt_template_render(o->html, vars, count, out->html) < 0) {
        tkt_buf_reset(out->html); /* the text says the same */
    }
    return 0;
}
