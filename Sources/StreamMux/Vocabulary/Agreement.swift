/// What a connection uses: a pure function of the two HELLOs, so that whatever authenticates the HELLOs
/// authenticates the choice.
package struct Agreement: Hashable, Sendable {
  package let version: UInt16
  package let features: Features
  package let method: AuthenticationMethod

  package init(version: UInt16, features: Features, method: AuthenticationMethod) {
    self.version = version
    self.features = features
    self.method = method
  }

  /// The agreement of two HELLOs; the order of the arguments does not matter.
  ///
  /// - Throws: a ``Refusal`` with ``ErrorCode/unsupportedVersion`` or ``ErrorCode/unauthenticated``.
  package init(between one: Hello, and other: Hello) throws(Refusal) {
    let newest = min(one.maximumVersion, other.maximumVersion)
    guard newest >= max(one.minimumVersion, other.minimumVersion) else {
      throw Refusal(
        code: .unsupportedVersion,
        text: """
          no common protocol version: \(one.serverID) speaks \(one.minimumVersion) to \
          \(one.maximumVersion), \(other.serverID) \(other.minimumVersion) to \(other.maximumVersion); \
          upgrade the older one
          """)
    }
    guard let method = one.methods.intersection(other.methods).strongest else {
      throw Refusal(code: .unauthenticated, text: Self.objection(one, other))
    }
    self.init(version: newest, features: one.features.intersection(other.features), method: method)
  }

  private static func objection(_ one: Hello, _ other: Hello) -> String {
    // A HELLO without any method is an answer in plaintext by somebody who wants none (R-SEC-15).
    for (asking, asked) in [(one, other), (other, one)] where asking.methods.rawValue == 0 {
      return "\(asking.serverID) takes no connections in plaintext; configure TLS for \(asked.serverID), too"
    }
    return """
      no common authentication method: \(one.serverID) offers \(one.methods.summary), \
      \(other.serverID) \(other.methods.summary); configure the same for both
      """
  }
}

extension AuthenticationMethods {
  /// The known methods of the set in words.
  package var summary: String {
    let names = AuthenticationMethod.strongestFirst.filter { contains(AuthenticationMethods($0)) }
    return names.isEmpty ? "nothing known" : names.map { "\($0)" }.joined(separator: ", ")
  }
}
