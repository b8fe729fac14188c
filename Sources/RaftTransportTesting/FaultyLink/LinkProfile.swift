public import RaftTransport

/// What one direction of a ``FaultyLink`` is like: a wire of a rate and a length, with a queue in front of it.
///
/// Bytes wait in the queue for their turn on the wire, take `1 / bytesPerSecond` each to be put on it, and
/// come out after the delay. All connections of a link share both: one that fills the queue delays the others.
///
/// A link relays TCP, so its queue differs from a router's in one thing: when it is full, the link stops
/// reading and the sender feels that its socket takes no more, while a router drops packets, and the sender's
/// TCP learns of it a round trip later and slows down. A sender's congestion window, slow start and repeated
/// segments are therefore no part of this; rate, delay and what waits in front of what are.
public struct LinkProfile: Sendable, Hashable {
  /// Silences of the wire that come again and again, as those of a radio link.
  public struct Stalls: Sendable, Hashable {
    /// From the beginning of one stall to that of the next one, 1 ms to 1 h.
    public var interval: Duration
    /// How long nothing is put on the wire, more than zero, less than the interval.
    public var length: Duration

    /// Stalls of a length that begin an interval apart; the first one begins an interval after the link.
    public init(interval: Duration, length: Duration) {
      self.interval = interval
      self.length = length
    }
  }

  /// How long a byte is under way when nothing is in front of it, 0 to 60 s. One way: half of a round trip.
  public var delay: Duration

  /// Bytes per second, 100 to 100,000,000,000; `nil`: as fast as the machine can.
  public var bytesPerSecond: Int?

  /// How many bytes may wait for the wire, 1 KiB to 1 GiB. A read of a connection, 64 KiB at most, may come on
  /// top of it. Without a rate nothing waits, and this bounds what is under way instead.
  public var queueBytes: Int

  /// By how much the delay grows at random, at most, 0 to 60 s. Order is kept, so bytes behind late ones are
  /// late, too. A new value is drawn each time as much time as this has passed, at least 1 ms.
  public var jitter: Duration

  /// What the jitter is drawn from: one seed has the same jitter at the same age of a link.
  public var seed: UInt64

  /// Stalls without end; `nil`: none.
  public var stalls: Stalls?

  /// A direction that has no limits but those that are named.
  public init(
    delay: Duration = .zero, bytesPerSecond: Int? = nil, queueBytes: Int = 256 << 10,
    jitter: Duration = .zero, seed: UInt64 = 0, stalls: Stalls? = nil
  ) {
    self.delay = delay
    self.bytesPerSecond = bytesPerSecond
    self.queueBytes = queueBytes
    self.jitter = jitter
    self.seed = seed
    self.stalls = stalls
  }

  /// Nothing is slower than the machine itself.
  public static let unlimited = LinkProfile()

  /// 1 Gb/s with a round trip of 100 ms when both directions are like this.
  public static let gigabit100ms = LinkProfile(bytesPerSecond: 125_000_000, roundTrip: .milliseconds(100))

  /// 100 Mb/s with a round trip of 80 ms when both directions are like this.
  public static let hundredMegabit80ms = LinkProfile(bytesPerSecond: 12_500_000, roundTrip: .milliseconds(80))

  /// 20 Mb/s with a round trip of 150 ms when both directions are like this.
  public static let twentyMegabit150ms = LinkProfile(bytesPerSecond: 2_500_000, roundTrip: .milliseconds(150))

  /// A direction of a symmetrical path, with a queue of one bandwidth-delay product, that is of what fits into
  /// a round trip.
  public init(bytesPerSecond: Int, roundTrip: Duration) {
    let product = Double(bytesPerSecond) * (roundTrip / .seconds(1))
    self.init(
      delay: roundTrip / 2, bytesPerSecond: bytesPerSecond,
      queueBytes: Int(max(1024, min(product, Double(1 << 30)))))
  }

  /// The most bytes that a direction like this holds, but for half a millisecond's worth and one read of each
  /// connection.
  public var mostHeldBytes: Int {
    guard let bytesPerSecond else { return self.queueBytes }
    return self.queueBytes + Int(Double(bytesPerSecond) * ((self.delay + self.jitter) / .seconds(1)))
  }

  /// - Throws: ``TransportError`` with `badConfiguration` for the first field that is out of range.
  public func validate() throws(TransportError) {
    try Self.check("delay", self.delay, in: .zero ... .seconds(60))
    if let bytesPerSecond {
      try Self.check("bytesPerSecond", bytesPerSecond, in: 100...100_000_000_000)
    }
    try Self.check("queueBytes", self.queueBytes, in: 1024...1 << 30)
    try Self.check("jitter", self.jitter, in: .zero ... .seconds(60))
    if let stalls {
      try Self.check("stalls.interval", stalls.interval, in: .milliseconds(1) ... .seconds(3600))
      try Self.check(
        "stalls.length", stalls.length, in: .nanoseconds(1)...(stalls.interval - .nanoseconds(1)))
    }
    try Self.check("what is held by rate, delay, jitter and queue", self.mostHeldBytes, in: 1024...4 << 30)
  }

  private static func check<Value: Comparable>(
    _ field: String, _ value: Value, in range: ClosedRange<Value>
  ) throws(TransportError) {
    guard range.contains(value) else {
      throw TransportError(
        .badConfiguration,
        "\(field) of a link is \(value), allowed is \(range.lowerBound) to \(range.upperBound)",
        delivery: .notDelivered)
    }
  }
}
