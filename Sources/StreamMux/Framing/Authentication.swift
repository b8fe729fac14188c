/// What AUTH says: a method and what proves the sender's identity with it.
package struct Authentication: Equatable, Sendable {
  /// The method byte; any but that of the ``Agreement`` is refused.
  package let method: UInt8
  /// At most 256 bytes. Empty for no method and for TLS.
  package let proof: [UInt8]

  package init(method: UInt8, proof: [UInt8] = []) {
    self.method = method
    self.proof = proof
  }

  package init(_ method: AuthenticationMethod, proof: [UInt8] = []) {
    self.init(method: method.rawValue, proof: proof)
  }
}
