/* SPDX-License-Identifier: BSD-2-Clause */
#include "directory/form.h"

#include "base/enc.h"
#include "base/util.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#define PLACE "{address}"

static const char *const field_names[TKT_FORM_FIELDS] = {
    [TKT_FORM_NAME] = "name",         [TKT_FORM_DEPARTMENT] = "department",
    [TKT_FORM_COMPANY] = "company",   [TKT_FORM_TITLE] = "title",
    [TKT_FORM_LOCATION] = "location", [TKT_FORM_MANAGER] = "manager",
    [TKT_FORM_LANGUAGE] = "language", [TKT_FORM_GROUPS] = "groups",
    [TKT_FORM_MAIL] = "mail",         [TKT_FORM_VIP] = "vip",
};

const char *const tkt_form_table_names[] = {"name=name",
                                            "department=department",
                                            "company=company",
                                            "company=customer",
                                            "title=title",
                                            "location=location",
                                            "manager=manager",
                                            "language=language",
                                            "groups=groups",
                                            "groups=group",
                                            "mail=mail",
                                            "vip=vip",
                                            NULL};

/* ---- names ---------------------------------------------------------------------------- */

static int field_of(const char *assignment)
{
    size_t n = strcspn(assignment, "=");

    for (int f = 0; f < TKT_FORM_FIELDS; f++) {
        if (strlen(field_names[f]) == n && strncmp(field_names[f], assignment, n) == 0) {
            return f;
        }
    }
    return -1;
}

static bool add_name(struct tkt_form_names *out, int field, const char *assignment)
{
    if (out->counts[field] == TKT_FORM_NAMES_MAX) {
        return false;
    }
    out->names[field][out->counts[field]++] = strchr(assignment, '=') + 1;
    return true;
}

int tkt_form_names_make(const struct tkt_conf_directory *conf, const char *const *def,
                        struct tkt_form_names *out, struct tkt_err *err)
{
    struct tkt_form_names mapped = {0};

    for (size_t i = 0; i < conf->map.count; i++) {
        int f = field_of(conf->map.items[i]);
        if (f < 0) {
            return tkt_err_set(
                err, TKT_ERR_CONF,
                "map: %.100s: the fields are name, department, company, title, "
                "location, manager, language, groups, mail and vip",
                conf->map.items[i]);
        }
        if (!add_name(&mapped, f, conf->map.items[i])) {
            return tkt_err_set(err, TKT_ERR_CONF, "map: more than %d names of %s",
                               TKT_FORM_NAMES_MAX, field_names[f]);
        }
    }
    *out = mapped;
    for (size_t i = 0; def[i] != NULL; i++) {
        int f = field_of(def[i]);
        if (mapped.counts[f] == 0) {
            (void)add_name(out, f, def[i]); /* the defaults are few */
        }
    }
    return 0;
}

/* ---- values --------------------------------------------------------------------------- */

/* One clean line without blanks around it. */
static int clean(const char *value, size_t n, struct tkt_buf *out)
{
    n = TKT_MIN(n, (size_t)4 * TKT_DIRECTORY_VALUE_MAX);
    if (tkt_utf8_add_clean(out, value, n) < 0) {
        return -1;
    }
    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i];
        out->data[i] = c < 0x20 || c == 0x7f ? ' ' : out->data[i];
    }
    size_t blanks = strspn(tkt_buf_str(out), " ");
    if (blanks > 0) {
        memmove(out->data, out->data + blanks, out->len - blanks + 1);
        out->len -= blanks;
    }
    if (out->len > TKT_DIRECTORY_VALUE_MAX) {
        out->len = tkt_utf8_cut(out->data, out->len, TKT_DIRECTORY_VALUE_MAX);
    }
    while (out->len > 0 && out->data[out->len - 1] == ' ') {
        out->len--;
    }
    if (out->data != NULL) {
        out->data[out->len] = '\0';
    }
    return 0;
}

static char *keep(struct tkt_directory_form *form, const struct tkt_buf *b)
{
    char *s = tkt_wire_arena_strdup(&form->out->arena, tkt_buf_str(b), b->len);

    form->failed = form->failed || s == NULL;
    return s;
}

static bool is_yes(const char *s)
{
    static const char *const words[] = {"yes", "y", "true", "t", "1", "on", "vip", "ja"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (strcasecmp(s, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "de-DE, en;q=0.8" is German. What has no code of two letters is not known. */
static void set_language(struct tkt_buf *b)
{
    size_t n =
        strspn(tkt_buf_str(b), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    if (b->len > 0) {
        b->len = n == 2 ? 2 : 0;
        b->data[b->len] = '\0';
        tkt_ascii_lower(b->data);
    }
}

static char **slot_of(struct tkt_person *p, enum tkt_form_field field)
{
    switch (field) {
    case TKT_FORM_NAME:
        return &p->name;
    case TKT_FORM_DEPARTMENT:
        return &p->department;
    case TKT_FORM_COMPANY:
        return &p->company;
    case TKT_FORM_TITLE:
        return &p->title;
    case TKT_FORM_LOCATION:
        return &p->location;
    case TKT_FORM_MANAGER:
        return &p->manager;
    case TKT_FORM_LANGUAGE:
        return &p->language;
    default:
        return NULL;
    }
}

void tkt_form_set(struct tkt_directory_form *form, enum tkt_form_field field,
                  const char *value, size_t n)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(16 * TKT_DIRECTORY_VALUE_MAX);
    char **slot = slot_of(&form->out->person, field);

    if (field == TKT_FORM_GROUPS) {
        (void)tkt_form_group(form, value, n); /* past the cap they are not looked at */
        return;
    }
    if (clean(value, n, &b) < 0) {
        form->failed = true;
        return;
    }
    if (field == TKT_FORM_VIP) {
        form->out->person.is_vip |= is_yes(tkt_buf_str(&b));
        return;
    }
    if (slot == NULL || (*slot != NULL && **slot != '\0')) {
        return;
    }
    if (field == TKT_FORM_LANGUAGE) {
        set_language(&b);
    } else if (field == TKT_FORM_MANAGER && b.len > 0) {
        tkt_ascii_lower(b.data);
    }
    *slot = keep(form, &b);
}

static bool has_group(const struct tkt_directory_form *form, const char *name)
{
    for (size_t i = 0; i < form->group_count; i++) {
        if (strcasecmp(form->groups[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool tkt_form_group(struct tkt_directory_form *form, const char *name, size_t n)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(16 * TKT_DIRECTORY_VALUE_MAX);

    if (form->groups_seen == TKT_DIRECTORY_GROUPS_SEEN) {
        return false;
    }
    form->groups_seen++;
    if (clean(name, n, &b) < 0) {
        form->failed = true;
        return false;
    }
    if (b.len == 0) {
        return true;
    }
    for (size_t i = 0; i < form->conf->vip_groups.count; i++) {
        form->out->person.is_vip |=
            fnmatch(form->conf->vip_groups.items[i], b.data, FNM_CASEFOLD) == 0;
    }
    if (form->group_count < TKT_PERSON_GROUPS_MAX && !has_group(form, b.data)) {
        char *kept = keep(form, &b);
        if (kept != NULL) {
            form->groups[form->group_count++] = kept;
        }
    }
    return true;
}

void tkt_form_value(struct tkt_directory_form *form, const char *attribute,
                    const char *value, size_t n)
{
    for (size_t i = 0; i < form->conf->vip_values.count; i++) {
        const char *rule = form->conf->vip_values.items[i];
        size_t len = strcspn(rule, "=");
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(16 * TKT_DIRECTORY_VALUE_MAX);

        if (strlen(attribute) == len && strncasecmp(rule, attribute, len) == 0) {
            form->failed = clean(value, n, &b) < 0 || form->failed;
            form->out->person.is_vip |=
                fnmatch(rule + len + 1, tkt_buf_str(&b), FNM_CASEFOLD) == 0;
        }
    }
}

/* ---- tables ---------------------------------------------------------------------------- */

static void add_groups(struct tkt_directory_form *form, const char *value, size_t n)
{
    const char *end = value + n;

    while (value < end) {
        const char *stop = value;
        while (stop < end && *stop != ',' && *stop != ';' && *stop != '\n') {
            stop++;
        }
        if (!tkt_form_group(form, value, (size_t)(stop - value))) {
            return;
        }
        value = stop + 1;
    }
}

void tkt_form_cell(struct tkt_directory_form *form, const struct tkt_form_names *names,
                   const char *column, const char *value, size_t n)
{
    tkt_form_value(form, column, value, n);
    for (int f = 0; f < TKT_FORM_FIELDS; f++) {
        for (size_t i = 0; i < names->counts[f]; i++) {
            if (strcasecmp(names->names[f][i], column) != 0) {
                continue;
            }
            if (f == TKT_FORM_GROUPS) {
                add_groups(form, value, n);
            } else {
                tkt_form_set(form, (enum tkt_form_field)f, value, n);
            }
        }
    }
}

int tkt_form_query(const char *query, const char *mark, struct tkt_buf *out)
{
    int count = 0;

    for (const char *at; (at = strstr(query, PLACE)) != NULL; count++) {
        (void)tkt_buf_add(out, query, (size_t)(at - query)); /* the last one tells */
        (void)tkt_buf_adds(out, mark);                       /* the same */
        query = at + strlen(PLACE);
    }
    return tkt_buf_adds(out, query) < 0 ? -1 : count;
}

/* ---- the end ---------------------------------------------------------------------------- */

void tkt_form_restart(struct tkt_directory_form *form)
{
    struct tkt_directory_form fresh = {.conf = form->conf, .out = form->out};

    tkt_wire_arena_release(&form->out->arena);
    memset(form->out, 0, sizeof(*form->out));
    *form = fresh;
}

int tkt_form_end(struct tkt_directory_form *form)
{
    struct tkt_person *p = &form->out->person;
    static const struct tkt_buf nothing = TKT_BUF_INIT(1);

    for (int f = 0; f < TKT_FORM_FIELDS; f++) {
        char **slot = slot_of(p, (enum tkt_form_field)f);
        if (slot != NULL && *slot == NULL) {
            *slot = keep(form, &nothing);
        }
    }
    p->groups.items = tkt_wire_arena_alloc(
        &form->out->arena, (form->group_count + 1) * sizeof(*p->groups.items));
    if (form->failed || p->groups.items == NULL) {
        return -1;
    }
    memcpy(p->groups.items, form->groups, form->group_count * sizeof(*form->groups));
    p->groups.count = form->group_count;
    p->is_known = true;
    return 0;
}
