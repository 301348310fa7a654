/* SPDX-License-Identifier: BSD-2-Clause
 * What the tests of common/wire share: a socket pair, a folder, a message. Each test
 * program includes it once.
 */
#ifndef TKT_TESTS_WIRE_TEST_H
#define TKT_TESTS_WIRE_TEST_H
#include "base/clock.h"
#include "base/fs.h"
#include "base/util.h"
#include "wire/control.h"
#include "wire/idna.h"
#include "wire/intake.h"
#include "wire/missed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
/* cmocka wants setjmp.h, stdarg.h and stddef.h first */
#include <cmocka.h>

static int pair[2] __attribute__((unused));
static char dir[64] __attribute__((unused));
static char path[96] __attribute__((unused));

static inline int open_pair(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static inline int close_pair(void **state)
{
    (void)state;
    close(pair[0]);
    close(pair[1]);
    return 0;
}

static inline int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/wire_test.XXXXXX");
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/s", dir);
    return 0;
}

static inline int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static inline int64_t soon(void)
{
    return tkt_clock_mono_ms() + 5000;
}

static inline int memfd_with(const char *text)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

#define WITH_PAIR(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)
#define WITH_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

#endif
