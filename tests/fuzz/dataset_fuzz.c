/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes as labelled texts: what is taken has labels that a model may have.
 */
#include "base/enc.h"
#include "ticketctl/dataset.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_dataset d = {.items = NULL};

    (void)tkt_dataset_read_text(&d, "fuzz", (const char *)data, size, NULL);
    for (size_t i = 0; i < d.count; i++) {
        size_t n = strlen(d.items[i].text) + strlen(d.items[i].subject);
        for (int h = 0; h < TKT_HEAD_COUNT; h++) {
            const char *label = d.items[i].labels[h];
            if (strlen(label) > TKT_MODEL_LABEL_MAX ||
                !tkt_utf8_valid(label, strlen(label)) || strchr(label, '\n') != NULL) {
                abort();
            }
        }
        if (n == 0 || n > size) {
            abort();
        }
    }
    tkt_dataset_release(&d);
    return 0;
}
