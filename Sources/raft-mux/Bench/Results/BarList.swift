/// The bars.
enum BarList {
  static let all: [Bar] = pipelines + unary + snapshots + votes + steadyState + far

  private static func bar(
    _ work: String, _ workload: String, _ quantity: Figure, _ limit: Bar.Limit, of system: SystemName,
    at other: String? = nil, _ otherQuantity: Figure? = nil, in place: Bar.Place = .near
  ) -> Bar {
    Bar(
      work: work, subject: ours(workload, quantity),
      reference: .term(
        Bar.Term(system: system, workload: other ?? workload, quantity: .figure(otherQuantity ?? quantity))),
      limit: limit, place: place)
  }

  private static func ours(_ workload: String, _ figure: Figure) -> Bar.Term {
    Bar.Term(system: .rmux, workload: workload, quantity: .figure(figure))
  }

  private static let pipelines = [
    bar("pipeline, 1 x 256 B", "pipeline-1x256", .requestsPerSecond, .atLeast(3), of: .raftOverTCP),
    bar("pipeline, 1 x 256 B", "pipeline-1x256", .requestsPerSecond, .atLeast(6), of: .raftOverYamux),
    bar("pipeline, 1 x 256 B, stretch", "pipeline-1x256", .requestsPerSecond, .atLeast(5), of: .raftOverTCP),
    bar(
      "pipeline, 1 x 256 B, stretch", "pipeline-1x256", .requestsPerSecond, .atLeast(8), of: .raftOverYamux),
    bar(
      "pipeline, 64 x 256 B, entries", "pipeline-64x256", .requestsPerSecond, .atLeast(4), of: .raftOverTCP),
  ]

  private static let unary = [
    bar("unary, 64 callers, one socket", "unary-64", .requestsPerSecond, .atLeast(1.5), of: .raftOverTCP),
    bar("unary, 1 caller, median time", "unary-1", .p50, .atMost(1.2), of: .raftOverTCP),
  ]

  private static let plain = "snapshot-memory-plain-random"

  private static let snapshots = [
    bar("snapshot, plain", plain, .megabytesPerSecond, .atLeast(1), of: .raftOverTCP),
    bar("snapshot, plain", plain, .megabytesPerSecond, .atLeast(3), of: .raftOverYamux),
    bar("snapshot, plain", plain, .megabytesPerSecond, .atLeast(0.85), of: .bareNIO),
    bar(
      "snapshot, chunks stored", "snapshot-memory-auto-random", .megabytesPerSecond, .atLeast(0.7),
      of: .bareNIO,
      at: plain),
  ]

  private static let votes = [
    bar("vote beside snapshot and pipeline, p99", "vote-busy", .p99, .atMost(0.2), of: .raftOverTCP),
    bar(
      "the snapshot beside votes keeps of itself", "vote-busy", .besideMegabytes, .atLeast(1.0 / 3),
      of: .rmux,
      at: plain, .megabytesPerSecond),
    bar(
      "the pipeline beside votes keeps of itself", "vote-busy", .besideRequests, .atLeast(0.5), of: .rmux,
      at: "pipeline-1x1K", .requestsPerSecond),
  ]

  private static let steadyState = [
    Bar(
      work: "system calls of a pipelined request",
      subject: Bar.Term(system: .rmux, workload: "pipeline-1x256", quantity: .cost("system calls/request")),
      reference: .term(
        Bar.Term(system: .bareNIO, workload: "pipeline-1x256", quantity: .cost("system calls/request"))),
      limit: .atMost(1.3), place: .near),
    Bar(
      work: "memory of an idle connection, server",
      subject: ours("idle-connections", .less("B") { $0.sample.idle?.server.residentBytesEach }),
      reference: .constant(65_536, "B"), limit: .atMost(1), place: .anywhere),
    Bar(
      work: "memory of an idle stream, server",
      subject: ours("idle-streams", .less("B") { $0.sample.idle?.server.residentBytesEach }),
      reference: .constant(1_024, "B"), limit: .atMost(1), place: .anywhere),
    Bar(
      work: "memory of an idle stream, client",
      subject: ours("idle-streams", .less("B") { $0.sample.idle?.client.residentBytesEach }),
      reference: .constant(1_024, "B"), limit: .atMost(1), place: .anywhere),
  ]

  /// The round trip of the path, as plain TCP measures it with nothing beside.
  private static let roundTrip = Bar.Term(system: .tcp, workload: "vote-idle", quantity: .figure(.p50))

  private static let far = [
    Bar(
      work: "vote beside a snapshot, median", subject: ours("vote-snapshot", .p50),
      reference: .sum(roundTrip, 6_000, "6 ms"), limit: .atMost(1), place: .far),
    Bar(
      work: "vote beside a snapshot, p99", subject: ours("vote-snapshot", .p99), reference: .term(roundTrip),
      limit: .atMost(1.3), place: .far),
    bar(
      "the snapshot's goodput beside votes", "vote-snapshot", .besideMegabytes, .atLeast(0.92), of: .tcp,
      in: .far),
    bar("snapshot, plain", plain, .megabytesPerSecond, .atLeast(0.95), of: .tcp, in: .far),
    Bar(
      work: "snapshot of text, auto, speed", subject: ours("snapshot-memory-auto-text", .megabytesPerSecond),
      reference: .best([
        ours("snapshot-memory-plain-text", .megabytesPerSecond),
        ours("snapshot-memory-zlib-text", .megabytesPerSecond),
      ]), limit: .atLeast(1 / 1.05), place: .far),
  ]
}
