internal import NIOCore

/// The page errors: what a hostile peer does, and what it gets.
enum ErrorCases {
  static let all: [ConformanceCase] = {
    var section = Section("errors")
    section.add("says in words what was wrong", "R-ERR-6") { stage in
      let probe = try await stage.established()
      await probe.send(ProbeFrame(type: 0x3F))
      let frame = try await probe.nextGoAway("GOAWAY with a text")
      guard !frame.text.isEmpty else { throw CaseFailure(expected: "GOAWAY with a text", actual: "\(frame)") }
    }
    section.add("says in words why it refuses", "R-ERR-6") { stage in
      let probe = try await stage.greeted { $0.clusterID = Array("elsewhere".utf8) }
      _ = try? await probe.expectAuthentication()
      try await probe.expectEnding()
      guard let text = await probe.peerWelcome?.text, !text.isEmpty else {
        throw CaseFailure(expected: "a refusal with a text", actual: await probe.recently)
      }
    }
    section.add("survives noise in the place of frames", "R-ERR-9") { stage in
      let probe = try await stage.established()
      await probe.sendBytes((0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) })
      try await probe.expectEnding()
      try await stage.expectHealth()
    }
    section.add("survives a peer that vanishes in the middle of a request", "R-ERR-9") { stage in
      let probe = try await stage.established()
      try await probe.hold()
      await probe.close()
      try await stage.expectHealth()
    }
    section.add("survives a peer that never reads", "R-ERR-9", "R-SCH-12") { stage in
      let probe = try await stage.established()
      for number in 0..<20 { await probe.send(.ping(UInt64(number))) }
      await probe.close()
      try await stage.expectHealth()
    }
    section.add("survives a half-close behind a request, or answers it", "R-DRN-19", "R-ERR-9") { stage in
      let probe = try await stage.established()
      _ = try await probe.open(Requests.append(), fin: true)
      await probe.finish()
      try await probe.expectEnding()
      try await stage.expectHealth()
    }
    return section.cases
  }()
}

extension Stage {
  /// The peer takes a new connection and serves on it.
  func expectHealth() async throws {
    let name = hello().serverID + Array("-again".utf8)
    let isServer = subject == .server
    let probe = try await established { if isServer { $0.serverID = name } }
    try await probe.expectAlive()
  }
}
