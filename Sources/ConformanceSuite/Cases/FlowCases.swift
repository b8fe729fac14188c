internal import NIOCore

/// The page flow control: credit of streams, stream credit, large messages.
enum FlowCases {
  static let all: [ConformanceCase] = {
    var section = Section("flow")
    section.add("takes a whole window on a stream that it has refused", "R-STR-19", "R-FLW-2") { stage in
      let probe = try await stage.established()
      let stream = try await probe.openRefused()
      await probe.send(await probe.frames(filling: stream))
      try await probe.expectAlive()
    }
    section.add(ending: .flowControl, after: "one byte more than the window", "R-FLW-2") { probe in
      let stream = try await probe.openRefused()
      await probe.send(await probe.frames(filling: stream) + [.data(stream, [0])])
    }
    section.add(
      ending: .flowControl, after: "an election stream with one byte more than its window", "R-FLW-2"
    ) { probe in
      let stream = try await probe.openRefused(StreamClass.election)
      await probe.send(await probe.frames(filling: stream) + [.data(stream, [0])])
    }
    section.add("does not count the group id, FIN and empty DATA against the window", "R-FRM-24", "R-FLW-5") {
      stage in
      let probe = try await stage.established()
      let stream = try await probe.openRefused()
      await probe.send(await probe.frames(filling: stream) + [.data(stream), .data(stream, fin: true)])
      try await probe.expectAlive()
    }
    section.add("grants no credit on a half that it has stopped", "R-FLW-7") { stage in
      let probe = try await stage.established()
      let stream = try await probe.openRefused()
      await probe.send(await probe.frames(filling: stream))
      for frame in try await probe.expectAlive()
      where frame.type == FrameKind.credit && frame.stream == stream {
        throw CaseFailure(expected: "no CREDIT", actual: "\(frame)")
      }
    }
    section.add("ignores CREDIT that is not greater than before", "R-FLW-4") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Array(Requests.append().prefix(3)))
      await probe.send(
        .credit(stream, 1 << 40), .credit(stream, 1 << 40), .credit(stream, 0),
        .data(stream, Array(Requests.append().dropFirst(3)), fin: true))
      try await Requests.checkAnswers(probe.expectAnswer(stream))
      try await probe.expectAlive()
    }
    section.add("takes CREDIT up to 2^64 - 1", "R-FLW-4", "R-ERR-9") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(Array(Requests.append().prefix(3)))
      await probe.send(.credit(stream, .max), .data(stream, Array(Requests.append().dropFirst(3)), fin: true))
      try await Requests.checkAnswers(probe.expectAnswer(stream))
    }
    section.add("ignores STREAMS that is not greater than before", "R-FLW-21") { stage in
      let probe = try await stage.established()
      for trafficClass in StreamClass.election...StreamClass.snapshot {
        await probe.send(
          .streams(trafficClass, 1 << 30), .streams(trafficClass, 0), .streams(trafficClass, 1 << 30))
      }
      try await probe.expectAlive()
    }
    section.add("takes STREAMS up to 2^64 - 1", "R-FLW-21", "R-ERR-9") { stage in
      let probe = try await stage.established()
      await probe.send(.streams(StreamClass.append, .max))
      try await probe.expectAlive()
      try await probe.expectService()
    }
    section.add("grants further credit when requests were answered", "R-FLW-6", "R-FLW-3") { stage in
      let probe = try await stage.established()
      let window = Int(await probe.peerHello?.initialWindow ?? 262_144)
      guard window <= 1 << 21 else { throw CaseSkipped("the peer's window is larger than this case fills") }
      let size = max(1_024, min(32_768, window / 8))
      let request = Requests.append(dataBytes: size)
      let stream = try await probe.open()
      var sent = 0
      var limit = window
      var credits = 0
      while credits < 2 {
        while sent + request.count <= limit, sent < 4 * window {
          await probe.send(.data(stream, request))
          sent += request.count
        }
        let frame = try await probe.expect("CREDIT on stream \(stream)") { frame in
          frame.stream == stream && frame.type == FrameKind.credit ? frame : nil
        }
        limit = Int(clamping: frame.number ?? 0)
        credits += 1
      }
      await probe.send(.data(stream, fin: true))
      _ = try await probe.expect("FIN on stream \(stream)") { $0.stream == stream && $0.isLast ? $0 : nil }
    }
    section.add("takes a message that is larger than its window", "R-FLW-16", "R-FLW-11") { stage in
      let probe = try await stage.established()
      let window = Int(await probe.peerHello?.initialWindow ?? 262_144)
      guard window <= 1 << 22 else { throw CaseSkipped("the peer's window is larger than this case fills") }
      let stream = try await probe.open()
      try await probe.upload(Requests.append(dataBytes: 2 * window + 1), on: stream)
      try await Requests.checkAnswers(probe.expectAnswer(stream))
    }
    section.add("takes two messages larger than its window at once", "R-FLW-16") { stage in
      let probe = try await stage.established()
      let window = Int(await probe.peerHello?.initialWindow ?? 262_144)
      guard window <= 1 << 22 else { throw CaseSkipped("the peer's window is larger than this case fills") }
      let request = Requests.append(dataBytes: window + window / 2)
      let first = try await probe.open()
      let second = try await probe.open()
      await probe.send(
        await probe.frames(filling: first, with: request) + probe.frames(filling: second, with: request))
      try await probe.uploadRest(of: request, from: window, on: [first, second])
      for _ in 0..<2 {
        _ = try await probe.expect("FIN on both streams") { frame in
          [first, second].contains(frame.stream) && frame.isLast ? frame : nil
        }
      }
    }
    section.add("stops a message that is larger than any it takes", "R-FLW-17", "R-PAY-39", "R-ERR-8") {
      stage in
      let probe = try await stage.established()
      // A map with one field, whose name is said to have 2 GiB.
      let stream = try await probe.open([0x00, 0x81, 0xDB, 0x7F, 0xFF, 0xFF, 0xFF, 0x61])
      try await probe.expectStop(stream, .messageTooLarge)
      try await probe.expectAlive()
    }
    for trafficClass in [StreamClass.snapshot, StreamClass.election] {
      section.add(
        "ends the connection when too many streams of class \(StreamClass.name(trafficClass)) are open",
        "R-FLW-19"
      ) {
        stage in
        let probe = try await stage.established()
        let count = Int(await probe.peerHello?.streamCredit(trafficClass) ?? 0)
        guard count <= 4_096 else { throw CaseSkipped("the peer takes more streams than this case opens") }
        var frames: [ProbeFrame] = []
        for _ in 0...count {
          frames.append(.open(await probe.newStream(), trafficClass, group: stage.settings.group, [0]))
        }
        await probe.send(Array(frames.dropLast()))
        try await probe.expectAlive("that many streams, which were granted")
        await probe.send(frames[count])
        try await probe.expectEnd(.streamLimit)
      }
    }
    section.add("counts refused streams as streams of their class", "R-FLW-24") { stage in
      let probe = try await stage.established()
      let count = Int(await probe.peerHello?.snapshotStreams ?? 0)
      guard count <= 512 else { throw CaseSkipped("the peer takes more snapshots than this case opens") }
      for _ in 0..<count {
        let stream = await probe.newStream()
        await probe.send(.open(stream, StreamClass.snapshot, encoding: 2, group: stage.settings.group))
        try await probe.expectRefusedStream(stream, .unknownEncoding)
      }
      await probe.send(.open(await probe.newStream(), StreamClass.snapshot, group: stage.settings.group, [2]))
      try await probe.expectEnd(.streamLimit)
    }
    section.add("does not give a place back before both halves have ended", "R-FLW-22") { stage in
      let probe = try await stage.established()
      let count = Int(await probe.peerHello?.snapshotStreams ?? 0)
      guard (1...512).contains(count) else {
        throw CaseSkipped("no number of snapshots that this case opens")
      }
      for _ in 0..<count { try await probe.open(StreamClass.snapshot, [2]) }
      for frame in try await probe.expectAlive()
      where frame.type == FrameKind.streams && frame.trafficClass == StreamClass.snapshot {
        throw CaseFailure(expected: "no STREAMS while all streams are open", actual: "\(frame)")
      }
    }
    for trafficClass in [StreamClass.election, StreamClass.append, StreamClass.snapshot] {
      section.add(
        "gives places of class \(StreamClass.name(trafficClass)) back when streams are over", "R-FLW-23",
        "R-FLW-20"
      ) {
        stage in
        let probe = try await stage.established()
        let count = Int(await probe.peerHello?.streamCredit(trafficClass) ?? 0)
        guard (1...4_096).contains(count) else {
          throw CaseSkipped("no number of streams that this case opens")
        }
        for _ in 0..<max(1, (count + 3) / 4) {
          let stream = try await probe.open(trafficClass, [0])
          await probe.send(.reset(stream, 0x40), .stop(stream, 0x40))
          try await probe.expectCancelled(stream)
        }
        let frame = try await probe.expect("STREAMS of class \(StreamClass.name(trafficClass))") { frame in
          frame.type == FrameKind.streams && frame.trafficClass == trafficClass ? frame : nil
        }
        guard let total = frame.number, total > UInt64(count) else {
          throw CaseFailure(expected: "a total above \(count)", actual: "\(frame)")
        }
      }
    }
    section.add(
      "takes elections and appends while a handler waits for its body", "R-LIM-12", "R-SCH-13"
    ) { stage in
      let probe = try await stage.established()
      // Whoever is handed the snapshot can do nothing until the rest has come.
      let held = try await probe.open(
        StreamClass.snapshot, Requests.snapshot(size: 1_000) + Array(repeating: 0x61, count: 500))
      let stream = try await probe.open(StreamClass.election, Requests.heartbeat, fin: true)
      try await Requests.checkAnswers(probe.expectAnswer(stream))
      try await probe.expectService()
      await probe.letGo(of: held, .cancelled)
      try await probe.expectAlive()
    }
    section.add("takes elections while no other stream has room", "R-FLW-27", "R-FLW-5") { stage in
      let probe = try await stage.established()
      let count = Int(await probe.peerHello?.snapshotStreams ?? 0)
      for _ in 0..<min(count, 512) { try await probe.open(StreamClass.snapshot, [2]) }
      let held = try await probe.open(Array(Requests.append().dropLast()))
      let stream = try await probe.open(StreamClass.election, Requests.heartbeat, fin: true)
      try await Requests.checkAnswers(probe.expectAnswer(stream))
      await probe.send(.data(held, [Requests.append().last ?? 0], fin: true))
      try await Requests.checkAnswers(probe.expectAnswer(held))
    }
    return section.cases
  }()
}

extension Probe {
  /// Frames that fill a stream's window to the last byte.
  func frames(filling stream: UInt64, with bytes: [UInt8] = []) -> [ProbeFrame] {
    let window = Int(peerHello?.initialWindow ?? 0)
    let most = Int(peerHello?.maximumFramePayload ?? 4_096)
    return stride(from: 0, to: window, by: most).map { start in
      let end = min(start + most, window)
      let piece = bytes.isEmpty ? Array(repeating: 0x61, count: end - start) : Array(bytes[start..<end])
      return .data(stream, piece)
    }
  }

  /// Sends all of a message and FIN, as credit comes.
  func upload(_ bytes: [UInt8], on stream: UInt64) async throws {
    try await uploadRest(of: bytes, from: 0, on: [stream])
  }

  /// Sends what is left of the same message on several streams, as credit comes.
  func uploadRest(of bytes: [UInt8], from start: Int, on streams: [UInt64]) async throws {
    let most = Int(peerHello?.maximumFramePayload ?? 4_096)
    var limits = Dictionary(uniqueKeysWithValues: streams.map { ($0, Int(peerHello?.initialWindow ?? 0)) })
    var sent = Dictionary(uniqueKeysWithValues: streams.map { ($0, start) })
    while true {
      for stream in streams {
        while let from = sent[stream], let limit = limits[stream], from < min(limit, bytes.count) {
          let end = min(from + most, limit, bytes.count)
          await send(
            .data(stream, Array(bytes[from..<end]), fin: end == bytes.count, more: end < bytes.count))
          sent[stream] = end
        }
      }
      if sent.values.allSatisfy({ $0 == bytes.count }) { return }
      let frame = try await expect("CREDIT for the rest of a message of \(bytes.count) bytes") { frame in
        streams.contains(frame.stream) && frame.type != FrameKind.data ? frame : nil
      }
      if frame.type == FrameKind.stop, frame.code == CodeName.notNeeded.rawValue {
        await letGo(of: frame.stream, .notNeeded)
        sent[frame.stream] = bytes.count
        continue
      }
      guard frame.type == FrameKind.credit, let limit = frame.number else {
        throw CaseFailure(expected: "CREDIT for the rest of a message", actual: "\(frame)")
      }
      limits[frame.stream] = max(limits[frame.stream] ?? 0, Int(clamping: limit))
    }
  }
}
