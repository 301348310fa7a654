/* SPDX-License-Identifier: BSD-2-Clause
 * Secrets that another service holds: "aws:NAME", "aws:NAME#member" (Secrets Manager),
 * "vault:mount/path#member" (KV version 2). For programs that may call out; the others
 * do not link this.
 *
 * Promise: what was fetched is kept for TKT_SECRET_FRESH_MS, and, while the service cannot
 * be had, used for TKT_SECRET_STALE_MS more; then it is wiped. A refusal is not hidden by
 * an old value. Where and as whom the services are asked is told by the environment, in
 * their own words: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
 * AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, ..._FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN,
 * ..._FILE, AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_EC2_METADATA_SERVICE_ENDPOINT,
 * AWS_EC2_METADATA_DISABLED; VAULT_ADDR, VAULT_TOKEN, VAULT_TOKEN_FILE (of an agent),
 * VAULT_NAMESPACE, VAULT_CACERT.
 * Threads: any, after init. A read may block for some seconds.
 * Errors: CONF (no such secret or member, not allowed, nothing configured), TEMP.
 */
#ifndef TKT_SECRET_REMOTE_H
#define TKT_SECRET_REMOTE_H
#include <stdint.h>

#define TKT_SECRET_FRESH_MS (5 * 60 * 1000)
#define TKT_SECRET_STALE_MS (INT64_C(24) * 3600 * 1000)
#define TKT_SECRET_KEPT_MAX 64 /* the oldest goes first */

/* Before the first thread: from now on these references are read. */
void tkt_secret_remote_init(void);
/* Wipes all that is kept. */
void tkt_secret_remote_clear(void);

#endif
