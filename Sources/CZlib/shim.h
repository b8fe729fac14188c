#ifndef RAFT_MUX_CZLIB_SHIM_H
#define RAFT_MUX_CZLIB_SHIM_H

#include <zlib.h>

/* zlib's initialisers are macros, which Swift does not import; these carry the header's version and size. */
static inline int czlib_deflate_init(z_streamp stream, int level) {
  return deflateInit(stream, level);
}

static inline int czlib_inflate_init(z_streamp stream) {
  return inflateInit(stream);
}

#endif
