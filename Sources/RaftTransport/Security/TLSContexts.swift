#if Authentication
  import NIOCore
  import NIOSSL
  import SwiftASN1
  import X509

  /// What connections are made with at one time: TLS 1.3 only, mutual, for this protocol alone (R-SEC-10).
  struct TLSContexts: Sendable {
    /// The name of this protocol in TLS (R-SEC-11).
    static let applicationProtocol = "rmux/1"

    /// How long a close waits for the other side's; whoever is gone should not keep a transport from closing.
    private static let closePatience = TimeAmount.seconds(1)

    let server: NIOSSLContext
    let client: NIOSSLContext
    /// This server's certificate.
    let own: PeerCertificate

    init(
      chain: [NIOSSLCertificate], key: NIOSSLPrivateKey, roots: [NIOSSLCertificate], own: PeerCertificate
    ) throws {
      var server = TLSConfiguration.makeServerConfigurationWithMTLS(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key),
        trustRoots: .certificates(roots))
      // Peers are known by server IDs and not by the names of hosts: what ties a certificate to one is ours to check.
      server.certificateVerification = .noHostnameVerification
      Self.narrow(&server)
      var client = TLSConfiguration.makeClientConfiguration()
      client.certificateChain = chain.map { .certificate($0) }
      client.privateKey = .privateKey(key)
      client.trustRoots = .certificates(roots)
      client.certificateVerification = .noHostnameVerification
      Self.narrow(&client)
      self.server = try NIOSSLContext(configuration: server)
      self.client = try NIOSSLContext(configuration: client)
      self.own = own
    }

    private static func narrow(_ configuration: inout TLSConfiguration) {
      configuration.minimumTLSVersion = .tlsv13
      configuration.maximumTLSVersion = .tlsv13
      configuration.applicationProtocols = [applicationProtocol]
      configuration.shutdownTimeout = closePatience
    }
  }

  extension PeerCertificate {
    /// Reads the names of a certificate.
    ///
    /// - Throws: An error of the parser where the certificate or its names are malformed.
    init(_ certificate: NIOSSLCertificate) throws {
      let bytes = try certificate.toDERBytes()
      let names = try Certificate(derEncoded: bytes).extensions.subjectAlternativeNames
      var uris: [String] = []
      var dnsNames: [String] = []
      for name in names ?? SubjectAlternativeNames() {
        switch name {
        case .uniformResourceIdentifier(let uri): uris.append(uri)
        case .dnsName(let dnsName): dnsNames.append(dnsName)
        default: break
        }
      }
      self.init(derBytes: bytes, uris: uris, dnsNames: dnsNames)
    }
  }
#endif
