/* SPDX-License-Identifier: BSD-2-Clause
 * Authentication-Results: any bytes; an alignment needs a pass, a field of another
 * authserv-id stays another's.
 */
#include "message/authres.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ids[] = {"mx.example.test"};
    const char *p = (const char *)data;
    struct tkt_authres res;

    (void)tkt_authres_is_of(p, size, ids, 1);
    tkt_authres_read(p, size, "customer.example", &res);
    bool passed = res.spf == TKT_AUTH_PASS || res.dkim == TKT_AUTH_PASS ||
                  res.dmarc == TKT_AUTH_PASS;
    if (res.aligned && !passed) {
        abort();
    }
    tkt_authres_read(p, size, "", &res);
    if (res.aligned) {
        abort(); /* nobody's domain aligns with nothing */
    }
    if (tkt_arc_instance(p, size) < 0 || tkt_arc_instance(p, size) > 50) {
        abort();
    }
    (void)tkt_arc_seal_is_of(p, size, ids, 1);
    tkt_arc_results_read(p, size, "", &res);
    if (res.aligned) {
        abort();
    }
    return 0;
}
