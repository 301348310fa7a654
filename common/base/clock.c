/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static atomic_int fake;
static _Atomic int64_t fake_wall_ms;
static _Atomic int64_t fake_mono_ms;

static int64_t read_us(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t tkt_clock_wall_ms(void)
{
    return fake ? fake_wall_ms : read_us(CLOCK_REALTIME) / 1000;
}

int64_t tkt_clock_mono_us(void)
{
    return fake ? fake_mono_ms * 1000 : read_us(CLOCK_MONOTONIC);
}

int64_t tkt_clock_mono_ms(void)
{
    return tkt_clock_mono_us() / 1000;
}

void tkt_clock_fake(int64_t wall_ms, int64_t mono_ms)
{
    fake_wall_ms = wall_ms;
    fake_mono_ms = mono_ms;
    fake = 1;
}

void tkt_clock_advance(int64_t ms)
{
    fake_wall_ms += ms;
    fake_mono_ms += ms;
}

void tkt_clock_real(void)
{
    fake = 0;
}

void tkt_clock_format(int64_t wall_ms, char out[32])
{
    int64_t s = wall_ms / 1000;
    int64_t ms = wall_ms % 1000;
    if (ms < 0) {
        ms += 1000;
        s -= 1;
    }
    time_t t = (time_t)s;
    struct tm tm = {0};
    char day[24];

    gmtime_r(&t, &tm);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, 32, "%s.%03dZ", day, (int)ms);
}
