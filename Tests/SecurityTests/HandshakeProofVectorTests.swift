#if Authentication
  import Foundation
  import NIOCore
  import StreamMux
  import Testing

  @testable import RaftTransport

  @Suite("Proofs of the shared key against the specification's vectors")
  struct HandshakeProofVectorTests {
    struct Vectors: Decodable { let cases: [Case] }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
      let name: String
      let key: String
      let diallerHello: String
      let acceptorHello: String
      let diallerProof: String
      let acceptorProof: String

      var testDescription: String { name }

      func context(_ prover: Role) throws -> ProofContext {
        ProofContext(
          prover: prover, diallerHello: try payload(diallerHello), acceptorHello: try payload(acceptorHello))
      }

      /// The payload of a HELLO frame, which has to be one that the handshake takes.
      private func payload(_ frame: String) throws -> ByteBuffer {
        var decoder = FrameDecoder(maximumFramePayload: ProtocolConstants.largestFramePayload)
        decoder.append(ByteBuffer(bytes: HandshakeProofVectorTests.bytes(of: frame)))
        guard case .frame(.hello(let payload))? = try decoder.next() else {
          throw NeverHappened(description: "a HELLO in the vector '\(name)'")
        }
        _ = try Hello(decoding: payload)
        return payload
      }
    }

    static let cases: [Case] = {
      let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Spec/vectors/shared-key.json")
      guard let data = try? Data(contentsOf: file) else { return [] }
      return (try? JSONDecoder().decode(Vectors.self, from: data))?.cases ?? []
    }()

    static func bytes(of text: String) -> [UInt8] {
      let digits = text.compactMap(\.hexDigitValue)
      return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    @Test("There are vectors")
    func thereAreVectors() {
      #expect(Self.cases.count >= 5)
    }

    // R-SEC-14
    @Test("Both proofs are those of the vector", arguments: cases)
    func proofs(vector: Case) throws {
      let key = try SharedKey(hexadecimal: vector.key)
      for (role, proof) in [(Role.dialler, vector.diallerProof), (.acceptor, vector.acceptorProof)] {
        let context = try vector.context(role)
        #expect(HandshakeProof.make(context, key) == Self.bytes(of: proof))
        #expect(HandshakeProof.isValid(Self.bytes(of: proof), context, [key]))
      }
    }

    @Test(
      "A proof is worth nothing for the other role, another key, another length or another bit",
      arguments: cases)
    func wrongProofs(vector: Case) throws {
      let key = try SharedKey(hexadecimal: vector.key)
      let context = try vector.context(.dialler)
      let proof = Self.bytes(of: vector.diallerProof)
      #expect(!HandshakeProof.isValid(Self.bytes(of: vector.acceptorProof), context, [key]))
      #expect(!HandshakeProof.isValid(proof, context, [SharedKey.random()]))
      #expect(!HandshakeProof.isValid(proof, context, []))
      #expect(!HandshakeProof.isValid([], context, [key]))
      #expect(!HandshakeProof.isValid(Array(proof.dropLast()), context, [key]))
      #expect(!HandshakeProof.isValid(proof + [0], context, [key]))
      for bit in 0..<proof.count * 8 {
        var changed = proof
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(!HandshakeProof.isValid(changed, context, [key]))
      }
    }

    @Test("Of several keys any may have been used")
    func severalKeys() throws {
      let vector = try #require(Self.cases.first)
      let key = try SharedKey(hexadecimal: vector.key)
      let context = try vector.context(.acceptor)
      let proof = Self.bytes(of: vector.acceptorProof)
      #expect(HandshakeProof.isValid(proof, context, [key, .random()]))
      #expect(HandshakeProof.isValid(proof, context, [.random(), .random(), key]))
      #expect(!HandshakeProof.isValid(proof, context, [.random(), .random()]))
    }
  }

  @Suite("Shared keys")
  struct SharedKeyTests {
    @Test("A key is 32 bytes", arguments: [0, 1, 31, 33, 64])
    func length(count: Int) {
      #expect(throws: TransportError.self) { try SharedKey(bytes: (0..<count).map(UInt8.init)) }
    }

    @Test("One byte repeated is no key")
    func constant() {
      let error = #expect(throws: TransportError.self) {
        try SharedKey(bytes: Array(repeating: 0, count: 32))
      }
      #expect(error?.code == .badCredentials)
    }

    @Test("A key goes to text and back, and says nothing of itself")
    func text() throws {
      let key = SharedKey.random()
      let again = try SharedKey(hexadecimal: "\n  \(key.hexadecimal.uppercased())\n")
      #expect(again.hexadecimal == key.hexadecimal)
      #expect(!"\(key)".contains(key.hexadecimal.prefix(4)))
    }

    @Test(
      "What is not 64 hexadecimal digits is no key",
      arguments: ["", "00", String(repeating: "0", count: 62) + " 1", String(repeating: "g", count: 64)])
    func notHexadecimal(text: String) {
      #expect(throws: TransportError.self) { try SharedKey(hexadecimal: text) }
    }

    @Test("A key that cannot be read says which file")
    func missingFile() {
      let error = #expect(throws: TransportError.self) { try SharedKey(file: "/nowhere/cluster.key") }
      #expect(error?.code == .badCredentials)
      #expect(error?.message.contains("/nowhere/cluster.key") == true)
    }
  }
#endif
