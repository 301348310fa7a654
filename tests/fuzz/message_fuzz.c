/* SPDX-License-Identifier: BSD-2-Clause
 * Pre-scan and reader: any bytes give a struct that the codec takes, twice the same from
 * memory and from a file.
 */
#include "message/parse.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(const struct tkt_message_source *src, struct tkt_buf *wire)
{
    static const char *const words[] = {"mx.example.test", "IT"};
    struct tkt_message_options opt = {.authserv_ids = words,
                                      .authserv_id_count = 1,
                                      .prefixes = words + 1,
                                      .prefix_count = 1};
    struct tkt_message msg;
    struct tkt_message again;

    tkt_message_limits_default(&opt.limits);
    opt.limits.mime_depth_max = 4;
    opt.limits.mime_parts_max = 20;
    opt.limits.header_max = 2048;
    opt.limits.text_max = 2048;
    if (tkt_message_parse(src, &opt, &msg, NULL) < 0 ||
        tkt_message_encode(&msg, wire) < 0 ||
        tkt_message_decode(wire->data, wire->len, &again, NULL) < 0) {
        abort();
    }
    tkt_message_release(&msg);
    tkt_message_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_buf a = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    struct tkt_buf b = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (tkt_message_parser_init(NULL) < 0 || fd < 0 ||
        write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    struct tkt_message_source memory = {
        .data = size == 0 ? (const void *)"" : data, .fd = -1, .size = size};
    struct tkt_message_source file = {.data = NULL, .fd = fd, .size = size};
    read_one(&memory, &a);
    read_one(&file, &b);
    if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0) {
        abort();
    }
    tkt_buf_release(&a);
    tkt_buf_release(&b);
    close(fd);
    return 0;
}
