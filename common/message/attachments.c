/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/attachments.h"

#include "base/util.h"
#include "message/body.h"

#include <string.h>

int tkt_attachments_read(struct tkt_reading *r, struct tkt_err *err)
{
    struct tkt_scan *s = &r->scan;
    struct tkt_message *msg = r->msg;

    if (s->header_only) {
        return 0;
    }
    msg->attachments =
        tkt_wire_arena_alloc(&msg->arena, s->part_count * sizeof(*msg->attachments));
    if (msg->attachments == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    for (size_t i = 0; i < s->part_count; i++) {
        const struct tkt_part *p = &s->parts[i];
        char path[TKT_MIME_PATH_MAX];
        if (p->is_multipart || tkt_body_is_text(s, i)) {
            continue;
        }
        tkt_scan_path(s, i, path);
        const char *name = p->mime.name == NULL ? "" : p->mime.name;
        const char *type = tkt_part_type(p);
        msg->attachments[msg->attachment_count++] = (struct tkt_attachment){
            .name = tkt_reading_keep(r, name, strlen(name)),
            .type = tkt_reading_keep(r, type, strlen(type)),
            .part = tkt_reading_keep(r, path, strlen(path)),
            .sha256 = tkt_nothing,
            .content_id = tkt_nothing,
            .size = p->end_at - p->body_at,
            .is_inline =
                p->mime.disposition == TKT_DISPOSITION_INLINE ||
                (p->mime.has_content_id && p->mime.disposition == TKT_DISPOSITION_NONE)};
    }
    return 0;
}
