/* SPDX-License-Identifier: BSD-2-Clause */
#include "itsm/exitcode.h"

#include "base/util.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <sysexits.h>

#define WORDS_MAX 300

/* As sysexits.h means them. What is not here may have happened anywhere in the program. */
static const struct {
    int code;
    enum tkt_err_class class;
    bool unsure;
    const char *means;
} codes[] = {{EX_USAGE, TKT_ERR_CONF, false, "it is called wrongly"},
             {EX_DATAERR, TKT_ERR_PERM, false, "the data are wrong"},
             {EX_NOINPUT, TKT_ERR_PERM, false, "something to read is missing"},
             {EX_NOUSER, TKT_ERR_PERM, false, "nobody of that name"},
             {EX_NOHOST, TKT_ERR_PERM, false, "no host of that name"},
             {EX_UNAVAILABLE, TKT_ERR_PERM, false, "the service is not there"},
             {EX_SOFTWARE, TKT_ERR_TEMP, true, "an error inside it"},
             {EX_OSERR, TKT_ERR_TEMP, true, "an error of the system"},
             {EX_OSFILE, TKT_ERR_CONF, false, "a file of the system is missing"},
             {EX_CANTCREAT, TKT_ERR_PERM, false, "something cannot be made"},
             {EX_IOERR, TKT_ERR_TEMP, true, "reading or writing failed"},
             {EX_TEMPFAIL, TKT_ERR_TEMP, false, "later it may work"},
             {EX_PROTOCOL, TKT_ERR_TEMP, true, "the other side answered nonsense"},
             {EX_NOPERM, TKT_ERR_CONF, false, "it is not allowed"},
             {EX_CONFIG, TKT_ERR_CONF, false, "its configuration is wrong"}};

/* One line in its own words, without control characters. */
static void add_words(const struct tkt_program_end *end, const cJSON *json,
                      struct tkt_buf *out)
{
    const char *said =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "error"));

    if (said == NULL) {
        said = tkt_buf_str(&end->said);
        said += strspn(said, " \t\r\n");
    }
    for (size_t i = 0; said[i] != '\0' && said[i] != '\n' && out->len < WORDS_MAX; i++) {
        unsigned char c = (unsigned char)said[i];

        tkt_buf_addc(out, c < 0x20 || c == 0x7f ? ' ' : said[i]);
    }
}

static bool judge_exit(const struct tkt_program_end *end, const char *words,
                       struct tkt_err *err)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(codes); i++) {
        if (codes[i].code == end->code) {
            tkt_err_set(err, codes[i].class, "the program ended with %d, %s%s%s",
                        end->code, codes[i].means, *words ? ": " : "", words);
            return codes[i].unsure;
        }
    }
    tkt_err_set(err, TKT_ERR_TEMP, "the program ended with %d%s%s", end->code,
                *words ? ": " : "", words);
    return true;
}

bool tkt_itsm_exit_error(const struct tkt_program_end *end, const struct cJSON *json,
                         struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf words = TKT_BUF_INIT(WORDS_MAX + 1);
    const cJSON *later = cJSON_GetObjectItemCaseSensitive(json, "retry_after");
    bool unsure = true;

    add_words(end, json, &words);
    switch (end->how) {
    case TKT_PROGRAM_LATE:
        tkt_err_set(err, TKT_ERR_TEMP, "the program took too long and was killed");
        break;
    case TKT_PROGRAM_LOUD:
        tkt_err_set(err, TKT_ERR_TEMP,
                    "the program printed more than %d bytes and was killed",
                    TKT_PROGRAM_OUT_MAX);
        break;
    case TKT_PROGRAM_DIED:
        tkt_err_set(err, TKT_ERR_TEMP, "the program died of signal %d: %s", end->code,
                    tkt_buf_str(&words));
        break;
    default:
        unsure = judge_exit(end, tkt_buf_str(&words), err);
    }
    if (cJSON_IsNumber(later) && later->valuedouble > 0) {
        err->retry_after_s =
            (int)TKT_MIN(later->valuedouble, (double)TKT_HTTP_RETRY_AFTER_MAX_S);
    }
    return unsure;
}
