/* SPDX-License-Identifier: BSD-2-Clause
 * The tag in any Subject: one tag, within the limits, gone again without a trace.
 */
#include "ticketd/mail/edit.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const items[] = {"IT", "HR"};
static const struct tkt_prefixes own = {items, 2};

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *value = (const char *)data;
    TKT_AUTO_BUF struct tkt_buf once = TKT_BUF_INIT(1 << 18);
    TKT_AUTO_BUF struct tkt_buf again = TKT_BUF_INIT(1 << 18);
    TKT_AUTO_BUF struct tkt_buf bare = TKT_BUF_INIT(1 << 18);
    size_t at;
    size_t n;

    if (size == 0) {
        return 0;
    }
    enum tkt_edit_subject done =
        tkt_edit_tag_subject(&own, "IT-12", value, size, 8, &once);
    if (done != TKT_EDIT_SUBJECT_TAGGED && done != TKT_EDIT_SUBJECT_REPLACED) {
        return 0;
    }
    require(once.len + 8 < TKT_EDIT_SUBJECT_MAX);
    for (size_t i = 0, line = 8; i < once.len; i++) {
        line = once.data[i] == '\n' ? 0 : line + 1;
        require(line <= TKT_EDIT_LINE_MAX);
    }
    require(tkt_subject_find_tag(&own, once.data, once.len, 0, &at, &n));
    if (done == TKT_EDIT_SUBJECT_TAGGED) {
        require(tkt_edit_tag_subject(&own, "IT-12", once.data, once.len, 8, &again) ==
                TKT_EDIT_SUBJECT_KEPT);
        require(tkt_subject_strip(&own, once.data, once.len, &bare) == 0);
        require(bare.len == size && memcmp(bare.data, value, size) == 0);
    }
    return 0;
}
