/* SPDX-License-Identifier: BSD-2-Clause
 * LDAP and Active Directory by OpenLDAP's library: the connection and the person.
 */
#include "directory/ldap.h"

#include "base/clock.h"
#include "base/util.h"
#include "secret/secret.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Servers and firewalls forget connections; a new one costs less than a timeout. */
#define IDLE_MS 60000
#define ENTRIES_MAX 8 /* of one address; more is a fault of the directory */
#define FILTER_MAX (64 * 1024)
#define IN_CHAIN_OID "1.2.840.113556.1.4.800" /* rootDSE of an Active Directory */
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

static const char ldap_filter[] = "(|(mail={address})(mailAlternateAddress={address})"
                                  "(proxyAddresses=smtp:{address})"
                                  "(proxyAddresses=SMTP:{address}))";
static const char ad_filter[] = "(&(objectCategory=person)(|(mail={address})"
                                "(proxyAddresses=smtp:{address})))";
static const char *const ldap_names[] = {"name=displayName",
                                         "name=cn",
                                         "department=department",
                                         "department=ou",
                                         "department=departmentNumber",
                                         "company=company",
                                         "company=o",
                                         "title=title",
                                         "location=physicalDeliveryOfficeName",
                                         "location=l",
                                         "manager=manager",
                                         "language=preferredLanguage",
                                         "groups=cn",
                                         "mail=mail",
                                         NULL};

/* ---- errors ----------------------------------------------------------------------------- */

static enum tkt_err_class class_of(int rc)
{
    switch (rc) {
    case LDAP_INVALID_CREDENTIALS:
    case LDAP_INSUFFICIENT_ACCESS:
    case LDAP_INAPPROPRIATE_AUTH:
    case LDAP_STRONG_AUTH_REQUIRED:
    case LDAP_CONFIDENTIALITY_REQUIRED:
    case LDAP_AUTH_METHOD_NOT_SUPPORTED:
    case LDAP_AUTH_UNKNOWN:
    case LDAP_INVALID_DN_SYNTAX:
    case LDAP_NO_SUCH_OBJECT:
    case LDAP_FILTER_ERROR:
    case LDAP_PARAM_ERROR:
    case LDAP_X_PROXY_AUTHZ_FAILURE:
        return TKT_ERR_CONF;
    default:
        return TKT_ERR_TEMP;
    }
}

static const char *uri_of(const struct tkt_ldap *l)
{
    return l->conf->uris.items[l->uri];
}

int tkt_ldap_fail(struct tkt_ldap *l, int rc, const char *what, struct tkt_err *err)
{
    char *more = NULL;

    if (l->ld != NULL) {
        /* Without a text there is the code's. */
        (void)ldap_get_option(l->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
    }
    bool told = more != NULL && more[0] != '\0';
    (void)tkt_err_set(err, class_of(rc), "%.200s: %s: %s%s%.200s", uri_of(l), what,
                      ldap_err2string(rc), told ? ": " : "", told ? more : "");
    ldap_memfree(more);
    return -1;
}

/* ---- connection ------------------------------------------------------------------------- */

void tkt_ldap_disconnect(struct tkt_ldap *l)
{
    if (l->ld != NULL) {
        (void)ldap_unbind_ext_s(l->ld, NULL, NULL); /* it is over either way */
        l->ld = NULL;
    }
}

static int set(struct tkt_ldap *l, int option, const void *value)
{
    return ldap_set_option(l->ld, option, value) == LDAP_OPT_SUCCESS ? 0 : -1;
}

static int set_limits(struct tkt_ldap *l)
{
    const int64_t ms = l->conf->timeout_ms;
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    const int version = LDAP_VERSION3;
    const int seconds = (int)TKT_MAX(1, (ms + 999) / 1000);
    const int deref = LDAP_DEREF_NEVER;

    return set(l, LDAP_OPT_PROTOCOL_VERSION, &version) < 0 ||
                   set(l, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) < 0 ||
                   set(l, LDAP_OPT_RESTART, LDAP_OPT_ON) < 0 ||
                   set(l, LDAP_OPT_DEREF, &deref) < 0 ||
                   set(l, LDAP_OPT_NETWORK_TIMEOUT, &wait) < 0 ||
                   set(l, LDAP_OPT_TIMEOUT, &wait) < 0 ||
                   set(l, LDAP_OPT_TIMELIMIT, &seconds) < 0 ||
                   tkt_ldap_limit_socket(l) < 0
               ? -1
               : 0;
}

/* All by hand: ldap.conf and the environment may say less. */
static int set_tls(struct tkt_ldap *l)
{
    const struct tkt_conf_directory *conf = l->conf;
    const int demand = LDAP_OPT_X_TLS_DEMAND;
    const int oldest = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
    const int client = 0;
    const char *ca = conf->ca_file[0] != '\0'       ? conf->ca_file
                     : access(SYSTEM_CA, R_OK) == 0 ? SYSTEM_CA
                                                    : NULL;

    if ((ca != NULL && set(l, LDAP_OPT_X_TLS_CACERTFILE, ca) < 0) ||
        (conf->cert_file[0] != '\0' &&
         (set(l, LDAP_OPT_X_TLS_CERTFILE, conf->cert_file) < 0 ||
          set(l, LDAP_OPT_X_TLS_KEYFILE, conf->key_file) < 0))) {
        return -1;
    }
    return set(l, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) < 0 ||
                   set(l, LDAP_OPT_X_TLS_PROTOCOL_MIN, &oldest) < 0 ||
                   set(l, LDAP_OPT_X_TLS_NEWCTX, &client) < 0
               ? -1
               : 0;
}

static int bind_simple(struct tkt_ldap *l, int *rc, struct tkt_err *err)
{
    TKT_AUTO_SECRET struct tkt_secret secret = TKT_SECRET_INIT;

    if (tkt_secret_get(l->conf->password, &secret, err) < 0) {
        return tkt_err_prefix(err, "password");
    }
    struct berval cred = {.bv_len = secret.len, .bv_val = secret.data};
    *rc = ldap_sasl_bind_s(l->ld, l->conf->bind_dn, LDAP_SASL_SIMPLE, &cred, NULL, NULL,
                           NULL);
    return 0;
}

static int do_bind(struct tkt_ldap *l, struct tkt_err *err)
{
    struct berval none = {.bv_len = 0, .bv_val = (char[1]){""}};
    int rc = LDAP_SUCCESS;

    switch (l->conf->bind) {
    case TKT_DIRECTORY_BIND_SIMPLE:
        if (bind_simple(l, &rc, err) < 0) {
            return -1;
        }
        break;
    case TKT_DIRECTORY_BIND_EXTERNAL:
        rc = ldap_sasl_bind_s(l->ld, NULL, "EXTERNAL", &none, NULL, NULL, NULL);
        break;
    case TKT_DIRECTORY_BIND_ANONYMOUS:
        rc = ldap_sasl_bind_s(l->ld, NULL, LDAP_SASL_SIMPLE, &none, NULL, NULL, NULL);
        break;
    }
    return rc == LDAP_SUCCESS ? 0 : tkt_ldap_fail(l, rc, "bind", err);
}

static bool is_chain(void *arg, const char *value, size_t n)
{
    bool *is = arg;

    *is = *is || (n == strlen(IN_CHAIN_OID) && memcmp(value, IN_CHAIN_OID, n) == 0);
    return !*is;
}

/* Is it an Active Directory, whatever it is called? */
static int probe(struct tkt_ldap *l, struct tkt_err *err)
{
    static const char *const attrs[] = {"supportedCapabilities", NULL};
    LDAPMessage *res = NULL;

    l->is_ad = l->conf->type == TKT_DIRECTORY_AD;
    if (l->is_ad || l->conf->groups != TKT_DIRECTORY_GROUPS_AUTO) {
        return 0;
    }
    if (tkt_ldap_search(l, "", LDAP_SCOPE_BASE, "(objectClass=*)", attrs, 1, &res, err) <
        0) {
        return err->class == TKT_ERR_TEMP ? -1 : 0; /* it need not show it */
    }
    LDAPMessage *e = ldap_first_entry(l->ld, res);
    if (e != NULL) {
        tkt_ldap_values(l, e, attrs[0], is_chain, &l->is_ad);
    }
    ldap_msgfree(res);
    return 0;
}

static int connect_one(struct tkt_ldap *l, struct tkt_err *err)
{
    int rc = ldap_initialize(&l->ld, uri_of(l));

    if (rc != LDAP_SUCCESS) {
        return tkt_ldap_fail(l, rc, "connect", err);
    }
    if (set_limits(l) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "%.200s: an option is not taken",
                           uri_of(l));
    }
    if (strncmp(uri_of(l), "ldapi:", 6) != 0 && set_tls(l) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "%.200s: TLS cannot be set up; are ca_file, cert_file and "
                           "key_file PEM files that we may read?",
                           uri_of(l));
    }
    if (l->conf->starttls && strncmp(uri_of(l), "ldap:", 5) == 0) {
        rc = ldap_start_tls_s(l->ld, NULL, NULL);
        if (rc != LDAP_SUCCESS) {
            return tkt_ldap_fail(l, rc, "starttls", err);
        }
    }
    if (do_bind(l, err) < 0) {
        return -1;
    }
    l->is_connecting = false; /* from here on the library keeps its own time */
    return probe(l, err);
}

int tkt_ldap_connect(struct tkt_ldap *l, struct tkt_err *err)
{
    if (l->ld != NULL && tkt_clock_mono_ms() - l->used_ms > IDLE_MS) {
        tkt_ldap_disconnect(l);
    }
    if (l->ld == NULL && connect_one(l, err) < 0) {
        tkt_ldap_disconnect(l);
        return -1;
    }
    l->used_ms = tkt_clock_mono_ms();
    return 0;
}

/* ---- the person ------------------------------------------------------------------------- */

struct wanted {
    const char *address;
    bool is_there;
};

static bool is_address(void *arg, const char *value, size_t n)
{
    struct wanted *w = arg;

    w->is_there = w->is_there ||
                  (strlen(w->address) == n && strncasecmp(w->address, value, n) == 0);
    return !w->is_there;
}

/* Of several entries the one whose own address it is; else the first by name. */
static LDAPMessage *choose(struct tkt_ldap *l, LDAPMessage *res, const char *address)
{
    LDAPMessage *best = NULL;
    bool best_is_own = false;
    char *best_dn = NULL;

    for (LDAPMessage *e = ldap_first_entry(l->ld, res); e != NULL;
         e = ldap_next_entry(l->ld, e)) {
        struct wanted w = {.address = address};
        char *dn = ldap_get_dn(l->ld, e);

        for (size_t i = 0; i < l->names.counts[TKT_FORM_MAIL]; i++) {
            tkt_ldap_values(l, e, l->names.names[TKT_FORM_MAIL][i], is_address, &w);
        }
        bool before = best_dn == NULL || (dn != NULL && strcasecmp(dn, best_dn) < 0);
        if (best == NULL || w.is_there > best_is_own ||
            (w.is_there == best_is_own && before)) {
            best = e;
            best_is_own = w.is_there;
            ldap_memfree(best_dn);
            best_dn = dn;
        } else {
            ldap_memfree(dn);
        }
    }
    ldap_memfree(best_dn);
    return best;
}

struct fill {
    struct tkt_directory_form *form;
    enum tkt_form_field field;
};

static bool take_field(void *arg, const char *value, size_t n)
{
    struct fill *f = arg;

    tkt_form_set(f->form, f->field, value, n);
    return true; /* the first that is not empty counts */
}

static int fill_manager(struct tkt_ldap *l, LDAPMessage *entry,
                        struct tkt_directory_form *form, struct tkt_err *err);

static void fill_fields(struct tkt_ldap *l, LDAPMessage *entry,
                        struct tkt_directory_form *form)
{
    for (int f = 0; f < TKT_FORM_FIELDS; f++) {
        struct fill fill = {form, (enum tkt_form_field)f};

        for (size_t i = 0; i < l->names.counts[f]; i++) {
            if (f != TKT_FORM_GROUPS && f != TKT_FORM_MANAGER) {
                tkt_ldap_values(l, entry, l->names.names[f][i], take_field, &fill);
            }
        }
    }
}

struct rule {
    struct tkt_directory_form *form;
    const char *attribute;
};

static bool take_rule(void *arg, const char *value, size_t n)
{
    struct rule *r = arg;

    tkt_form_value(r->form, r->attribute, value, n);
    return true;
}

static void fill_vip(struct tkt_ldap *l, LDAPMessage *entry,
                     struct tkt_directory_form *form)
{
    for (size_t i = 0; i < l->conf->vip_values.count; i++) {
        const char *rule = l->conf->vip_values.items[i];
        TKT_AUTO_FREE char *name = strndup(rule, strcspn(rule, "="));
        struct rule r = {form, name};

        form->failed = form->failed || name == NULL;
        if (name != NULL) {
            tkt_ldap_values(l, entry, name, take_rule, &r);
        }
    }
}

/* A DN stands for somebody whose address is looked up; anything else is taken as it is. */
static int manager_mail(struct tkt_ldap *l, const char *dn,
                        struct tkt_directory_form *form, struct tkt_err *err)
{
    const char *attrs[TKT_FORM_NAMES_MAX + 1] = {NULL};
    struct tkt_err why = TKT_ERR_INIT;
    LDAPMessage *res = NULL;
    size_t n = l->names.counts[TKT_FORM_MAIL];

    memcpy(attrs, l->names.names[TKT_FORM_MAIL], n * sizeof(*attrs));
    if (tkt_ldap_search(l, dn, LDAP_SCOPE_BASE, "(objectClass=*)", attrs, 1, &res, &why) <
        0) {
        if (why.class == TKT_ERR_TEMP) {
            *err = why;
            return -1;
        }
        return 0; /* gone, or hidden from us */
    }
    LDAPMessage *e = ldap_first_entry(l->ld, res);
    for (size_t i = 0; e != NULL && i < n; i++) {
        struct fill fill = {form, TKT_FORM_MANAGER};
        tkt_ldap_values(l, e, attrs[i], take_field, &fill);
    }
    ldap_msgfree(res);
    return 0;
}

static int fill_manager(struct tkt_ldap *l, LDAPMessage *entry,
                        struct tkt_directory_form *form, struct tkt_err *err)
{
    for (size_t i = 0; i < l->names.counts[TKT_FORM_MANAGER]; i++) {
        struct berval **values =
            ldap_get_values_len(l->ld, entry, l->names.names[TKT_FORM_MANAGER][i]);
        int rc = 0;

        if (values != NULL && values[0] != NULL) {
            const struct berval *v = values[0];
            TKT_AUTO_FREE char *text = strndup(v->bv_val, v->bv_len);
            if (text == NULL) {
                form->failed = true;
            } else if (strchr(text, '=') != NULL) {
                rc = manager_mail(l, text, form, err);
            } else {
                tkt_form_set(form, TKT_FORM_MANAGER, text, strlen(text));
            }
        }
        ldap_value_free_len(values);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

#define ATTRS_MAX (TKT_FORM_FIELDS * TKT_FORM_NAMES_MAX + 64 + 4)

/* All that is read of a person; names within vip_values are copies in room. */
static size_t list_attrs(const struct tkt_ldap *l, const char *attrs[ATTRS_MAX],
                         struct tkt_wire_arena *room)
{
    size_t count = 0;

    for (int f = 0; f < TKT_FORM_FIELDS; f++) {
        for (size_t i = 0; f != TKT_FORM_GROUPS && i < l->names.counts[f]; i++) {
            attrs[count++] = l->names.names[f][i];
        }
    }
    for (size_t i = 0; i < l->conf->vip_values.count; i++) {
        const char *rule = l->conf->vip_values.items[i];
        const char *name = tkt_wire_arena_strdup(room, rule, strcspn(rule, "="));
        if (name != NULL) {
            attrs[count++] = name;
        }
    }
    attrs[count++] = "uid";
    attrs[count++] = "memberOf";
    attrs[count] = NULL;
    return count;
}

static int find_person(struct tkt_ldap *l, const char *address, LDAPMessage **res,
                       struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf filter = TKT_BUF_INIT(FILTER_MAX);
    const char *attrs[ATTRS_MAX];
    struct tkt_wire_arena room = {0};
    const char *form = l->conf->filter[0] != '\0'          ? l->conf->filter
                       : l->conf->type == TKT_DIRECTORY_AD ? ad_filter
                                                           : ldap_filter;

    if (tkt_ldap_filter(form, address, &filter) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "filter: longer than %d bytes", FILTER_MAX);
    }
    (void)list_attrs(l, attrs, &room); /* NULL-terminated */
    int rc = tkt_ldap_search(l, l->conf->base, LDAP_SCOPE_SUBTREE, filter.data, attrs,
                             ENTRIES_MAX, res, err);
    tkt_wire_arena_release(&room);
    return rc;
}

static int ask(struct tkt_ldap *l, const char *address, struct tkt_directory_form *form,
               struct tkt_err *err)
{
    LDAPMessage *res = NULL;

    if (find_person(l, address, &res, err) < 0) {
        return -1;
    }
    LDAPMessage *entry = choose(l, res, address);
    char *dn = entry == NULL ? NULL : ldap_get_dn(l->ld, entry);
    int rc = dn == NULL ? 0 : 1;
    if (dn != NULL) {
        fill_fields(l, entry, form);
        fill_vip(l, entry, form);
        if (fill_manager(l, entry, form, err) < 0 ||
            tkt_ldap_groups(l, dn, entry, form, err) < 0) {
            rc = -1;
        }
    }
    ldap_memfree(dn);
    ldap_msgfree(res);
    return rc;
}

static int lookup(void *state, const char *address, struct tkt_directory_form *form,
                  struct tkt_err *err)
{
    struct tkt_ldap *l = state;
    size_t tries = l->conf->uris.count + (l->ld != NULL ? 1 : 0);

    for (size_t i = 0; i < tries; i++) {
        bool was_open = l->ld != NULL;

        tkt_form_restart(form);
        int rc = tkt_ldap_connect(l, err);
        rc = rc < 0 ? -1 : ask(l, address, form, err);
        if (rc >= 0) {
            l->used_ms = tkt_clock_mono_ms();
            return rc;
        }
        tkt_ldap_disconnect(l);
        if (err->class != TKT_ERR_TEMP) {
            return -1;
        }
        if (!was_open) { /* a connection may be stale without a fault of its server */
            l->uri = (l->uri + 1) % l->conf->uris.count;
        }
    }
    return -1;
}

/* ---- the table's row -------------------------------------------------------------------- */

static int open_ldap(const struct tkt_conf_directory *conf, void **state,
                     struct tkt_err *err)
{
    struct tkt_ldap *l = calloc(1, sizeof(*l));

    if (l == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    l->conf = conf;
    if (tkt_form_names_make(conf, ldap_names, &l->names, err) < 0) {
        free(l);
        return -1;
    }
    *state = l;
    return 0;
}

static void close_ldap(void *state)
{
    tkt_ldap_disconnect(state);
    free(state);
}

/* Every server: a spare that does not work is found when it is needed. */
static int test(void *state, struct tkt_buf *text, struct tkt_err *err)
{
    struct tkt_ldap *l = state;

    for (l->uri = 0; l->uri < l->conf->uris.count; l->uri++) {
        static const char *const none[] = {LDAP_NO_ATTRS, NULL};
        LDAPMessage *res = NULL;

        tkt_ldap_disconnect(l);
        if (tkt_ldap_connect(l, err) < 0 ||
            tkt_ldap_search(l, l->conf->base, LDAP_SCOPE_BASE, "(objectClass=*)", none, 1,
                            &res, err) < 0) {
            tkt_ldap_disconnect(l);
            l->uri = 0;
            return -1;
        }
        ldap_msgfree(res);
        (void)tkt_buf_addf(text, "%s%s: base %s is there%s", l->uri > 0 ? "; " : "",
                           uri_of(l), l->conf->base, /* a long text is cut */
                           l->is_ad ? ", groups by chain" : "");
    }
    tkt_ldap_disconnect(l);
    l->uri = 0;
    return 0;
}

const struct tkt_directory_ops tkt_directory_ldap_ops =
    TKT_DIRECTORY_OPS(TKT_DIRECTORY_LDAP, open_ldap, close_ldap, lookup, test);
const struct tkt_directory_ops tkt_directory_ad_ops =
    TKT_DIRECTORY_OPS(TKT_DIRECTORY_AD, open_ldap, close_ldap, lookup, test);
