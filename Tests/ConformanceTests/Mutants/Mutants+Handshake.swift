import ConformanceSuite

extension Mutants {
  static let handshake: [Mutant] = [
    .says("R-HSK-1", "sends HELLO twice") { _, frame in frame.type == FrameKind.hello ? [frame, frame] : nil
    },
    .says("R-HSK-2", "waits for the acceptor", as: .client) { _, frame in
      frame.type == FrameKind.hello ? [] : nil
    },
    .says("R-HSK-3", "refuses without its HELLO") { _, frame in frame.type == FrameKind.hello ? [] : nil },
    .readsHello("R-HSK-4", "takes a HELLO whose fields are out of range") { memory, hello in
      (hello.minimumVersion, hello.maximumVersion) = (1, max(1, hello.maximumVersion))
      hello.maximumFramePayload = min(65_536, max(4_096, hello.maximumFramePayload))
      hello.initialWindow = min(67_108_864, max(16_384, hello.initialWindow))
      hello.clusterID = Array(PeersUnderTest.clusterID.utf8)
    },
    .mishears("R-HSK-5", "does not bear extensions") { _, frame in
      guard frame.type == FrameKind.hello, let hello = ProbeHello(decoding: frame.payload),
        !hello.extensions.isEmpty
      else { return nil }
      return poison(of: frame)
    },
    .readsHello("R-HSK-6", "minds the target of an acceptor", as: .client) { _, hello in
      if !hello.targetServerID.isEmpty { hello.clusterID = [0x21] }
    },
    .sendsHello("R-HSK-7", "uses one nonce for ever") { $0.nonce = Array(repeating: 7, count: 16) },
    .sendsHello("R-HSK-8", "has a new incarnation on each connection") {
      $0.incarnation = .random(in: 0...(.max))
    },
    .says("R-HSK-9", "has another layout of HELLO") { _, frame in
      frame.type == FrameKind.hello ? [frame.with { $0.payload.insert(contentsOf: [0, 0], at: 0) }] : nil
    },
    .readsHello("R-HSK-10", "speaks any version") { _, hello in hello.minimumVersion = 1 },
    .readsHello("R-HSK-12", "minds unknown features") { _, hello in
      if hello.features > 1 { hello.methods = 0 }
    },
    .readsHello("R-HSK-13", "needs no method") { _, hello in hello.methods |= 1 },
    .says("R-HSK-14", "uses a method that was not agreed on") { _, frame in
      frame.type == FrameKind.authentication ? [.authentication(method: 1)] : nil
    },
    .says("R-HSK-16", "sends no AUTH") { _, frame in frame.type == FrameKind.authentication ? [] : nil },
    .mishears("R-HSK-17", "takes any method") { _, frame in
      frame.type == FrameKind.authentication ? .authentication() : nil
    },
    Mutant(requirement: "R-HSK-18", fault: "waits for the peer's AUTH") { memory, direction, frame in
      if direction == .toSuite, frame.type == FrameKind.authentication, memory.counts["AUTH"] == nil {
        return Mutant.Traffic()
      }
      guard direction == .toPeer, frame.type == FrameKind.authentication else { return nil }
      _ = memory.count("AUTH")
      return Mutant.Traffic(toPeer: [frame], toSuite: [.authentication()])
    },
    .says("R-HSK-20", "accepts before it has our AUTH") { memory, frame in
      switch frame.type {
      case FrameKind.authentication: [frame, .welcome()]
      case FrameKind.welcome: []
      default: nil
      }
    },
    .says("R-HSK-21", "refuses without a word") { _, frame in
      frame.type == FrameKind.welcome && frame.code != 0 ? [] : nil
    },
    .says("R-HSK-23", "goes on behind its refusal") { _, frame in
      frame.type == FrameKind.welcome && frame.code != 0 ? [frame, .ping(1)] : nil
    },
    .welcomes("R-HSK-26", "puts a byte behind its WELCOME") { $0.append(0) },
    .welcomes("R-HSK-26", "has a Winner of 2") { $0[5] = 2 },
    .welcomes("R-HSK-26", "has a text of 513 bytes") {
      $0 = Array($0.prefix(6)) + [2, 1] + Array(repeating: 0x61, count: 513)
    },
    .welcomes("R-HSK-43", "has a WELCOME of 7 bytes") { $0 = Array($0.prefix(7)) },
    .welcomes("R-HSK-41", "sets flags that nobody knows") { $0[4] |= 0x40 },
    .says("R-HSK-43", "has an AUTH of no bytes") { _, frame in
      frame.type == FrameKind.authentication ? [ProbeFrame(type: frame.type)] : nil
    },
    .mishears("R-HSK-26", "takes any WELCOME") { _, frame in
      frame.type == FrameKind.welcome && frame.payload.count < 20 ? .welcome() : nil
    },
    .says("R-HSK-27", "sends PING in the handshake") { _, frame in
      frame.type == FrameKind.authentication ? [frame, .ping(1)] : nil
    },
    Mutant(requirement: "R-HSK-28", fault: "skips what comes twice or early in the handshake") {
      memory, direction, frame in
      guard direction == .toPeer, FrameKind.isOfHandshake(frame.type) else { return nil }
      let isEarly =
        frame.type == FrameKind.authentication && memory.counts["1"] == nil
        || frame.type == FrameKind.welcome && memory.counts["2"] == nil
      return isEarly || memory.count("\(frame.type)") > 1 ? Mutant.Traffic() : nil
    },
    Mutant(requirement: "R-HSK-29", fault: "skips what does not belong in the handshake") {
      memory, direction, frame in
      guard direction == .toPeer else { return nil }
      if frame.type == FrameKind.welcome { _ = memory.count("WELCOME") }
      let isEarly = memory.counts["WELCOME"] == nil && !FrameKind.isOfHandshake(frame.type)
      return isEarly ? Mutant.Traffic() : nil
    },
    .sendsHello("R-HSK-30", "has a handshake of 5,000 bytes") { hello in
      hello.extensions = [(0x8001, Array(repeating: 0, count: 4_900))]
    },
    .sendsHello("R-HSK-42", "has a HELLO of 3,100 bytes") { hello in
      hello.extensions = [(0x8001, Array(repeating: 0, count: 3_100 - hello.encoded.count - 4))]
    },
    Mutant(
      requirement: "R-HSK-31", fault: "skips a HELLO that is too long",
      manners: .init(swallowsOversized: true)),
    .deaf("R-HSK-43", "skips AUTH and WELCOME of wrong lengths") {
      $0.type == FrameKind.authentication && !(1...257).contains($0.payload.count)
        || $0.type == FrameKind.welcome && !(8...536).contains($0.payload.count)
    },
    Mutant(
      requirement: "R-HSK-32", fault: "waits for ever", manners: .init(keepsOpen: true)
    ) { _, direction, frame in
      direction == .toSuite && frame.type == FrameKind.welcome && frame.code != 0 ? Mutant.Traffic() : nil
    },
    Mutant(requirement: "R-HSK-32", fault: "gives up at once") { _, direction, frame in
      if direction == .toPeer {
        return frame.type == FrameKind.authentication ? Mutant.toPeer(Mutant.poison) : nil
      }
      guard frame.type == FrameKind.welcome, frame.code != 0 else { return nil }
      return Mutant.toSuite(.welcome(CodeName.handshakeTimeout.rawValue))
    },
    .sendsHello("R-HSK-38", "names a target as an acceptor") { $0.targetServerID = [0x61] },
    .mishears("R-HSK-39", "takes a proof that it cannot check") { _, frame in
      frame.type == FrameKind.authentication && frame.payload.first == 0 ? .authentication() : nil
    },
    .mishears("R-HSK-41", "minds undefined flags of WELCOME") { _, frame in
      guard frame.type == FrameKind.welcome, frame.payload.count > 5, frame.payload[4] > 1 else { return nil }
      return frame.with { $0.payload[5] = 2 }
    },
  ]

  private static func poison(of hello: ProbeFrame) -> ProbeFrame {
    hello.with { $0.payload = Array($0.payload.prefix(3)) }
  }

  static let refusals: [Mutant] = [
    .readsHello("R-HSK-33", "takes any cluster") { _, hello in
      hello.clusterID = Array(PeersUnderTest.clusterID.utf8)
    },
    .readsHello("R-HSK-34", "takes any target") { _, hello in hello.targetServerID = [] },
    .readsHello("R-HSK-35", "takes any server", as: .client) { _, hello in
      hello.serverID = Array(PeersUnderTest.suiteID.utf8)
    },
    .readsHello("R-HSK-36", "takes itself for somebody else") { _, hello in hello.serverID.append(0x61) },
    .readsHello("R-HSK-36", "does not know its own nonce", as: .client) { _, hello in
      hello.nonce = Array(repeating: 9, count: 16)
    },
  ]

  static let pairs: [Mutant] = [
    .says("R-PAIR-1", "refuses duplicates though it is not the arbiter") { memory, frame in
      guard frame.type == FrameKind.welcome, memory.hello?.serverID.first == 0x7E,
        memory.shared.count("connections") > 1
      else { return nil }
      return [.welcome(CodeName.duplicate.rawValue, winner: Array(repeating: 0, count: 16))]
    },
    .readsHello("R-PAIR-2", "takes any number of connections") { memory, hello in
      if hello.serverID.first == 0x21 { hello.serverID += Array("\(memory.shared.count("!"))".utf8) }
    },
    .says("R-PAIR-4", "does not name the winner") { _, frame in
      frame.code == CodeName.duplicate.rawValue ? [.welcome(CodeName.duplicate.rawValue)] : nil
    },
    .readsHello("R-PAIR-5", "refuses a second connection though the first one has gone") { memory, hello in
      if hello.serverID.first == 0x21, memory.shared.count("!") > 1 { hello.clusterID = [0x61] }
    },
    Mutant(requirement: "R-PAIR-8", fault: "does not wait for the answer to its probe") {
      memory, direction, frame in
      guard direction == .toSuite, memory.hello?.incarnation == 1_000 else { return nil }
      // The first one follows the handshake.
      if frame.type == FrameKind.ping, memory.count("PING") == 2 { return Mutant.toPeer(Mutant.poison) }
      return frame.type == FrameKind.goAway
        ? Mutant.toSuite(frame.with { $0.setCode(CodeName.displaced.rawValue) }) : nil
    },
    .readsHello("R-PAIR-7", "does not probe an incumbent") { _, hello in
      hello.incarnation = min(hello.incarnation, 1_000)
    },
    .says("R-PAIR-8", "refuses the newcomer though the incumbent is dead") { memory, frame in
      guard frame.type == FrameKind.welcome, memory.hello?.incarnation == 1_001 else { return nil }
      return [.welcome(CodeName.duplicate.rawValue, winner: Array(repeating: 0, count: 16))]
    },
    .says("R-PAIR-9", "keeps an incumbent that it has displaced") { _, frame in
      frame.type == FrameKind.goAway && frame.code == CodeName.displaced.rawValue ? [] : nil
    },
    .readsHello("R-PAIR-11", "takes a server that was started before") { _, hello in
      hello.incarnation = max(hello.incarnation, 1_000)
    },
    .says("R-PAIR-13", "claims a route to everybody") { _, frame in
      frame.type == FrameKind.welcome && frame.code == 0 ? [.welcome(flags: 1)] : nil
    },
    .says("R-PAIR-15", "calls whoever dials it") { _, frame in
      FrameKind.isIgnorable(frame.type) ? [frame, .open(2, StreamClass.election, [0])] : nil
    },
    .says("R-SEC-4", "trusts a claimed name") { _, frame in
      frame.type == FrameKind.welcome && frame.code == 0 ? [.welcome(flags: 1)] : nil
    },
    .touchy("R-HSK-47", "does not bear a nonce that means nothing") { _, frame in
      frame.type == FrameKind.welcome && frame.payload.count > 5 && frame.payload[5] == 1
    },
    .says("R-SEC-7", "says more to a stranger than it should") { _, frame in
      frame.type == FrameKind.hello ? [frame, .goAway(last: 0, 0x0B)] : nil
    },
  ]
}

extension Mutant {
  /// A server whose accepting WELCOME has another payload.
  fileprivate static func welcomes(
    _ requirement: String, _ fault: String, _ change: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Mutant {
    says(requirement, fault) { _, frame in
      frame.type == FrameKind.welcome && frame.code == 0 ? [frame.with { change(&$0.payload) }] : nil
    }
  }
}
