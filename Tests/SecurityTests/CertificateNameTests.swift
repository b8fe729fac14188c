#if Authentication
  import Testing

  @testable import RaftTransport

  @Suite("Names in certificates")
  struct CertificateNameTests {
    @Test(
      "A name survives its way into a URI and back",
      arguments: [
        ("prod", "node-1", "rmux://prod/node-1"),
        ("a b", "x/y", "rmux://a%20b/x%2Fy"),
        ("Zürich", "ß%", "rmux://Z%C3%BCrich/%C3%9F%25"),
        ("\0", "\u{1F600}", "rmux://%00/%F0%9F%98%80"),
      ])
    func roundTrip(cluster: String, server: String, uri: String) throws {
      let name = CertificateName(clusterID: cluster, serverID: server)
      #expect(name.uri == uri)
      let read = try #require(CertificateName(uri: uri))
      #expect(read == name)
      #expect(Array(read.serverID.utf8) == Array(server.utf8))
    }

    @Test(
      "How a part was encoded does not matter", arguments: ["rmux://prod/node-1", "rmux://%70rod/node%2d1"])
    func encodingsAreEqual(uri: String) {
      #expect(CertificateName(uri: uri) == CertificateName(clusterID: "prod", serverID: "node-1"))
    }

    @Test("Two spellings of one character are two names")
    func spellingsDiffer() {
      let composed = CertificateName(clusterID: "c", serverID: "\u{E9}")
      let decomposed = CertificateName(clusterID: "c", serverID: "e\u{301}")
      #expect(composed != decomposed)
    }

    // R-SEC-12
    @Test(
      "What has not this form is no name",
      arguments: [
        "", "rmux://", "rmux://prod", "rmux://prod/", "rmux:///node", "rmux://prod/node/",
        "rmux://prod/node/x",
        "rmux://prod/node?x", "rmux://prod/node#x", "rmux://prod:1/node", "rmux://me@prod/node",
        "RMUX://prod/node",
        "rmux://prod/no%2", "rmux://prod/no%zz", "rmux://prod/%FF", "rmux://prod/n ode", "https://prod/node",
        "rmux:prod/node", "rmux://prod/nöde",
      ])
    func malformed(uri: String) {
      #expect(CertificateName(uri: uri) == nil)
    }

    // R-SEC-12, R-SEC-13
    @Test(
      "A certificate is that of a server if it says so",
      arguments: [
        (PeerCertificate(uris: ["rmux://prod/node-1"]), true),
        (PeerCertificate(uris: ["https://x/", "rmux://prod/node-2", "rmux://prod/node-1"]), true),
        (PeerCertificate(uris: ["rmux://prod/node-2"]), false),
        (PeerCertificate(uris: ["rmux://test/node-1"]), false),
        (PeerCertificate(dnsNames: ["node-1"]), true),
        (PeerCertificate(uris: ["https://x/"], dnsNames: ["node-1"]), true),
        (PeerCertificate(dnsNames: ["node-2"]), false),
        (PeerCertificate(dnsNames: ["*"]), false),
        (PeerCertificate(dnsNames: ["NODE-1"]), false),
        (PeerCertificate(uris: ["rmux://prod/node-2"], dnsNames: ["node-1"]), false),
        (PeerCertificate(uris: ["RMUX://prod/node-2"], dnsNames: ["node-1"]), false),
        (PeerCertificate(), false),
      ])
    func check(certificate: PeerCertificate, isAdmitted: Bool) {
      #expect(
        CertificateCheck.subjectAlternativeName.admits(certificate, as: "node-1", in: "prod") == isAdmitted)
    }

    @Test("A check of one's own replaces the names")
    func custom() {
      let check = CertificateCheck.custom { certificate, id in
        certificate.dnsNames == ["\(id).raft.example"]
      }
      let certificate = PeerCertificate(dnsNames: ["node-1.raft.example"])
      #expect(check.admits(certificate, as: "node-1", in: "prod"))
      #expect(!check.admits(certificate, as: "node-2", in: "prod"))
    }
  }
#endif
