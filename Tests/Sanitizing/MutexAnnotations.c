// Tells the thread sanitizer about locks that it cannot see.
//
// The fast path of Swift's Mutex is compiled into its users and so watched, but what happens under contention lies in
// libswiftSynchronization, which is not. There the lock changes hands in the kernel, the sanitizer misses that, and
// reports every contended Mutex as a race. These functions take the place of the library's, call them, and say what
// happened. They know the names that Swift gives its functions on Linux and that a method finds itself in the context
// register; where that is no longer so, the names are not referred to any more and nothing changes.
#if defined(__linux__) && defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *mutex

typedef SWIFT void (*Lock)(uint32_t thread, SELF);
typedef SWIFT bool (*TryLock)(SELF);
typedef SWIFT void (*Unlock)(SELF);

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

static void *original(_Atomic(void *) *known, const char *name) {
  void *function = atomic_load_explicit(known, memory_order_relaxed);
  if (!function) {
    function = dlsym(RTLD_NEXT, name);
    if (!function) abort();
    atomic_store_explicit(known, function, memory_order_relaxed);
  }
  return function;
}

SWIFT void lock_slow(uint32_t thread, SELF) __asm__(LOCK);
SWIFT void lock_slow(uint32_t thread, SELF) {
  static _Atomic(void *) known;
  ((Lock)original(&known, LOCK))(thread, mutex);
  __tsan_acquire(mutex);
}

SWIFT bool try_lock_slow(SELF) __asm__(TRY_LOCK);
SWIFT bool try_lock_slow(SELF) {
  static _Atomic(void *) known;
  bool hasLock = ((TryLock)original(&known, TRY_LOCK))(mutex);
  if (hasLock) __tsan_acquire(mutex);
  return hasLock;
}

SWIFT void unlock_slow(SELF) __asm__(UNLOCK);
SWIFT void unlock_slow(SELF) {
  static _Atomic(void *) known;
  __tsan_release(mutex);
  ((Unlock)original(&known, UNLOCK))(mutex);
}
#endif
#endif
