/// What a case wanted to see and did not.
package struct CaseFailure: Error, Sendable, Equatable, CustomStringConvertible {
  package let expected: String
  package let actual: String

  package init(expected: String, actual: String) {
    self.expected = expected
    self.actual = actual
  }

  package var description: String { "expected \(expected); actual: \(actual)" }
}

/// Why a case does not apply to this peer.
package struct CaseSkipped: Error, Sendable, CustomStringConvertible {
  package let reason: String

  package init(_ reason: String) {
    self.reason = reason
  }

  package var description: String { reason }
}

/// What is tested: a peer that accepts connections, or one that dials.
package enum Subject: String, Sendable, CaseIterable, Codable {
  case server
  case client
}
