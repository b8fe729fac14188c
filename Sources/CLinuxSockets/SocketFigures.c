#include "CLinuxSockets.h"

#include <string.h>

#if defined(__linux__)

#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// The numbers and the layout are the kernel's and never change; the C libraries' tcp_info ends before the fields that
// are of use here, and the kernel's own header cannot be included beside theirs.

enum { option_tcp_info = 11, option_tcp_congestion = 13, request_unsent_and_unacknowledged = 0x5411 };
static const uint32_t no_slow_start_threshold = 0x7fffffff;

struct kernel_tcp_info {
  uint8_t state, congestion_state, retransmits, probes, backoff, options, window_scales, limits;
  uint32_t retransmission_timeout, acknowledgement_timeout, segment_size, received_segment_size;
  uint32_t unacknowledged_segments, selectively_acknowledged, lost, retransmitted_now, forward_acknowledged;
  uint32_t last_data_sent, last_acknowledgement_sent, last_data_received, last_acknowledgement_received;
  uint32_t path_mtu, receive_threshold, round_trip, round_trip_variation, slow_start_threshold, congestion_window;
  uint32_t advertised_segment_size, reordering;
  uint32_t receiver_round_trip, receiver_space;
  uint32_t total_retransmissions;
  uint64_t pacing_rate, maximum_pacing_rate;
  uint64_t bytes_acknowledged, bytes_received;
  uint32_t segments_out, segments_in;
  uint32_t bytes_not_sent, minimum_round_trip, data_segments_in, data_segments_out;
  uint64_t delivery_rate;
  uint64_t busy_time, receive_window_limited, send_buffer_limited;
  uint32_t delivered, delivered_marked;
  uint64_t bytes_sent, bytes_retransmitted;
};

#define reaches(length, field) \
  ((length) >= offsetof(struct kernel_tcp_info, field) + sizeof(((struct kernel_tcp_info *)0)->field))

/* BBR has no slow-start threshold: its window is always below the one that the kernel tells. */
static int is_in_slow_start(int descriptor, const struct kernel_tcp_info *info) {
  if (info->congestion_window >= info->slow_start_threshold) return 0;
  if (info->slow_start_threshold < no_slow_start_threshold) return 1;
  char name[16] = "";
  socklen_t length = sizeof name;
  if (getsockopt(descriptor, IPPROTO_TCP, option_tcp_congestion, name, &length) != 0) return 0;
  return strncmp(name, "bbr", 3) != 0;
}

struct rmux_socket_figures rmux_read_socket_figures(int descriptor) {
  struct rmux_socket_figures figures;
  memset(&figures, 0, sizeof figures);
  struct kernel_tcp_info info;
  memset(&info, 0, sizeof info);
  socklen_t length = sizeof info;
  if (getsockopt(descriptor, IPPROTO_TCP, option_tcp_info, &info, &length) != 0) return figures;
  // Older kernels fill in less. Without these (before 4.2) nothing can be said.
  if (!reaches(length, bytes_acknowledged)) return figures;

  figures.is_available = 1;
  figures.is_in_slow_start = is_in_slow_start(descriptor, &info);
  figures.acknowledged = info.bytes_acknowledged;
  figures.segment_size = info.segment_size;
  figures.congestion_window = (uint64_t)info.congestion_window * info.segment_size;
  figures.smoothed_round_trip = info.round_trip;
  figures.round_trip_variation = info.round_trip_variation;
  if (reaches(length, minimum_round_trip) && info.minimum_round_trip != UINT32_MAX)
    figures.minimum_round_trip = info.minimum_round_trip;
  if (reaches(length, bytes_retransmitted)) {
    uint64_t sent_once = info.bytes_sent > info.bytes_retransmitted ? info.bytes_sent - info.bytes_retransmitted : 0;
    // The handshake counts among what was acknowledged, but not among what was sent.
    figures.unacknowledged = sent_once > info.bytes_acknowledged ? sent_once - info.bytes_acknowledged : 0;
    figures.unsent = info.bytes_not_sent;
  } else {
    int queued = 0;
    if (ioctl(descriptor, request_unsent_and_unacknowledged, &queued) != 0 || queued < 0) queued = 0;
    uint64_t under_way = (uint64_t)info.unacknowledged_segments * info.segment_size;
    figures.unacknowledged = under_way < (uint64_t)queued ? under_way : (uint64_t)queued;
    figures.unsent = (uint64_t)queued - figures.unacknowledged;
  }
  // What arrived behind a loss is acknowledged as much as anything, though not in order.
  uint64_t out_of_order = (uint64_t)info.selectively_acknowledged * info.segment_size;
  if (out_of_order > figures.unacknowledged) out_of_order = figures.unacknowledged;
  figures.acknowledged += out_of_order;
  figures.unacknowledged -= out_of_order;
  return figures;
}

#else

struct rmux_socket_figures rmux_read_socket_figures(int descriptor) {
  (void)descriptor;
  struct rmux_socket_figures figures;
  memset(&figures, 0, sizeof figures);
  return figures;
}

#endif
