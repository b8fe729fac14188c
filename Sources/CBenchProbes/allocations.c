#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CBenchProbes.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZER_HAS_ALLOCATOR 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZER_HAS_ALLOCATOR)

#include <malloc.h>

// One counter for each of a few threads, each in a cache line of its own, so that counting slows nobody down.
#define SLOTS 64
static struct {
  _Alignas(64) atomic_uint_fast64_t value;
} counters[SLOTS];
static atomic_uint next_slot;
static _Thread_local unsigned own_slot; // 0: none yet
static atomic_bool is_counting;

static inline void note(void) {
  if (!atomic_load_explicit(&is_counting, memory_order_relaxed)) return;
  if (own_slot == 0) own_slot = 1 + atomic_fetch_add_explicit(&next_slot, 1, memory_order_relaxed) % SLOTS;
  atomic_fetch_add_explicit(&counters[own_slot - 1].value, 1, memory_order_relaxed);
}

// A program's own functions of these names take the place of the C library's, which has second names for them.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  note();
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  note();
  return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
  note();
  return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  note();
  void *memory = __libc_memalign(alignment, size);
  if (memory == NULL) return ENOMEM;
  *result = memory;
  return 0;
}

bool bench_can_count_allocations(void) { return true; }

void bench_count_allocations(bool is_on) { atomic_store(&is_counting, is_on); }

uint64_t bench_allocations(void) {
  uint64_t sum = 0;
  for (int slot = 0; slot < SLOTS; slot++) {
    sum += atomic_load_explicit(&counters[slot].value, memory_order_relaxed);
  }
  return sum;
}

uint64_t bench_heap_bytes(void) {
#if __GLIBC_PREREQ(2, 33)
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#else
  return 0;
#endif
}

#else

bool bench_can_count_allocations(void) { return false; }
void bench_count_allocations(bool is_on) { (void)is_on; }
uint64_t bench_allocations(void) { return 0; }
uint64_t bench_heap_bytes(void) { return 0; }

#endif
