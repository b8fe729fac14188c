import RaftTransport

/// How the nodes of the demo show each other who they are.
struct SecurityChoice: Codable, Sendable, Equatable {
  /// The folder with certificates; `nil`: no TLS.
  var certificates: String?
  /// The file with a shared key; `nil`: none.
  var keyFile: String?

  static let plaintext = SecurityChoice()

  /// The arguments that say the same to a node in a process of its own.
  var arguments: [String] {
    (certificates.map { ["--tls", $0] } ?? []) + (keyFile.map { ["--key", $0] } ?? [])
  }

  /// What is wrong with the choice, for a user.
  var problem: String? {
    if certificates != nil && keyFile != nil { return "--tls and --key exclude each other" }
    #if !Authentication
      if self != .plaintext { return "this build was made without TLS and keys (the trait Authentication)" }
    #endif
    return nil
  }

  /// What one node is configured with.
  ///
  /// - Throws: `TransportError` where a file cannot be read or used.
  func security(of server: String) throws -> TransportSecurity {
    #if Authentication
      if let certificates {
        let folder = CertificateFolder(path: certificates)
        return .tls(
          try TLSCredentials(
            certificateFile: folder.certificate(of: server), privateKeyFile: folder.key(of: server),
            trustRootsFile: folder.trustRoots))
      }
      if let keyFile { return .sharedKey(SharedKeys(try SharedKey(file: keyFile))) }
    #endif
    return .plaintext
  }
}
