/* SPDX-License-Identifier: BSD-2-Clause
 * The store and the daemon: status, verify, backup, restore, reload, ping, config. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/util.h"
#include "decide/policy.h"
#include "decide/rules.h"
#include "itsm/itsm.h"
#include "notify/notify.h"
#include "notify/text.h"
#include "secret/secret.h"
#include "store/store.h"
#include "ticketctl/ctl.h"
#include "ticketctl/explain.h"
#include "ticketctl/out.h"
#include "ticketd/core/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>

#define TOKEN_KEY_BYTES 32

int tkt_ctl_ping(struct tkt_ctl *ctl)
{
    struct tkt_control_reply reply;
    int64_t start_us = tkt_clock_mono_us();
    int rc = tkt_ctl_call(ctl, "ping", NULL, 0, -1, TKT_CTL_TIMEOUT_MS, &reply);
    if (rc != 0) {
        return rc;
    }
    tkt_control_reply_release(&reply);
    double ms = (double)(tkt_clock_mono_us() - start_us) / 1000;
    if (ctl->json) {
        printf("{\"status\":\"ok\",\"ms\":%.1f}\n", ms);
    } else if (!ctl->quiet) {
        printf("ticketd answers on %s in %.1f ms\n", tkt_ctl_control_socket(ctl), ms);
    }
    return 0;
}

int tkt_ctl_reload(struct tkt_ctl *ctl)
{
    return tkt_ctl_do(ctl, "reload", NULL, 0);
}

int tkt_ctl_status(struct tkt_ctl *ctl)
{
    cJSON *json;
    int rc = tkt_ctl_fetch(ctl, "status", NULL, 0, TKT_CTL_TIMEOUT_MS, &json);
    if (rc == 0 && json != NULL) {
        tkt_ctl_put_object(stdout, json, 0);
    }
    cJSON_Delete(json);
    return rc;
}

int tkt_ctl_config_test(struct tkt_ctl *ctl)
{
    struct tkt_err err = TKT_ERR_INIT;
    const char *path = ctl->pos_count > 0 ? ctl->pos[0] : tkt_ctl_conf_path(ctl);
    ctl->conf = tkt_conf_load(path, &err);
    if (ctl->conf == NULL) {
        return tkt_ctl_fail_err(&err);
    }
    TKT_AUTO_BUF struct tkt_buf warnings = TKT_BUF_INIT(1024 * 1024);
    if (tkt_conf_warnings(ctl->conf, &warnings) < 0) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    struct tkt_roster *roster = tkt_roster_new(ctl->conf, &warnings, &err);
    if (roster == NULL) {
        (void)tkt_err_prefix(&err, "%s", path); /* always -1 */
        return tkt_ctl_fail_err(&err);
    }
    tkt_roster_free(&roster);
    struct tkt_policy *policy = NULL;
    if (tkt_ctl_policy_compile(ctl->conf, NULL, &policy, &warnings, &err) < 0) {
        return tkt_ctl_fail_err(&err);
    }
    size_t rules = tkt_rules_count(policy->rules);
    tkt_policy_free(&policy);
    tkt_ctl_put_block(stderr, "", tkt_buf_str(&warnings));
    if (tkt_itsm_check_all(ctl->conf, &err) < 0 ||
        tkt_channel_check_all(ctl->conf, &err) < 0) {
        (void)tkt_err_prefix(&err, "%s", path); /* always -1 */
        return tkt_ctl_fail_err(&err);
    }
    struct tkt_notice_texts *texts = tkt_notice_texts_load(ctl->conf, &err);
    if (texts == NULL) {
        (void)tkt_err_prefix(&err, "%s", path); /* always -1 */
        return tkt_ctl_fail_err(&err);
    }
    tkt_notice_texts_free(&texts);
    for (size_t i = 0; i < ctl->conf->token.keys.count; i++) {
        /* Not read: whoever tests need not be who may. `ticketd -t` reads them. */
        if (tkt_secret_check(ctl->conf->token.keys.items[i], &err) < 0) {
            (void)tkt_err_prefix(&err, "%s: token keys", path); /* always -1 */
            return tkt_ctl_fail_err(&err);
        }
    }
    if (!ctl->quiet) {
        printf("%s: ok, %zu desk%s", path, ctl->conf->desk_count,
               ctl->conf->desk_count == 1 ? "" : "s");
        printf(rules == 0 ? "\n" : ", %zu rule%s\n", rules, rules == 1 ? "" : "s");
    }
    return 0;
}

int tkt_ctl_config_dump(struct tkt_ctl *ctl)
{
    int rc = tkt_ctl_conf(ctl);
    if (rc != 0) {
        return rc;
    }
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(16 * 1024 * 1024);
    if (tkt_conf_dump(ctl->conf, tkt_ctl_opt(ctl, "changed") != NULL, &out) < 0) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    fputs(tkt_buf_str(&out), stdout);
    return 0;
}

static int sync_new_file(const char *path, int fd)
{
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_FREE char *copy = strdup(path);
    if (copy == NULL) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    if (fsync(fd) < 0) {
        return tkt_ctl_fail(EX_IOERR, "cannot sync %s: %s", path, strerror(errno));
    }
    return tkt_fsync_dir(dirname(copy), &err) < 0 ? tkt_ctl_fail_err(&err) : 0;
}

int tkt_ctl_backup(struct tkt_ctl *ctl)
{
    const char *path = ctl->pos[0];
    TKT_AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return tkt_ctl_fail(EX_CANTCREAT, "cannot make %s: %s", path, strerror(errno));
    }
    struct tkt_control_reply reply;
    int rc = tkt_ctl_call(ctl, "backup", NULL, 0, fd, TKT_CTL_TIMEOUT_LONG_MS, &reply);
    if (rc == 0) {
        tkt_control_reply_release(&reply);
        rc = sync_new_file(path, fd);
    }
    if (rc != 0) {
        (void)unlink(path); /* ours, and of no use */
        return rc;
    }
    off_t size = lseek(fd, 0, SEEK_END);
    if (size <= 0) {
        (void)unlink(path); /* ours, and of no use */
        return tkt_ctl_fail(EX_SOFTWARE, "ticketd wrote nothing into %s", path);
    }
    if (!ctl->quiet) {
        printf(ctl->json ? "{\"file_bytes\":%lld}\n" : "%lld bytes\n", (long long)size);
    }
    return 0;
}

int tkt_ctl_restore(struct tkt_ctl *ctl)
{
    struct tkt_err err = TKT_ERR_INIT;
    if (tkt_store_restore(ctl->pos[0], ctl->pos[1], &err) < 0) {
        return tkt_ctl_fail_err(&err);
    }
    if (!ctl->quiet) {
        printf("%s is ready; it must belong to the user of ticketd\n", ctl->pos[1]);
    }
    return 0;
}

static void put_verified(const cJSON *json)
{
    static const struct tkt_ctl_col cols[] = {{"FAULT", "fault", TKT_CTL_TEXT, 16},
                                              {"WHAT", "text", TKT_CTL_TEXT, 0}};
    tkt_ctl_put_table(stdout, cols, TKT_ARRAY_LEN(cols),
                      cJSON_GetObjectItemCaseSensitive(json, "faults"));
    printf("checked: %.0f events, %.0f messages, %.0f blobs; %.0f faults, %.0f orphans\n",
           tkt_ctl_num(json, "events"), tkt_ctl_num(json, "messages"),
           tkt_ctl_num(json, "blobs"), tkt_ctl_num(json, "bad"),
           tkt_ctl_num(json, "orphans"));
}

/* A fault is an answer, not an error: it is listed, and the exit code is 1. */
int tkt_ctl_verify(struct tkt_ctl *ctl)
{
    struct tkt_control_reply reply;
    int rc = tkt_ctl_ask(ctl, "verify", NULL, 0, -1, TKT_CTL_TIMEOUT_LONG_MS, &reply);
    if (rc != 0) {
        return rc;
    }
    if (reply.fd < 0) {
        rc = reply.exit_code != 0 ? tkt_ctl_fail(reply.exit_code, "%s", reply.text)
                                  : tkt_ctl_fail(EX_PROTOCOL, "ticketd told no result");
        tkt_control_reply_release(&reply);
        return rc;
    }
    cJSON *json;
    rc = tkt_ctl_read_json(reply.fd, &json);
    if (rc == 0 && ctl->json) {
        rc = tkt_ctl_print_json(json);
    } else if (rc == 0 && !(ctl->quiet && reply.exit_code == 0)) {
        put_verified(json);
    }
    if (rc == 0 && reply.exit_code != 0) {
        rc = tkt_ctl_fail(1, "verify: %s", reply.text);
    }
    cJSON_Delete(json);
    tkt_control_reply_release(&reply);
    return rc;
}

int tkt_ctl_token_key(struct tkt_ctl *ctl)
{
    const char *path = ctl->pos[0];
    unsigned char key[TOKEN_KEY_BYTES];
    char hex[2 * TOKEN_KEY_BYTES + 1];
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return tkt_ctl_fail(EX_CANTCREAT, "cannot make %s: %s", path, strerror(errno));
    }
    tkt_random(key, sizeof key);
    tkt_hex_encode(key, sizeof key, hex);
    int rc = tkt_write_full(fd, hex, sizeof hex - 1, &err) < 0 ? tkt_ctl_fail_err(&err)
                                                               : sync_new_file(path, fd);
    tkt_wipe(key, sizeof key);
    tkt_wipe(hex, sizeof hex);
    if (rc != 0) {
        (void)unlink(path); /* ours, and not whole */
    } else if (!ctl->quiet) {
        printf("put it first: token { keys = {\"file:%s\"} }\n", path);
    }
    return rc;
}
