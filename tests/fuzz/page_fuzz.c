/* SPDX-License-Identifier: BSD-2-Clause
 * Input: a header field's value up to a line's end, then what was posted. The value is a
 * Content-Type, an Accept-Language and a link; a link that is taken is one of ours.
 */
#include "base/form.h"
#include "base/util.h"
#include "ticketd/hook/page.h"
#include "ticketd/mail/optout.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_link(const char *text)
{
    struct tkt_token_keys keys = {.count = 1};
    struct tkt_optout link;
    struct tkt_err err = TKT_ERR_INIT;
    char again[TKT_OPTOUT_LEN_MAX + 1];
    size_t n = strlen(text);

    if (tkt_optout_open(&keys, text, n, &link) &&
        (tkt_optout_make(&keys, link.ticket, link.address, again, &err) < 0 ||
         strlen(again) != n)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const void *end = memchr(data, '\n', size);
    size_t n = end == NULL ? size : (size_t)((const char *)end - text);
    char *value = strndup(text, n);
    size_t body_at = TKT_MIN(n + 1, size);
    struct tkt_form form;
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_BUF struct tkt_buf page = TKT_BUF_INIT(1024 * 1024);

    if (value == NULL) {
        return 0;
    }
    (void)tkt_page_wish(value, text + body_at, size - body_at); /* whatever it wants */
    check_link(value);
    tkt_page_write(TKT_PAGE_ASK_DESK, tkt_page_language(value, "en"), value, value, true,
                   &page);
    if (!page.failed && strstr(tkt_buf_str(&page), "<script") != NULL) {
        abort();
    }
    if (tkt_form_parse(text, size, 100, &form, &err) == 0) {
        tkt_form_release(&form);
    }
    free(value);
    return 0;
}
