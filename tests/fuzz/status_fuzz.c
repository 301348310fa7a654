/* SPDX-License-Identifier: BSD-2-Clause
 * Input: a byte that chooses the service, then the body of its call; it is read whoever
 * signed it, and its signature is looked at, too.
 */
#include "base/util.h"
#include "notify/status.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *field(void *arg, const char *name)
{
    (void)name;
    return arg;
}

static void tell(void *arg, const struct tkt_status_told *told)
{
    int *count = arg;

    if (told->notice == NULL || told->to == NULL || told->code == NULL ||
        told->words == NULL || told->id == NULL || ++*count > 2 * TKT_STATUS_TOLD_MAX) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char types[][16] = {"twilio", "sendgrid", "whatsapp"};
    static char given[] = "sha256=MEUCIQ==";
    static char none[1];
    int count = 0;
    struct tkt_err err = TKT_ERR_INIT;

    if (size < 1) {
        return 0;
    }
    const struct tkt_conf_channel conf = {.type = types[data[0] % TKT_ARRAY_LEN(types)],
                                          .client_id = none,
                                          .hook_secret = none};
    const struct tkt_status_call call = {.conf = &conf,
                                         .secret = "secret",
                                         .url = "https://x.example/status/x/n",
                                         .notice = "n",
                                         .field = field,
                                         .arg = given,
                                         .body = data + 1,
                                         .len = size - 1};
    const struct tkt_status_ops *ops = tkt_channel_find(conf.type)->status;

    if (ops->verify(&call, &err) == 0) {
        abort();
    }
    (void)ops->read(&call, tell, &count, &err); /* what it is is tell's to judge */
    return 0;
}
