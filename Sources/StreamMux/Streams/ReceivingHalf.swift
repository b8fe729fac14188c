/// The direction of a stream in which the peer sends.
///
///     open ──STOP sent──▶ stopping
///       │                    │
///       ├──FIN───────────────┴──▶ finished
///       ├──RESET─────────────┴──▶ reset
///       └──rejected──────────┴──▶ rejected
///
/// The whole table stands in `Spec/tables/states.json`; a test drives this code through every row of it
/// (R-STR-12 to R-STR-14, R-STR-19).
package enum ReceivingHalf: Hashable, Sendable {
  /// Bytes are handed to the owner.
  case open
  /// STOP was sent: what still comes is dropped, until FIN or RESET.
  case stopping(ErrorCode)
  /// FIN arrived.
  case finished
  /// RESET arrived.
  case reset(ErrorCode)
  /// The peer's GOAWAY said that it never processed this stream (or it never heard of it). Its RESET may
  /// still be on the way.
  case rejected(ErrorCode)

  package enum Event: Hashable, Sendable {
    /// DATA bytes arrived.
    case data
    /// FIN arrived, behind the last byte.
    case fin
    /// The peer's RESET arrived.
    case resetReceived(ErrorCode)
    /// The owner wants no more bytes.
    case stop(ErrorCode)
    /// The peer said that it never processed this stream and never will.
    case rejected(ErrorCode)
  }

  package enum Action: Hashable, Sendable {
    /// Nothing to do, and nothing wrong.
    case none
    /// Hand the bytes to the owner.
    case deliver
    /// Drop the bytes.
    case drop
    /// Tell the owner that the last byte was delivered.
    case tellFinished
    /// Tell the owner that the peer broke off.
    case tellReset(ErrorCode)
    /// Send STOP with this code.
    case sendStop(ErrorCode)
    /// The peer broke the protocol: the connection ends with this code.
    case violation(ErrorCode)
  }

  package var isEnded: Bool {
    switch self {
    case .open, .stopping: false
    case .finished, .reset, .rejected: true
    }
  }

  /// Whether credit is still worth sending: nothing that could arrive now would be kept otherwise.
  package var wantsCredit: Bool { self == .open }

  package mutating func handle(_ event: Event) -> Action {
    switch (self, event) {
    case (.open, .data):
      return .deliver
    case (.open, .fin):
      self = .finished
      return .tellFinished
    case (.open, .resetReceived(let code)):
      self = .reset(code)
      return .tellReset(code)
    case (.open, .stop(let code)):
      self = .stopping(code)
      return .sendStop(code)
    case (.stopping, .data):
      return .drop
    case (.stopping, .fin):
      self = .finished
      return .none
    case (.stopping, .resetReceived(let code)):
      self = .reset(code)
      return .none
    case (.open, .rejected(let code)), (.stopping, .rejected(let code)):
      self = .rejected(code)
      return .none
    case (.finished, .data), (.finished, .fin), (.reset, .data), (.reset, .fin), (.reset, .resetReceived),
      (.rejected, .data), (.rejected, .fin):
      return .violation(.streamState)
    case (.finished, .resetReceived), (.rejected, .resetReceived):
      return .none  // Late, but legal: it crossed what ended the half.
    case (.stopping, .stop), (.finished, .stop), (.reset, .stop), (.rejected, .stop),
      (.finished, .rejected), (.reset, .rejected), (.rejected, .rejected):
      return .none
    }
  }
}
