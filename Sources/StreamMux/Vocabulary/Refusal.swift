/// Why a connection is not wanted: what a refusing WELCOME says.
package struct Refusal: Error, Equatable, Sendable {
  package let code: ErrorCode
  /// For the operator at the other end. At most 512 bytes are sent.
  package let text: String
  /// Only with ``ErrorCode/duplicate``: the HELLO nonce of the dialler of the connection that is kept.
  package let winner: Nonce?

  package init(code: ErrorCode, text: String, winner: Nonce? = nil) {
    self.code = code
    self.text = text
    self.winner = winner
  }
}

extension Refusal: CustomStringConvertible {
  package var description: String { text.isEmpty ? "\(code)" : "\(code): \(text)" }
}
