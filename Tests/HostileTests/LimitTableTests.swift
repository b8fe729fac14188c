import Foundation
import Testing

@testable import RaftTransport

/// Each limit of `Spec/tables/limits.json`, and the test that holds it.
@Suite("Which limit is held by which test")
struct LimitTableTests {
  private struct Table: Decodable {
    struct Row: Decodable {
      let name: String
      let `default`: Int?
    }
    let wire: [Row]
    let local: [Row]
    let budgets: [Row]
  }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// By the limit's name: the file beneath `Tests` and words of the test in it.
  private static let tests: [String: (file: String, words: String)] = [
    "handshakeBytes": (
      "RaftTransportTests/SocketsHostileInputTests.swift", "a handshake that grows too large"
    ),
    "handshakeSeconds": ("HostileTests/LimitTests.swift", "func slowHandshake"),
    "helloBytes": ("RaftTransportTests/SocketsHostileInputTests.swift", "a HELLO that is too long"),
    "proofBytes": ("StreamMuxTests/Framing/FrameViolationTests.swift", "proof"),
    "identifierBytes": ("StreamMuxTests/Vocabulary/HelloTests.swift", "255"),
    "textBytes": ("StreamMuxTests/Framing/FrameViolationTests.swift", "goAway"),
    "sentIgnorablePayload": ("StreamMuxTests/Connection/WireAuditTests.swift", "ignor"),
    "receiveBudget": ("StreamMuxTests/Machines/WindowTests.swift", "udget"),
    "maximumMessageSize": ("HostileTests/LimitTests.swift", "func messages"),
    "maximumAppendWindow": ("StreamMuxTests/Connection/WindowGrowthTests.swift", "maximumAppendWindow"),
    "maximumSnapshotWindow": ("StreamMuxTests/Connection/WindowGrowthTests.swift", "maximumSnapshotWindow"),
    "assemblyBudget": ("StreamMuxTests/Connection/AssemblyTests.swift", "assemblyBudget"),
    "maximumPendingOpens": ("RaftTransportTests/SocketsStalledConsumerTests.swift", "waitingCalls"),
    "maximumControlFrames": ("HostileTests/LimitTests.swift", "func neverReads"),
    "refusedStreams": ("HostileTests/LimitAttack.swift", "streams that must be reset"),
    "maximumWaitingPongs": ("StreamMuxTests/Connection/HostilePeerTests.swift", "pongs == 8"),
    "silenceBeforePing": ("StreamMuxTests/Health/KeepAliveTests.swift", "func silence"),
    "jitterPercent": ("StreamMuxTests/Health/KeepAliveTests.swift", "func jitter"),
    "measurementInterval": ("StreamMuxTests/Health/KeepAliveTests.swift", "func measurement"),
    "deadAfter": ("HostileTests/RealFaultsTests.swift", "func stopped"),
    "deadRoundTrips": ("StreamMuxTests/Health/KeepAliveTests.swift", "func slowPath"),
    "drainPauseMilliseconds": ("StreamMuxTests/Health/DrainStateTests.swift", "pause"),
    "electionMessage": ("StreamMuxTests/Machines/SchedulerTests.swift", "lection"),
    "electionBurst": ("StreamMuxTests/Machines/SchedulerTests.swift", "lection"),
    "electionRate": ("StreamMuxTests/Machines/SchedulerTests.swift", "lection"),
    "bulkFrame": ("StreamMuxTests/Machines/SchedulerTests.swift", "rame"),
    "quantum": ("StreamMuxTests/Vocabulary/ConfigurationTests.swift", "quantum"),
    "appendWeight": ("StreamMuxTests/Machines/SchedulerTests.swift", "eight"),
    "snapshotWeight": ("StreamMuxTests/Machines/SchedulerTests.swift", "eight"),
    "handshakes": ("RaftTransportTests/SocketsHostileInputTests.swift", "func tooManyHandshakes"),
    "handshakesPerAddress": ("HostileTests/LimitTests.swift", "func handshakesPerAddress"),
    "connections": ("HostileTests/LimitTests.swift", "func connections"),
    "waitingCalls": ("RaftTransportTests/SocketsStalledConsumerTests.swift", "waitingCalls"),
    "unansweredRequestsPerStream": (
      "RaftTransportTests/SocketsPipelineDepthTests.swift", "unansweredRequestsPerStream"
    ),
    "handlersPerPeer": ("HostileTests/PeerLoadTests.swift", "func overConnections"),
    "handlersOfUnprovenPeers": ("HostileTests/PeerLoadTests.swift", "func manyNames"),
    "classicConnections": ("ClassicTests/ServingTests.swift", "func connectionLimit"),
    "classicConnectionsPerAddress": ("ClassicTests/ServingTests.swift", "func connectionsPerAddress"),
    "classicFirstRequest": ("ClassicTests/TimeBoundTests.swift", "func noRequest"),
    "classicRequest": ("ClassicTests/TimeBoundTests.swift", "func dribble"),
    "classicLeastRate": ("ClassicTests/TimeBoundTests.swift", "func largeFirstRequest"),
    "classicStall": ("ClassicTests/ServingTests.swift", "func stall"),
    "classicReceiveBudget": ("ClassicTests/ServingTests.swift", "func requestsOutliveConnections"),
    "displacementsPerMinute": ("RaftTransportTests/PeerTableArbitrationTests.swift", "displaced"),
    "logLineBurst": ("HostileTests/PeerLogTests.swift", "func allowance"),
  ]

  @Test("The numbers above the engine are those of the table")
  func defaults() throws {
    let data = try Data(contentsOf: Self.root.appendingPathComponent("Spec/tables/limits.json"))
    let rows = try JSONDecoder().decode(Table.self, from: data).local
    let (limits, old) = (TransportConfiguration.Limits.defaults, TransportConfiguration.OldPeers.defaults)
    let values: [String: Int] = [
      "maximumMessageSize": limits.maximumMessageBytes,
      "handshakes": limits.handshakes,
      "handshakesPerAddress": limits.handshakesPerAddress,
      "connections": limits.connections,
      "waitingCalls": limits.waitingCalls,
      "unansweredRequestsPerStream": limits.unansweredRequestsPerStream,
      "handlersPerPeer": limits.handlersPerPeer,
      "handlersOfUnprovenPeers": limits.handlersOfUnprovenPeers,
      "classicConnections": old.maximumConnections,
      "classicConnectionsPerAddress": old.maximumConnectionsPerAddress,
      "classicFirstRequest": Int(old.firstRequest.components.seconds),
      "classicRequest": Int(old.request.components.seconds),
      "classicLeastRate": old.leastRate,
      "classicStall": Int(old.stall.components.seconds),
      "classicReceiveBudget": old.receiveBudget,
    ]
    for (name, value) in values {
      #expect(rows.first { $0.name == name }?.default == value, "\(name)")
    }
    #expect(
      values.keys.filter { $0.hasPrefix("classic") }.count == rows.count { $0.name.hasPrefix("classic") })
  }

  @Test("The arithmetic of a server in plaintext is right")
  func plaintextMemory() throws {
    let page = try String(contentsOf: Self.root.appendingPathComponent("Spec/limits.md"), encoding: .utf8)
    let limits = TransportConfiguration.Limits.defaults
    let handlers = 2 * (limits.handlersOfUnprovenPeers * 2_048 + 262_144 * 120) >> 20
    #expect(page.contains("=  \(handlers) MiB\n"))
    // The worst memory of one connection without its handlers, in MiB, with the numbers of the page.
    let one =
      4 * 208
      + Double(
        4 * 65_556 + 4_096 * 64
          + (limits.electionStreams + limits.appendStreams + limits.snapshotStreams + 4_096) * 1_024)
      / 1_048_576
    #expect(page.contains("1,024 x \(tenths(one)) MiB"))
    #expect(page.contains("=  \(tenths((Double(limits.connections) * one + Double(handlers)) / 1_024)) GiB"))
  }

  private func tenths(_ value: Double) -> String {
    "\(Int((value * 10).rounded()) / 10).\(Int((value * 10).rounded()) % 10)"
  }

  @Test("Every limit has one, be it an attack over sockets or a test of its own")
  func complete() throws {
    let data = try Data(contentsOf: Self.root.appendingPathComponent("Spec/tables/limits.json"))
    let table = try JSONDecoder().decode(Table.self, from: data)
    let names = (table.wire + table.local + table.budgets).map(\.name)
    let attacked = Set(LimitAttack.all.flatMap(\.limits))
    for name in names {
      #expect(attacked.contains(name) || Self.tests[name] != nil, "no test holds '\(name)'")
    }
    #expect(attacked.union(Self.tests.keys).subtracting(names) == [], "no such limits")
    for row in table.budgets { #expect(attacked.contains(row.name), "'\(row.name)' over sockets") }
  }

  @Test("The tests that are named exist", arguments: tests.keys.sorted())
  func exists(name: String) throws {
    let test = try #require(Self.tests[name])
    let file = Self.root.appendingPathComponent("Tests").appendingPathComponent(test.file)
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(text.contains(test.words), "\(test.file) has no '\(test.words)'")
  }
}
