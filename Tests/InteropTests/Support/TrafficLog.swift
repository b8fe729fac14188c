import RaftTransport
import Synchronization
import Testing

/// What became of the calls between servers while some of them were replaced.
///
/// One caller for each ordered pair calls again and again, with rising numbers. Replacing a server begins a new epoch
/// for the pairs that it is part of. In one epoch the calls that fail follow each other without a success between them:
/// they are those that were under way when the connection was closed, and those that came while nobody listened.
final class TrafficLog: Sendable {
  struct Pair: Hashable, Comparable, CustomStringConvertible {
    let from: Int
    let to: Int

    var description: String { "\(from) to \(to)" }

    static func < (left: Pair, right: Pair) -> Bool { (left.from, left.to) < (right.from, right.to) }
  }

  private enum Stage {
    /// No call has failed in this epoch.
    case whole
    case failing
    /// Calls succeed again behind failed ones.
    case mended
  }

  private struct State {
    var stages: [Pair: Stage] = [:]
    var successes: [Pair: Set<UInt64>] = [:]
    var successesInEpoch: [Pair: Int] = [:]
    var failures: [Pair: Int] = [:]
    var received: [Pair: [UInt64]] = [:]
    var faults: [String] = []
  }

  private let state = Mutex(State())

  /// A server is about to be replaced.
  func beginEpoch(of node: Int, among count: Int) {
    state.withLock { state in
      for other in 0..<count where other != node {
        for pair in [Pair(from: node, to: other), Pair(from: other, to: node)] {
          state.stages[pair] = .whole
          state.successesInEpoch[pair] = 0
        }
      }
    }
  }

  /// A server was asked.
  func received(_ number: UInt64, _ pair: Pair) {
    state.withLock { $0.received[pair, default: []].append(number) }
  }

  func succeeded(_ number: UInt64, _ pair: Pair) {
    state.withLock { state in
      state.successes[pair, default: []].insert(number)
      state.successesInEpoch[pair, default: 0] += 1
      if state.stages[pair] == .failing { state.stages[pair] = .mended }
    }
  }

  func failed(_ number: UInt64, _ pair: Pair, _ error: any Error) {
    state.withLock { state in
      state.failures[pair, default: 0] += 1
      if state.stages[pair] == .mended {
        state.faults.append("call \(number) from \(pair) failed behind successful ones: \(error)")
      }
      state.stages[pair] = .failing
    }
  }

  /// How many calls of a pair have succeeded since a server of it was last replaced.
  func successes(_ pair: Pair) -> Int { state.withLock { $0.successesInEpoch[pair] ?? 0 } }

  /// What went wrong: a call that failed without a reason, an answer without a request, a request that came twice.
  var faults: [String] {
    state.withLock { state in
      var faults = state.faults
      for (pair, numbers) in state.successes.sorted(by: { $0.key < $1.key }) {
        let received = state.received[pair] ?? []
        let missing = numbers.subtracting(received)
        if !missing.isEmpty {
          faults.append("answered, but never received from \(pair): \(missing.sorted())")
        }
        if Set(received).count != received.count { faults.append("received twice from \(pair)") }
      }
      return faults
    }
  }
}
