/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/keyring.h"

#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "secret/secret.h"

#include <errno.h>
#include <stdio.h>

#define SECRET_MAX 4096
#define OWN_KEY_BYTES 32

/* Made once; from then on it has to be kept with the store: without it the tokens in
 * people's mailboxes mean nothing. */
static int load_own(const char *store_dir, struct tkt_token_keys *out,
                    struct tkt_err *err)
{
    char path[4200];
    struct tkt_buf key = TKT_BUF_INIT(SECRET_MAX);
    int rc = -1;

    snprintf(path, sizeof(path), "%s/" TKT_KEYRING_FILE, store_dir);
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        unsigned char random[OWN_KEY_BYTES];
        char hex[2 * OWN_KEY_BYTES + 1];

        tkt_random(random, sizeof(random));
        tkt_hex_encode(random, sizeof(random), hex);
        int made = tkt_replace_file(path, hex, sizeof(hex) - 1, 0600, err);
        tkt_wipe(random, sizeof(random));
        tkt_wipe(hex, sizeof(hex));
        if (made < 0) {
            return -1;
        }
    }
    if (tkt_read_file(path, &key, err) == 0) {
        rc = tkt_token_keys_add(out, key.data, key.len, err);
        if (rc < 0) {
            tkt_err_prefix(err, "%s", path);
        }
        tkt_wipe(key.data, key.len);
    }
    tkt_buf_release(&key);
    return rc;
}

int tkt_keyring_load(const struct tkt_conf_token *conf, const char *store_dir,
                     struct tkt_token_keys *out, struct tkt_err *err)
{
    if (conf->keys.count == 0) {
        return load_own(store_dir, out, err);
    }
    for (size_t i = 0; i < conf->keys.count; i++) {
        TKT_AUTO_SECRET struct tkt_secret key = TKT_SECRET_INIT;

        if (tkt_secret_get(conf->keys.items[i], &key, err) < 0 ||
            tkt_token_keys_add(out, key.data, key.len, err) < 0) {
            return tkt_err_prefix(err, "token.keys: %s", conf->keys.items[i]);
        }
    }
    return 0;
}
