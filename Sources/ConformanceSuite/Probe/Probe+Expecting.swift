internal import NIOCore

/// What cases look for.
extension Probe {
  /// The first frame that `match` takes; the others before it are passed over.
  ///
  /// - Parameter limit: How long it may take, however many others come.
  func expect<Value>(
    _ what: String, within limit: TimeAmount? = nil, _ match: @Sendable (ProbeFrame) -> Value?
  ) async throws -> Value {
    let end = limit.map { NIODeadline.now() + $0 }
    while let frame = try await nextFrame(what, within: end.map { $0 - .now() }) {
      if let value = match(frame) { return value }
      if frame.type == FrameKind.goAway, frame.code != CodeName.shutdown.rawValue {
        throw CaseFailure(expected: what, actual: "\(frame)")
      }
      if frame.type == FrameKind.welcome, frame.code != 0 {
        throw CaseFailure(expected: what, actual: "\(frame)")
      }
    }
    throw CaseFailure(expected: what, actual: "the peer closed the connection (\(recently))")
  }

  // MARK: Handshake

  @discardableResult
  func expectHello() async throws -> ProbeHello {
    let frame = try await expect("HELLO") { $0.type == FrameKind.hello ? $0 : nil }
    guard let hello = ProbeHello(decoding: frame.payload) else {
      throw CaseFailure(expected: "a HELLO with all its fields", actual: "one that ends inside a field")
    }
    return hello
  }

  func expectAuthentication() async throws -> ProbeFrame {
    try await expect("AUTH") { $0.type == FrameKind.authentication ? $0 : nil }
  }

  func expectAcceptance() async throws {
    _ = try await expect("an accepting WELCOME") { $0.type == FrameKind.welcome && $0.code == 0 ? $0 : nil }
  }

  /// A refusing WELCOME with one of the codes as the last frame, and the end of input behind it.
  func expectRefusal(_ codes: CodeName...) async throws {
    try await expectRefusal(codes)
  }

  func expectRefusal(_ codes: [CodeName]) async throws {
    let names = codes.map { "\($0)" }.joined(separator: " or ")
    let what = "a refusing WELCOME with \(names), and half-close"
    while let frame = try await nextFrame(what) {
      if frame.type == FrameKind.goAway { throw CaseFailure(expected: what, actual: "\(frame)") }
      guard frame.type == FrameKind.welcome else { continue }
      guard codes.contains(where: { $0.rawValue == frame.code }) else {
        throw CaseFailure(expected: what, actual: "\(frame)")
      }
      return try await expectEndOfInput(behind: frame)
    }
    throw CaseFailure(expected: what, actual: "the peer closed the connection without it (\(recently))")
  }

  private func expectEndOfInput(behind frame: ProbeFrame) async throws {
    let what = "the end of input behind \(frame)"
    if let further = try await nextFrame(what) {
      throw CaseFailure(expected: what, actual: "\(further)")
    }
  }

  /// The connection closed without a further byte.
  func expectClosed(withoutByteSince count: Int) async throws {
    let what = "the connection closed without a byte"
    while let frame = try await nextFrame(what) {
      throw CaseFailure(expected: what, actual: "\(frame)")
    }
    guard bytesReceived == count else {
      throw CaseFailure(expected: what, actual: "\(bytesReceived - count) bytes before the end")
    }
  }

  // MARK: Established

  /// GOAWAY with one of the codes as the last frame, then the end of input. A peer that goes on instead shows it by
  /// answering the PING that is sent behind the sin.
  func expectEnd(_ codes: [CodeName]) async throws {
    let ping = newPing()
    await send(.ping(ping))
    let names = codes.map { "\($0)" }.joined(separator: " or ")
    let what = "GOAWAY with \(names), and half-close"
    while let frame = try await nextFrame(what) {
      if frame.type == FrameKind.pong, frame.number == ping {
        throw CaseFailure(expected: what, actual: "the peer went on as if nothing had happened (\(recently))")
      }
      guard frame.type == FrameKind.goAway else { continue }
      guard codes.contains(where: { $0.rawValue == frame.code }) else {
        throw CaseFailure(expected: what, actual: "\(frame)")
      }
      return try await expectEndOfInput(behind: frame)
    }
    throw CaseFailure(expected: what, actual: "the peer closed the connection without it (\(recently))")
  }

  func expectEnd(_ codes: CodeName...) async throws {
    try await expectEnd(codes)
  }

  /// The peer still answers. Frames before the answer are handed to `seen`.
  @discardableResult
  func expectAlive(_ reason: String = "the connection to go on") async throws -> [ProbeFrame] {
    let ping = newPing()
    await send(.ping(ping))
    var seen: [ProbeFrame] = []
    while let frame = try await nextFrame("\(reason): PONG \(ping)") {
      if frame.type == FrameKind.pong, frame.number == ping { return seen }
      if frame.type == FrameKind.goAway { throw CaseFailure(expected: reason, actual: "\(frame)") }
      seen.append(frame)
    }
    throw CaseFailure(expected: reason, actual: "the peer closed the connection (\(recently))")
  }

  /// RESET and STOP with the code, in either order.
  func expectRefusedStream(_ stream: UInt64, _ code: CodeName) async throws {
    var missing: Set<UInt8> = [FrameKind.reset, FrameKind.stop]
    while !missing.isEmpty {
      let what =
        "\(missing.map(FrameKind.name).sorted().joined(separator: " and ")) on stream \(stream) with \(code)"
      let frame = try await expect(what) { frame in
        frame.stream == stream && frame.type != FrameKind.credit ? frame : nil
      }
      guard frame.code == code.rawValue, missing.remove(frame.type) != nil else {
        throw CaseFailure(expected: what, actual: "\(frame)")
      }
    }
  }

  /// RESET of the peer's half with the code; other codes fail.
  func expectReset(_ stream: UInt64, _ codes: UInt32...) async throws {
    let what = "RESET \(stream) with \(codes.map(CodeName.describe).joined(separator: " or "))"
    let frame = try await expect(what) { $0.stream == stream && $0.type == FrameKind.reset ? $0 : nil }
    guard let code = frame.code, codes.contains(code) else {
      throw CaseFailure(expected: what, actual: "\(frame)")
    }
  }

  func expectStop(_ stream: UInt64, _ codes: CodeName...) async throws {
    let what = "STOP \(stream) with \(codes.map { "\($0)" }.joined(separator: " or "))"
    let frame = try await expect(what) { $0.stream == stream && $0.type == FrameKind.stop ? $0 : nil }
    guard codes.contains(where: { $0.rawValue == frame.code }) else {
      throw CaseFailure(expected: what, actual: "\(frame)")
    }
  }

  /// The end of the peer's half of a stream, by FIN or by RESET with whatever code, and the bytes before it.
  @discardableResult
  func expectEndOfHalf(_ stream: UInt64, _ what: String) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let frame = try await expect(what) { frame in
        frame.stream == stream && [FrameKind.data, FrameKind.reset].contains(frame.type) ? frame : nil
      }
      guard frame.type == FrameKind.data else { return bytes }
      bytes += frame.streamBytes
      if frame.isLast { return bytes }
    }
  }

  /// The end of the peer's half of a stream of which this side has reset one half and stopped the other. Which of the two
  /// the peer acts on, and whether it was about to end the half anyway, is its own affair.
  func expectCancelled(_ stream: UInt64) async throws {
    try await expectEndOfHalf(stream, "FIN or RESET of stream \(stream), which was cancelled")
  }

  /// All bytes of the peer's half of a stream, up to its FIN. An answer may be given before the request is complete
  /// (R-SNAP-19).
  func expectAnswer(_ stream: UInt64) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    let what = "an answer on stream \(stream), then FIN"
    while true {
      let frame = try await expect(what) { frame in
        frame.stream == stream && [FrameKind.data, FrameKind.reset, FrameKind.stop].contains(frame.type)
          ? frame : nil
      }
      if frame.type == FrameKind.stop, frame.code == CodeName.notNeeded.rawValue {
        await letGo(of: stream, .notNeeded)
        continue
      }
      guard frame.type == FrameKind.data else { throw CaseFailure(expected: what, actual: "\(frame)") }
      bytes += frame.streamBytes
      if frame.isLast { return bytes }
    }
  }
}
