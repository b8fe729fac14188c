/// What both processes have used since they began.
struct Usage: Codable, Sendable, Equatable {
  var clientCPUSeconds: Double
  var serverCPUSeconds: Double
  /// Both directions, what the sockets carried.
  var wireBytes: UInt64
  /// Of counted measurements only.
  var client: Counts?
  /// Of counted measurements only.
  var server: Counts?

  /// What was counted in one process.
  struct Counts: Codable, Sendable, Equatable {
    var systemCalls: UInt64
    /// Not known of programs in other languages.
    var allocations: UInt64?

    func since(_ earlier: Counts) -> Counts {
      Counts(
        systemCalls: systemCalls - min(systemCalls, earlier.systemCalls),
        allocations: allocations.map { $0 - min($0, earlier.allocations ?? 0) })
    }
  }

  init(client: PeerLines.ProcessUsage, server: PeerLines.ProcessUsage, wireBytes: UInt64) {
    clientCPUSeconds = client.cpuSeconds
    serverCPUSeconds = server.cpuSeconds
    self.wireBytes = wireBytes
    self.client = client.systemCalls.map { Counts(systemCalls: $0, allocations: client.allocations) }
    self.server = server.systemCalls.map { Counts(systemCalls: $0, allocations: server.allocations) }
  }

  init(clientCPUSeconds: Double, serverCPUSeconds: Double, wireBytes: UInt64) {
    self.clientCPUSeconds = clientCPUSeconds
    self.serverCPUSeconds = serverCPUSeconds
    self.wireBytes = wireBytes
  }

  func since(_ earlier: Usage) -> Usage {
    var usage = Usage(
      clientCPUSeconds: clientCPUSeconds - earlier.clientCPUSeconds,
      serverCPUSeconds: serverCPUSeconds - earlier.serverCPUSeconds,
      // A connection that was made anew in between begins to count from zero.
      wireBytes: wireBytes >= earlier.wireBytes ? wireBytes - earlier.wireBytes : wireBytes)
    if let client, let before = earlier.client { usage.client = client.since(before) }
    if let server, let before = earlier.server { usage.server = server.since(before) }
    return usage
  }
}
