internal import DequeModule
package import NIOCore

/// Numbers PING frames and tells what a PONG answers.
///
/// A peer may answer only the newest of several PINGs (R-LIV-2), so an answer settles all earlier ones.
package struct PingLedger: Equatable, Sendable {
  /// Why a PING was sent.
  package enum Purpose: Hashable, Sendable {
    /// The peer was silent.
    case keepAlive
    /// The owner asked: its PONG is reported.
    case probe
    /// Its answer shows how much the path has carried, where the system does not tell.
    case path
    /// Sent behind the first GOAWAY of a drain.
    case drain
  }

  /// What a PONG says.
  package struct Answer: Equatable, Sendable {
    /// From the PING with the PONG's number to it.
    package let roundTrip: TimeAmount
    /// The PINGs that are settled by it, in the order in which they were sent; the last has its number.
    package let settled: [Settled]
  }

  /// A PING that needs no other answer.
  package struct Settled: Equatable, Sendable {
    package let number: UInt64
    package let purpose: Purpose
  }

  private struct Entry: Equatable, Sendable {
    let number: UInt64
    let purpose: Purpose
    let sent: NIODeadline
  }

  /// PINGs that may be open; the oldest is forgotten for one more. 32 bytes each.
  package static let capacity = 64

  private var open: Deque<Entry> = []
  private var nextNumber: UInt64

  /// - Parameter firstNumber: from the connection's seed, so that numbers are not mistaken for those of
  ///   another connection in a capture.
  package init(firstNumber: UInt64) {
    nextNumber = firstNumber
  }

  /// PINGs that wait for their answer.
  package var openCount: Int { open.count }

  /// Notes a PING that is being sent.
  ///
  /// - Returns: its eight bytes.
  package mutating func send(_ purpose: Purpose, now: NIODeadline) -> UInt64 {
    let number = nextNumber
    nextNumber &+= 1
    if open.count == Self.capacity { open.removeFirst() }
    open.append(Entry(number: number, purpose: purpose, sent: now))
    return number
  }

  /// Matches a PONG.
  ///
  /// - Returns: nil if it answers nothing that is open: too late, or made up (R-LIV-3).
  package mutating func receivePong(_ number: UInt64, now: NIODeadline) -> Answer? {
    guard let index = open.firstIndex(where: { $0.number == number }) else { return nil }
    let roundTrip = now - open[index].sent
    let settled = open[...index].map { Settled(number: $0.number, purpose: $0.purpose) }
    open.removeSubrange(...index)
    return Answer(roundTrip: roundTrip, settled: settled)
  }
}
