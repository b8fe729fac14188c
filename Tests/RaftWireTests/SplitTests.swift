import NIOCore
import Testing

@testable import RaftWire

@Suite("Messages in pieces")
struct SplitTests {
  /// What one direction of a stream gave.
  enum Outcome<Message: Equatable>: Equatable {
    case messages([Message], pending: Int)
    case refused
  }

  // R-PAY-6
  @Test("Requests come out the same one byte at a time and at every cut", arguments: VectorFile.allCases)
  func requests(file: VectorFile) throws {
    for vector in try file.vectors() {
      guard let rpcType = vector.rpcType, let bytes = vector.bytes else { continue }
      var whole = ByteBuffer(integer: rpcType)
      whole.writeImmutableBuffer(bytes)
      let expected = requests(in: [whole])
      guard case .messages(let messages, 0) = expected, messages.count == 1 else {
        Issue.record("\(vector.name): \(expected)")
        continue
      }
      #expect(requests(in: whole.pieces(of: 1)) == expected, "\(vector.name)")
      for cut in whole.cuts() where requests(in: whole.cut(at: cut)) != expected {
        Issue.record("\(vector.name) at \(cut)")
      }
    }
  }

  @Test("Answers come out the same one byte at a time and at every cut", arguments: VectorFile.allCases)
  func answers(file: VectorFile) throws {
    var count = 0
    for vector in try file.vectors() where vector.type == "ResponseFrame" {
      guard let bytes = vector.bytes else { continue }
      let name = vector.value.object["response_type"] as? String ?? "TimeoutNowResponse"
      try checkAnswer(responseType(name), vector.name, bytes)
      count += 1
    }
    #expect(count > 30)
  }

  private func checkAnswer<Response: WireResponse>(
    _: Response.Type, _ name: String, _ bytes: ByteBuffer
  ) throws {
    let expected = answers(Response.self, in: [bytes])
    guard case .messages(let messages, 0) = expected, messages.count == 1 else {
      Issue.record("\(name): \(expected)")
      return
    }
    #expect(answers(Response.self, in: bytes.pieces(of: 1)) == expected, "\(name)")
    for cut in 1..<bytes.readableBytes {
      #expect(answers(Response.self, in: bytes.cut(at: cut)) == expected, "\(name) at \(cut)")
    }
  }

  @Test("Decoder probes are judged the same whether whole, one byte at a time, or cut in two")
  func probes() throws {
    for probe in try DecoderProbe.all() {
      guard let type = messageTypes[probe.type] as? any WireRequest.Type else { continue }
      var whole = ByteBuffer(integer: type.rpcType.rawValue)
      whole.writeImmutableBuffer(probe.bytes)
      // The first message only: what a probe has behind it is read as another one.
      let expected = firstRequest(in: [whole])
      #expect(firstRequest(in: whole.pieces(of: 1)) == expected, "\(probe.name)")
      for cut in whole.cuts() {
        #expect(firstRequest(in: whole.cut(at: cut)) == expected, "\(probe.name) at \(cut)")
      }
    }
  }

  @Test("No proper prefix of a message is taken for one", arguments: VectorFile.allCases)
  func prefixes(file: VectorFile) throws {
    for vector in try file.vectors() {
      guard let rpcType = vector.rpcType, let bytes = vector.bytes else { continue }
      var whole = ByteBuffer(integer: rpcType)
      whole.writeImmutableBuffer(bytes)
      for length in whole.cuts() {
        let prefix = try #require(whole.getSlice(at: 0, length: length))
        #expect(requests(in: [prefix]) == .messages([], pending: length), "\(vector.name) of \(length)")
        var rest = prefix
        #expect(throws: WireError.self) { try WireDecoder().decodeCommand(from: &rest) }
      }
    }
  }

  @Test(
    "Pipelined requests come out in order for any size of piece", arguments: [1, 2, 7, 64, 1_000, 65_536])
  func pipelined(size: Int) throws {
    var generator = SeededGenerator(seed: UInt64(size))
    var stream = ByteBuffer()
    var sent: [WireCommand] = []
    for _ in 0..<300 {
      let command = WireCommand.random(using: &generator)
      try WireEncoder().encode(command: command, into: &stream)
      sent.append(command)
    }
    #expect(requests(in: stream.pieces(of: size)) == .messages(sent, pending: 0))
  }

  // R-PAY-3
  @Test(
    "A snapshot's bytes come raw behind its request, and the next request behind them",
    arguments: [1, 3, 50, 5_000])
  func snapshotBody(size: Int) throws {
    let request = InstallSnapshotRequest(term: 3, size: 1_000)
    let body = ByteBuffer(bytes: (0..<1_000).map { UInt8(truncatingIfNeeded: $0) })
    var stream = ByteBuffer()
    try WireEncoder().encode(request: request, into: &stream)
    stream.writeImmutableBuffer(body)
    try WireEncoder().encode(request: TimeoutNowRequest(), into: &stream)
    var assembler = MessageAssembler()
    var received = ByteBuffer()
    var commands: [WireCommand] = []
    for piece in stream.pieces(of: size) {
      assembler.append(piece)
      while true {
        if case .installSnapshot(let request) = commands.last, received.readableBytes < request.size {
          let missing = Int(request.size) - received.readableBytes
          guard let bytes = assembler.nextRawBytes(atMost: missing) else { break }
          received.writeImmutableBuffer(bytes)
        } else {
          guard let command = try assembler.nextCommand() else { break }
          commands.append(command)
        }
      }
    }
    #expect(commands == [.installSnapshot(request), .timeoutNow(TimeoutNowRequest())])
    #expect(received == body)
    #expect(assembler.pendingBytes == 0)
  }

  private func requests(in pieces: [ByteBuffer]) -> Outcome<WireCommand> {
    outcome(in: pieces) { assembler in try assembler.nextCommand() }
  }

  private func answers<Response: WireResponse>(
    _: Response.Type, in pieces: [ByteBuffer]
  ) -> Outcome<WireAnswer<Response>> {
    outcome(in: pieces) { assembler in try assembler.nextAnswer(Response.self) }
  }

  private func firstRequest(in pieces: [ByteBuffer]) -> Outcome<WireCommand> {
    var assembler = MessageAssembler()
    do {
      for piece in pieces {
        assembler.append(piece)
        if let command = try assembler.nextCommand() { return .messages([command], pending: 0) }
      }
    } catch {
      return .refused
    }
    return .messages([], pending: assembler.pendingBytes)
  }

  private func outcome<Message>(
    in pieces: [ByteBuffer], _ next: (inout MessageAssembler) throws -> Message?
  ) -> Outcome<Message> {
    var assembler = MessageAssembler(limits: largeLimits)
    var messages: [Message] = []
    do {
      for piece in pieces {
        assembler.append(piece)
        while let message = try next(&assembler) { messages.append(message) }
      }
    } catch {
      return .refused
    }
    return .messages(messages, pending: assembler.pendingBytes)
  }
}

extension ByteBuffer {
  /// The readable bytes in pieces of a size, each with its own storage so that none is read beyond its end.
  func pieces(of size: Int) -> [ByteBuffer] {
    var rest = self
    var pieces: [ByteBuffer] = []
    while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
      pieces.append(ByteBuffer(bytes: piece.readableBytesView))
    }
    return pieces
  }

  func cut(at index: Int) -> [ByteBuffer] {
    var rest = self
    let first = rest.readSlice(length: index) ?? ByteBuffer()
    return [ByteBuffer(bytes: first.readableBytesView), ByteBuffer(bytes: rest.readableBytesView)]
  }

  /// Places to cut at: all of them in a small message, a few of them, evenly, in a large one.
  func cuts() -> [Int] {
    let all = 1..<max(1, readableBytes)
    return Array(stride(from: 1, to: all.upperBound, by: all.count <= 130 ? 1 : max(1, all.count / 20)))
  }
}

extension WireCommand {
  static func random(using generator: inout SeededGenerator) -> WireCommand {
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: .requestVote(.random(using: &generator))
    case 1: .installSnapshot(.random(using: &generator))
    case 2: .timeoutNow(.random(using: &generator))
    case 3: .requestPreVote(.random(using: &generator))
    default: .appendEntries(.random(using: &generator))
    }
  }
}
