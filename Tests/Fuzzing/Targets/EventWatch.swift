import NIOCore
import StreamMux

/// What the owner of a connection knows of it, and whether the events that it is told make sense together.
struct EventWatch {
  /// One end of a stream, as its owner sees it.
  struct End {
    let opening: StreamOpening
    /// Delivered and not consumed.
    var unconsumed = 0
    /// Of these, the last ones, held in an incomplete message.
    var absorbed = 0
    var delivered: UInt64 = 0
    var hasEndedReceiving = false
    var hasFinishedReceiving = false
    var hasEndedSending = false
    var hasFinished = false
    var isReleased = false
    var isRejected = false
    var written: UInt64 = 0
  }

  enum Life {
    case alive
    case ending(Closure)
    case outputClosed(Closure)
    case closed(Closure)
  }

  private(set) var life = Life.alive
  var ends: [StreamKey: End] = [:]
  /// In the order of their appearance.
  private(set) var keys: [StreamKey] = []

  var closure: Closure? {
    switch life {
    case .alive: nil
    case .ending(let closure), .outputClosed(let closure), .closed(let closure): closure
    }
  }

  var hasClosedOutput: Bool {
    switch life {
    case .alive, .ending: false
    case .outputClosed, .closed: true
    }
  }

  var isClosed: Bool { if case .closed = life { true } else { false } }

  /// Bytes that were delivered and neither consumed nor let go.
  var held: Int {
    ends.values.reduce(0) { $0 + ($1.isReleased ? 0 : $1.unconsumed) }
  }

  mutating func opened(_ key: StreamKey, _ opening: StreamOpening) throws(FuzzFinding) {
    try require(ends[key] == nil, "\(key) was opened twice")
    ends[key] = End(opening: opening)
    keys.append(key)
  }

  mutating func handle(_ event: MuxEvent) throws(FuzzFinding) {
    switch event {
    case .opened(let key, let opening):
      try requireAlive(event)
      try opened(key, opening)
    case .data(let key, let bytes):
      try check(key, event)
      try require(bytes.readableBytes > 0, "an empty piece of data")
      try require(ends[key]?.hasEndedReceiving == false, "data behind the end of \(key)")
      ends[key]?.unconsumed += bytes.readableBytes
      ends[key]?.delivered += UInt64(bytes.readableBytes)
    case .finished(let key):
      try check(key, event)
      try require(ends[key]?.hasEndedReceiving == false, "FIN behind the end of \(key)")
      ends[key]?.hasEndedReceiving = true
      ends[key]?.hasFinishedReceiving = true
    case .reset(let key, let code):
      try check(key, event)
      try require(code != .none, "a reset without a code")
      ends[key]?.hasEndedReceiving = true
    case .stopped(let key, let code):
      try check(key, event)
      try require(code != .none, "a stop without a code")
      ends[key]?.hasEndedSending = true
    case .rejected(let key, _):
      try check(key, event)
      try require(ends[key]?.isRejected == false, "\(key) was rejected twice")
      ends[key]?.isRejected = true
      ends[key]?.hasEndedSending = true
      ends[key]?.hasEndedReceiving = true
    case .writable(let key):
      try check(key, event)
    case .ending(let closure):
      try requireAlive(event)
      life = .ending(closure)
    case .shouldCloseOutput:
      guard case .ending(let closure) = life else {
        throw FuzzFinding(description: "\(event) in \(life)")
      }
      life = .outputClosed(closure)
    case .closed(let closure):
      try require(self.closure == closure, "closed for \(closure) in \(life)")
      try require(!isClosed, "closed twice")
      life = .closed(closure)
    case .pong, .draining, .proofNeeded, .proofReceived, .peerAuthenticated, .established, .refused:
      try requireAlive(event)
    }
  }

  private func check(_ key: StreamKey, _ event: MuxEvent) throws(FuzzFinding) {
    try requireAlive(event)
    guard let end = ends[key] else { throw FuzzFinding(description: "for a stranger: \(event)") }
    try require(!end.isReleased, "for a stream that was let go: \(event)")
  }

  private func requireAlive(_ event: MuxEvent) throws(FuzzFinding) {
    guard case .alive = life else { throw FuzzFinding(description: "in \(life): \(event)") }
  }
}
