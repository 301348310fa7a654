/* SPDX-License-Identifier: BSD-2-Clause
 * The text of a configuration file. What loads must dump to something that loads to the
 * same; what does not load must say where and why.
 */
#include "base/buf.h"
#include "conf/conf.h"
#include "conf/read.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DUMP_MAX (16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = tkt_conf_load_text("f", (const char *)data, size, &err);

    if (conf == NULL) {
        if (err.class != TKT_ERR_CONF || strncmp(err.text, "f:", 2) != 0) {
            abort();
        }
        return 0;
    }
    TKT_AUTO_BUF struct tkt_buf dump = TKT_BUF_INIT(DUMP_MAX);
    TKT_AUTO_BUF struct tkt_buf warnings = TKT_BUF_INIT(DUMP_MAX);
    if (tkt_conf_dump(conf, true, &dump) < 0 || tkt_conf_warnings(conf, &warnings) < 0) {
        abort();
    }
    struct tkt_conf *again = tkt_conf_load_text("f", tkt_buf_str(&dump), dump.len, &err);
    if (again == NULL || again->generation != conf->generation) {
        abort();
    }
    tkt_conf_free(&again);
    tkt_conf_free(&conf);
    return 0;
}
