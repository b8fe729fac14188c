import StreamMux
import Testing

/// The requirements that each conversation holds are named in the vectors.
@Suite("The conversations of the vectors")
struct ConversationVectorTests {
  /// How the bytes of the peer are cut.
  enum Cut: String, CaseIterable {
    case whole
    case singleBytes
    case oddPieces

    func pieces(of bytes: [UInt8]) -> [[UInt8]] {
      let length =
        switch self {
        case .whole: max(1, bytes.count)
        case .singleBytes: 1
        case .oddPieces: 7
        }
      return stride(from: 0, to: bytes.count, by: length).map {
        Array(bytes[$0..<min($0 + length, bytes.count)])
      }
    }
  }

  @Test("come out as they say, however the bytes are cut", arguments: Cut.allCases)
  func conversations(cut: Cut) throws {
    let vectors = try ConversationVectors.load()
    #expect(vectors.conversations.count > 80)
    for conversation in vectors.conversations { try run(conversation, cut) }
  }

  private func run(_ conversation: ConversationVectors.Conversation, _ cut: Cut) throws {
    var engine = try ScriptedEngine(
      role: conversation.role == "dialler" ? .dialler : .acceptor,
      features: Features(rawValue: conversation.features ?? 0), isChecksummed: conversation.crc32 ?? false)
    for (number, step) in conversation.steps.enumerated() {
      let place = "\(conversation.name), step \(number + 1), \(cut.rawValue)"
      if let hex = step.in {
        for piece in cut.pieces(of: bytes(hex)) { engine.receive(piece) }
      } else if let expected = step.out {
        check(engine.takeFrames(), expected, place, isChecksummed: conversation.crc32 ?? false)
      } else if let milliseconds = step.at {
        engine.wait(until: milliseconds)
      } else if let stream = step.answer.flatMap(UInt64.init) {
        try engine.answer(stream, bytes(step.bytes ?? ""))
      } else if let trafficClass = step.open.flatMap(TrafficClass.init) {
        let repeated = [[UInt8]](repeating: bytes(step.byte ?? ""), count: step.count ?? 0).joined()
        try engine.open(trafficClass, bytes(step.bytes ?? "") + repeated, finishes: step.fin ?? false)
      } else if let stream = step.consume.flatMap(UInt64.init), let count = step.count {
        try engine.consume(count, of: stream)
      } else if step.drain == true {
        engine.drain()
      } else if step.endOfInput == true {
        engine.receiveEnd()
      } else if step.closesOutput == true {
        #expect(engine.hasClosedOutput, "\(place): the output is closed")
      } else {
        Issue.record("\(place) says nothing that this test knows")
      }
    }
    #expect(engine.takeFrames().map { hex($0) } == [], "\(conversation.name): nothing more")
  }

  private func check(
    _ frames: [[UInt8]], _ expected: [ConversationVectors.Said], _ place: String, isChecksummed: Bool
  ) {
    var frames = frames[...]
    for said in expected {
      if let run = said.run {
        check(run, &frames, place)
        continue
      }
      guard let frame = frames.popFirst() else {
        Issue.record("\(place): nothing where \(said) is expected")
        return
      }
      if let exact = said.hex {
        #expect(hex(frame) == exact, "\(place)")
      } else if let code = said.goAway {
        #expect(frame[0] == 0x22 && integer(frame[24..<28]) == UInt64(code), "\(place): \(hex(frame))")
        #expect("\(integer(frame[16..<24]))" == said.last, "\(place): \(hex(frame))")
        if isChecksummed {
          #expect(
            integer(frame.suffix(4)) == UInt64(checksum(of: frame.dropLast(4))), "\(place): \(hex(frame))")
        }
      } else if let code = said.refusal {
        #expect(frame[0] == 0x03 && integer(frame[16..<20]) == UInt64(code), "\(place): \(hex(frame))")
      } else {
        Issue.record("\(place) expects nothing that this test knows")
      }
    }
    #expect(frames.isEmpty, "\(place): \(frames.map { hex($0) }) besides")
  }

  /// Takes the frames of a run off the front.
  private func check(_ run: ConversationVectors.Run, _ frames: inout ArraySlice<[UInt8]>, _ place: String) {
    var (sent, count, hasEnded) = ([UInt8](), 0, false)
    while let frame = frames.first, frame[0] == 0x10, "\(integer(frame[8..<16]))" == run.stream, !hasEnded {
      let opens = frame[1] & 1 != 0
      #expect(opens == (count == 0 && run.class != nil), "\(place): \(hex(frame.prefix(24)))")
      if opens { #expect(frame[2] == run.class, "\(place)") }
      sent += frame[(opens ? 24 : 16)...]
      hasEnded = frame[1] & 2 != 0
      count += 1
      frames.removeFirst()
    }
    #expect(
      sent.count == run.count && sent.allSatisfy { [$0] == bytes(run.byte) }, "\(place): \(sent.count) bytes")
    #expect(hasEnded == run.fin && count > 0, "\(place)")
  }

  private func checksum(of bytes: ArraySlice<UInt8>) -> UInt32 {
    ~bytes.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in
        value & 1 == 1 ? (value >> 1) ^ 0xEDB8_8320 : value >> 1
      }
    }
  }

  private func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }
}
