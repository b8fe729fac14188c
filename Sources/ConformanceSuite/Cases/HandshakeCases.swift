internal import NIOCore

/// The page handshake: HELLO, AUTH, WELCOME, agreement, refusals.
enum HandshakeCases {
  static let all = hellos + agreements + authentications + welcomes + limits

  private static let hellos: [ConformanceCase] = {
    var section = Section("hello")
    section.add("dials with preface and HELLO, without waiting", "R-HSK-2", only: .client) { stage in
      let probe = try await stage.connect()
      try await probe.expectHello()
    }
    section.add("sends a HELLO whose fields are in their ranges", "R-HSK-4", "R-HSK-9", "R-HSK-42") { stage in
      let probe = try await stage.established()
      if let fault = await probe.peerHello?.fault {
        throw CaseFailure(expected: "fields in their ranges", actual: fault)
      }
    }
    section.add("names no target as an acceptor", "R-HSK-38", only: .server) { stage in
      let probe = try await stage.established()
      guard await probe.peerHello?.targetServerID.isEmpty == true else {
        throw CaseFailure(expected: "an empty target", actual: "one in the acceptor's HELLO")
      }
    }
    section.add("uses a new nonce and the same incarnation on each connection", "R-HSK-7", "R-HSK-8") {
      stage in
      let first = try await stage.greeted()
      let before = await first.peerHello
      await first.close()
      let second = try await stage.greeted()
      let after = await second.peerHello
      guard before?.nonce != after?.nonce else {
        throw CaseFailure(expected: "another nonce", actual: "the same one twice")
      }
      guard before?.incarnation == after?.incarnation else {
        throw CaseFailure(expected: "one incarnation", actual: "two of them")
      }
    }
    section.add("answers with its HELLO also where it refuses", "R-HSK-3", "R-HSK-33", only: .server) {
      stage in
      let probe = try await stage.connect()
      var hello = stage.hello()
      hello.clusterID = Array("another cluster".utf8)
      await probe.greet(hello)
      try await probe.expectHello()
      try await probe.expectRefusal(.wrongCluster)
    }
    for (title, change) in malformed {
      section.add("refuses a HELLO with \(title)", "R-HSK-4", "R-HSK-46", "R-HSK-23") { stage in
        let probe = try await stage.greeted(change)
        try await probe.expectRefusal(.malformedHello)
      }
    }
    section.add("skips HELLO extensions that it does not know", "R-HSK-5") { stage in
      let probe = try await stage.established {
        $0.extensions = [(0x7ABC, []), (0xFFFF, Array(repeating: 7, count: 300)), (0x7ABC, [1])]
      }
      try await probe.expectAlive()
    }
    section.add("takes a HELLO of 3,072 bytes", "R-HSK-43") { stage in
      let probe = try await stage.established { hello in
        hello.extensions = [(0x8001, Array(repeating: 0, count: 3_072 - hello.encoded.count - 4))]
      }
      try await probe.expectAlive()
    }
    section.add("ignores an acceptor's target", "R-HSK-6", only: .client) { stage in
      let probe = try await stage.established { $0.targetServerID = Array("somebody else".utf8) }
      try await probe.expectAlive()
    }
    section.add("takes the least window, frame and stream credit", "R-HSK-4", "R-ERR-9") { stage in
      let probe = try await stage.established { hello in
        (hello.maximumFramePayload, hello.initialWindow) = (4_096, 16_384)
        (hello.electionStreams, hello.appendStreams, hello.snapshotStreams) = (0, 0, 0)
      }
      try await probe.expectAlive()
    }
    return section.cases
  }()

  private static let malformed: [(String, @Sendable (inout ProbeHello) -> Void)] = [
    ("a minimum version of 0", { $0.minimumVersion = 0 }),
    ("the minimum version above the maximum", { ($0.minimumVersion, $0.maximumVersion) = (2, 1) }),
    ("a maximum frame payload of 4,095", { $0.maximumFramePayload = 4_095 }),
    ("a maximum frame payload of 65,537", { $0.maximumFramePayload = 65_537 }),
    ("an initial window of 16,383", { $0.initialWindow = 16_383 }),
    ("an initial window of 67,108,865", { $0.initialWindow = 67_108_865 }),
    ("an empty cluster ID", { $0.clusterID = [] }),
    ("a cluster ID of 256 bytes", { $0.clusterID = Array(repeating: 0x61, count: 256) }),
    ("an empty server ID", { $0.serverID = [] }),
    ("a server ID of 256 bytes", { $0.serverID = Array(repeating: 0x61, count: 256) }),
    ("an address of 256 bytes", { $0.address = Array(repeating: 0x61, count: 256) }),
    ("a target of 256 bytes", { $0.targetServerID = Array(repeating: 0x61, count: 256) }),
    ("a server ID that is no UTF-8", { $0.serverID = [0x61, 0xC3, 0x28] }),
    ("an address that is no UTF-8", { $0.address = [0xFF] }),
    ("its end inside the fixed fields", { $0.truncatedTo = 59 }),
    ("no fields at all", { $0.truncatedTo = 0 }),
    ("its end inside a string", { $0.truncatedTo = $0.encoded.count - 1 - $0.targetServerID.count - 2 }),
    ("its end inside an extension's header", { $0.garbage = [0x80, 0x01, 0x00] }),
    ("its end inside an extension", { $0.garbage = [0x80, 0x01, 0x00, 0x02, 0x00] }),
  ]

  private static let agreements: [ConformanceCase] = {
    var section = Section("agreement")
    section.add("refuses versions that it does not speak", "R-HSK-10", "R-HSK-23") { stage in
      let probe = try await stage.greeted {
        ($0.minimumVersion, $0.maximumVersion) = (0xFFF0, 0xFFFF)
      }
      try await probe.expectRefusal(.unsupportedVersion)
    }
    section.add("speaks version 1 with a peer that has later ones, too", "R-HSK-10") { stage in
      let probe = try await stage.established { $0.maximumVersion = 0xFFFF }
      try await probe.expectAlive()
    }
    section.add("ignores features and methods that it does not know", "R-HSK-12", "R-HSK-11") { stage in
      let probe = try await stage.established { hello in
        hello.features = ~ProbeHello.crc32
        hello.methods |= 0xFFFF_FFF8
      }
      try await probe.expectService()
    }
    for (title, methods) in [("no method", 0), ("unknown methods only", 0xFFFF_FFF8)] as [(String, UInt32)] {
      section.add("refuses a peer with \(title)", "R-HSK-13", "R-HSK-23") { stage in
        let probe = try await stage.greeted { $0.methods = methods }
        try await probe.expectRefusal(.unauthenticated)
      }
    }
    section.add("refuses another cluster", "R-HSK-33", "R-HSK-21", "R-HSK-23") { stage in
      let probe = try await stage.greeted { $0.clusterID.append(0x21) }
      try await probe.expectRefusal(.wrongCluster)
    }
    section.add("refuses a cluster whose name differs in case", "R-HSK-33") { stage in
      let other = stage.settings.clusterID.map {
        $0.isLowercase ? $0.uppercased() : $0.lowercased()
      }.joined()
      guard other != stage.settings.clusterID else { throw CaseSkipped("the cluster's name has no letters") }
      let probe = try await stage.greeted { $0.clusterID = Array(other.utf8) }
      try await probe.expectRefusal(.wrongCluster)
    }
    section.add("refuses a dialler that wants another server", "R-HSK-34", only: .server) { stage in
      let probe = try await stage.greeted { $0.targetServerID = Array("nobody's name".utf8) }
      try await probe.expectRefusal(.wrongServer)
    }
    section.add("takes a dialler that wants it by name", "R-HSK-34", only: .server) { stage in
      let name = try await stage.nameOfPeer()
      let probe = try await stage.established { $0.targetServerID = name }
      try await probe.expectAlive()
    }
    section.add("refuses an acceptor that is not the server it wants", "R-HSK-35", only: .client) { stage in
      let probe = try await stage.connect()
      let wanted = try await probe.expectHello().targetServerID
      guard !wanted.isEmpty else { throw CaseSkipped("the client wants whoever answers") }
      await probe.greet(stage.hello(id: "an impostor"))
      try await probe.expectRefusal(.wrongServer)
    }
    section.add("refuses a peer that bears its own server ID", "R-HSK-36") { stage in
      let name = try await stage.nameOfPeer()
      let probe = try await stage.greeted { $0.serverID = name }
      // A client that wants a certain server may find that it is another one first.
      try await probe.expectRefusal(.selfConnection)
    }
    section.add("refuses an acceptor that returns its nonce", "R-HSK-36", only: .client) { stage in
      let probe = try await stage.connect()
      var hello = stage.hello()
      hello.nonce = try await probe.expectHello().nonce
      await probe.greet(hello)
      try await probe.expectRefusal(.selfConnection)
    }
    section.add("tells one that it refuses nothing but HELLO and the reason", "R-SEC-7") { stage in
      let probe = try await stage.greeted { $0.clusterID = Array("another".utf8) }
      let what = "HELLO, at most AUTH, a refusing WELCOME, and the end"
      while let frame = try await probe.nextFrame(what) {
        guard FrameKind.isOfHandshake(frame.type) else {
          throw CaseFailure(expected: what, actual: "\(frame)")
        }
        if frame.type == FrameKind.welcome, frame.code == 0 {
          throw CaseFailure(expected: what, actual: "\(frame)")
        }
      }
    }
    section.add("reports the cluster first where version and method are wrong, too", "R-HSK-46") { stage in
      let probe = try await stage.greeted { hello in
        hello.clusterID = Array("another".utf8)
        (hello.minimumVersion, hello.methods) = (9, 0)
        hello.maximumVersion = 9
      }
      try await probe.expectRefusal(.wrongCluster)
    }
    return section.cases
  }()

  private static let authentications: [ConformanceCase] = {
    var section = Section("auth")
    section.add(
      "sends AUTH with the agreed method and without a wait", "R-HSK-16", "R-HSK-18", "R-HSK-14",
      method: Method.none
    ) {
      stage in
      let probe = try await stage.greeted()
      let frame = try await probe.expectAuthentication()
      guard frame.payload == [0] else {
        throw CaseFailure(expected: "AUTH with method 0 and no proof", actual: "payload \(frame.payload)")
      }
    }
    section.add("does not accept before it has our AUTH", "R-HSK-20", method: Method.none) { stage in
      let probe = try await stage.greeted()
      _ = try await probe.expectAuthentication()
      try await probe.expectQuiet(for: Probe.watch) { $0.type == FrameKind.welcome }
    }
    section.add("refuses AUTH with a method that was not agreed on", "R-HSK-17", "R-HSK-14") { stage in
      let probe = try await stage.greeted()
      // With a key a dialler proves first.
      if stage.subject == .client { _ = try await probe.expectAuthentication() }
      await probe.send(.authentication(method: 1))
      try await probe.expectRefusal(.unauthenticated)
    }
    section.add("refuses a proof where the method has none", "R-HSK-39", method: Method.none) { stage in
      let probe = try await stage.greeted()
      await probe.send(.authentication(method: 0, proof: [1, 2, 3]))
      try await probe.expectRefusal(.protocolViolation)
    }
    for (title, frames) in [
      ("AUTH in the place of HELLO", [.authentication()]),
      ("DATA in the place of HELLO", [.open(1, StreamClass.append)]),
    ] as [(String, [ProbeFrame])] {
      section.add("refuses \(title)", "R-HSK-28", "R-HSK-1") { stage in
        let probe = try await stage.connect()
        if stage.subject == .client { try await probe.expectHello() }
        await probe.sendBytes(FrameReader.preface + probe.encode(frames))
        try await probe.expectRefusal(.protocolViolation)
      }
    }
    section.add("refuses a second HELLO", "R-HSK-28", "R-HSK-1") { stage in
      let probe = try await stage.greeted()
      await probe.send(.hello(stage.hello()))
      try await probe.expectRefusal(.protocolViolation)
    }
    section.add("refuses WELCOME before AUTH", "R-HSK-28") { stage in
      let probe = try await stage.greeted()
      await probe.send(.welcome())
      try await probe.expectRefusal(.protocolViolation)
    }
    for frame in [
      .open(1, StreamClass.append), .ping(1), ProbeFrame(type: 0x80), .streams(1, 1_000),
      .goAway(last: 0, 0x0B),
      ProbeFrame(type: 0x33),
    ] as [ProbeFrame] {
      section.add("refuses \(FrameKind.name(frame.type)) before AUTH", "R-HSK-29") { stage in
        let probe = try await stage.greeted()
        await probe.send(frame)
        try await probe.expectRefusal(.protocolViolation)
      }
    }
    return section.cases
  }()

  private static let welcomes: [ConformanceCase] = {
    var section = Section("welcome")
    section.add(
      "accepts a peer that has done everything right", "R-HSK-20", "R-HSK-27", "R-HSK-30", "R-HSK-26",
      "R-HSK-43"
    ) { stage in
      let probe = try await stage.established()
      try await probe.expectAlive()
    }
    section.add("ignores flags of WELCOME that are not defined", "R-HSK-41", "R-HSK-25") { stage in
      let probe = try await stage.greeted()
      try await probe.authenticate(and: .welcome(flags: 0xFF))
      try await probe.expectAcceptance()
      try await probe.expectAlive()
    }
    section.add("ignores the winner's nonce in a WELCOME that is no duplicate", "R-HSK-47") { stage in
      let probe = try await stage.greeted()
      try await probe.authenticate(and: .welcome(winner: Array(repeating: 7, count: 16)))
      try await probe.expectAcceptance()
      try await probe.expectAlive()
    }
    section.add("does not mind a text in WELCOME that is no UTF-8", "R-FRM-28") { stage in
      let probe = try await stage.greeted()
      try await probe.authenticate(and: .welcome(text: [0xFF, 0x1B]))
      try await probe.expectAcceptance()
      try await probe.expectAlive()
    }
    for (title, payload) in [
      ("a Winner of 2", [0, 0, 0, 0, 0, 2, 0, 0]),
      ("a Winner and no nonce", [0, 0, 0, 0x24, 0, 1, 0, 0]),
      ("a text that is shorter than it says", [0, 0, 0, 0, 0, 0, 0, 9, 0x61]),
      ("a byte behind its fields", [0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ] as [(String, [UInt8])] {
      section.add("ends the connection after WELCOME with \(title)", "R-HSK-26") { stage in
        let probe = try await stage.greeted()
        try await probe.authenticate(and: ProbeFrame(type: FrameKind.welcome, payload: payload))
        try await probe.expectEndInHandshake(.protocolViolation)
      }
    }
    section.add(ending: .protocolViolation, after: "a second WELCOME", "R-HSK-28") { probe in
      await probe.send(.welcome())
    }
    section.add(ending: .protocolViolation, after: "AUTH behind the handshake", "R-HSK-28") { probe in
      await probe.send(.authentication())
    }
    section.add(ending: .protocolViolation, after: "HELLO behind the handshake", "R-HSK-28", "R-HSK-1") {
      probe in
      let again = ProbeFrame(type: FrameKind.hello, payload: await probe.hello?.encoded ?? [])
      await probe.send(again)
    }
    section.add("lets go of a connection that is refused", "R-HSK-22", "R-HSK-23") { stage in
      let probe = try await stage.greeted()
      await probe.send(.welcome(CodeName.busy.rawValue))
      await probe.finish()
      try await probe.expectEnding()
    }
    section.add("lets go of a connection that is refused with an unknown code", "R-ERR-3") { stage in
      let probe = try await stage.greeted()
      await probe.send(.welcome(0x1234_5678))
      await probe.finish()
      try await probe.expectEnding()
    }
    return section.cases
  }()

  private static let limits: [ConformanceCase] = {
    var section = Section("handshake-limits")
    for (title, type, length) in [
      ("HELLO of 3,073 bytes", FrameKind.hello, 3_073), ("HELLO of 4 GiB", FrameKind.hello, Int(UInt32.max)),
    ] {
      section.add("refuses \(title) at its header", "R-HSK-43", "R-HSK-31") { stage in
        let probe = try await stage.connect()
        if stage.subject == .client { try await probe.expectHello() }
        await probe.sendBytes(
          FrameReader.preface + ProbeFrame(type: type, declaredLength: UInt32(length)).encoded())
        try await probe.expectRefusal(.frameSize, .handshakeTooLarge)
      }
    }
    for (title, type, length) in [
      ("AUTH of no bytes", FrameKind.authentication, 0), ("AUTH of 258 bytes", FrameKind.authentication, 258),
    ] {
      section.add("refuses \(title)", "R-HSK-43") { stage in
        let probe = try await stage.greeted()
        await probe.send(ProbeFrame(type: type, payload: Array(repeating: 0, count: length)))
        try await probe.expectRefusal(.frameSize)
      }
    }
    for length in [7, 537] {
      section.add("ends the connection after WELCOME of \(length) bytes", "R-HSK-43") { stage in
        let probe = try await stage.greeted()
        try await probe.authenticate(
          and: ProbeFrame(type: FrameKind.welcome, payload: Array(repeating: 0, count: length)))
        try await probe.expectEndInHandshake(.frameSize)
      }
    }
    section.add("gives up after 5 seconds without HELLO", "R-HSK-32", waits: .seconds(12)) { stage in
      let probe = try await stage.connect()
      if stage.subject == .client { try await probe.expectHello() }
      await probe.sendBytes(FrameReader.preface + ProbeFrame.hello(stage.hello()).encoded().prefix(20))
      try await probe.expectRefusal(.handshakeTimeout)
      try await probe.checkHandshakeTime()
    }
    section.add("gives up after 5 seconds without WELCOME", "R-HSK-32", waits: .seconds(12)) { stage in
      let probe = try await stage.greeted()
      try await probe.authenticate()
      try await probe.expectEndInHandshake(.handshakeTimeout)
      try await probe.checkHandshakeTime()
    }
    section.add("gives up after 5 seconds although bytes keep coming", "R-HSK-32", waits: .seconds(12)) {
      stage in
      let probe = try await stage.connect()
      if stage.subject == .client { try await probe.expectHello() }
      // The preface at once: who has not got it by then closes without a byte.
      await probe.sendBytes(FrameReader.preface)
      for byte in ProbeFrame.hello(stage.hello()).encoded().prefix(16) where await probe.ending == nil {
        await probe.sendBytes([byte])
        _ = await probe.hearsAnything(within: .milliseconds(400))
      }
      try await probe.expectRefusal(.handshakeTimeout)
      try await probe.checkHandshakeTime()
    }
    return section.cases
  }()
}

extension Stage {
  /// The peer's own server ID, from the settings or from a connection that asks for it.
  func nameOfPeer() async throws -> [UInt8] {
    if let name = settings.targetID { return Array(name.utf8) }
    let probe = try await connect()
    if subject == .server { await probe.greet(hello(id: "\(settings.serverID)-asks-a-name")) }
    let name = try await probe.expectHello().serverID
    await probe.close()
    return name
  }
}

extension Probe {
  /// The peer has given the handshake up 5 seconds after the connection was made.
  func checkHandshakeTime() throws {
    try Timing.fiveSeconds.check(
      atLeastSince: beginning, atMostSince: beginning, "the end 5 seconds after the connection was made")
  }

  /// The end of a handshake in which the peer may have accepted already: a refusing WELCOME before, GOAWAY behind its
  /// accepting one.
  func expectEndInHandshake(_ code: CodeName) async throws {
    let what = "a refusing WELCOME, or GOAWAY behind an accepting one, with \(code), and half-close"
    while let frame = try await nextFrame(what) {
      if frame.type == FrameKind.welcome, frame.code == 0 { continue }
      guard frame.type == FrameKind.welcome || frame.type == FrameKind.goAway else { continue }
      guard frame.code == code.rawValue else { throw CaseFailure(expected: what, actual: "\(frame)") }
      if let further = try await nextFrame("the end of input behind \(frame)") {
        throw CaseFailure(expected: "the end of input behind \(frame)", actual: "\(further)")
      }
      return
    }
    throw CaseFailure(expected: what, actual: "the peer closed the connection without it (\(recently))")
  }

  /// The peer's end of input, whatever it says before.
  func expectEnding() async throws {
    while try await nextFrame("the end of input") != nil {}
  }
}
