package import NIOCore

/// The PING whose answer will tell how much the path has carried.
package struct PathProbe: Equatable, Sendable {
  private struct Open: Equatable {
    let number: UInt64
    let sent: UInt64
  }

  private struct Last: Equatable {
    let time: NIODeadline
    let sent: UInt64
  }

  /// Well below what a peer takes (16 a second).
  static let interval = TimeAmount.milliseconds(100)
  /// Less than this is not worth a PING.
  static let leastBytes: UInt64 = 16 * 1_024

  private var open: Open?
  private var last: Last?

  package init() {}

  /// Whether to ask now. One at a time: what is lost is asked again after a while.
  package func isDue(sent: UInt64, isHolding: Bool, now: NIODeadline) -> Bool {
    guard let last else { return sent >= Self.leastBytes }
    let pause = open == nil ? Self.interval : Self.interval * 50
    return now - last.time >= pause && (isHolding || sent - last.sent >= Self.leastBytes)
  }

  package mutating func begin(_ number: UInt64, sent: UInt64, now: NIODeadline) {
    open = Open(number: number, sent: sent)
    last = Last(time: now, sent: sent)
  }

  /// - Returns: bytes that had been handed out in front of the PING; nil if it is not the one that is awaited.
  package mutating func end(_ number: UInt64) -> UInt64? {
    guard let open, open.number == number else { return nil }
    self.open = nil
    return open.sent
  }
}
