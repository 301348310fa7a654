/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/tools.h"

#include <string.h>

struct tkt_reader *tkt_tools_reader(struct tkt_tools *tools, struct tkt_err *err)
{
    if (!tools->reader) {
        tools->reader = tkt_reader_open(tools->store_dir, err);
    }
    return tools->reader;
}

struct tkt_keyscan *tkt_tools_scan(struct tkt_tools *tools,
                                   const struct tkt_prefixes *own,
                                   const struct tkt_keyscan_hints *hints,
                                   struct tkt_err *err)
{
    if (tools->scan) {
        tkt_keyscan_reset(tools->scan, own, hints);
        return tools->scan;
    }
    tools->scan = tkt_keyscan_new(own, hints);
    if (!tools->scan) {
        tkt_err_set(err, TKT_ERR_TEMP, "no memory for a key scan");
    }
    return tools->scan;
}

void tkt_tools_forget_person(struct tkt_tools *tools)
{
    tkt_wire_arena_release(&tools->person.arena);
    memset(&tools->person, 0, sizeof(tools->person));
}

void tkt_tools_release(struct tkt_tools *tools)
{
    tkt_tools_forget_person(tools);
    tkt_reader_close(&tools->reader);
    tkt_keyscan_free(&tools->scan);
}
