/* SPDX-License-Identifier: BSD-2-Clause
 * Input: a byte that chooses the type, the body of a call. A key is short, one line.
 */
#include "base/util.h"
#include "ticketd/hook/hook.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char types[][16] = {"rt",     "redmine", "zendesk",      "github",
                               "gitlab", "jira",    "freshservice", "webhook"};
    static char none[1];
    static char odd[] = "/a~1b/0/~0 //x /";
    char key[TKT_HOOK_KEY_MAX + 1];

    if (size < 1) {
        return 0;
    }
    const struct tkt_conf_itsm conf = {.type = types[data[0] % TKT_ARRAY_LEN(types)],
                                       .hook_key = data[0] >= 128 ? odd : none};
    if (tkt_hook_key(&conf, data + 1, size - 1, key) == 1 &&
        (key[0] == '\0' || strpbrk(key, "\r\n") != NULL)) {
        abort();
    }
    return 0;
}
