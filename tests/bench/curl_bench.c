/* SPDX-License-Identifier: BSD-2-Clause
 * The floor of ITSM work: the same requests from nothing but a curl multi loop.
 *
 *     curl_bench URL COUNT AT_ONCE BYTES
 *
 * Sends COUNT tickets as JSON with a text of BYTES, AT_ONCE at a time over keep-alive, and
 * prints {"tickets":N,"took_us":N}: from the first request to the last answer.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE_MAX 64
#define BYTES_MAX 100000

static struct {
    const char *url;
    int64_t count, at_once, bytes;
    int64_t begun, done;
    struct curl_slist *headers;
    char *text;
} bench;

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "curl_bench: %s\n", what);
        exit(1);
    }
}

static size_t ignore(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    (void)arg;
    return size * n;
}

static void begin(CURLM *multi, CURL *easy)
{
    char *body = NULL;

    must(asprintf(&body,
                  "{\"Queue\":\"General\",\"Subject\":\"mail %" PRId64
                  "\",\"Content\":\"%s\","
                  "\"ContentType\":\"text/plain\",\"Requestor\":\"ann@sender.test\","
                  "\"CustomFields\":{\"CorrelationId\":\"mt-%032" PRIx64 "\"}}",
                  bench.begun, bench.text, (uint64_t)bench.begun) > 0,
         "memory");
    curl_easy_setopt(easy, CURLOPT_URL, bench.url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, bench.headers);
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    free(body);
    must(curl_multi_add_handle(multi, easy) == CURLM_OK, "add");
    bench.begun++;
}

static void reap(CURLM *multi)
{
    int left = 0;
    CURLMsg *m;

    while ((m = curl_multi_info_read(multi, &left)) != NULL) {
        long status = 0;
        CURL *easy = m->easy_handle;

        must(m->msg == CURLMSG_DONE && m->data.result == CURLE_OK, "request");
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        must(status == 201, "status");
        curl_multi_remove_handle(multi, easy);
        bench.done++;
        if (bench.begun < bench.count) {
            begin(multi, easy);
        }
    }
}

int main(int argc, char **argv)
{
    CURL *easy[AT_ONCE_MAX];
    int running = 0;

    if (argc != 5 || tkt_parse_int(argv[2], 1, 10000000, &bench.count) < 0 ||
        tkt_parse_int(argv[3], 1, AT_ONCE_MAX, &bench.at_once) < 0 ||
        tkt_parse_int(argv[4], 1, BYTES_MAX, &bench.bytes) < 0) {
        fprintf(stderr, "usage: curl_bench URL COUNT AT_ONCE BYTES\n");
        return 64;
    }
    bench.url = argv[1];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bench.headers = curl_slist_append(NULL, "Content-Type: application/json");
    bench.headers = curl_slist_append(bench.headers, "Authorization: token secret");
    bench.text = calloc(1, (size_t)bench.bytes + 1);
    must(bench.text != NULL && bench.headers != NULL, "memory");
    memset(bench.text, 'x', (size_t)bench.bytes);
    CURLM *multi = curl_multi_init();
    int64_t start = tkt_clock_mono_us();

    for (int64_t i = 0; i < bench.at_once; i++) {
        must((easy[i] = curl_easy_init()) != NULL, "memory");
        if (bench.begun < bench.count) {
            begin(multi, easy[i]);
        }
    }
    while (bench.done < bench.count) {
        must(curl_multi_perform(multi, &running) == CURLM_OK, "perform");
        reap(multi);
        if (bench.done < bench.count) {
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
        }
    }
    printf("{\"tickets\":%" PRId64 ",\"took_us\":%" PRId64 "}\n", bench.done,
           tkt_clock_mono_us() - start);
    for (int64_t i = 0; i < bench.at_once; i++) {
        curl_easy_cleanup(easy[i]);
    }
    curl_multi_cleanup(multi);
    curl_slist_free_all(bench.headers);
    free(bench.text);
    curl_global_cleanup();
    return 0;
}
