import NIOCore

/// How long an old peer may take over what it sends (R-CLS-10, R-CLS-28).
struct ClassicPatience: Hashable, Sendable {
  /// Without a byte where one is due.
  let stall: TimeAmount
  /// From the beginning of a connection until its first request is here.
  let firstRequest: TimeAmount
  /// Over one request, or the body of one snapshot.
  let request: TimeAmount
  /// For each of so many bytes that have come there is one second more.
  let bytesPerSecond: Int

  init(_ oldPeers: TransportConfiguration.OldPeers) {
    stall = TimeAmount(oldPeers.stall)
    firstRequest = TimeAmount(oldPeers.firstRequest)
    request = TimeAmount(oldPeers.request)
    bytesPerSecond = oldPeers.leastRate
  }

  /// For a connection that begins. A long first request may earn as much time as a later one has.
  var forFirstRequest: ClassicClock {
    ClassicClock(left: firstRequest, most: max(firstRequest, request), bytesPerSecond: bytesPerSecond)
  }

  /// For a request or a body that begins.
  var forRequest: ClassicClock {
    ClassicClock(left: request, most: request, bytesPerSecond: bytesPerSecond)
  }

  /// For a connection that others begin to wait for.
  var forOverdraft: ClassicClock {
    ClassicClock(left: stall, most: stall, bytesPerSecond: bytesPerSecond)
  }
}

/// The time that a peer has left for something; it passes while it is the peer's turn, and grows with what comes.
struct ClassicClock: Hashable, Sendable {
  private var left: TimeAmount
  /// What was sent fast is no licence to be slow for longer than this.
  private let most: TimeAmount
  private let bytesPerSecond: Int
  private var runsSince: NIODeadline?

  fileprivate init(left: TimeAmount, most: TimeAmount, bytesPerSecond: Int) {
    self.left = left
    self.most = most
    self.bytesPerSecond = bytesPerSecond
  }

  /// When the time is over; `nil` while it does not pass.
  var deadline: NIODeadline? { runsSince.map { $0 + left } }

  /// It is the peer's turn.
  mutating func run(now: NIODeadline) {
    if runsSince == nil { runsSince = now }
  }

  /// It is not the peer's turn any more; something may have come of it.
  mutating func pause(received byteCount: Int, now: NIODeadline) {
    if let since = runsSince { left = left - (now - since) }
    runsSince = nil
    let earned = Int64(byteCount) * 1_000_000_000 / Int64(bytesPerSecond)
    let (sum, isTooMuch) = left.nanoseconds.addingReportingOverflow(earned)
    left = isTooMuch ? most : min(most, .nanoseconds(sum))
  }
}
