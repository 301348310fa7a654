/* SPDX-License-Identifier: BSD-2-Clause
 * What aws.c, vault.c and remote.c share. Private to common/secret.
 */
#ifndef TKT_SECRET_REMOTE_PRIVATE_H
#define TKT_SECRET_REMOTE_PRIVATE_H
#include "net/http.h"
#include "secret/backend.h"
#include "secret/secret.h"

/* name without "#member"; member NULL when there is none. Both in room. */
struct tkt_secret_name {
    char name[2100];
    const char *member;
};
int tkt_secret_name_split(const char *ref, struct tkt_secret_name *out,
                          struct tkt_err *err);
/* One request; a 2xx body of JSON (or any text) is left in r. Errors as in remote.h. */
int tkt_secret_ask(const struct tkt_http_request *q, struct tkt_http_response *r,
                   struct tkt_err *err);
/* The environment's value, or NULL when it is unset or empty. */
const char *tkt_secret_env(const char *name);
/* A fetched value to its place. */
long tkt_secret_give(const char *value, size_t n, char *buf, size_t max,
                     struct tkt_err *err);

/* Uncached. */
long tkt_secret_aws_fetch(const char *ref, char *buf, size_t max, struct tkt_err *err);
long tkt_secret_vault_fetch(const char *ref, char *buf, size_t max, struct tkt_err *err);
void tkt_secret_aws_clear(void);

#endif
