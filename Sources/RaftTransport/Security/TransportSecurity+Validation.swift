import Logging
import StreamMux

extension TransportSecurity {
  /// - Throws: ``TransportError`` with `badConfiguration` for what no peer could accept.
  func validate(serverID: ServerID, clusterID: String) throws(TransportError) {
    switch protection {
    case .plaintext:
      guard migration == .none else {
        throw Self.bad("a migration starts from TLS or a shared key; plaintext alone needs none")
      }
    #if Authentication
      case .tls(let credentials, let check):
        let own = credentials.contexts.own
        guard check.admits(own, as: serverID, in: clusterID) else {
          let name = CertificateName(clusterID: clusterID, serverID: serverID.rawValue)
          throw Self.bad(
            "the certificate does not name this server, \(name.uri); it names \(own.summary)")
        }
      case .sharedKey:
        break
    #endif
    }
  }

  /// Says aloud what everybody who runs a migration should remember to end.
  func announce(_ logger: Logger) {
    guard migration.acceptsPlaintext else { return }
    let dials = migration.dialsPlaintext ? ", and peers are dialled in plaintext" : ""
    logger.warning(
      "a migration allows plaintext: anybody who reaches the port can speak\(dials); end it when all servers are done"
    )
  }

  private static func bad(_ message: String) -> TransportError {
    TransportError(.badConfiguration, "security: \(message)", delivery: .notDelivered)
  }
}
