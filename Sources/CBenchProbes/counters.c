#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CBenchProbes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)

#include <linux/perf_event.h>
#include <sys/syscall.h>

int bench_open_tracepoint_counter(uint64_t tracepoint, int thread) {
  struct perf_event_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = tracepoint;
  attributes.inherit = 1;
  long descriptor = syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
  return descriptor < 0 ? -errno : (int)descriptor;
}

int64_t bench_read_counter(int descriptor) {
  uint64_t value;
  return read(descriptor, &value, sizeof value) == sizeof value ? (int64_t)value : -1;
}

void bench_close_counter(int descriptor) { close(descriptor); }

#else

int bench_open_tracepoint_counter(uint64_t tracepoint, int thread) { return -ENOSYS; }
int64_t bench_read_counter(int descriptor) { return -1; }
void bench_close_counter(int descriptor) {}

#endif
