/// How the two ends prove who they are. The value is the method byte of AUTH.
package enum AuthenticationMethod: UInt8, CaseIterable, Hashable, Sendable {
  /// Not at all.
  case none = 0
  /// By certificates: the channel below was verified before the first byte of this protocol.
  case tls = 1
  /// By a key that the whole cluster shares.
  case sharedKey = 2

  /// Strongest first: what both ends can do and comes first here is used.
  package static let strongestFirst: [AuthenticationMethod] = [.tls, .sharedKey, .none]
}

/// The methods that one end offers. Unknown bits are ignored.
package struct AuthenticationMethods: OptionSet, Hashable, Sendable {
  package let rawValue: UInt32

  package init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  package init(_ method: AuthenticationMethod) {
    self.init(rawValue: 1 << UInt32(method.rawValue))
  }

  package static let none = AuthenticationMethods(.none)
  package static let tls = AuthenticationMethods(.tls)
  package static let sharedKey = AuthenticationMethods(.sharedKey)

  /// The strongest method of the set that this implementation knows.
  package var strongest: AuthenticationMethod? {
    AuthenticationMethod.strongestFirst.first { contains(AuthenticationMethods($0)) }
  }
}
