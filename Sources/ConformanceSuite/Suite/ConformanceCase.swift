package import NIOCore

/// One numbered question to a peer.
package struct ConformanceCase: Sendable {
  package let section: String
  package let number: Int
  package let title: String
  /// The requirements that it holds the peer to; one MUST among them makes it required.
  package let requirements: [String]
  package let subjects: Set<Subject>
  /// The methods with which it can be asked.
  package let methods: Set<Method>
  /// What it waits for by the peer's clock, beyond the limit of every case.
  package let waits: TimeAmount
  package let body: @Sendable (Stage) async throws -> Void

  package var id: String { "\(section)/\(number)" }

  /// Whether failing it means not to conform, or only to need a reason.
  package var isRequired: Bool {
    requirements.contains { Requirements.all[$0]?.level.hasPrefix("MUST") ?? true }
  }
}

/// How the two sides show each other who they are.
package enum Method: Sendable, CaseIterable {
  case none
  case sharedKey
}

/// The cases of a section, numbered as they are written.
struct Section {
  let name: String
  private(set) var cases: [ConformanceCase] = []

  init(_ name: String) {
    self.name = name
  }

  mutating func add(
    _ title: String, _ requirements: String..., only subject: Subject? = nil, method: Method? = nil,
    waits: TimeAmount = .zero,
    _ body: @escaping @Sendable (Stage) async throws -> Void
  ) {
    cases.append(
      ConformanceCase(
        section: name, number: cases.count + 1, title: title, requirements: requirements,
        subjects: subject.map { [$0] } ?? [.server, .client],
        methods: method.map { [$0] } ?? Set(Method.allCases), waits: waits, body: body))
  }

  /// A case in which the peer has to end an established connection with a code.
  mutating func add(
    ending codes: CodeName..., after title: String, _ requirements: String...,
    only subject: Subject? = nil, sin: @escaping @Sendable (Probe) async throws -> Void
  ) {
    cases.append(
      ConformanceCase(
        section: name, number: cases.count + 1, title: "ends the connection after \(title)",
        requirements: requirements, subjects: subject.map { [$0] } ?? [.server, .client],
        methods: Set(Method.allCases), waits: .zero
      ) { stage in
        let probe = try await stage.established()
        try await sin(probe)
        try await probe.expectEnd(codes)
      })
  }
}

/// All cases of the suite.
package enum Cases {
  package static let all: [ConformanceCase] =
    FramingCases.all + HandshakeCases.all + PairCases.all + StreamCases.all + FlowCases.all
    + LivenessCases.all
    + DrainCases.all + ErrorCases.all + LimitCases.all + PayloadCases.all + SnapshotCases.all
    + ClientCases.all + KeyCases.all

  /// A server takes a connection, and it lives: without that no case says anything.
  package static let handshakeAlone = ConformanceCase(
    section: "handshake", number: 0, title: "takes a connection", requirements: [], subjects: [.server],
    methods: Set(Method.allCases), waits: .zero
  ) { stage in
    let probe = try await stage.established()
    try await probe.expectAlive()
  }
}
