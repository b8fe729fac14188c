import NIOCore

/// Finds out whether a peer leaves a connection open on which nothing is said (R-CLS-26).
///
/// A server of the old protocol closes what speaks RMUX and waits for requests on everything else; a host that is
/// overloaded, or a middlebox without a server behind it, closes each connection as soon as it stands. A request would
/// tell the two apart as well, but if it failed nobody could say whether a handler had seen it.
///
/// Confined to the event loop.
final class SilenceCheck: ClassicExchange {
  private enum State {
    case connecting
    case listening(until: Scheduled<Void>)
    case ended
  }

  /// The end of a connection that was not wanted follows its beginning closely, however long the path is. A proxy that
  /// first looks for its server may take longer; then a request is sent, and its failure says that it may have arrived.
  static let patience = TimeAmount.milliseconds(100)

  /// Calls whose error is known already wait for the result.
  let connectPatience: TimeAmount? = .seconds(1)

  let target: DialTarget
  let needsFreshConnection = true
  private let whenDone: (Bool) -> Void
  private var state = State.connecting

  /// - Parameter whenDone: Told once whether the connection stayed open; it is kept for calls then.
  init(of target: DialTarget, whenDone: @escaping (Bool) -> Void) {
    self.target = target
    self.whenDone = whenDone
  }

  func begin(on connection: ClassicConnection) {
    let timer = connection.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { [self] in
      connection.giveBack()
      end(staysOpen: true)
    }
    state = .listening(until: timer)
  }

  func failed(_ error: TransportError) {
    end(staysOpen: false)
  }

  func received(_ bytes: ByteBuffer, _ connection: ClassicConnection) {
    // Servers of the old protocol only ever answer.
    connection.abandon()
    end(staysOpen: false)
  }

  func ended(_ end: ClassicEnd, _ connection: ClassicConnection) {
    self.end(staysOpen: false)
  }

  func streamsClosing(_ connection: ClassicConnection) {
    connection.abandon()
    end(staysOpen: false)
  }

  var callsInFlight: Int { 0 }

  private func end(staysOpen: Bool) {
    switch state {
    case .connecting: break
    case .listening(let timer): timer.cancel()
    case .ended: return
    }
    state = .ended
    whenDone(staysOpen)
  }
}
