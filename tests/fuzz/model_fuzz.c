/* SPDX-License-Identifier: BSD-2-Clause
 * A model's file: whatever it says, opening it and asking it does no harm. The checksum is
 * put right first, or nothing behind it would ever be reached.
 */
#include "base/hash.h"
#include "decide/model.h"
#include "decide/model_file.h"

#include <stdlib.h>
#include <string.h>

#define CHECKED_FROM                                                                     \
    (offsetof(struct tkt_model_file_head, sha256) + sizeof(unsigned char[TKT_SHA256_LEN]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct tkt_model *m)
{
    static const char *const texts[] = {"", "the printer is jammed", "reset my password",
                                        "\xc3\xbc\xff toner toner"};
    struct tkt_model_choice c[TKT_HEAD_COUNT];
    struct tkt_model_work *work = tkt_model_work_new();

    for (size_t i = 0; work != NULL && i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (tkt_model_ask(m, work, texts[i], texts[3 - i], -1, true, c) < 0) {
            abort();
        }
        for (int h = 0; h < TKT_HEAD_COUNT; h++) {
            if (c[h].best >= (int)tkt_model_label_count(m, h)) {
                abort();
            }
        }
    }
    tkt_model_work_free(&work);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);

    if (copy != NULL && size >= sizeof(struct tkt_model_file_head)) {
        memcpy(copy, data, size);
        struct tkt_model_file_head *head = (void *)copy;
        head->size = size;
        tkt_sha256(copy + CHECKED_FROM, size - CHECKED_FROM, head->sha256);
        struct tkt_model *m = tkt_model_of(copy, size, NULL);
        if (m != NULL) {
            ask(m);
            double weight;
            (void)tkt_model_top(m, TKT_HEAD_CATEGORY, 0, 0, &weight); /* read it once */
            tkt_model_close(&m);
        }
    }
    free(copy);
    return 0;
}
