/* SPDX-License-Identifier: BSD-2-Clause
 * A file of people, whatever stands in it: it is read or refused, and what is known of
 * somebody can be kept and read again.
 */
#include "base/fs.h"
#include "base/util.h"
#include "directory/directory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(int holds)
{
    if (!holds) {
        abort();
    }
}

static void keep_and_read(const struct tkt_person *p)
{
    TKT_AUTO_BUF struct tkt_buf coded = TKT_BUF_INIT(TKT_PERSON_WIRE_MAX);
    struct tkt_wire_arena arena = {0};
    struct tkt_person again;

    require(tkt_person_encode(p, &coded) == 0);
    require(tkt_person_decode(coded.data, coded.len, &arena, &again, NULL) == 0);
    require(strcmp(again.name, p->name) == 0 && again.groups.count == p->groups.count);
    tkt_wire_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    TKT_AUTO_FD int fd = tkt_memfd_sealed("people", data, n, NULL);
    char path[64];
    char *groups[] = {(char *)"a*"};
    char *values[] = {(char *)"title=*x*"};
    struct tkt_conf_directory conf = {.name = (char *)"f",
                                      .type = TKT_DIRECTORY_FILE,
                                      .file = path,
                                      .vip_groups = {groups, 1},
                                      .vip_values = {values, 1}};
    struct tkt_directory_answer answer = {0};
    struct tkt_err err = TKT_ERR_INIT;

    require(fd >= 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct tkt_directory *d = tkt_directory_open(&conf, &err);
    require(d != NULL);
    int found = tkt_directory_lookup(d, "ann@example.test", &answer, &err);
    if (found == 1) {
        keep_and_read(&answer.person);
        tkt_directory_answer_release(&answer);
    }
    require(found >= 0 || err.class == TKT_ERR_CONF);
    tkt_directory_close(&d);
    return 0;
}
