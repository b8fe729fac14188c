// The entry of the fuzzer: libFuzzer brings its own driver, which wants a C function, an argument list and no Swift main.
//
//   fuzz TARGET FOLDER [libFuzzer's options]
//
// FOLDER gets the seeds, and what the run finds worth keeping.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

bool raft_mux_fuzz_prepare(const char *target, const char *folder);
int raft_mux_fuzz_one(const uint8_t *bytes, size_t count);
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *, size_t));

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s TARGET FOLDER [libFuzzer's options]\n", argv[0]);
    return 2;
  }
  if (!raft_mux_fuzz_prepare(argv[1], argv[2])) return 2;
  // libFuzzer sees the program's name, the folder and the options.
  argv[1] = argv[0];
  int rest = argc - 1;
  char **arguments = argv + 1;
  return LLVMFuzzerRunDriver(&rest, &arguments, raft_mux_fuzz_one);
}
