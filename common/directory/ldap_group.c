/* SPDX-License-Identifier: BSD-2-Clause
 * Groups within groups: by the server's own rule (Active Directory), by groups that name
 * the person or his groups, or by what entries name themselves.
 *
 * Bounded by group_depth, TKT_DIRECTORY_GROUPS_SEEN and WALKED_MAX; a group that holds
 * itself is met once.
 */
#include "directory/ldap.h"

#include "base/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WALKED_MAX 2000 /* groups that are asked for their own groups */
#define AT_ONCE 20      /* members in one filter */
#define FILTER_MAX (256 * 1024)

struct walk {
    struct tkt_ldap *l;
    struct tkt_directory_form *form;
    char *dns[WALKED_MAX]; /* each once */
    size_t count;
    bool failed;
};

static const char *base_of(const struct tkt_ldap *l)
{
    return l->conf->group_base[0] != '\0' ? l->conf->group_base : l->conf->base;
}

static bool add_name(void *arg, const char *value, size_t n)
{
    return tkt_form_group(arg, value, n);
}

/* The name of a group: the first attribute that it has. */
static void take_name(struct walk *w, LDAPMessage *entry)
{
    const struct tkt_form_names *names = &w->l->names;
    size_t before = w->form->groups_seen;

    for (size_t i = 0; i < names->counts[TKT_FORM_GROUPS]; i++) {
        tkt_ldap_values(w->l, entry, names->names[TKT_FORM_GROUPS][i], add_name, w->form);
        if (w->form->groups_seen > before) {
            return;
        }
    }
}

static bool is_known(const struct walk *w, const char *dn)
{
    for (size_t i = 0; i < w->count; i++) {
        if (strcasecmp(w->dns[i], dn) == 0) {
            return true;
        }
    }
    return false;
}

/* false: it was met before, or there are too many. */
static bool add_dn(struct walk *w, const char *dn)
{
    if (w->count == WALKED_MAX || is_known(w, dn)) {
        return false;
    }
    char *copy = strdup(dn);
    w->failed = w->failed || copy == NULL;
    if (copy != NULL) {
        w->dns[w->count++] = copy;
    }
    return copy != NULL;
}

static void release(struct walk *w)
{
    for (size_t i = 0; i < w->count; i++) {
        free(w->dns[i]);
    }
    free(w);
}

static void group_attrs(const struct tkt_ldap *l, const char *more,
                        const char *attrs[TKT_FORM_NAMES_MAX + 2])
{
    size_t n = l->names.counts[TKT_FORM_GROUPS];

    memcpy(attrs, l->names.names[TKT_FORM_GROUPS], n * sizeof(*attrs));
    attrs[n++] = more;
    attrs[n] = NULL;
}

/* ---- the server follows them ------------------------------------------------------------ */

static bool take_chained(void *arg, struct tkt_ldap *l, LDAPMessage *entry)
{
    struct walk *w = arg;

    (void)l; /* it is the walk's */
    take_name(w, entry);
    return w->form->groups_seen < TKT_DIRECTORY_GROUPS_SEEN;
}

static int by_chain(struct walk *w, const char *dn, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf filter = TKT_BUF_INIT(FILTER_MAX);
    const char *attrs[TKT_FORM_NAMES_MAX + 2];

    group_attrs(w->l, NULL, attrs);
    (void)tkt_buf_addf(&filter, "(&(objectClass=group)%s(member:", /* the last tells */
                       w->l->conf->group_filter);
    (void)tkt_buf_adds(&filter, "1.2.840.113556.1.4.1941:="); /* the same */
    (void)tkt_ldap_escape(&filter, dn);                       /* the same */
    if (tkt_buf_adds(&filter, "))") < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    return tkt_ldap_pages(w->l, base_of(w->l), filter.data, attrs, take_chained, w, err);
}

/* ---- groups that name their members --------------------------------------------------- */

static bool take_walked(void *arg, struct tkt_ldap *l, LDAPMessage *entry)
{
    struct walk *w = arg;
    char *dn = ldap_get_dn(l->ld, entry);

    if (dn != NULL && add_dn(w, dn)) {
        take_name(w, entry);
    }
    ldap_memfree(dn);
    return w->count < WALKED_MAX && w->form->groups_seen < TKT_DIRECTORY_GROUPS_SEEN;
}

static int ask_level(struct walk *w, size_t from, size_t to, const char *uid,
                     struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf filter = TKT_BUF_INIT(FILTER_MAX);
    const char *attrs[TKT_FORM_NAMES_MAX + 2];

    group_attrs(w->l, NULL, attrs);
    (void)tkt_buf_addf(&filter, "(&%s(|", w->l->conf->group_filter); /* the last tells */
    for (size_t i = from; i < to; i++) {
        (void)tkt_buf_adds(&filter, "(member=");
        (void)tkt_ldap_escape(&filter, w->dns[i]);
        (void)tkt_buf_adds(&filter, ")(uniqueMember=");
        (void)tkt_ldap_escape(&filter, w->dns[i]);
        (void)tkt_buf_adds(&filter, ")");
    }
    if (uid[0] != '\0') {
        (void)tkt_buf_adds(&filter, "(memberUid=");
        (void)tkt_ldap_escape(&filter, uid);
        (void)tkt_buf_adds(&filter, ")");
    }
    if (tkt_buf_adds(&filter, "))") < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    return tkt_ldap_pages(w->l, base_of(w->l), filter.data, attrs, take_walked, w, err);
}

struct text {
    char value[TKT_DIRECTORY_VALUE_MAX];
};

static bool take_text(void *arg, const char *value, size_t n)
{
    struct text *t = arg;

    if (n < sizeof(t->value) && memchr(value, '\0', n) == NULL) {
        memcpy(t->value, value, n);
        t->value[n] = '\0';
    }
    return false; /* the first one */
}

static int by_member(struct walk *w, const char *dn, LDAPMessage *entry,
                     struct tkt_err *err)
{
    struct text uid = {""};
    size_t from = 0;

    tkt_ldap_values(w->l, entry, "uid", take_text, &uid);
    (void)add_dn(w, dn); /* the first one: failed tells */
    for (int64_t depth = 0; depth < w->l->conf->group_depth && from < w->count; depth++) {
        size_t level = w->count;
        for (; from < level; from += TKT_MIN(level - from, (size_t)AT_ONCE)) {
            size_t to = from + TKT_MIN(level - from, (size_t)AT_ONCE);
            if (ask_level(w, from, to, depth == 0 ? uid.value : "", err) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* ---- entries that name their groups --------------------------------------------------- */

static bool take_memberof(void *arg, const char *value, size_t n)
{
    struct walk *w = arg;
    char *dn = strndup(value, n);

    w->failed = w->failed || dn == NULL;
    if (dn != NULL) {
        (void)add_dn(w, dn); /* known already, or one too many */
    }
    free(dn);
    return w->count < WALKED_MAX;
}

static int ask_group(struct walk *w, const char *dn, struct tkt_err *err)
{
    const char *attrs[TKT_FORM_NAMES_MAX + 2];
    const char *filter =
        w->l->conf->group_filter[0] != '\0' ? w->l->conf->group_filter : NULL;
    LDAPMessage *res = NULL;
    struct tkt_err why = TKT_ERR_INIT;

    group_attrs(w->l, "memberOf", attrs);
    if (tkt_ldap_search(w->l, dn, LDAP_SCOPE_BASE,
                        filter != NULL ? filter : "(objectClass=*)", attrs, 1, &res,
                        &why) < 0) {
        if (why.class == TKT_ERR_TEMP) {
            *err = why;
            return -1;
        }
        return 0; /* a group that is gone, or that we may not see */
    }
    LDAPMessage *e = ldap_first_entry(w->l->ld, res);
    if (e != NULL) {
        take_name(w, e);
        tkt_ldap_values(w->l, e, "memberOf", take_memberof, w);
    }
    ldap_msgfree(res);
    return 0;
}

static int by_memberof(struct walk *w, LDAPMessage *entry, struct tkt_err *err)
{
    size_t at = 0;

    tkt_ldap_values(w->l, entry, "memberOf", take_memberof, w);
    for (int64_t depth = 0; depth < w->l->conf->group_depth && at < w->count; depth++) {
        for (size_t level = w->count; at < level; at++) {
            if (ask_group(w, w->dns[at], err) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

int tkt_ldap_groups(struct tkt_ldap *l, const char *dn, LDAPMessage *entry,
                    struct tkt_directory_form *form, struct tkt_err *err)
{
    enum tkt_directory_nested way = l->conf->groups;
    struct walk *w;
    int rc = 0;

    if (way == TKT_DIRECTORY_GROUPS_OFF) {
        return 0;
    }
    if (way == TKT_DIRECTORY_GROUPS_AUTO) {
        way = l->is_ad ? TKT_DIRECTORY_GROUPS_CHAIN : TKT_DIRECTORY_GROUPS_MEMBER;
    }
    w = calloc(1, sizeof(*w));
    if (w == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    w->l = l;
    w->form = form;
    if (way == TKT_DIRECTORY_GROUPS_CHAIN) {
        rc = by_chain(w, dn, err);
    } else if (way == TKT_DIRECTORY_GROUPS_MEMBER) {
        rc = by_member(w, dn, entry, err);
    } else {
        rc = by_memberof(w, entry, err);
    }
    if (rc == 0 && w->failed) {
        rc = tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    release(w);
    return rc;
}
