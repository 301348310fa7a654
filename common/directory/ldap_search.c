/* SPDX-License-Identifier: BSD-2-Clause
 * Searches: filters by parameters, answers in pages.
 */
#include "directory/ldap.h"

#include "base/util.h"

#include <string.h>

#define PLACE "{address}"
#define PAGES_MAX 1000

int tkt_ldap_escape(struct tkt_buf *out, const char *value)
{
    for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
        /* What RFC 4515 asks for, and whatever else could be taken for something. */
        bool plain = *p >= 0x80 || (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
                     (*p >= 'A' && *p <= 'Z') || strchr("@._+-=, ", *p) != NULL;
        (void)(plain ? tkt_buf_addc(out, (char)*p)
                     : tkt_buf_addf(out, "\\%02x", *p)); /* out->failed tells */
    }
    return out->failed ? -1 : 0;
}

int tkt_ldap_filter(const char *filter, const char *address, struct tkt_buf *out)
{
    for (const char *at; (at = strstr(filter, PLACE)) != NULL;) {
        (void)tkt_buf_add(out, filter, (size_t)(at - filter)); /* the last one tells */
        (void)tkt_ldap_escape(out, address);                   /* the same */
        filter = at + strlen(PLACE);
    }
    return tkt_buf_adds(out, filter);
}

static struct timeval time_of(const struct tkt_ldap *l)
{
    return (struct timeval){.tv_sec = l->conf->timeout_ms / 1000,
                            .tv_usec = l->conf->timeout_ms % 1000 * 1000};
}

/* The server stopped at a limit of its own or ours: what came is used. */
static bool is_cut(int rc)
{
    return rc == LDAP_SIZELIMIT_EXCEEDED || rc == LDAP_ADMINLIMIT_EXCEEDED;
}

int tkt_ldap_search(struct tkt_ldap *l, const char *base, int scope, const char *filter,
                    const char *const *attrs, int size_limit, LDAPMessage **res,
                    struct tkt_err *err)
{
    struct timeval wait = time_of(l);
    int rc = ldap_search_ext_s(l->ld, base, scope, filter, (char **)(uintptr_t)attrs, 0,
                               NULL, NULL, &wait, size_limit, res);

    if (rc == LDAP_SUCCESS || is_cut(rc)) {
        return 0;
    }
    ldap_msgfree(*res);
    *res = NULL;
    return tkt_ldap_fail(l, rc, "search", err);
}

/* The cookie of the next page; empty at the end. */
static int next_page(struct tkt_ldap *l, LDAPMessage *res, struct berval **cookie,
                     struct tkt_err *err)
{
    LDAPControl **controls = NULL;
    ber_int_t estimate = 0;
    int code = LDAP_SUCCESS;
    int rc = ldap_parse_result(l->ld, res, &code, NULL, NULL, NULL, &controls, 0);

    ber_bvfree(*cookie);
    *cookie = NULL;
    if (rc != LDAP_SUCCESS) {
        return tkt_ldap_fail(l, rc, "result", err);
    }
    LDAPControl *page =
        controls == NULL ? NULL
                         : ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
    struct berval value = {0};
    if (page != NULL &&
        ldap_parse_pageresponse_control(l->ld, page, &estimate, &value) == LDAP_SUCCESS) {
        *cookie = ber_bvdup(&value);
        ber_memfree(value.bv_val);
    }
    ldap_controls_free(controls);
    return 0;
}

static int one_page(struct tkt_ldap *l, const char *base, const char *filter,
                    const char *const *attrs, struct berval *cookie, LDAPMessage **res,
                    struct tkt_err *err)
{
    struct timeval wait = time_of(l);
    LDAPControl *page = NULL;
    /* Not critical: a server without pages gives what it gives. */
    int rc =
        ldap_create_page_control(l->ld, (ber_int_t)l->conf->page_size, cookie, 0, &page);

    if (rc != LDAP_SUCCESS) {
        return tkt_ldap_fail(l, rc, "page", err);
    }
    LDAPControl *controls[] = {page, NULL};
    rc = ldap_search_ext_s(l->ld, base, LDAP_SCOPE_SUBTREE, filter,
                           (char **)(uintptr_t)attrs, 0, controls, NULL, &wait,
                           LDAP_NO_LIMIT, res);
    ldap_control_free(page);
    if (rc == LDAP_SUCCESS || is_cut(rc)) {
        return 0;
    }
    ldap_msgfree(*res);
    *res = NULL;
    return tkt_ldap_fail(l, rc, "search", err);
}

int tkt_ldap_pages(struct tkt_ldap *l, const char *base, const char *filter,
                   const char *const *attrs,
                   bool (*fn)(void *arg, struct tkt_ldap *l, LDAPMessage *entry),
                   void *arg, struct tkt_err *err)
{
    struct berval *cookie = NULL;
    bool more = true;
    int rc = 0;

    for (int page = 0; more && rc == 0 && page < PAGES_MAX; page++) {
        LDAPMessage *res = NULL;

        rc = one_page(l, base, filter, attrs, cookie, &res, err);
        for (LDAPMessage *e = rc < 0 ? NULL : ldap_first_entry(l->ld, res);
             e != NULL && more; e = ldap_next_entry(l->ld, e)) {
            more = fn(arg, l, e);
        }
        if (rc == 0) {
            rc = next_page(l, res, &cookie, err);
            more = more && cookie != NULL && cookie->bv_len > 0;
        }
        ldap_msgfree(res);
    }
    ber_bvfree(cookie);
    return rc;
}

void tkt_ldap_values(struct tkt_ldap *l, LDAPMessage *entry, const char *attr,
                     bool (*fn)(void *arg, const char *value, size_t n), void *arg)
{
    struct berval **values = ldap_get_values_len(l->ld, entry, attr);

    for (size_t i = 0; values != NULL && values[i] != NULL; i++) {
        if (!fn(arg, values[i]->bv_val, values[i]->bv_len)) {
            break;
        }
    }
    ldap_value_free_len(values);
}
