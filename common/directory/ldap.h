/* SPDX-License-Identifier: BSD-2-Clause
 * What the files of the LDAP backend share: one connection to one of several servers.
 * Private to common/directory.
 *
 * Every operation waits for at most conf->timeout_ms; referrals are not followed; TLS is
 * verified whatever ldap.conf says. After a TEMP error the connection is closed.
 */
#ifndef TKT_DIRECTORY_LDAP_H
#define TKT_DIRECTORY_LDAP_H
#include "directory/form.h"

#include <ldap.h>

struct tkt_ldap {
    const struct tkt_conf_directory *conf;
    struct tkt_form_names names;
    bool is_ad; /* chain is there */
    LDAP *ld;   /* NULL: not connected */
    size_t uri; /* the connected one, or the next to try */
    int64_t used_ms;
    /* ldap_socket.c: */
    struct ldap_conncb on_connect;
    bool is_connecting;
    int64_t deadline_ms; /* of that */
};

/* ldap.c: connects where it is not connected. TEMP, CONF. */
int tkt_ldap_connect(struct tkt_ldap *l, struct tkt_err *err);
void tkt_ldap_disconnect(struct tkt_ldap *l);
/* The library's code as an error. Always -1. */
int tkt_ldap_fail(struct tkt_ldap *l, int rc, const char *what, struct tkt_err *err);

/* ldap_socket.c: before it connects. */
int tkt_ldap_limit_socket(struct tkt_ldap *l);

/* ldap_search.c */
/* Appends value as RFC 4515 wants it within a filter. */
int tkt_ldap_escape(struct tkt_buf *out, const char *value);
/* filter with each {address} replaced by the escaped address. */
int tkt_ldap_filter(const char *filter, const char *address, struct tkt_buf *out);
/* One answer without paging; *res is the caller's (ldap_msgfree). A missing base is no
 * error of the search: CONF only where must_be. */
int tkt_ldap_search(struct tkt_ldap *l, const char *base, int scope, const char *filter,
                    const char *const *attrs, int size_limit, LDAPMessage **res,
                    struct tkt_err *err);
/* Page by page; fn gives false when it has seen enough. */
int tkt_ldap_pages(struct tkt_ldap *l, const char *base, const char *filter,
                   const char *const *attrs,
                   bool (*fn)(void *arg, struct tkt_ldap *l, LDAPMessage *entry),
                   void *arg, struct tkt_err *err);
/* Calls fn for each value of an attribute until it gives false. */
void tkt_ldap_values(struct tkt_ldap *l, LDAPMessage *entry, const char *attr,
                     bool (*fn)(void *arg, const char *value, size_t n), void *arg);

/* ldap_group.c: the groups of the person, by the way that conf names. */
int tkt_ldap_groups(struct tkt_ldap *l, const char *dn, LDAPMessage *entry,
                    struct tkt_directory_form *form, struct tkt_err *err);

#endif
