/* SPDX-License-Identifier: BSD-2-Clause
 * Input: a byte of choices, then texts of a notice that are parted by NUL. Whatever they
 * hold, what is written is legal: lines end, none is too long, and no field is added.
 */
#include "base/util.h"
#include "notify/mail.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS 9

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *mail, size_t n)
{
    size_t line = 0;
    bool in_head = true;
    int subjects = 0;

    for (size_t i = 0; i < n; i++) {
        bool starts = i == 0 || mail[i - 1] == '\n';

        if (in_head && starts) {
            in_head = mail[i] != '\r';
            subjects += n - i > 8 && memcmp(mail + i, "Subject:", 8) == 0;
            if ((n - i > 4 && memcmp(mail + i, "Bcc:", 4) == 0) || mail[i] == '\t') {
                abort();
            }
        }
        line = mail[i] == '\n' ? 0 : line + 1;
        if (line > TKT_MAIL_LINE_MAX + 1 ||
            (mail[i] == '\n' && (i == 0 || mail[i - 1] != '\r')) ||
            (mail[i] == '\r' && (i + 1 == n || mail[i + 1] != '\n'))) {
            abort();
        }
    }
    if (subjects != 1) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(8 * 1024 * 1024);
    TKT_AUTO_FREE char *room = malloc(size + 1);
    const char *texts[TEXTS];
    struct tkt_err err = TKT_ERR_INIT;

    if (size < 1 || size > 100000 || room == NULL) {
        return 0;
    }
    memcpy(room, data + 1, size - 1);
    room[size - 1] = '\0';
    const char *end = room + size - 1;
    const char *p = room;
    for (size_t i = 0; i < TEXTS; i++) {
        texts[i] = p;
        p += p < end ? strlen(p) : 0;
        p += p < end;
    }
    const struct tkt_notice_file file = {texts[7], texts[8], room, size - 1};
    const struct tkt_notice notice = {.to = data[0] & 4 ? texts[6] : "ann@example.org",
                                      .to_name = texts[0],
                                      .from = "it@desk.example",
                                      .from_name = texts[1],
                                      .reply_to = "",
                                      .subject = texts[2],
                                      .text = texts[3],
                                      .html = data[0] & 1 ? texts[4] : "",
                                      .message_id = "id@desk.example",
                                      .in_reply_to = texts[5],
                                      .references = texts[5],
                                      .files = &file,
                                      .file_count = (data[0] & 2) != 0};

    if (tkt_mail_write(&notice, (data[0] & 8) != 0, &out, &err) == 0) {
        check(out.data, out.len);
    }
    return 0;
}
