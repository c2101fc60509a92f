/* Preloaded (LD_PRELOAD) into a process: counts allocations from a threshold on, whoever makes them.
 *
 * malloc, calloc, realloc, posix_memalign, aligned_alloc, memalign, and anonymous mmap. glibc's own malloc maps large
 * blocks by an internal call that does not pass here, so nothing is counted twice.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

#define KEPT 256
static atomic_size_t threshold = (size_t)-1; /* off until it is set */
static atomic_ulong count;
static atomic_size_t sizes[KEPT];

void allocations_watch(size_t bytes) { atomic_store(&threshold, bytes); }
unsigned long allocations_count(void) { return atomic_load(&count); }
size_t allocations_size(unsigned long index) { return atomic_load(&sizes[index % KEPT]); }

static inline void note(size_t bytes) {
    if (bytes >= atomic_load_explicit(&threshold, memory_order_relaxed))
        atomic_store(&sizes[atomic_fetch_add(&count, 1) % KEPT], bytes);
}

void *malloc(size_t n) { note(n); return __libc_malloc(n); }
void *calloc(size_t n, size_t each) { note(n * each); return __libc_calloc(n, each); }
void *realloc(void *old, size_t n) { note(n); return __libc_realloc(old, n); }
void *memalign(size_t align, size_t n) { note(n); return __libc_memalign(align, n); }
void *aligned_alloc(size_t align, size_t n) { note(n); return __libc_memalign(align, n); }

int posix_memalign(void **out, size_t align, size_t n) {
    if (align < sizeof(void *) || (align & (align - 1))) return EINVAL;
    note(n);
    void *made = __libc_memalign(align, n);
    if (!made && n) return ENOMEM;
    *out = made;
    return 0;
}

void *mmap(void *at, size_t n, int protection, int flags, int file, off_t offset) {
    if (flags & MAP_ANONYMOUS) note(n);
    return (void *)syscall(SYS_mmap, at, n, protection, flags, file, offset);
}

void *mmap64(void *at, size_t n, int protection, int flags, int file, off_t offset) {
    return mmap(at, n, protection, flags, file, offset);
}
