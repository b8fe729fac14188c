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
    #expect(vectors.conversations.count > 50)
    for conversation in vectors.conversations { try run(conversation, cut) }
  }

  private func run(_ conversation: ConversationVectors.Conversation, _ cut: Cut) throws {
    var engine = try ScriptedEngine(role: conversation.role == "dialler" ? .dialler : .acceptor)
    for (number, step) in conversation.steps.enumerated() {
      let place = "\(conversation.name), step \(number + 1), \(cut.rawValue)"
      if let hex = step.in {
        for piece in cut.pieces(of: bytes(hex)) { engine.receive(piece) }
      } else if let expected = step.out {
        check(engine.takeFrames(), expected, place)
      } else if let milliseconds = step.at {
        engine.wait(until: milliseconds)
      } else if let stream = step.answer.flatMap(UInt64.init) {
        try engine.answer(stream, bytes(step.bytes ?? ""))
      } else if let trafficClass = step.open.flatMap(TrafficClass.init) {
        try engine.open(trafficClass, bytes(step.bytes ?? ""), finishes: step.fin ?? false)
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

  private func check(_ frames: [[UInt8]], _ expected: [ConversationVectors.Said], _ place: String) {
    guard frames.count == expected.count else {
      Issue.record("\(place): \(frames.map { hex($0) }) instead of \(expected)")
      return
    }
    for (frame, said) in zip(frames, expected) {
      if let exact = said.hex {
        #expect(hex(frame) == exact, "\(place)")
      } else if let code = said.goAway {
        #expect(frame[0] == 0x22 && integer(frame[24..<28]) == UInt64(code), "\(place): \(hex(frame))")
        #expect("\(integer(frame[16..<24]))" == said.last, "\(place): \(hex(frame))")
      } else if let code = said.refusal {
        #expect(frame[0] == 0x03 && integer(frame[16..<20]) == UInt64(code), "\(place): \(hex(frame))")
      } else {
        Issue.record("\(place) expects nothing that this test knows")
      }
    }
  }

  private func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }
}
