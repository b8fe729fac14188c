/// Whether the demo kept what the transport promises, point by point.
struct Verdict: Sendable, Equatable, Codable {
  /// One promise.
  struct Point: Sendable, Equatable, Codable {
    enum Result: String, Sendable, Codable {
      case kept
      case failed
      /// The platform does not let the demo look.
      case notCounted
    }

    /// What was looked at, in a word.
    var name: String
    var result: Result
    /// What was seen.
    var detail: String
  }

  var points: [Point]

  /// Whether no point failed.
  var isKept: Bool { !self.points.contains { $0.result == .failed } }

  /// The verdict as lines for people.
  var lines: [String] {
    self.points.map { point in
      let mark =
        switch point.result {
        case .kept: "ok     "
        case .failed: "FAILED "
        case .notCounted: "-      "
        }
      return "\(mark) \(point.name): \(point.detail)"
    }
  }
}

/// All that the verdict is made from.
struct DemoFacts: Sendable, Equatable {
  /// The followers' IDs, in order.
  var followers: [String]
  var sent: Traffic.Outcome
  /// The digest of the snapshot's file.
  var snapshotSHA256: String
  /// What the nodes saw after the last answer.
  var observed: ClusterObservation
  var leftovers: Leftovers
  /// What went wrong besides: nodes that did not answer, the time that was up.
  var failures: [String]
  var wasInterrupted: Bool
}

extension Verdict {
  init(_ facts: DemoFacts) {
    self.points = facts.followers.map { Self.log(at: $0, facts) }
    self.points.append(Self.snapshot(facts))
    self.points.append(Self.connections(facts))
    self.points.append(Self.votes(facts))
    self.points.append(Self.sockets(facts.leftovers))
    self.points.append(Self.descriptors(facts.leftovers))
    self.points.append(Self.processes(facts.leftovers))
    self.points += facts.failures.map { Point(name: "run", result: .failed, detail: $0) }
  }

  private static func point(_ name: String, _ isKept: Bool, _ detail: String) -> Point {
    Point(name: name, result: isKept ? .kept : .failed, detail: detail)
  }

  private static func log(at follower: String, _ facts: DemoFacts) -> Point {
    let name = "log at \(follower)"
    guard let sent = facts.sent.logs[follower] else { return self.point(name, false, "nothing was sent") }
    if let failure = sent.failure { return self.point(name, false, failure) }
    guard let got = facts.observed.nodes[follower]?.log else {
      return self.point(name, false, "\(follower) does not say what it got")
    }
    guard sent.acknowledged == sent.requests else {
      return self.point(name, false, "\(sent.acknowledged) of \(sent.requests) requests were acknowledged")
    }
    guard sent.sha256 == got.sha256, sent.entries == got.entries else {
      return self.point(
        name, false,
        "sent \(sent.entries) entries with SHA-256 \(sent.sha256), "
          + "arrived \(got.entries) with \(got.sha256)")
    }
    return self.point(
      name, true,
      "\(Figures.count(sent.entries)) entries, \(Figures.bytes(sent.bytes)), "
        + "SHA-256 \(sent.sha256.prefix(16))... on both sides")
  }

  private static func snapshot(_ facts: DemoFacts) -> Point {
    let sent = facts.sent.snapshots
    let name = "snapshot at \(facts.sent.snapshotTarget)"
    if let failure = sent.failure { return self.point(name, false, failure) }
    guard let got = facts.observed.nodes[facts.sent.snapshotTarget]?.snapshots else {
      return self.point(name, false, "\(facts.sent.snapshotTarget) does not say what it got")
    }
    if facts.wasInterrupted, sent.completed == 0, got.sha256.isEmpty {
      return Point(name: name, result: .notCounted, detail: "interrupted before the first one was whole")
    }
    guard sent.completed > 0, got.sha256 == [facts.snapshotSHA256], got.completed >= sent.completed else {
      return self.point(
        name, false,
        "sent \(sent.completed) with SHA-256 \(facts.snapshotSHA256), "
          + "arrived \(got.completed) with \(got.sha256.joined(separator: ", "))")
    }
    let times = sent.completed == 1 ? "once" : "\(Figures.count(sent.completed)) times"
    return self.point(
      name, true,
      "\(Figures.bytes(UInt64(clamping: sent.size))) \(times), "
        + "SHA-256 \(facts.snapshotSHA256.prefix(16))... on both sides")
  }

  private static func connections(_ facts: DemoFacts) -> Point {
    let name = "one connection per pair"
    guard let count = facts.observed.connections else {
      return Point(name: name, result: .notCounted, detail: "not counted on this platform")
    }
    var parts = count.byPair.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    if count.unclaimed > 0 { parts.append("of no node's making \(count.unclaimed)") }
    let isKept = count.unclaimed == 0 && count.byPair.values.allSatisfy { $0 == 1 }
    return self.point(name, isKept, parts.joined(separator: ", ") + " (the system's count)")
  }

  private static func votes(_ facts: DemoFacts) -> Point {
    let all = facts.observed.nodes.sorted { $0.key < $1.key }.flatMap { node in
      node.value.votes.map { (node: node.key, votes: $0) }
    }
    let asked = all.reduce(0) { $0 + $1.votes.asked }
    let missed = all.filter { $0.votes.answered != $0.votes.asked }
    guard missed.isEmpty, asked > 0 else {
      let parts = missed.map { one in
        "\(one.node) had \(one.votes.answered) of \(one.votes.asked) answers from \(one.votes.peer)"
          + (one.votes.firstError.map { " (first error: \($0))" } ?? "")
      }
      return self.point("votes", false, parts.isEmpty ? "none were asked for" : parts.joined(separator: "; "))
    }
    let longest = all.compactMap(\.votes.longestNanoseconds).max() ?? 0
    return self.point(
      "votes", true,
      "all \(Figures.count(asked)) answered, the slowest after \(Figures.time(nanoseconds: longest))")
  }

  private static func sockets(_ leftovers: Leftovers) -> Point {
    let name = "sockets after closing"
    guard let sockets = leftovers.sockets else {
      return Point(name: name, result: .notCounted, detail: "not counted on this platform")
    }
    let list = sockets.map { "\($0.localPort)-\($0.remotePort) \($0.state)" }.joined(separator: ", ")
    return self.point(name, sockets.isEmpty, sockets.isEmpty ? "none open" : "still open: \(list)")
  }

  private static func descriptors(_ leftovers: Leftovers) -> Point {
    let name = "descriptors after closing"
    guard let surplus = leftovers.descriptors else {
      return Point(name: name, result: .notCounted, detail: "not counted on this platform")
    }
    return self.point(
      name, surplus.isEmpty, surplus.isEmpty ? "as many as before" : surplus.joined(separator: ", "))
  }

  private static func processes(_ leftovers: Leftovers) -> Point {
    let list = leftovers.processes.map { "\($0)" }.joined(separator: ", ")
    return self.point(
      "processes after closing", leftovers.processes.isEmpty,
      leftovers.processes.isEmpty ? "none running" : "still running: \(list)")
  }
}
