import Logging

/// Finds the address for a call: the provider's answer, or else the address that the call names.
struct AddressBook: Sendable {
  let provider: (any ServerAddressProvider)?
  let logger: Logger

  func address(of id: ServerID, orElse fallback: ServerAddress) async -> ServerAddress {
    guard let provider, !id.isEmpty else { return fallback }
    do {
      return try await provider.serverAddress(for: id)
    } catch {
      logger.warning(
        "the address provider does not know the server; using the address of the call",
        metadata: ["server": "\(id)", "address": "\(fallback)", "error": "\(error)"])
      return fallback
    }
  }
}
