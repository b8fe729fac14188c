import Testing

/// Three nodes of hashicorp/raft, unmodified, between which nothing travels but through this library.
@Suite(.enabled(if: GoProgram.isWanted, Comment(rawValue: GoProgram.skipped)))
struct ClusterTests {
  @Test func threeNodesKeepOneStateThroughWhateverHappens() async throws {
    try await GoCluster.withNodes(["a", "b", "c"]) { cluster in
      // An election, and a log.
      for part in 0..<10 { try await cluster.apply(1000, "part \(part)") }
      var state = try await cluster.agreement(onAtLeast: 10_000)

      // Leadership goes to each of the others in turn.
      for name in try await cluster.others(than: cluster.leader()) {
        try await cluster.transferLeadership(to: name)
        try await cluster.apply(100, "under \(name)")
      }
      state = try await cluster.agreement(onAtLeast: state.applied + 200)

      // A follower misses so much that its leader has only a snapshot left for it.
      let lagging = try await cluster.others(than: cluster.leader())[0]
      let reconnect = try cluster.cutOff(lagging)
      try await cluster.apply(1000, bytes: 4096, "while \(lagging) is away")
      for name in cluster.names where name != lagging { try await cluster.compact(name) }
      reconnect()
      state = try await cluster.agreement(onAtLeast: state.applied + 1000)
      #expect(try await cluster.state(of: lagging).restored >= 1)
      #expect(try cluster.relay(lagging).counts.snapshots >= 1)

      // A follower loses everything and comes back with nothing.
      let lost = try await cluster.others(than: cluster.leader())[1]
      try await cluster.kill(lost)
      try await cluster.apply(500, "while \(lost) is dead")
      for name in cluster.names where name != lost { try await cluster.compact(name) }
      try await cluster.start(lost)
      state = try await cluster.agreement(onAtLeast: state.applied + 500)
      #expect(try await cluster.state(of: lost).restored >= 1)

      // So does the leader; the others choose another one meanwhile.
      let first = try await cluster.leader()
      try await cluster.kill(first)
      let second = try await cluster.leader()
      #expect(second != first)
      try await cluster.apply(500, "without \(first)")
      try await cluster.start(first)
      state = try await cluster.agreement(onAtLeast: state.applied + 500)

      let counts = try cluster.names.map { try cluster.relay($0).counts }
      #expect(counts.allSatisfy { $0.appends > 0 && $0.votes > 0 })
      #expect(counts.contains { $0.timeoutNows > 0 })
    }
  }
}
