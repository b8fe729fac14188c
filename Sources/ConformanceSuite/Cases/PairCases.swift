internal import NIOCore

/// One connection per pair, as an acceptor shows it. A dialler's side of it needs more than one place to dial.
enum PairCases {
  static let all: [ConformanceCase] = {
    var section = Section("pair")
    section.add(
      "refuses a second connection as duplicate and names the first", "R-PAIR-2", "R-PAIR-4", only: .server
    ) {
      stage in
      let name = try await stage.name(isBelowPeer: true)
      let first = try await stage.established { $0.serverID = name }
      let second = try await stage.offered { $0.serverID = name }
      try await second.expectRefusal(.duplicate)
      let winner = await second.peerWelcome?.winnerNonce
      guard let nonce = await first.hello?.nonce, winner == nonce else {
        throw CaseFailure(expected: "the first dialler's nonce as the winner", actual: "\(winner ?? [])")
      }
      try await first.expectAlive()
    }
    section.add("accepts both connections where it is not the arbiter", "R-PAIR-1", only: .server) { stage in
      let name = try await stage.name(isBelowPeer: false)
      let first = try await stage.established { $0.serverID = name }
      let second = try await stage.established { $0.serverID = name }
      try await second.expectAlive()
      await first.close()
    }
    section.add("refuses a server that was started before the one it knows", "R-PAIR-11", only: .server) {
      stage in
      let name = try await stage.name(isBelowPeer: true)
      let first = try await stage.established { ($0.serverID, $0.incarnation) = (name, 1_000) }
      let second = try await stage.offered { ($0.serverID, $0.incarnation) = (name, 999) }
      try await second.expectRefusal(.staleIncarnation)
      try await first.expectAlive()
    }
    section.add(
      "keeps an incumbent that answers its probe, though the newcomer was started later", "R-PAIR-2",
      "R-PAIR-7",
      only: .server
    ) { stage in
      let name = try await stage.name(isBelowPeer: true)
      let first = try await stage.established { ($0.serverID, $0.incarnation) = (name, 1_000) }
      let second = try await stage.offered { ($0.serverID, $0.incarnation) = (name, 1_001) }
      try await second.expectRefusal(.duplicate)
      try await first.expectAlive()
    }
    section.add(
      "displaces an incumbent that does not answer its probe", "R-PAIR-8", "R-PAIR-9", "R-PAIR-7",
      only: .server,
      waits: .seconds(8)
    ) { stage in
      let name = try await stage.name(isBelowPeer: true)
      let first = try await stage.established(manners: .init(answersPings: false)) {
        ($0.serverID, $0.incarnation) = (name, 1_000)
      }
      let begin = NIODeadline.now()
      let second = try await stage.offered { ($0.serverID, $0.incarnation) = (name, 1_001) }
      try await second.expectAcceptance()
      // No PING of the first connection was answered, so that there is no round-trip time to make it longer. The probe
      // may have begun with the newcomer's HELLO.
      try Timing.probe.check(
        atLeastSince: begin, atMostSince: begin, "a WELCOME when a probe of 1 to 3 seconds is over")
      let what = "GOAWAY with displaced on the old connection"
      let frame = try await first.nextGoAway(what)
      guard frame.code == CodeName.displaced.rawValue else {
        throw CaseFailure(expected: what, actual: "\(frame)")
      }
      try await second.expectAlive()
    }
    section.add("accepts a connection when the one before it has gone", "R-PAIR-5", only: .server) { stage in
      let name = try await stage.name(isBelowPeer: true)
      let first = try await stage.established { $0.serverID = name }
      await first.finish()
      try await first.expectEnding()
      await first.close()
      let second = try await stage.established { $0.serverID = name }
      try await second.expectAlive()
    }
    section.add(
      "does not claim a route to a server that nobody asked it to call", "R-PAIR-13", "R-SEC-4", only: .server
    ) { stage in
      let probe = try await stage.established()
      let flags = await probe.peerWelcome?.payload.dropFirst(4).first ?? 0
      guard flags & 1 == 0 else { throw CaseFailure(expected: "no route flag", actual: "route") }
    }
    section.add("opens no stream to a server that nobody asked it to call", "R-PAIR-15", only: .server) {
      stage in
      let probe = try await stage.established()
      for frame in try await probe.expectAlive() where frame.isOpening {
        throw CaseFailure(expected: "no stream of the acceptor", actual: "\(frame)")
      }
    }
    return section.cases
  }()
}

extension Stage {
  /// A server ID of this case alone that is smaller or greater than the peer's.
  func name(isBelowPeer: Bool) async throws -> [UInt8] {
    let peer = try await nameOfPeer()
    let own = Array("\(isBelowPeer ? "!" : "~")\(hello().serverIDText)".utf8)
    guard own.lexicographicallyPrecedes(peer) == isBelowPeer else {
      throw CaseSkipped("there is no printable server ID \(isBelowPeer ? "below" : "above") the peer's")
    }
    return own
  }

  /// A connection on which everything was said that the peer needs to accept or refuse.
  func offered(_ change: @Sendable (inout ProbeHello) -> Void) async throws -> Probe {
    let probe = try await greeted(change)
    try await probe.authenticate(and: .welcome())
    return probe
  }
}

extension Timing {
  /// The time that an incumbent has to answer.
  static let probe = Timing(least: .milliseconds(900), most: .seconds(8))
}

extension ProbeHello {
  var serverIDText: String { String(decoding: serverID, as: UTF8.self) }
}

extension Probe {
  /// The next GOAWAY, whatever its code is.
  func nextGoAway(_ what: String) async throws -> ProbeFrame {
    while let frame = try await nextFrame(what) {
      if frame.type == FrameKind.goAway { return frame }
    }
    throw CaseFailure(expected: what, actual: "the peer closed the connection without it (\(recently))")
  }
}
