// What libFuzzer calls. Its own library brings the main function and all options; it also starts this program anew with
// options of its own, so what is ours comes by the environment:
//
//   RAFT_MUX_FUZZ_TARGET  what to fuzz
//   RAFT_MUX_FUZZ_SEEDS   a folder that is to have the target's seeds and kept inputs; nothing is written without it
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

bool raft_mux_fuzz_prepare(const char *target, const char *folder);
int raft_mux_fuzz_one(const uint8_t *bytes, size_t count);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  const char *target = getenv("RAFT_MUX_FUZZ_TARGET");
  if (!raft_mux_fuzz_prepare(target ? target : "", getenv("RAFT_MUX_FUZZ_SEEDS"))) exit(2);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
  return raft_mux_fuzz_one(bytes, count);
}
