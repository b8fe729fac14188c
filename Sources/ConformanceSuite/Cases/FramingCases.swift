internal import NIOCore

/// The page framing: preface, headers, flags, checksums.
enum FramingCases {
  static let all = prefaces + headers + fields + cuts + checksums

  private static let prefaces: [ConformanceCase] = {
    var section = Section("preface")
    section.add("sends the preface, then HELLO", "R-FRM-1", "R-HSK-1") { stage in
      let probe = try await stage.established()
      guard await probe.hasReadPreface else {
        throw CaseFailure(expected: "the preface first", actual: await probe.recently)
      }
      try await probe.expectAlive()
    }
    section.add("says nothing before it has the whole preface", "R-FRM-2", only: .server) { stage in
      let probe = try await stage.connect()
      await probe.sendBytes(Array(FrameReader.preface.prefix(7)))
      try await probe.expectSilence("before the eighth byte of the preface")
    }
    section.add("says nothing before it has the whole HELLO", "R-FRM-33", "R-SEC-7", only: .server) { stage in
      let probe = try await stage.connect()
      await probe.sendBytes(FrameReader.preface + ProbeFrame.hello(stage.hello()).encoded().dropLast())
      try await probe.expectSilence("before the last byte of HELLO")
    }
    for (title, bytes) in [
      ("a last byte of the preface that is wrong", [0xAC, 0x52, 0x4D, 0x58, 0x0D, 0x0A, 0x1A, 0x0D]),
      ("a preface whose line ends were translated", [0xAC, 0x52, 0x4D, 0x58, 0x0A, 0x1A, 0x0A, 0x01]),
      ("another protocol whose first byte is the preface's", [0xAC] + Array("GET / HTTP/1.1".utf8)),
    ] as [(String, [UInt8])] {
      section.add("closes without a byte after \(title)", "R-FRM-3", "R-HSK-21") { stage in
        let probe = try await stage.connect()
        if stage.subject == .client { try await probe.expectHello() }
        let before = await probe.bytesReceived
        await probe.sendBytes(bytes)
        try await probe.expectClosed(withoutByteSince: before)
      }
    }
    section.add("closes at the first wrong byte of the preface", "R-FRM-4") { stage in
      let probe = try await stage.connect()
      if stage.subject == .client { try await probe.expectHello() }
      let before = await probe.bytesReceived
      await probe.sendBytes([0xAC, 0x53])
      try await probe.expectClosed(withoutByteSince: before)
    }
    return section.cases
  }()

  private static let headers: [ConformanceCase] = {
    var section = Section("framing")
    section.add(ending: .frameSize, after: "a frame above the maximum that it announced", "R-FRM-6") {
      probe in
      let limit = await probe.peerHello?.maximumFramePayload ?? 65_536
      let stream = await probe.newStream()
      await probe.send(
        .open(
          stream, StreamClass.append, group: probe.settings.group, Array(repeating: 0, count: Int(limit) - 7))
      )
    }
    section.add(
      ending: .frameSize, after: "a header with a Length of 4 GiB and nothing behind it", "R-FRM-6", "R-FRM-7"
    ) { probe in
      await probe.send(
        ProbeFrame(type: FrameKind.data, stream: probe.newStream(), declaredLength: .max))
    }
    for type in [0x00, 0x04, 0x15, 0x23, 0x3F] as [UInt8] {
      section.add(
        ending: .protocolViolation, after: "a frame of type \(hexadecimal(type))", "R-FRM-8", "R-DRN-17",
        "R-DRN-18"
      ) {
        probe in
        await probe.send(ProbeFrame(type: type))
      }
    }
    for type in [0x40, 0x7F] as [UInt8] {
      section.add(
        ending: .protocolViolation, after: "a frame of type \(hexadecimal(type)), which was not negotiated",
        "R-FRM-9"
      ) { probe in await probe.send(ProbeFrame(type: type)) }
    }
    section.add("skips an ignorable frame whatever its fields are", "R-FRM-10") { stage in
      let probe = try await stage.established()
      await probe.send(
        ProbeFrame(
          type: 0x80, flags: 0xFF, trafficClass: 0xFF, encoding: 0xFF, stream: .max,
          payload: Array(repeating: 0xFF, count: 4_096)),
        ProbeFrame(type: 0xFF))
      try await probe.expectAlive()
    }
    section.add(ending: .excessiveLoad, after: "an ignorable frame of 4,097 bytes", "R-FRM-11") { probe in
      await probe.send(ProbeFrame(type: 0xA0, payload: Array(repeating: 0, count: 4_097)))
    }
    section.add("sends one small ignorable frame, before its first DATA", "R-FRM-12") { stage in
      let probe = try await stage.established()
      _ = try await probe.expect("an ignorable frame") { FrameKind.isIgnorable($0.type) ? $0 : nil }
      try await probe.expectService()
    }
    for frame in [
      .streams(StreamClass.append, 1_000_000), .ping(1), .pong(1), .goAway(last: .max, 0x0C),
    ] as [ProbeFrame] {
      section.add(ending: .protocolViolation, after: "\(FrameKind.name(frame.type)) on a stream", "R-FRM-13")
      { probe in
        await probe.send(frame.with { $0.stream = 1 })
      }
    }
    for frame in [
      .data(0, [1]), .open(0, StreamClass.append), .credit(0, 1), .reset(0, 0x40), .stop(0, 0x40),
    ] as [ProbeFrame] {
      let name = frame.isOpening ? "DATA with OPEN" : FrameKind.name(frame.type)
      section.add(ending: .protocolViolation, after: "\(name) without a stream", "R-FRM-14") { probe in
        await probe.send(frame)
      }
    }
    return section.cases
  }()

  private static let fields: [ConformanceCase] = {
    var section = Section("fields")
    for (type, length) in [
      (FrameKind.credit, 7), (FrameKind.credit, 16), (FrameKind.streams, 4), (FrameKind.ping, 0),
      (FrameKind.ping, 9), (FrameKind.pong, 7), (FrameKind.reset, 8), (FrameKind.stop, 3),
    ] {
      section.add(ending: .frameSize, after: "\(FrameKind.name(type)) of \(length) bytes", "R-FRM-15") {
        probe in
        let isAboutStream = [FrameKind.credit, FrameKind.reset, FrameKind.stop].contains(type)
        let stream = isAboutStream ? try await probe.open([0]) : 0
        await probe.send(
          ProbeFrame(
            type: type, trafficClass: type == FrameKind.streams ? StreamClass.append : 0, stream: stream,
            payload: Array(repeating: 0, count: length)))
      }
    }
    for (title, payload) in [
      ("GOAWAY of 13 bytes", [UInt8](repeating: 0, count: 13)),
      (
        "GOAWAY whose text is shorter than it says",
        ProbeFrame.goAway(last: .max, 0x0C, text: [0x61]).payload.dropLast()
      ),
      ("GOAWAY with a byte behind its text", ProbeFrame.goAway(last: .max, 0x0C).payload + [0]),
      (
        "GOAWAY with a text of 513 bytes",
        ProbeFrame.goAway(last: .max, 0x0C, text: Array(repeating: 0x61, count: 513)).payload
      ),
    ] as [(String, [UInt8])] {
      section.add(ending: .frameSize, after: title, "R-FRM-16") { probe in
        await probe.send(ProbeFrame(type: FrameKind.goAway, payload: payload))
      }
    }
    for frame in [
      .ping(1).with { $0.flags = 1 }, .streams(StreamClass.append, 1_000_000).with { $0.flags = 0x80 },
      .goAway(last: .max, 0x0C).with { $0.flags = 2 },
    ] as [ProbeFrame] {
      section.add(
        ending: .protocolViolation,
        after: "\(FrameKind.name(frame.type)) with flag \(hexadecimal(frame.flags))",
        "R-FRM-18"
      ) { probe in await probe.send(frame) }
    }
    for flag in [0x08, 0x80] as [UInt8] {
      section.add(ending: .protocolViolation, after: "DATA with flag \(hexadecimal(flag))", "R-FRM-18") {
        probe in
        let frame = ProbeFrame.open(
          await probe.newStream(), StreamClass.append, group: probe.settings.group, [0])
        await probe.send(frame.with { $0.flags |= flag })
      }
    }
    section.add(ending: .protocolViolation, after: "PING with a class", "R-FRM-19") { probe in
      await probe.send(.ping(1).with { $0.trafficClass = 1 })
    }
    section.add(ending: .protocolViolation, after: "DATA without OPEN and with a class", "R-FRM-19") {
      probe in
      let stream = try await probe.open([0])
      await probe.send(.data(stream, [0x80]).with { $0.trafficClass = StreamClass.append })
    }
    section.add(ending: .protocolViolation, after: "CREDIT with an encoding", "R-FRM-20") { probe in
      let stream = try await probe.open([0])
      await probe.send(.credit(stream, 1 << 30).with { $0.encoding = 1 })
    }
    section.add(ending: .protocolViolation, after: "DATA without OPEN and with an encoding", "R-FRM-20") {
      probe in
      let stream = try await probe.open([0])
      await probe.send(.data(stream, [0x80]).with { $0.encoding = 1 })
    }
    for trafficClass in [0, 4, 255] as [UInt8] {
      section.add(ending: .protocolViolation, after: "STREAMS of class \(trafficClass)", "R-FRM-21") {
        probe in
        await probe.send(.streams(trafficClass, 1_000_000))
      }
    }
    for length in [0, 7] {
      section.add(ending: .frameSize, after: "DATA with OPEN and \(length) bytes", "R-FRM-25") { probe in
        let frame = ProbeFrame.open(await probe.newStream(), StreamClass.append)
        await probe.send(frame.with { $0.payload = Array(repeating: 0, count: length) })
      }
    }
    section.add("takes MORE together with FIN for FIN", "R-FRM-23", "R-ERR-9") { stage in
      let probe = try await stage.established()
      try await probe.requireCredit(StreamClass.append)
      let stream = await probe.newStream()
      let frame = ProbeFrame.open(
        stream, StreamClass.append, group: stage.settings.group, Requests.append(), fin: true)
      await probe.send(frame.with { $0.flags |= DataFlag.more })
      try await Requests.checkAnswers(probe.expectAnswer(stream))
    }
    section.add("does not mind a text in GOAWAY that is no UTF-8", "R-FRM-28") { stage in
      let probe = try await stage.established()
      await probe.send(.goAway(last: .max, 0x0C, text: [0xFF, 0xFE, 0x1B, 0x5B]))
      _ = try await probe.expectAliveOrDone()
    }
    return section.cases
  }()

  private static let cuts: [ConformanceCase] = {
    var section = Section("cuts")
    section.add("gives the same answer when each byte is a frame", "R-FRM-26", "R-PAY-6", "R-STR-20") {
      stage in
      let probe = try await stage.established()
      let request = Requests.append()
      let stream = try await probe.open([request[0]])
      await probe.send(request.dropFirst().map { .data(stream, [$0]) } + [.data(stream, fin: true)])
      try await Requests.checkAnswers(probe.expectAnswer(stream))
    }
    section.add("gives the same answer when each byte is a segment", "R-FRM-27") { stage in
      let probe = try await stage.established()
      try await probe.requireCredit(StreamClass.append)
      let stream = await probe.newStream()
      await probe.sendByteByByte(
        probe.encode([
          .open(stream, StreamClass.append, group: stage.settings.group, Requests.append(), fin: true)
        ]))
      try await Requests.checkAnswers(probe.expectAnswer(stream))
    }
    section.add("takes a handshake whose every byte is a segment", "R-FRM-27", method: Method.none) { stage in
      let probe = try await stage.connect()
      if stage.subject == .client { try await probe.expectHello() }
      await probe.sendByteByByte(
        FrameReader.preface + probe.encode([.hello(stage.hello()), .authentication(), .welcome(flags: 1)]))
      try await probe.expectAcceptance()
      try await probe.expectAlive()
    }
    section.add("takes empty DATA and a FIN of its own behind a request", "R-FRM-26") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open()
      await probe.send(
        .data(stream), .data(stream, Requests.append()), .data(stream), .data(stream, fin: true))
      try await Requests.checkAnswers(probe.expectAnswer(stream))
    }
    section.add("takes many frames in one write", "R-FRM-27") { stage in
      let probe = try await stage.established()
      try await probe.requireCredit(StreamClass.append, 8)
      var frames: [ProbeFrame] = []
      var streams: [UInt64] = []
      for index in 1...8 {
        let stream = await probe.newStream()
        streams.append(stream)
        frames.append(
          .open(
            stream, StreamClass.append, group: stage.settings.group, Requests.append(index: UInt64(index)),
            fin: true))
      }
      await probe.send(frames)
      let opened = streams
      for _ in opened {
        _ = try await probe.expect("a FIN for each of 8 requests") { frame in
          opened.contains(frame.stream) && frame.isLast ? frame : nil
        }
      }
    }
    return section.cases
  }()

  private static let checksums: [ConformanceCase] = {
    var section = Section("checksums")
    section.add("puts right checksums behind its frames where they were agreed on", "R-FRM-29", "R-HSK-11") {
      stage in
      let probe = try await stage.checksummed()
      try await probe.expectAlive()
      try await probe.expectService()
    }
    section.add("puts none there where they were not", "R-FRM-30", "R-HSK-11") { stage in
      let probe = try await stage.established()
      try await probe.expectAlive()
      try await probe.expectService()
    }
    section.add("ends the connection with checksumMismatch after a damaged payload", "R-FRM-31") { stage in
      let probe = try await stage.checksummed()
      var bytes = await probe.encode([.ping(1)])
      bytes[20] ^= 0x10
      await probe.sendBytes(bytes)
      try await probe.expectEnd(.checksumMismatch)
    }
    section.add("ends the connection with checksumMismatch after a damaged trailer", "R-FRM-31") { stage in
      let probe = try await stage.checksummed()
      try await probe.requireCredit(StreamClass.append)
      var bytes = await probe.encode([
        .open(
          probe.newStream(), StreamClass.append, group: stage.settings.group, Requests.append(), fin: true)
      ])
      bytes[bytes.count - 1] ^= 1
      await probe.sendBytes(bytes)
      try await probe.expectEnd(.checksumMismatch)
    }
    section.add("does not act on a frame whose checksum is wrong", "R-FRM-32") { stage in
      let probe = try await stage.checksummed()
      var bytes = await probe.encode([.ping(0x5EED)])
      bytes[bytes.count - 2] ^= 0x40
      await probe.sendBytes(bytes)
      let what = "GOAWAY with checksumMismatch and no PONG"
      while let frame = try await probe.nextFrame(what) {
        if frame.type == FrameKind.pong, frame.number == 0x5EED {
          throw CaseFailure(expected: what, actual: "\(frame)")
        }
        if frame.type == FrameKind.goAway { break }
      }
    }
    return section.cases
  }()
}

extension Stage {
  /// An established connection with checksums.
  func checksummed() async throws -> Probe {
    let probe = try await established { $0.features |= ProbeHello.crc32 }
    guard await probe.usesChecksums else { throw CaseSkipped("the peer does not offer crc32") }
    return probe
  }
}

extension Probe {
  /// How long a peer is watched that must say nothing.
  static let watch = TimeAmount.milliseconds(200)

  func expectSilence(_ what: String) async throws {
    let wasSilent = bytesReceived == 0
    guard await hearsAnything(within: Self.watch) || !wasSilent else { return }
    throw CaseFailure(expected: "silence \(what)", actual: recently)
  }

  /// After a GOAWAY of ours without an error the peer goes on, or ends in good order.
  func expectAliveOrDone() async throws -> [ProbeFrame] {
    let ping = newPing()
    await send(.ping(ping))
    let what = "the connection to go on, or to end without an error"
    var seen: [ProbeFrame] = []
    while let frame = try await nextFrame(what) {
      if frame.type == FrameKind.goAway, frame.code != CodeName.shutdown.rawValue {
        throw CaseFailure(expected: what, actual: "\(frame)")
      }
      seen.append(frame)
      if frame.type == FrameKind.pong, frame.number == ping { break }
    }
    return seen
  }
}
