// What libFuzzer calls. Its own library brings the main function, which asks us first what to make of the arguments:
//
//   fuzz TARGET FOLDER [libFuzzer's options]
//   fuzz TARGET FILE
//
// FOLDER gets the seeds, and what the run finds worth keeping; FILE is one input to run again.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

bool raft_mux_fuzz_prepare(const char *target, const char *folder);
int raft_mux_fuzz_one(const uint8_t *bytes, size_t count);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  if (*argc < 3) {
    fprintf(stderr, "usage: %s TARGET FOLDER [libFuzzer's options]\n", (*argv)[0]);
    exit(2);
  }
  if (!raft_mux_fuzz_prepare((*argv)[1], (*argv)[2])) exit(2);
  // libFuzzer goes on with the program's name, the folder and the options.
  (*argv)[1] = (*argv)[0];
  *argc -= 1;
  *argv += 1;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
  return raft_mux_fuzz_one(bytes, count);
}
