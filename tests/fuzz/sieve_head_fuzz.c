/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes as a header and any edits: what is told has its place, an edit hits the field it
 * names and nothing else, the bytes of other fields stay.
 */
#include "sieve-ext/ticket-head.h"
#include "sieve-ext/ticket-words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static size_t count_named(const char *head, size_t n, const char *name)
{
    struct tkt_sieve_field f;
    size_t at = 0;
    size_t count = 0;

    while (tkt_sieve_next_field(head, n, &at, &f)) {
        require(f.start < f.end && f.end <= n && f.end == at);
        require(f.value + f.value_len <= f.end && f.value >= f.start);
        count += tkt_sieve_field_is(head, &f, name);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *head = (const char *)data;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4 * TKT_SIEVE_HEAD_MAX);
    TKT_AUTO_BUF struct tkt_buf plain = TKT_BUF_INIT(4 * TKT_SIEVE_HEAD_MAX);
    struct tkt_wire_request req = {.verb = TKT_WIRE_RESERVE};
    struct tkt_wire_edit edits[TKT_WIRE_FIELDS_MAX + 1];
    size_t count = 0;
    size_t at = 0;
    const char *id;
    size_t id_len;
    bool told;

    if (size > TKT_SIEVE_HEAD_MAX) {
        return 0;
    }
    require(tkt_sieve_head_whole(head, size) <= size);
    while (tkt_sieve_find_id(head, size, &at, &id, &id_len)) {
        require(id_len >= 3 && id[-1] == '[' && id[id_len] == ']');
    }
    require(tkt_sieve_head_fields(head, size, &req.arena, &req.fields, &req.field_count,
                                  &told) == 0);
    require(tkt_sieve_head_edit(head, size, NULL, 0, false, &plain) == 0);
    require(plain.len <= size);
    /* All that was told goes, highest index first, and one field comes. */
    for (size_t i = req.field_count; i > 0; i--) {
        edits[count++] = (struct tkt_wire_edit){TKT_WIRE_DELETE, req.fields[i - 1].index,
                                                req.fields[i - 1].name, ""};
    }
    edits[count++] = (struct tkt_wire_edit){TKT_WIRE_INSERT, 0, "X-Ticket-ID", " IT-1"};
    require(tkt_sieve_head_edit(head, size, edits, count, false, &out) == 0);
    require(count_named(tkt_buf_str(&out), out.len, "X-Ticket-ID") == 1);
    require(count_named(tkt_buf_str(&out), out.len, "From") ==
            count_named(head, size, "From"));
    require(req.field_count > 0 || out.len >= plain.len + strlen("X-Ticket-ID: IT-1\n"));
    tkt_wire_request_release(&req);
    return 0;
}
