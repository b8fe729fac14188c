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
      acknowledged: answer.acknowledged,
      unacknowledged: Int(clamping: answer.unacknowledged),
      unsent: Int(clamping: answer.unsent) + waiting,
      roundTrip: .microseconds(Int64(answer.smoothed_round_trip)),
      roundTripVariation: .microseconds(Int64(answer.round_trip_variation)),
      minimumRoundTrip: answer.minimum_round_trip == 0
        ? nil : .microseconds(Int64(answer.minimum_round_trip)),
      slowStartWindow: answer.is_in_slow_start == 0 ? nil : Int(clamping: answer.congestion_window))
  }
}
