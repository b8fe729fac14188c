import ConformanceSuite
import Testing

/// What the specification leaves to a peer. These peers do it in another way than our own, and none of it is a fault.
@Suite("The conformance suite passes right peers of another make")
struct RightPeerTests {
  private static let variants: [(Mutant, [String])] = [
    (endsCancelledStreams(by: FrameKind.data), ["halves", "flow"]),
    (endsCancelledStreams(by: FrameKind.reset), ["halves", "flow"]),
    (declinesSnapshots, ["snapshots", "chunks"]),
    (
      // R-PAY-48 is a SHOULD: upstream closes, and a receiver made of it ends its half by FIN.
      Mutant(requirement: "none", fault: "ends what it cannot read by FIN") { memory, direction, frame in
        guard direction == .toSuite, frame.code == CodeName.malformedMessage.rawValue else { return nil }
        return frame.type == FrameKind.reset
          ? Mutant.toSuite(.data(frame.stream, fin: true)) : Mutant.Traffic()
      }, ["malformed", "calls"]
    ),
    (
      Mutant(requirement: "none", fault: "writes as releases before 1.3.7 do") { _, direction, frame in
        guard direction == .toSuite, frame.type == FrameKind.data else { return nil }
        var bytes: [UInt8] = []
        var rest = Array(frame.streamBytes)
        while var map = WireMap(rest) {
          (rest, map.rest) = (map.rest, [])
          (map["ID"], map["Addr"]) = (nil, nil)
          bytes += map.bytes
        }
        return Mutant.toSuite(frame.with { $0.payload = bytes + rest })
      }, ["calls", "reading"]
    ),
  ]

  /// FIN, or RESET with a code of its own, on a stream that the suite has reset and stopped.
  private static func endsCancelledStreams(by type: UInt8) -> Mutant {
    Mutant(requirement: "none", fault: "ends cancelled streams by \(FrameKind.name(type))") {
      memory, direction, frame in
      if direction == .toPeer, frame.type == FrameKind.reset { memory.streams[frame.stream] = 1 }
      guard direction == .toSuite, frame.type == FrameKind.reset, memory.streams[frame.stream] != nil else {
        return nil
      }
      return Mutant.toSuite(
        type == FrameKind.data
          ? .data(frame.stream, fin: true) : .reset(frame.stream, CodeName.handlerGone.rawValue))
    }
  }

  /// Answers a snapshot by an error as soon as it is asked to take one (R-SNAP-19).
  private static let declinesSnapshots = Mutant(requirement: "none", fault: "declines snapshots") {
    memory, direction, frame in
    if direction == .toSuite { return memory.streams[frame.stream] == nil ? nil : Mutant.Traffic() }
    if frame.isOpening, frame.trafficClass == StreamClass.snapshot, frame.encoding <= 1 {
      memory.streams[frame.stream] = 1
      let answer = [0xA3] + Array("no!".utf8) + [0xC0]
      // The peer behind the relay has to see the stream, for its id.
      return Mutant.Traffic(
        toPeer: [
          frame.with { ($0.payload, $0.flags) = (Array($0.payload.prefix(8)), DataFlag.open) },
          .reset(frame.stream, 0x40), .stop(frame.stream, 0x40),
        ],
        toSuite: frame.isLast
          ? [.data(frame.stream, answer, fin: true)]
          : [.stop(frame.stream, CodeName.notNeeded.rawValue), .data(frame.stream, answer, fin: true)])
    }
    return memory.streams[frame.stream] == nil ? nil : Mutant.Traffic()
  }

  @Test("servers", arguments: 0..<5)
  func servers(index: Int) async throws {
    let (peer, sections) = Self.variants[index]
    let cases = Cases.all.filter { item in
      // Who declines a snapshot reads nothing behind it.
      sections.contains(item.section) && item.subjects.contains(.server) && item.isRequired
        && item.title != "takes the bytes behind a plain body for the next request"
    }
    let results = try await PeersUnderTest.withServer { port in
      let relay = try await MutantRelay.start(peer, to: port)
      let target = Stage.Target.server(host: "127.0.0.1", port: relay.port)
      let results = await SuiteRunner(target: target, settings: PeersUnderTest.settings()).run(cases)
      await relay.close()
      return results
    }
    Self.check(results, peer)
  }

  @Test("a client that takes unreadable answers to their end")
  func patientClient() async throws {
    // The STOP is kept back, and what comes after it.
    let peer = Mutant(requirement: "none", fault: "stops nothing", subject: .client) { _, direction, frame in
      direction == .toSuite && frame.type == FrameKind.stop ? Mutant.Traffic() : nil
    }
    try await checkClient(peer) { $0.title.contains("exceeds its window") }
  }

  @Test("a client that serves several groups")
  func groups() async throws {
    let peer = Mutant(requirement: "none", fault: "asks for group 7", subject: .client) {
      _, direction, frame in
      guard direction == .toSuite, frame.isOpening else { return nil }
      return Mutant.toSuite(frame.with { $0.payload[7] = 7 })
    }
    try await checkClient(peer, severalGroups: true) { $0.section == "client" }
  }

  private func checkClient(
    _ peer: Mutant, severalGroups: Bool = false, _ isChosen: (ConformanceCase) -> Bool
  ) async throws {
    var settings = PeersUnderTest.settings()
    settings.hostsSeveralGroups = severalGroups
    let cases = Cases.all.filter { $0.subjects.contains(.client) && isChosen($0) }
    let listener = try await ProbeListener.start()
    let relay = try await MutantRelay.start(peer, to: listener.port)
    let results = try await PeersUnderTest.withClient(of: relay.port) {
      await SuiteRunner(target: .client(listener), settings: settings).run(cases)
    }
    await relay.close()
    await listener.close()
    Self.check(results, peer)
  }

  private static func check(_ results: [CaseResult], _ peer: Mutant) {
    #expect(!results.isEmpty)
    for result in results where result.hasFailed {
      Issue.record(
        "a \(peer.subject) that \(peer.fault): \(TextReport.lines(result).joined(separator: "\n"))")
    }
  }
}
