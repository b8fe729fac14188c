import Synchronization

/// What snapshots on one connection have learned of its path and of the compressor, so that the next one need not
/// begin anew.
final class CompressionMemory: Sendable {
  private struct State {
    var compressor: AdaptiveCompression?
    var linkRate: LinkRate?
  }

  private let state = Mutex(State())

  /// nil before the first snapshot that was compressed where it pays.
  var compressor: AdaptiveCompression? { state.withLock { $0.compressor } }

  /// nil before the path was measured.
  var linkRate: LinkRate? { state.withLock { $0.linkRate } }

  func keep(_ compressor: AdaptiveCompression, _ linkRate: LinkRate?) {
    state.withLock { state in
      state.compressor = compressor
      if let linkRate { state.linkRate = linkRate }
    }
  }
}
