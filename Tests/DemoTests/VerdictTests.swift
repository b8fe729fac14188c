import Testing

@testable import raft_mux

@Suite("The verdict")
struct VerdictTests {
  /// A run in which everything was as promised.
  static let faultless: DemoFacts = {
    func votes(_ peer: String) -> VoteFigures {
      VoteFigures(peer: peer, asked: 10, answered: 10, longestNanoseconds: 2_000_000)
    }
    func node(
      _ log: ReceivedLog = ReceivedLog(), _ snapshots: ReceivedSnapshots = .init(), of peers: [String]
    )
      -> NodeObservation
    {
      NodeObservation(connections: [], log: log, snapshots: snapshots, votes: peers.map(votes))
    }
    let log = ReceivedLog(entries: 100, bytes: 4096, sha256: "aa")
    var connections = ConnectionCount(
      table: SocketTable(sockets: []),
      nodes: ["leader", "follower-1", "follower-2"].map {
        ConnectionCount.Node(id: $0, listenerPort: 1, diallingPorts: [])
      })
    for pair in connections.byPair.keys { connections.byPair[pair] = 1 }
    let sent = SentLog(entries: 100, bytes: 4096, requests: 2, acknowledged: 2, passes: 1, sha256: "aa")
    return DemoFacts(
      followers: ["follower-1", "follower-2"],
      sent: Traffic.Outcome(
        logs: ["follower-1": sent, "follower-2": sent],
        snapshots: SentSnapshots(size: 1 << 20, completed: 2, seconds: 1),
        snapshotTarget: "follower-1"),
      snapshotSHA256: "bb",
      observed: ClusterObservation(
        nodes: [
          "leader": node(of: ["follower-1", "follower-2"]),
          "follower-1": node(
            log, ReceivedSnapshots(completed: 2, sha256: ["bb"], bytes: 2 << 20),
            of: ["follower-2", "leader"]),
          "follower-2": node(log, of: ["follower-1", "leader"]),
        ],
        connections: connections),
      leftovers: Leftovers(sockets: [], processes: [], descriptors: []),
      failures: [],
      wasInterrupted: false)
  }()

  @Test func `A faultless run keeps every promise`() {
    let verdict = Verdict(Self.faultless)
    #expect(verdict.isKept)
    #expect(verdict.points.allSatisfy { $0.result == .kept })
    #expect(verdict.points.count == 8)
    #expect(verdict.lines.allSatisfy { $0.hasPrefix("ok ") })
  }

  /// Something that goes wrong, and the only point that must notice.
  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let point: String
    let apply: @Sendable (inout DemoFacts) -> Void

    init(_ name: String, failing point: String, _ apply: @escaping @Sendable (inout DemoFacts) -> Void) {
      self.testDescription = name
      self.point = point
      self.apply = apply
    }
  }

  static let faults: [Fault] = [
    Fault("an entry arrived changed", failing: "log at follower-1") {
      $0.observed.nodes["follower-1"]?.log.sha256 = "ab"
    },
    Fault("an entry is missing", failing: "log at follower-2") {
      $0.observed.nodes["follower-2"]?.log.entries = 99
    },
    Fault("a request was not acknowledged", failing: "log at follower-2") {
      $0.sent.logs["follower-2"]?.acknowledged = 1
    },
    Fault("the pipeline broke", failing: "log at follower-1") {
      $0.sent.logs["follower-1"]?.failure = "broken"
    },
    Fault("a follower got no log", failing: "log at follower-2") { $0.sent.logs["follower-2"] = nil },
    Fault("one of the snapshots differs", failing: "snapshot at follower-1") {
      $0.observed.nodes["follower-1"]?.snapshots.sha256 = ["bb", "bc"]
    },
    Fault("the snapshot was not sent", failing: "snapshot at follower-1") {
      $0.sent.snapshots.completed = 0
    },
    Fault("a snapshot was answered that did not arrive", failing: "snapshot at follower-1") {
      $0.observed.nodes["follower-1"]?.snapshots.completed = 1
    },
    Fault("sending the snapshot failed", failing: "snapshot at follower-1") {
      $0.sent.snapshots.failure = "timeout"
    },
    Fault("a pair has two connections", failing: "one connection per pair") {
      $0.observed.connections?.byPair[.init("leader", "follower-2")] = 2
    },
    Fault("a pair has none", failing: "one connection per pair") {
      $0.observed.connections?.byPair[.init("follower-1", "follower-2")] = 0
    },
    Fault("a stranger is connected", failing: "one connection per pair") {
      $0.observed.connections?.unclaimed = 1
    },
    Fault("a vote has no answer", failing: "votes") {
      $0.observed.nodes["follower-2"]?.votes[0].answered = 9
    },
    Fault("nobody asked for a vote", failing: "votes") { facts in
      for node in facts.observed.nodes.keys { facts.observed.nodes[node]?.votes = [] }
    },
    Fault("a socket is open", failing: "sockets after closing") {
      $0.leftovers.sockets = [.init(localPort: 1, remotePort: 2, state: .closeWait)]
    },
    Fault("a descriptor is open", failing: "descriptors after closing") {
      $0.leftovers.descriptors = ["socket: 1 more"]
    },
    Fault("a process runs on", failing: "processes after closing") { $0.leftovers.processes = [4711] },
    Fault("a node did not answer", failing: "run") { $0.failures = ["follower-1: the process has ended"] },
  ]

  @Test(arguments: faults)
  func `Each fault fails its own point and no other`(fault: Fault) {
    var facts = Self.faultless
    fault.apply(&facts)
    let verdict = Verdict(facts)
    #expect(verdict.points.filter { $0.result == .failed }.map(\.name) == [fault.point])
    #expect(!verdict.isKept)
    #expect(verdict.lines.filter { $0.hasPrefix("FAILED ") }.count == 1)
  }

  @Test func `What the platform does not show is not counted as failed`() {
    var facts = Self.faultless
    facts.observed.connections = nil
    facts.leftovers.sockets = nil
    facts.leftovers.descriptors = nil
    let verdict = Verdict(facts)
    #expect(verdict.isKept)
    #expect(verdict.points.filter { $0.result == .notCounted }.count == 3)
  }

  @Test func `An interruption before the first whole snapshot is no failure`() {
    var facts = Self.faultless
    facts.wasInterrupted = true
    facts.sent.snapshots.completed = 0
    facts.observed.nodes["follower-1"]?.snapshots = ReceivedSnapshots(bytes: 4096)
    #expect(Verdict(facts).isKept)
  }
}
