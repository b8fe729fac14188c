import StreamMux
import Testing

@Suite("The agreement of two HELLOs")
struct AgreementTests {
  static let versions: [(ClosedRange<UInt16>, ClosedRange<UInt16>, UInt16?)] = [
    (1...1, 1...1, 1), (1...3, 2...9, 3), (2...2, 1...2, 2), (1...1, 2...3, nil), (5...9, 1...4, nil),
    (1...UInt16.max, 7...7, 7),
  ]

  // R-HSK-10
  @Test("has the highest common version, whoever asks", arguments: versions.indices)
  func version(index: Int) throws {
    let (left, right, expected) = Self.versions[index]
    let one = try sampleHello(server: "a", versions: left)
    let other = try sampleHello(server: "b", versions: right)
    #expect((try? Agreement(between: one, and: other))?.version == expected)
    #expect((try? Agreement(between: other, and: one))?.version == expected)
    if expected == nil {
      let refusal = #expect(throws: Refusal.self) { try Agreement(between: one, and: other) }
      #expect(refusal?.code == .unsupportedVersion)
    }
  }

  static let methods: [(AuthenticationMethods, AuthenticationMethods, AuthenticationMethod?)] = [
    (.none, .none, AuthenticationMethod.none), ([.none, .tls], [.none, .tls, .sharedKey], .tls),
    ([.none, .sharedKey], [.none, .sharedKey], .sharedKey), ([.tls, .sharedKey], [.tls, .sharedKey], .tls),
    (.tls, .sharedKey, nil), ([], .none, nil), (.init(rawValue: 8), .init(rawValue: 8), nil),
    ([.none, .init(rawValue: 8)], [.none, .init(rawValue: 8)], AuthenticationMethod.none),
  ]

  // R-HSK-12, R-HSK-13, R-HSK-14
  @Test("has the strongest common method that is known, whoever asks", arguments: methods.indices)
  func method(index: Int) throws {
    let (left, right, expected) = Self.methods[index]
    let one = try sampleHello(server: "a", methods: left)
    let other = try sampleHello(server: "b", methods: right)
    #expect((try? Agreement(between: one, and: other))?.method == expected)
    #expect((try? Agreement(between: other, and: one))?.method == expected)
    if expected == nil {
      let refusal = #expect(throws: Refusal.self) { try Agreement(between: one, and: other) }
      #expect(refusal?.code == .unauthenticated)
    }
  }

  // R-HSK-11, R-HSK-12
  @Test("has the features of both")
  func features() throws {
    let all = try sampleHello(server: "a", features: .init(rawValue: 0b111))
    let some = try sampleHello(server: "b", features: .init(rawValue: 0b101))
    let none = try sampleHello(server: "c", features: [])
    #expect(try Agreement(between: all, and: some).features == .init(rawValue: 0b101))
    #expect(try Agreement(between: all, and: none).features == [])
  }
}
