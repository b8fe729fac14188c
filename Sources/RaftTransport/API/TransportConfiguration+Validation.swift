extension TransportConfiguration {
  /// The depth of pipelines, with upstream's default for 0.
  var pipelineDepth: Int { maxRPCsInFlight == 0 ? 2 : maxRPCsInFlight }

  /// - Throws: ``TransportError`` with `badConfiguration` for the first field that is out of range.
  func validate() throws(TransportError) {
    try check("serverID", (1...255).contains(serverID.rawValue.utf8.count), "1 to 255 bytes")
    try check("clusterID", (1...255).contains(clusterID.utf8.count), "1 to 255 bytes")
    try check("timeout", timeout >= .zero, "zero (no limit) or more")
    try check("dialling.firstPause", dialling.firstPause > .zero, "more than zero")
    try check(
      "dialling.longestPause", dialling.longestPause >= dialling.firstPause, "at least dialling.firstPause")
    try check(
      "limits.maximumMessageBytes", (16 << 10...1 << 30).contains(limits.maximumMessageBytes),
      "16 KiB to 1 GiB")
    try check("windows.initial", (16 << 10...64 << 20).contains(windows.initial), "16 KiB to 64 MiB")
    let largest = windows.initial...1 << 30
    try check(
      "windows.largestForAppends", largest.contains(windows.largestForAppends), "windows.initial to 1 GiB")
    try check(
      "windows.largestForSnapshots", largest.contains(windows.largestForSnapshots), "windows.initial to 1 GiB"
    )
    try check(
      "windows.receiveBudget", (windows.initial...1 << 40).contains(windows.receiveBudget),
      "windows.initial to 1 TiB")
    try check("limits.unansweredRequestsPerStream", limits.unansweredRequestsPerStream >= 1, "1 or more")
    try check("limits.waitingCalls", limits.waitingCalls >= 1, "1 or more")
    try check("limits.handlersPerPeer", limits.handlersPerPeer >= 1, "1 or more")
    try check("limits.handlersOfUnprovenPeers", limits.handlersOfUnprovenPeers >= 1, "1 or more")
    try check("limits.handshakes", limits.handshakes >= 1, "1 or more")
    try check("limits.handshakesPerAddress", limits.handshakesPerAddress >= 1, "1 or more")
    try check("limits.connections", limits.connections >= 1, "1 or more")
    try check("oldPeers.maximumIdleConnections", oldPeers.maximumIdleConnections >= 0, "0 or more")
    try check("oldPeers.maximumConnections", oldPeers.maximumConnections >= 1, "1 or more")
    try check("oldPeers.maximumCalls", oldPeers.maximumCalls >= 1, "1 or more")
    try check("oldPeers.memory", oldPeers.memory > .zero, "more than zero")
    try check("oldPeers.stall", oldPeers.stall > .zero, "more than zero")
    try check("oldPeers.firstRequest", oldPeers.firstRequest > .zero, "more than zero")
    try check("oldPeers.request", oldPeers.request > .zero, "more than zero")
    try check("oldPeers.leastRate", oldPeers.leastRate >= 1, "1 or more")
    try check(
      "oldPeers.receiveBudget", (1 << 20...1 << 40).contains(oldPeers.receiveBudget), "1 MiB to 1 TiB")
    try security.validate(serverID: serverID, clusterID: clusterID)
    try check(
      "peerProtocol", allowsClassic || allowsRMUX, "one that `security` allows: the classic protocol has none"
    )
    switch snapshotDeadline.rule {
    case .upstream(let timeoutScale):
      try check("snapshotDeadline.timeoutScale", timeoutScale > 0, "more than zero")
    case .progress(let stall, let restore):
      try check("snapshotDeadline.stall", stall > .zero, "more than zero")
      try check("snapshotDeadline.restore", restore > .zero, "more than zero")
    case .none:
      break
    }
  }

  private func check(_ field: String, _ isValid: Bool, _ range: String) throws(TransportError) {
    if !isValid {
      throw TransportError(.badConfiguration, "\(field) must be \(range)", delivery: .notDelivered)
    }
  }
}
