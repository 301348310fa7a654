/* SPDX-License-Identifier: BSD-2-Clause
 * Small things that every module needs: cleanup attributes, array sizes. Header only.
 */
#ifndef TKT_BASE_UTIL_H
#define TKT_BASE_UTIL_H
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#define TKT_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define TKT_MIN(a, b) ((a) < (b) ? (a) : (b))
#define TKT_MAX(a, b) ((a) > (b) ? (a) : (b))

static inline void tkt_cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void tkt_cleanup_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd); /* the caller that needs the result closes by hand */
    }
}

/* A local that is freed (closed) when its scope ends. Initialise it: NULL, or -1 for fds. */
#define TKT_AUTO_FREE __attribute__((cleanup(tkt_cleanup_free)))
#define TKT_AUTO_FD __attribute__((cleanup(tkt_cleanup_fd)))

/* Before the first thread. glibc gives nearly every thread a heap of its own and keeps in
 * each what its largest messages needed; two heaps are enough for our few allocations. */
static inline void tkt_malloc_few_heaps(void)
{
#ifdef M_ARENA_MAX
    (void)mallopt(M_ARENA_MAX, 2); /* refused: more memory, nothing worse */
#endif
}

#endif
