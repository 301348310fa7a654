/* SPDX-License-Identifier: BSD-2-Clause
 * Input: a byte that chooses the escape, then a template. A value must not end its line.
 */
#include "base/util.h"
#include "template/template.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"id", "who.name", "f.*", "l[].n", "t[]", NULL};
    static const struct tkt_var item[] = {{.name = "n", .text = "\r\nX: <\"'&%"}};
    static const struct tkt_var list[] = {{.items = item, .count = 1}, {.text = "\n"}};
    static const struct tkt_var vars[] = {
        {.name = "id", .text = "\r\n\x01\x7f"},
        {.name = "who", .items = item, .count = 1},
        {.name = "l", .items = list, .count = 2, .is_list = true},
        {.name = "t", .items = list, .count = 2, .is_list = true}};
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(16 * 1024);
    TKT_AUTO_FREE char *text = NULL;
    struct tkt_err err = TKT_ERR_INIT;

    if (size < 1 || (text = malloc(size)) == NULL) {
        return 0;
    }
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    enum tkt_escape escape = (enum tkt_escape)(data[0] % TKT_ESCAPE_COUNT);
    bool one_line = strpbrk(text, "\r\n") == NULL;
    struct tkt_template *t = tkt_template_compile(text, escape, names, &err);
    if (t != NULL) {
        (void)tkt_template_render(t, vars, TKT_ARRAY_LEN(vars), &out); /* full is fine */
        if (one_line && escape != TKT_ESCAPE_NONE && escape != TKT_ESCAPE_HTML &&
            strpbrk(tkt_buf_str(&out), "\r\n") != NULL) {
            __builtin_trap();
        }
        tkt_template_free(&t);
    }
    return 0;
}
