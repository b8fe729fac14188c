#ifndef RMUX_LINUX_SOCKETS_H
#define RMUX_LINUX_SOCKETS_H

#include <stdint.h>

/// What the kernel knows about a TCP connection. Times are microseconds, everything else is bytes.
struct rmux_socket_figures {
  /// 0: the system does not tell, or the socket is none of TCP; all other fields are 0 then.
  uint8_t is_available;
  /// The congestion window grows by what is acknowledged.
  uint8_t is_in_slow_start;
  /// Acknowledged by the peer's kernel since the connection began, in order or not.
  uint64_t acknowledged;
  /// Sent and not yet acknowledged.
  uint64_t unacknowledged;
  /// In the socket's buffer and never sent.
  uint64_t unsent;
  uint64_t congestion_window;
  uint32_t segment_size;
  uint32_t smoothed_round_trip;
  uint32_t round_trip_variation;
  /// The least of the last five minutes (the kernel's default); 0 if it is not known.
  uint32_t minimum_round_trip;
};

/// Asks the kernel about a socket. Never fails: what cannot be asked is not available.
struct rmux_socket_figures rmux_read_socket_figures(int descriptor);

#endif
