import StreamMux

/// How a certificate that leads to a trust root is bound to the server that shows it.
public struct CertificateCheck: Sendable {
  private enum Rule: Sendable {
    case subjectAlternativeName
    case custom(@Sendable (PeerCertificate, ServerID) -> Bool)
  }

  private let rule: Rule

  /// The certificate names the server among its subject alternative names: by the URI `rmux://CLUSTER/SERVER`
  /// (percent-encoded), or, where it has no URI with this scheme, by a DNS name that is the server ID. A DNS name binds
  /// no cluster: use it only with an authority that signs for one cluster alone. Wildcards match nothing.
  public static let subjectAlternativeName = CertificateCheck(rule: .subjectAlternativeName)

  /// A check of your own.
  ///
  /// - Parameter isNamed: Whether the certificate is that of the server, of our own cluster. Called on an event loop:
  ///   it must not block.
  public static func custom(
    _ isNamed: @escaping @Sendable (PeerCertificate, ServerID) -> Bool
  ) -> CertificateCheck {
    CertificateCheck(rule: .custom(isNamed))
  }

  /// Whether a certificate is that of a server (R-SEC-12, R-SEC-13).
  func admits(_ certificate: PeerCertificate, as id: ServerID, in clusterID: String) -> Bool {
    switch rule {
    case .custom(let isNamed):
      return isNamed(certificate, id)
    case .subjectAlternativeName:
      let uris = certificate.uris.filter { CertificateName.isMeant(by: $0) }
      if !uris.isEmpty {
        let name = CertificateName(clusterID: clusterID, serverID: id.rawValue)
        return uris.contains { CertificateName(uri: $0) == name }
      }
      return certificate.dnsNames.contains { $0.utf8.elementsEqual(id.rawValue.utf8) }
    }
  }
}

extension PeerCertificate {
  /// Whom the certificate names, for an operator.
  var summary: String {
    let names = uris.map(\.printable) + dnsNames.map { "DNS \($0.printable)" }
    // Whoever signed it may have been generous; a log line is not.
    return names.isEmpty ? "no name" : names.prefix(4).joined(separator: ", ")
  }
}
