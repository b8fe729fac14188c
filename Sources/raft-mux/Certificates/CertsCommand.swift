#if Authentication
  import ArgumentParser
  import Foundation
  import RaftTransport

  /// `raft-mux certs`.
  struct CertsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "certs",
      abstract: "Makes an authority and certificates for servers, for tests.",
      discussion: """
        Writes ca.pem and ca.key, and for each server SERVER.pem and SERVER.key, whose certificate names the server as \
        rmux://CLUSTER/SERVER. An authority that is already in the folder signs again; certificates of servers that are \
        named again are replaced. Keys are readable by their owner only. Without names: the servers of `raft-mux demo`.

        It is meant for tests: the authority's key lies unprotected beside what it signs.
        """
    )

    /// The servers of the demo.
    private static let demoServers = ["leader", "follower-1", "follower-2"]

    @Option(help: ArgumentHelp("The folder to write to.", valueName: "folder"))
    var out: String

    @Option(help: ArgumentHelp("The name of the cluster.", valueName: "name"))
    var cluster = DemoRun.clusterID

    @Option(help: ArgumentHelp("How long the certificates are good (1 to 3650).", valueName: "days"))
    var days = 365

    @Argument(help: ArgumentHelp("The IDs of the servers.", valueName: "server"))
    var servers: [String] = []

    func validate() throws {
      guard (1...3_650).contains(days) else { throw ValidationError("--days is from 1 to 3650") }
      guard (1...255).contains(cluster.utf8.count) else {
        throw ValidationError("--cluster has 1 to 255 bytes")
      }
      for server in servers where !CertificateFolder.canName(server) {
        throw ValidationError("'\(server)' cannot be the name of a file")
      }
    }

    func run() async throws {
      let folder = CertificateFolder(path: out)
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
      // A clock that is a little late must not find them not valid yet.
      let begin = Date.now.addingTimeInterval(-3_600)
      let validity = begin...Date.now.addingTimeInterval(Double(days) * 86_400)
      let authority = try Self.authority(in: folder, validity: validity)
      for server in servers.isEmpty ? Self.demoServers : servers {
        let name = CertificateName(clusterID: cluster, serverID: server)
        let identity = try authority.issue(to: server, uris: [name.uri], validity: validity)
        try Self.write(identity.certificate, to: folder.certificate(of: server), mode: 0o644)
        try Self.write(identity.key, to: folder.key(of: server), mode: 0o600)
        print("\(folder.certificate(of: server))  \(name.uri)")
      }
    }

    private static func authority(
      in folder: CertificateFolder, validity: ClosedRange<Date>
    ) throws -> CertificateAuthority {
      if FileManager.default.fileExists(atPath: folder.authorityKey) {
        return try CertificateAuthority(
          certificate: String(contentsOfFile: folder.trustRoots, encoding: .utf8),
          key: String(contentsOfFile: folder.authorityKey, encoding: .utf8))
      }
      let authority = try CertificateAuthority(name: "raft-mux test authority", validity: validity)
      let identity = try authority.identity
      try write(identity.certificate, to: folder.trustRoots, mode: 0o644)
      try write(identity.key, to: folder.authorityKey, mode: 0o600)
      return authority
    }

    /// Puts a file in its place at once, so that nobody reads half of it.
    private static func write(_ text: String, to path: String, mode: Int) throws {
      let draft = "\(path).new"
      try? FileManager.default.removeItem(atPath: draft)
      guard
        FileManager.default.createFile(
          atPath: draft, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
      else { throw DemoError("\(draft) cannot be written") }
      guard unsafe rename(draft, path) == 0 else { throw DemoError("\(path) cannot be written") }
    }
  }
#endif
