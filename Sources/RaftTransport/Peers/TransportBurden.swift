import StreamMux
import Synchronization

/// What peers make a transport hold at one moment, for tests of its bounds.
package struct TransportBurden: Sendable, Hashable {
  /// Bytes of streams that have come and were not consumed.
  package var heldBytes = 0
  /// The weight of requests that handlers have.
  package var handlerWeight = 0
  /// Connections that have not completed the handshake.
  package var handshakes = 0
  /// Streams that peers and this side use.
  package var streams = 0
  /// Streams of peers that were refused or reset by this side since their connections began.
  package var resetStreams = 0
}

extension ConnectionDriver {
  /// Adds what this connection holds.
  fileprivate func add(to burden: inout TransportBurden) {
    let figures = engine.figures
    burden.streams += figures.streams.total
    burden.resetStreams += Int(figures.framesSent.reset)
    for (stream, _) in owners.all {
      guard let figures = engine.streamFigures(stream) else { continue }
      burden.heldBytes += Int(figures.received - figures.consumed)
    }
  }
}

extension PeerDirectory {
  /// What all connections and handlers hold.
  func burden() async -> TransportBurden {
    let (links, handshakes) = state.withLock { state in
      (state.links.values.map(\.link), state.table.handshakeCount + state.unrouted.count)
    }
    var burden = TransportBurden(handlerWeight: services.loads.weight, handshakes: handshakes)
    for link in links {
      let result = CallResult<TransportBurden>()
      let isAsked = link.send(
        .perform { driver in
          var own = TransportBurden()
          driver.add(to: &own)
          result.complete(.success(own))
        })
      guard isAsked, let own = try? await result.value(onCancel: {}) else { continue }
      burden.heldBytes += own.heldBytes
      burden.streams += own.streams
      burden.resetStreams += own.resetStreams
    }
    return burden
  }
}
