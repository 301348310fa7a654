/* SPDX-License-Identifier: BSD-2-Clause
 * Any bytes as a time zone: refused, or every instant has an offset of about a day at
 * most, and the way through its changes comes to an end.
 */
#include "decide/zone.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_zone *z = tkt_zone_read(data, size, &err);
    int64_t t = INT64_MIN;

    if ((z == NULL) != (err.class != TKT_ERR_NONE)) {
        abort();
    }
    for (int i = 0; z != NULL && t != INT64_MAX; i++) {
        int64_t until;
        int32_t offset = tkt_zone_offset(z, t, &until);
        if (offset < -26 * 3600 || offset > 26 * 3600 || until <= t || i > 5000) {
            abort();
        }
        t = until;
    }
    tkt_zone_free(&z);
    return 0;
}
