/* SPDX-License-Identifier: BSD-2-Clause
 * One mail has one key, wherever it is seen: recordings of real MTAs.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "base/util.h"
#include "ticketd/mail/keyscan.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

#define MAILS 11
#define VIEWS_LEAST 6
#define MAIL_MAX (1 << 20)

static const char *const own_items[] = {"IT"};
static const struct tkt_prefixes own = {own_items, 1};

struct hints {
    struct tkt_keyscan_hints given;
    char queue_id[64];
    char host[256];
};

/* "QUEUEID HOST SECONDS" beside the mail; false when the view has none. */
static bool read_hints(const char *mail_path, struct hints *h)
{
    char path[512];
    long long at_s;
    FILE *f;
    int n;

    snprintf(path, sizeof(path), "%.*s.hints", (int)strlen(mail_path) - 4, mail_path);
    f = fopen(path, "r");
    if (f == NULL) {
        return false;
    }
    n = fscanf(f, "%63s %255s %lld", h->queue_id, h->host, &at_s);
    fclose(f);
    assert_int_equal(n, 3);
    h->given = (struct tkt_keyscan_hints){h->queue_id, h->host, at_s, NULL};
    return true;
}

static void key_of_file(const char *path, unsigned char key[TKT_SHA256_LEN])
{
    TKT_AUTO_BUF struct tkt_buf mail = TKT_BUF_INIT(MAIL_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    struct hints h;
    struct tkt_keyscan *scan =
        tkt_keyscan_new(&own, read_hints(path, &h) ? &h.given : NULL);

    assert_non_null(scan);
    assert_int_equal(tkt_read_file(path, &mail, &err), 0);
    tkt_keyscan_add(scan, mail.data, mail.len);
    memcpy(key, tkt_keyscan_final(scan)->key, TKT_SHA256_LEN);
    tkt_keyscan_free(&scan);
}

/* Returns the number of views, all of one key. */
static unsigned look_at(const char *dir, unsigned char key[TKT_SHA256_LEN])
{
    DIR *d = opendir(dir);
    unsigned views = 0;
    struct dirent *e;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        unsigned char seen[TKT_SHA256_LEN];
        char path[512];
        size_t n = strlen(e->d_name);

        if (n < 4 || strcmp(e->d_name + n - 4, ".eml") != 0) {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        key_of_file(path, seen);
        if (views++ == 0) {
            memcpy(key, seen, sizeof(seen));
        }
        if (memcmp(key, seen, sizeof(seen)) != 0) {
            print_message("%s has another key\n", path);
        }
        assert_memory_equal(key, seen, sizeof(seen));
    }
    closedir(d);
    return views;
}

static void each_mail_has_one_key_and_no_two_share_it(void **state)
{
    unsigned char keys[MAILS][TKT_SHA256_LEN];
    const char *src = getenv("TKT_SRCDIR");
    unsigned mails = 0;
    char top[256];
    struct dirent *e;
    DIR *d;

    (void)state;
    snprintf(top, sizeof(top), "%s/tests/golden/onekey", src != NULL ? src : ".");
    d = opendir(top);
    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        char dir[300];

        if (e->d_name[0] == '.' || strcmp(e->d_name, "README") == 0) {
            continue;
        }
        assert_true(mails < MAILS);
        snprintf(dir, sizeof(dir), "%s/%.30s", top, e->d_name);
        assert_true(look_at(dir, keys[mails]) >= VIEWS_LEAST);
        for (unsigned i = 0; i < mails; i++) {
            assert_memory_not_equal(keys[i], keys[mails], TKT_SHA256_LEN);
        }
        mails++;
    }
    closedir(d);
    assert_int_equal(mails, MAILS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mail_has_one_key_and_no_two_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
