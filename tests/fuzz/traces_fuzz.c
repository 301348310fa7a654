/* SPDX-License-Identifier: BSD-2-Clause
 * What a mail leaves for its successors: the first line is a Subject (other trackers' tags,
 * words), the rest a text (its tail, its print). No byte may be lost by a cut.
 */
#include "message/foreign.h"
#include "message/tail.h"
#include "message/words.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* The tail of a text is the end of it, and cutting it leaves the rest as it was. */
static void cut(struct tkt_message *msg, const char *text, unsigned lines)
{
    require(tkt_tail_cut(msg, lines) == 0);
    size_t kept = strlen(msg->reply_text);
    size_t moved = strlen(msg->signature);
    require(kept + moved == strlen(text));
    require(memcmp(text, msg->reply_text, kept) == 0);
    require(memcmp(text + kept, msg->signature, moved) == 0);
    require(lines == 0 ? moved == 0 : text[0] == '\0' || kept > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const own[] = {"IT", "HR"};
    struct tkt_message msg;
    char *both = malloc(size + 1);

    require(both != NULL);
    memcpy(both, data, size);
    both[size] = '\0';
    size_t line = strcspn(both, "\n");
    char *text = both[line] == '\n' ? both + line + 1 : both + line;
    both[line] = '\0';

    memset(&msg, 0, sizeof(msg));
    msg.subject = both;
    msg.reply_text = text;
    msg.signature = (char *)"";
    require(tkt_foreign_read(&msg, own, 2) == 0);
    require(msg.foreign_ids.count <= TKT_MESSAGE_IDS_MAX);
    for (size_t i = 0; i < msg.foreign_ids.count; i++) {
        size_t n = strlen(msg.foreign_ids.items[i]);
        require(n > 0 && n <= TKT_FOREIGN_ID_MAX);
    }
    require(tkt_tail_read(&msg) == 0 && msg.tail_hashes.count <= TKT_TAIL_LINES_MAX);
    (void)tkt_words_disjoint(both, text); /* must only not crash */
    (void)tkt_print_make(both, text);     /* the same */
    cut(&msg, text, size > 0 ? data[0] % 16 : 0);
    tkt_message_release(&msg);
    free(both);
    return 0;
}
