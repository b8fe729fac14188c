internal import RaftTransport

/// One RPC of a simulation: what was asked, and what became of it on both sides.
struct SimulatedOperation {
  enum Kind: String {
    case vote, preVote, timeoutNow, append, heartbeat, pipelined, snapshot
  }

  /// How the caller's side ended.
  enum Ending {
    /// With the right answer.
    case answered
    case failed(TransportError)
  }

  let number: UInt64
  let kind: Kind
  /// The caller's life.
  let caller: String
  /// The address that was called.
  let target: Int
  /// The server that the caller wants there, unless whoever answers will do.
  let wantedID: ServerID?
  /// Which pipeline it runs on, and its place there.
  var pipeline: (number: UInt64, place: Int)?
  /// By when it has to have ended, in nanoseconds; `nil` if its end is only due at the end of the run.
  var due: Int64?
  /// The lives whose handlers saw it.
  var handlers: [String] = []
  /// Whether a handler answered, and with what.
  var handlerSucceeded: Bool?
  var ending: Ending?
  var endings = 0
  /// A snapshot's source that cannot give what it announced.
  var hasBadSource = false
  /// Whether the handler got the end of a snapshot's body.
  var bodyWasWhole = false

  var text: String { "\(kind) #\(number) from \(caller) to n\(target + 1)" }
}
