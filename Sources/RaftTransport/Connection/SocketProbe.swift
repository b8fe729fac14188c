internal import CLinuxSockets
internal import NIOCore
internal import StreamMux

/// Asks the system what it knows about a channel's socket.
enum SocketProbe {
  /// - Returns: nil where the system does not tell, and for channels that are no sockets.
  static func figures(of context: ChannelHandlerContext) -> SocketFigures? {
    let operations = context.pipeline.syncOperations
    // The descriptor is used within the closure only, where the channel keeps it open.
    let answer = try? operations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { descriptor in
      #if os(Linux)
        rmux_read_socket_figures(descriptor)
      #else
        rmux_socket_figures()
      #endif
    }
    guard let answer, answer.is_available != 0 else { return nil }
    // Above the kernel lies what NIO could not hand over yet.
    let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    return SocketFigures(
      acknowledged: min(answer.acknowledged, 1 << 62),
      unacknowledged: plausible(answer.unacknowledged),
      unsent: plausible(answer.unsent) + waiting,
      roundTrip: .microseconds(Int64(answer.smoothed_round_trip)),
      roundTripVariation: .microseconds(Int64(answer.round_trip_variation)),
      minimumRoundTrip: answer.minimum_round_trip == 0
        ? nil : .microseconds(Int64(answer.minimum_round_trip)),
      slowStartWindow: answer.is_in_slow_start == 0 ? nil : plausible(answer.congestion_window))
  }

  /// No socket holds a terabyte: sums of such figures cannot overflow, whatever the system says.
  private static func plausible(_ count: UInt64) -> Int { Int(min(count, 1 << 40)) }
}
