#if Authentication
  import Testing

  @testable import RaftTransport

  @Suite("The old protocol, which protects nothing and knows no names")
  struct OldProtocolTests {
    private func allows(_ security: TransportSecurity) -> Bool {
      var configuration = TransportConfiguration(serverID: "a", clusterID: "c")
      configuration.security = security
      return configuration.allowsClassic
    }

    // R-CLS-24, R-CLS-25, R-SEC-20
    @Test("is spoken only where plaintext is, and where nobody has to be judged")
    func rules() throws {
      let certificates = try TestCertificates()
      let tls = TransportSecurity.tls(try certificates.credentials("a"))
      let keyed = TransportSecurity.sharedKey(SharedKeys(.random()))
      #expect(allows(.plaintext))
      for security in [tls, keyed] {
        #expect(!allows(security))
        #expect(allows(security.migrating(.acceptingPlaintext)))
        #expect(!allows(security.migrating(.acceptingPlaintext).authorizing { _ in .admit }))
      }
      #expect(!allows(TransportSecurity.plaintext.authorizing { _ in .admit }))
    }
  }
#endif
