/* SPDX-License-Identifier: BSD-2-Clause
 * Language of any bytes: two letters or none, and the same again.
 */
#include "message/language.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *code = tkt_language_of((const char *)data, size);

    if ((strlen(code) != 0 && strlen(code) != 2) ||
        code != tkt_language_of((const char *)data, size)) {
        abort();
    }
    return 0;
}
