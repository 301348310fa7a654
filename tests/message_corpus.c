/* SPDX-License-Identifier: BSD-2-Clause
 * Mail that others wrote, if it is there: every file below $TKT_DATA/mime, bounces,
 * tickets and replies is read within 300 ms of processor time and passes the codec; the
 * files of a collection of real bounces, whose names tell what they are, get their class.
 * Skipped (77) when TKT_DATA does not name a folder.
 */
#include "base/buf.h"
#include "base/fs.h"
#include "base/util.h"
#include "message/parse.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BUDGET_MS 300
#define CLASS_PERCENT 95 /* of the bounces; some are prose that only a person can tell */

static unsigned files, bad, named, right;
static int64_t worst_ms;

static int64_t cpu_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static const char *complaint(const struct tkt_buf *raw, struct tkt_message *out)
{
    static const char *const prefix = "IT";
    struct tkt_message_options opt = {.prefixes = &prefix, .prefix_count = 1};
    struct tkt_message_source src = {
        .data = tkt_buf_str(raw), .fd = -1, .size = raw->len};
    TKT_AUTO_BUF struct tkt_buf wire = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    struct tkt_message msg;

    tkt_message_limits_default(&opt.limits);
    int64_t start = cpu_ms();
    if (tkt_message_parse(&src, &opt, &msg, NULL) < 0) {
        return "not read";
    }
    int64_t took = cpu_ms() - start;
    worst_ms = TKT_MAX(worst_ms, took);
    int rc = tkt_message_encode(&msg, &wire);
    tkt_message_release(&msg);
    if (rc < 0 || tkt_message_decode(wire.data, wire.len, out, NULL) < 0) {
        return "refused by the codec";
    }
    if (took > BUDGET_MS) {
        tkt_message_release(out);
        return "too slow";
    }
    return NULL;
}

static void score(const char *name, const struct tkt_message *msg)
{
    bool bounce = strncmp(name, "lhost-", 6) == 0 || strncmp(name, "rhost-", 6) == 0 ||
                  (strncmp(name, "rfc3464", 7) == 0 && strstr(name, "-28") == NULL);

    if (bounce) {
        named++;
        right += msg->class == TKT_CLASS_BOUNCE || msg->class == TKT_CLASS_DELAY;
    }
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(64 * 1024 * 1024);
    struct tkt_message msg;

    if (type != FTW_F || st->st_size == 0) {
        return 0;
    }
    files++;
    const char *why =
        tkt_read_file(path, &raw, NULL) < 0 ? "unreadable" : complaint(&raw, &msg);
    if (why != NULL) {
        printf("%s: %s\n", path, why);
        bad++;
        return 0;
    }
    score(path + ftw->base, &msg);
    tkt_message_release(&msg);
    return 0;
}

int main(void)
{
    static const char *const folders[] = {"mime", "bounces", "tickets", "replies"};
    const char *data = getenv("TKT_DATA");
    char path[512];

    if (data == NULL || data[0] == '\0') {
        printf("SKIP: TKT_DATA does not name a folder with test data\n");
        return 77;
    }
    if (tkt_message_parser_init(NULL) < 0) {
        return 1;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(folders); i++) {
        snprintf(path, sizeof(path), "%s/%s", data, folders[i]);
        (void)nftw(path, visit, 16, FTW_PHYS); /* a folder that is missing adds none */
    }
    printf("%u files, %u bad, worst %d ms; %u of %u bounces known\n", files, bad,
           (int)worst_ms, right, named);
    if (files == 0) {
        printf("SKIP: nothing below %s\n", data);
        return 77;
    }
    return bad > 0 || right * 100 < named * CLASS_PERCENT ? 1 : 0;
}
