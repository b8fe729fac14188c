#if Authentication
  import Foundation
  import RaftTransport
  import RaftTransportTesting
  import Synchronization
  import Testing

  @testable import raft_mux

  @Suite("Certificates and keys that change", .serialized, .timeLimit(.minutes(5)))
  struct ReloadTests {
    /// Remembers which certificates were shown.
    private final class Seen: Sendable {
      private let certificates = Mutex<[[UInt8]]>([])

      var all: [[UInt8]] { certificates.withLock { $0 } }

      func add(_ certificate: [UInt8]) { certificates.withLock { $0.append(certificate) } }
    }

    /// A server that remembers the certificates of those who call it.
    private func witness(_ certificates: TestCertificates, _ seen: Seen) async throws -> MuxTransport {
      try await listen(
        "b",
        TransportSecurity.tls(try certificates.credentials("b")).authorizing { peer in
          if let certificate = peer.certificate { seen.add(certificate.derBytes) }
          return .admit
        })
    }

    // R-SEC-18
    @Test("After a reload old connections stay, and new ones show the new certificate")
    func newCertificate() async throws {
      let certificates = try TestCertificates()
      let credentials = try certificates.credentials("a")
      let seen = Seen()
      let caller = try await listen("a", .tls(credentials))
      let callee = try await witness(certificates, seen)
      try await closing(caller, callee) {
        let echo = EchoConsumer(callee)
        try await caller.proveCall(to: callee, as: "b")
        let before = await caller.connections(to: "b").map(\.localPort)
        let next = try certificates.issue("a")
        try credentials.replace(
          certificateChain: .bytes(Array(next.certificate.utf8)), privateKey: .bytes(Array(next.key.utf8)),
          trustRoots: .bytes(certificates.root))
        try await caller.proveCall(to: callee, as: "b")
        #expect(await caller.connections(to: "b").map(\.localPort) == before)
        #expect(seen.all.count == 1)

        await caller.closeStreams()
        try await caller.proveCall(to: callee, as: "b")
        #expect(await caller.connections(to: "b").map(\.localPort) != before)
        #expect(seen.all.count == 2 && seen.all.first != seen.all.last)
        await echo.stop()
      }
    }

    // R-SEC-18
    @Test("Files that were written anew are read by a reload, and shown on new connections")
    func rewrittenFiles() async throws {
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
      func write(_ identity: CertificateAuthority.Identity) throws {
        try identity.certificate.write(toFile: path("a.pem"), atomically: true, encoding: .utf8)
        try identity.key.write(toFile: path("a.key"), atomically: true, encoding: .utf8)
      }
      let certificates = try TestCertificates()
      try Data(certificates.root).write(to: folder.appendingPathComponent("ca.pem"))
      try write(try certificates.issue("a"))
      let credentials = try TLSCredentials(
        certificateFile: path("a.pem"), privateKeyFile: path("a.key"), trustRootsFile: path("ca.pem"))
      let seen = Seen()
      let caller = try await listen("a", .tls(credentials))
      let callee = try await witness(certificates, seen)
      try await closing(caller, callee) {
        let echo = EchoConsumer(callee)
        try await caller.proveCall(to: callee, as: "b")
        try write(try certificates.issue("a"))
        await caller.closeStreams()
        try await caller.proveCall(to: callee, as: "b")
        #expect(seen.all.count == 2 && seen.all.first == seen.all.last, "nobody has said that they are new")
        try credentials.reload()
        await caller.closeStreams()
        try await caller.proveCall(to: callee, as: "b")
        #expect(seen.all.count == 3 && seen.all.first != seen.all.last)
        await echo.stop()
      }
    }

    // R-SEC-18
    @Test("A root that is not trusted any more opens no new connection, and ends no old one")
    func revokedRoot() async throws {
      let (old, new) = (try TestCertificates("old"), try TestCertificates("new"))
      let credentials = try new.credentials("b", trusting: [old, new])
      let caller = try await listen("a", .tls(try old.credentials("a", trusting: [old, new])))
      let callee = try await listen("b", .tls(credentials))
      try await closing(caller, callee) {
        let echo = EchoConsumer(callee)
        try await caller.proveCall(to: callee, as: "b")
        let identity = try new.issue("b")
        try credentials.replace(
          certificateChain: .bytes(Array(identity.certificate.utf8)),
          privateKey: .bytes(Array(identity.key.utf8)), trustRoots: .bytes(new.root))
        try await caller.proveCall(to: callee, as: "b")

        await caller.closeStreams()
        let error = try await failure("a call with the old certificate") {
          try await caller.proveCall(to: callee, as: "b")
        }
        #expect(error.code == .unauthenticated, "\(error)")
        #expect(error.message.contains("does not trust the authority"), "\(error)")
        await echo.stop()
      }
    }

    @Test("What cannot be used is refused with its name, and the old credentials stay")
    func badReplacement() throws {
      let certificates = try TestCertificates()
      let credentials = try certificates.credentials("a")
      let (one, other) = (try certificates.issue("a"), try certificates.issue("a"))
      let cases: [(chain: String, key: String, roots: [UInt8], word: String)] = [
        ("no PEM", one.key, certificates.root, "certificate chain"),
        (one.certificate, "no PEM", certificates.root, "private key"),
        (one.certificate, one.key, [], "trust roots"),
        (one.certificate, other.key, certificates.root, "not that of the certificate"),
      ]
      for bad in cases {
        let error = #expect(throws: TransportError.self) {
          try credentials.replace(
            certificateChain: .bytes(Array(bad.chain.utf8)), privateKey: .bytes(Array(bad.key.utf8)),
            trustRoots: .bytes(bad.roots))
        }
        #expect(error?.code == .badCredentials)
        #expect(error?.message.contains(bad.word) == true, "\(String(describing: error))")
      }
      try credentials.reload()
    }

    @Test("A file that is not there is named")
    func missingFile() {
      let error = #expect(throws: TransportError.self) {
        try TLSCredentials(
          certificateFile: "/nowhere/node.pem", privateKeyFile: "/nowhere/node.key",
          trustRootsFile: "/nowhere/ca.pem")
      }
      #expect(error?.code == .badCredentials)
      #expect(error?.message.contains("/nowhere/node.pem") == true)
    }

    @Test("A key can be changed without a moment in which two servers cannot talk")
    func keyRotation() async throws {
      let (old, new) = (SharedKey.random(), SharedKey.random())
      let (callersKeys, calleesKeys) = (SharedKeys(old), SharedKeys(old))
      let caller = try await listen("a", .sharedKey(callersKeys))
      let callee = try await listen("b", .sharedKey(calleesKeys))
      try await closing(caller, callee) {
        let echo = EchoConsumer(callee)
        let steps: [() -> Void] = [
          { callersKeys.replace(old, alsoAccepting: [new]) },
          { calleesKeys.replace(old, alsoAccepting: [new]) },
          { callersKeys.replace(new, alsoAccepting: [old]) },
          { calleesKeys.replace(new, alsoAccepting: [old]) },
          { callersKeys.replace(new) }, { calleesKeys.replace(new) },
        ]
        for step in steps {
          step()
          await caller.closeStreams()
          try await caller.proveCall(to: callee, as: "b")
        }
        callersKeys.replace(old)
        await caller.closeStreams()
        let error = try await failure("a call with the old key") {
          try await caller.proveCall(to: callee, as: "b")
        }
        #expect(error.code == .unauthenticated, "\(error)")
        await echo.stop()
      }
    }
  }
#endif
