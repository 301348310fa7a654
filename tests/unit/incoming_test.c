/* SPDX-License-Identifier: BSD-2-Clause
 * ticketd/incoming: a message that changes while it is read is not taken. The change comes
 * behind the first read: this program has a pread of its own in front of libc's.
 */
#include "base/clock.h"
#include "base/util.h"
#include "ticketd/intake/incoming.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

#define SMALL 4000
#define INLINE_MAX 8000
#define LARGE 300000 /* several blocks */
#define MESSAGE_MAX 400000
#define MINUTE_MS 60000

static const struct tkt_conf_limits limits = {.inline_max = INLINE_MAX,
                                              .message_max = MESSAGE_MAX};
static const struct tkt_prefixes none = {NULL, 0};
static struct {
    int reads; /* 0: none to come */
    off_t to;
} change;

ssize_t pread(int fd, void *data, size_t n, off_t at)
{
    ssize_t got = syscall(SYS_pread64, fd, data, n, at);

    if (change.reads > 0 && --change.reads == 0 && ftruncate(fd, change.to) < 0) {
        return -1;
    }
    return got;
}

struct folder {
    char path[40];
};

static int folder_make(void **state)
{
    static struct folder f;

    strcpy(f.path, "/tmp/tkt-incoming-XXXXXX");
    *state = &f;
    change.reads = 0;
    if (mkdtemp(f.path) == NULL) {
        return -1;
    }
    char blobs[60];
    snprintf(blobs, sizeof(blobs), "%s/blobs", f.path);
    return mkdir(blobs, 0700);
}

static int folder_remove(void **state)
{
    char command[80];

    snprintf(command, sizeof(command), "rm -rf '%s'", ((struct folder *)*state)->path);
    return system(command);
}

/* Reads a message of `size` bytes; returns what tkt_incoming_read does. */
static int take(const struct folder *f, off_t size, int64_t deadline_mono_ms,
                struct tkt_err *err)
{
    TKT_AUTO_FD int fd = memfd_create("message", MFD_CLOEXEC);
    struct tkt_keyscan *scan = tkt_keyscan_new(&none, NULL);
    const struct tkt_keyscan_result *result;
    struct tkt_incoming in;

    assert_non_null(scan);
    assert_int_equal(ftruncate(fd, size), 0);
    tkt_incoming_init(&in);
    int rc = tkt_incoming_read(&in, fd, &limits, f->path, scan, deadline_mono_ms, &result,
                               err);
    tkt_incoming_release(&in);
    tkt_keyscan_free(&scan);
    return rc;
}

static int take_in_time(const struct folder *f, off_t size, struct tkt_err *err)
{
    return take(f, size, tkt_clock_mono_ms() + MINUTE_MS, err);
}

static void message_that_stays_is_taken(void **state)
{
    struct tkt_err err;

    assert_int_equal(take_in_time(*state, SMALL, &err), 0);
    assert_int_equal(take_in_time(*state, LARGE, &err), 0);
    assert_int_equal(take_in_time(*state, MESSAGE_MAX + 1, &err), 0);
}

static void message_that_changes_its_size_while_it_is_read_is_not_taken(void **state)
{
    const struct {
        off_t from, to;
    } rows[] = {{SMALL, SMALL - 1},  {SMALL, SMALL + 1}, {LARGE, 1000},
                {LARGE, LARGE - 1},  {LARGE, LARGE + 1}, {MESSAGE_MAX + 1, MESSAGE_MAX},
                {MESSAGE_MAX + 1, 0}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct tkt_err err = {0};
        change.reads = 1;
        change.to = rows[i].to;
        assert_int_equal(take_in_time(*state, rows[i].from, &err), -1);
        assert_int_equal(err.class, TKT_ERR_TEMP);
        assert_int_equal(change.reads, 0);
    }
}

static void reading_ends_at_the_deadline(void **state)
{
    struct tkt_err err = {0};

    assert_int_equal(take(*state, LARGE, tkt_clock_mono_ms() - 1, &err), -1);
    assert_int_equal(err.class, TKT_ERR_TEMP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(message_that_stays_is_taken, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(
            message_that_changes_its_size_while_it_is_read_is_not_taken, folder_make,
            folder_remove),
        cmocka_unit_test_setup_teardown(reading_ends_at_the_deadline, folder_make,
                                        folder_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
