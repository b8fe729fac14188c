internal import NIOCore

/// The page limits: floods, and what is no flood yet.
enum LimitCases {
  static let all: [ConformanceCase] = {
    var section = Section("limits")
    for flood in Flood.all {
      section.add("ends the connection after \(flood.excess) \(flood.name)", "R-LIM-3") { stage in
        let probe = try await stage.established()
        await probe.send(try await flood.frames(flood.excess, probe))
        let frame = try await probe.nextGoAway("GOAWAY with excessiveLoad")
        guard frame.code == CodeName.excessiveLoad.rawValue else {
          throw CaseFailure(expected: "GOAWAY with excessiveLoad", actual: "\(frame)")
        }
        guard !frame.text.isEmpty else {
          throw CaseFailure(expected: "a text that names the budget", actual: "\(frame)")
        }
      }
      section.add("bears \(flood.burst) \(flood.name)", "R-LIM-4") { stage in
        let probe = try await stage.established()
        await probe.send(try await flood.frames(flood.burst, probe))
        // The PING that asks is one of its own kind, and budgets fill again: from when the peer has seen the last one,
        // however long that was on its way. The newest is always answered (R-LIV-2).
        if flood.name == "PINGs" {
          _ = try await probe.expect("PONG of the last PING") { frame in
            frame.type == FrameKind.pong && frame.number == UInt64(flood.burst - 1) ? frame : nil
          }
          try await Task.sleep(for: .milliseconds(250))
        }
        try await probe.expectAlive()
      }
    }
    section.add("does not count DATA as tiny that ends at the window", "R-LIM-6") { stage in
      let probe = try await stage.established()
      let stream = try await probe.openRefused()
      let window = Int(await probe.peerHello?.initialWindow ?? 0)
      let most = Int(await probe.peerHello?.maximumFramePayload ?? 0)
      var frames: [ProbeFrame] = []
      var left = window - 1
      while left > 0 {
        let count = min(left, most)
        frames.append(.data(stream, Array(repeating: 0, count: count), more: true))
        left -= count
      }
      await probe.send(frames + [.data(stream, [0], more: true)])
      try await probe.expectAlive()
    }
    return section.cases
  }()
}

/// A kind of frames that cost the receiver more than the sender.
private struct Flood: Sendable {
  let name: String
  /// As many as a peer bears at once.
  let burst: Int
  /// More than it bears, with what it regains meanwhile.
  let excess: Int
  let frames: @Sendable (Int, Probe) async throws -> [ProbeFrame]

  static let all = [
    // One PING may be needed to see that the peer lives.
    Flood(name: "PINGs", burst: 32, excess: 400) { count, _ in (0..<count).map { .ping(UInt64($0)) } },
    Flood(name: "ignorable frames", burst: 63, excess: 800) { count, _ in
      (0..<count).map { ProbeFrame(type: 0x80 | UInt8($0 % 128), payload: [UInt8($0 % 256)]) }
    },
    Flood(name: "empty DATA frames", burst: 64, excess: 800) { count, probe in
      let stream = try await probe.open([0])
      return (0..<count).map { _ in .data(stream) }
    },
    Flood(name: "tiny DATA frames with MORE", burst: 1_024, excess: 8_000) { count, probe in
      let stream = try await probe.openRefused()
      return (0..<count).map { _ in .data(stream, [0x61], more: true) }
    },
    Flood(name: "CREDIT frames that change nothing", burst: 1_000, excess: 20_000) { count, probe in
      let stream = try await probe.open([0])
      return (0..<count).map { _ in .credit(stream, 1) }
    },
    Flood(name: "PONGs that answer nothing", burst: 1_000, excess: 20_000) { count, _ in
      (0..<count).map { .pong(UInt64($0)) }
    },
    Flood(name: "STREAMS frames that change nothing", burst: 64, excess: 800) { count, _ in
      (0..<count).map { _ in .streams(StreamClass.append, 0) }
    },
    Flood(name: "openings of unknown classes", burst: 1_000, excess: 20_000) { count, probe in
      var frames: [ProbeFrame] = []
      for _ in 0..<count {
        let stream = await probe.newStream()
        frames += [.open(stream, 9), .reset(stream, 0x40)]
      }
      return frames
    },
    Flood(name: "repeated GOAWAY frames", burst: 500, excess: 20_000) { count, probe in
      try await probe.hold()
      return (0..<count).map { _ in .goAway(last: .max, 0x0C) }
    },
  ]
}
