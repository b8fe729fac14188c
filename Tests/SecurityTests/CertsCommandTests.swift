#if Authentication
  import Foundation
  import RaftTransport
  import RaftTransportTesting
  import Testing

  @testable import raft_mux

  @Suite("raft-mux certs", .timeLimit(.minutes(5)))
  struct CertsCommandTests {
    /// Runs a body with a folder of its own.
    private func withFolder(_ body: (CertificateFolder) async throws -> Void) async throws {
      let url = FileManager.default.temporaryDirectory.appending(path: "certs-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: url) }
      try await body(CertificateFolder(path: url.path))
    }

    private func make(_ folder: CertificateFolder, _ arguments: String...) async throws {
      try await CertsCommand.parse(["--out", folder.path] + arguments).run()
    }

    private func security(_ folder: CertificateFolder, _ server: String) throws -> TransportSecurity {
      try SecurityChoice(certificates: folder.path).security(of: server)
    }

    @Test("What it makes is what servers can use, also when more are added later")
    func usable() async throws {
      try await withFolder { folder in
        try await make(folder, "--cluster", TestCertificates.cluster, "a")
        let root = try Data(contentsOf: URL(filePath: folder.trustRoots))
        try await make(folder, "--cluster", TestCertificates.cluster, "b", "c/d e")
        #expect(try Data(contentsOf: URL(filePath: folder.trustRoots)) == root)
        let caller = try await listen("a", security(folder, "a"))
        let callee = try await listen("c/d e", security(folder, "c/d e"))
        try await closing(caller, callee) {
          let echo = EchoConsumer(callee)
          try await caller.proveCall(to: callee, as: "c/d e")
          await echo.stop()
        }
      }
    }

    @Test("Keys are for their owner only, and a second run renews what it names")
    func files() async throws {
      try await withFolder { folder in
        try await make(folder, "node-1")
        for key in [folder.authorityKey, folder.key(of: "node-1")] {
          let mode = try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int
          #expect(mode == 0o600, "\(key)")
        }
        let credentials = try TLSCredentials(
          certificateFile: folder.certificate(of: "node-1"), privateKeyFile: folder.key(of: "node-1"),
          trustRootsFile: folder.trustRoots)
        let first = try Data(contentsOf: URL(filePath: folder.certificate(of: "node-1")))
        try await make(folder, "node-1")
        #expect(try Data(contentsOf: URL(filePath: folder.certificate(of: "node-1"))) != first)
        try credentials.reload()
      }
    }

    @Test(
      "A name that would lead out of the folder, or hide, or be the authority's, is refused",
      arguments: ["..", ".x", "", "ca"])
    func badNames(name: String) {
      #expect(throws: (any Error).self) { try CertsCommand.parse(["--out", "x", name]) }
    }

    @Test("The demo takes certificates or a key, not both")
    func demoChoice() throws {
      #expect(throws: (any Error).self) { try DemoCommand.parse(["--tls", "x", "--key", "y"]) }
      _ = try DemoCommand.parse(["--tls", "x"])
      #expect(SecurityChoice(certificates: "x").arguments == ["--tls", "x"])
      #expect(SecurityChoice(keyFile: "y").arguments == ["--key", "y"])
    }
  }
#endif
