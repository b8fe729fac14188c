package import NIOCore

/// One thing to fuzz: a function of some bytes that finds fault or does not.
///
/// A fault is a thrown ``FuzzFinding``, or a trap in the code under test.
package struct FuzzTarget: Sendable {
  package let name: String
  /// - Throws: ``FuzzFinding`` if something did not hold.
  package let run: @Sendable (ByteBuffer) throws -> Void

  package static let all: [FuzzTarget] = [
    FuzzTarget(name: "wire", run: WireTarget.run),
    FuzzTarget(name: "conversation", run: ConversationTarget.run),
    FuzzTarget(name: "chunks", run: ChunkTarget.run),
    FuzzTarget(name: "frames", run: FrameTarget.run),
    FuzzTarget(name: "handshake", run: HandshakeTarget.run),
    FuzzTarget(name: "engine", run: EngineTarget.run),
    FuzzTarget(name: "pair", run: PairTarget.run),
    FuzzTarget(name: "classic", run: ClassicTarget.run),
  ]

  package static func named(_ name: String) -> FuzzTarget? {
    all.first { $0.name == name }
  }
}

/// Something that has to hold did not.
package struct FuzzFinding: Error, CustomStringConvertible {
  package let description: String
}

func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(FuzzFinding) {
  guard condition else { throw FuzzFinding(description: message()) }
}
