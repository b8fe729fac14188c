#if Authentication
  import ConformanceSuite
  import Foundation
  import Testing

  @Suite("The conformance suite's proofs")
  struct ProofKeyTests {
    private struct Vectors: Decodable {
      struct Case: Decodable, CustomStringConvertible {
        let name: String
        let key: String
        let diallerHello: String
        let acceptorHello: String
        let diallerProof: String
        let acceptorProof: String

        var description: String { name }
      }
      let cases: [Case]
    }

    @Test("are those of the vectors (R-SEC-14)")
    func vectors() throws {
      let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      let file = try Data(contentsOf: root.appending(path: "Spec/vectors/shared-key.json"))
      let cases = try JSONDecoder().decode(Vectors.self, from: file).cases
      #expect(!cases.isEmpty)
      for item in cases {
        let key = try #require(ProofKey(hexadecimal: item.key), "\(item)")
        let dialler = [UInt8].hexadecimal(item.diallerHello)
        let acceptor = [UInt8].hexadecimal(item.acceptorHello)
        #expect(
          key.proof(of: .dialler, dialler: dialler, acceptor: acceptor) == .hexadecimal(item.diallerProof),
          "\(item)")
        #expect(
          key.proof(of: .acceptor, dialler: dialler, acceptor: acceptor) == .hexadecimal(item.acceptorProof),
          "\(item)")
      }
    }

    @Test("take keys of 64 digits and no others")
    func keys() {
      let digits = String(repeating: "0f", count: 32)
      #expect(ProofKey(hexadecimal: " \(digits)\n") != nil)
      for text in [
        "", digits + "0", String(digits.dropLast(2)), "g" + digits.dropFirst(), "\(digits) \(digits)",
      ] {
        #expect(ProofKey(hexadecimal: text) == nil, "\(text)")
      }
    }
  }
#endif
