import Logging
import NIOCore

/// Finds the address for a call: the provider's answer, or else the address that the call names.
struct AddressBook: Sendable {
  let provider: (any ServerAddressProvider)?
  let waits: BoundedWaits
  let logger: Logger

  /// - Throws: ``TransportError`` where the call ends before the provider answers.
  func address(
    of id: ServerID, orElse fallback: ServerAddress, deadline: NIODeadline?
  ) async throws -> ServerAddress {
    guard let provider, !id.isEmpty else { return fallback }
    let answer = try await waits.value(
      until: deadline, late: "the address provider has not said in time where '\(id)' is"
    ) { () -> Result<ServerAddress, any Error> in
      do { return .success(try await provider.serverAddress(for: id)) } catch { return .failure(error) }
    }
    do {
      return try answer.get()
    } catch {
      logger.warning(
        "the address provider does not know the server; using the address of the call",
        metadata: ["server": "\(id)", "address": "\(fallback)", "error": "\(error)"])
      return fallback
    }
  }
}
