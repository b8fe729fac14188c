#ifndef CBenchProbes_h
#define CBenchProbes_h

#include <stdbool.h>
#include <stdint.h>

/// Whether allocations can be counted in this program: it needs glibc, and no sanitizer that has the allocator.
bool bench_can_count_allocations(void);

/// Begins or ends counting.
void bench_count_allocations(bool is_on);

/// How often memory was asked for while counting was on, by all threads.
uint64_t bench_allocations(void);

/// The bytes that are allocated at the moment; 0 where the C library does not tell.
uint64_t bench_heap_bytes(void);

/// Counts a tracepoint in a thread and in the threads that it makes from now on.
///
/// Returns a descriptor to be closed, or the negative number of the error.
int bench_open_tracepoint_counter(uint64_t tracepoint, int thread);

/// The counter's value, or a negative number.
int64_t bench_read_counter(int descriptor);

void bench_close_counter(int descriptor);

#endif
