/// The direction of a stream in which this side sends.
///
///     unopened ──OPEN framed──▶ ready ──FIN framed──▶ finished
///         │                       │
///         └──reset, rejected──────┴──reset, STOP, rejected──▶ reset
///
/// The whole table stands in `Spec/tables/states.json`; a test drives this code through every row of it
/// (R-STR-11, R-STR-15, R-STR-16).
package enum SendingHalf: Hashable, Sendable {
  /// A stream of our own whose OPEN was not handed to a transmission: the peer knows nothing of it.
  case unopened
  /// Bytes may be sent. A stream that the peer opened begins here.
  case ready
  /// FIN was sent behind the last byte.
  case finished
  /// Ended early: RESET was sent, or never had to be because the peer does not know the stream.
  case reset(ErrorCode)

  package enum Event: Hashable, Sendable {
    /// The frame that carries OPEN was cut.
    case openFramed
    /// The frame that carries FIN was cut.
    case finFramed
    /// The owner ends this half.
    case reset(ErrorCode)
    /// The peer's STOP arrived.
    case stopReceived(ErrorCode)
    /// The peer said that it never processed this stream and never will.
    case rejected(ErrorCode)
  }

  package enum Action: Hashable, Sendable {
    /// Nothing to do, and nothing wrong.
    case none
    /// Drop what is queued and send RESET with this code.
    case sendReset(ErrorCode)
    /// Drop what is queued, send RESET with this code, and tell the owner that the peer asked for it.
    case sendResetAndTellOwner(ErrorCode)
    /// Drop what is queued. Nothing is sent.
    case drop
    /// Only this side could have caused the event, and it must not: a bug of ours.
    case bug
  }

  package var isEnded: Bool {
    switch self {
    case .unopened, .ready: false
    case .finished, .reset: true
    }
  }

  package mutating func handle(_ event: Event) -> Action {
    switch (self, event) {
    case (.unopened, .openFramed):
      self = .ready
      return .none
    case (.unopened, .reset(let code)), (.unopened, .rejected(let code)), (.ready, .rejected(let code)):
      self = .reset(code)
      return .drop
    case (.unopened, .stopReceived):
      // The peer cannot name a stream without an id; the connection refuses that frame before it gets here.
      return .bug
    case (.ready, .finFramed):
      self = .finished
      return .none
    case (.ready, .reset(let code)):
      self = .reset(code)
      return .sendReset(code)
    case (.ready, .stopReceived(let code)):
      self = .reset(code)
      return .sendResetAndTellOwner(code)
    case (.finished, .reset), (.finished, .stopReceived), (.finished, .rejected),
      (.reset, .reset), (.reset, .stopReceived), (.reset, .rejected):
      return .none
    case (.unopened, .finFramed), (.ready, .openFramed), (.finished, .openFramed), (.finished, .finFramed),
      (.reset, .openFramed), (.reset, .finFramed):
      return .bug
    }
  }
}
