#if Authentication
  import Foundation
  import NIOSSL
  import RaftTransport

  @testable import raft_mux

  /// An authority of a test's own, and what servers show that it has signed.
  struct TestCertificates: Sendable {
    static let cluster = "security"

    private let authority: CertificateAuthority
    private let own: CertificateAuthority.Identity

    /// From an hour ago until tomorrow.
    static var now: ClosedRange<Date> {
      Date.now.addingTimeInterval(-3_600)...Date.now.addingTimeInterval(86_400)
    }

    /// From yesterday until an hour ago.
    static var past: ClosedRange<Date> {
      Date.now.addingTimeInterval(-86_400)...Date.now.addingTimeInterval(-3_600)
    }

    init(_ name: String = "an authority") throws {
      authority = try CertificateAuthority(
        name: name, validity: Date.now.addingTimeInterval(-172_800)...Date.now.addingTimeInterval(172_800))
      own = try authority.identity
    }

    /// The authority's certificate in PEM.
    var root: [UInt8] { Array(own.certificate.utf8) }

    func uri(_ id: String, cluster: String = TestCertificates.cluster) -> String {
      CertificateName(clusterID: cluster, serverID: id).uri
    }

    /// A certificate for a server, and its key.
    func issue(
      _ id: String, uris: [String]? = nil, dnsNames: [String] = [], validity: ClosedRange<Date> = now,
      isForClients: Bool = true
    ) throws -> CertificateAuthority.Identity {
      try authority.issue(
        to: id, uris: uris ?? [uri(id)], dnsNames: dnsNames, validity: validity,
        usages: isForClients ? [.serverAuth, .clientAuth] : [.serverAuth])
    }

    /// What a server is configured with.
    ///
    /// - Parameter trusted: The authorities that it trusts; this one if none are named.
    func credentials(
      _ id: String, uris: [String]? = nil, dnsNames: [String] = [], validity: ClosedRange<Date> = now,
      isForClients: Bool = true, trusting trusted: [TestCertificates] = []
    ) throws -> TLSCredentials {
      let identity = try issue(
        id, uris: uris, dnsNames: dnsNames, validity: validity, isForClients: isForClients)
      return try TLSCredentials(
        certificateChain: .bytes(Array(identity.certificate.utf8)),
        privateKey: .bytes(Array(identity.key.utf8)),
        trustRoots: .bytes((trusted.isEmpty ? [self] : trusted).flatMap(\.root)))
    }

    /// The same, for a client that is none of ours.
    func clientConfiguration(
      _ identity: CertificateAuthority.Identity?
    ) throws -> TLSConfiguration {
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(root))
      configuration.certificateVerification = .noHostnameVerification
      configuration.applicationProtocols = ["rmux/1"]
      if let identity {
        configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8))
          .map { .certificate($0) }
        configuration.privateKey = .privateKey(
          try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem))
      }
      return configuration
    }
  }
#endif
