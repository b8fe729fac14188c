import RaftTransport
import RaftTransportTesting
import Synchronization

/// Does to links and nodes what happens to them in the field, one after the other, until it is told to stop.
struct SoakFaults: Sendable {
  enum Kind: String, CaseIterable {
    case cut, reset, stall, swallow, refuse, corrupt, closeStreams, restart
  }

  let nodes: [SoakNode]
  let ledger: SoakLedger
  let stop: SoakStop
  let tally: SoakTally

  func run(seed: UInt64, stream: UInt64) async {
    var choices = SoakChoices(seed: seed, stream: stream)
    while !stop.isSet {
      try? await Task.sleep(for: choices.milliseconds(50...800))
      guard !stop.isSet, let node = nodes.randomElement(using: &choices) else { break }
      // Most faults are short; a peer that is gone without a word takes as long as liveness needs to find it.
      let kind: Kind? =
        choices.once(in: 12)
        ? .swallow : Kind.allCases.filter { $0 != .swallow }.randomElement(using: &choices)
      guard let kind else { break }
      tally.count(kind.rawValue)
      do {
        try await commit(kind, on: node, &choices)
        try await node.link.heal()
      } catch {
        ledger.note("the fault \(kind) on \(node.id) failed: \(error)")
      }
    }
  }

  private func commit(_ kind: Kind, on node: SoakNode, _ choices: inout SoakChoices) async throws {
    let direction: FaultyLink.Direction = choices.once(in: 2) ? .toTarget : .toClient
    switch kind {
    case .cut: try await node.link.cut()
    case .reset: try await node.link.reset()
    case .stall:
      try await node.link.stall(direction)
      try await Task.sleep(for: choices.milliseconds(10...1_500))
    case .swallow:
      try await node.link.swallow(direction)
      if choices.once(in: 2) { try await node.link.swallow(direction == .toTarget ? .toClient : .toTarget) }
      try await Task.sleep(for: choices.milliseconds(100...6_500))
      // What lost bytes is broken for good, and its ends might not have noticed.
      try await node.link.reset()
    case .refuse:
      try await node.link.refuseConnections()
      try await node.link.cut()
      try await Task.sleep(for: choices.milliseconds(10...800))
    case .corrupt:
      // Behind the handshake, which has no checksums: what is corrupted there may end in any refusal.
      let offset = UInt64.random(in: 8_192...4_000_000, using: &choices)
      let mask = UInt8.random(in: 1...255, using: &choices)
      try await node.link.corrupt(byteAt: offset, mask: mask, direction)
      try await node.link.cut()
      try await Task.sleep(for: choices.milliseconds(100...1_000))
    case .closeStreams: await node.transport.closeStreams()
    case .restart: try await node.restart(after: choices.milliseconds(0...400))
    }
  }
}

/// How often what happened.
final class SoakTally: Sendable {
  private let counts = Mutex<[String: UInt64]>([:])

  var all: [String: UInt64] { counts.withLock { $0 } }

  func count(_ name: String) {
    counts.withLock { $0[name, default: 0] += 1 }
  }
}
