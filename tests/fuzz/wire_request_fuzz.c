/* SPDX-License-Identifier: BSD-2-Clause
 * The request decoder: what it takes must survive encoding and decoding once more.
 */
#include "wire/intake.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_wire_packet pkt;
    struct tkt_wire_request first;
    struct tkt_wire_request second;
    struct tkt_err err = TKT_ERR_INIT;

    tkt_wire_packet_init(&pkt);
    if (tkt_buf_add(&pkt.body, data, size) < 0) {
        return 0;
    }
    if (size % 2 == 0) { /* half of them as if a message had come along */
        (void)tkt_wire_packet_take_fd(&pkt, open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    int rc = tkt_wire_request_decode(&pkt, &first, &err);
    tkt_wire_packet_release(&pkt);
    if (rc < 0) {
        return 0;
    }
    if (tkt_wire_request_encode(&first,
                                first.verb == TKT_WIRE_RESERVE ? STDIN_FILENO : -1, &pkt,
                                &err) == 0) {
        if (tkt_wire_request_decode(&pkt, &second, &err) < 0) {
            abort();
        }
        tkt_wire_request_release(&second);
        tkt_wire_packet_release(&pkt);
    }
    tkt_wire_request_release(&first);
    return 0;
}
