import Foundation
import RaftTransport

/// A folder with an authority's certificate and those of servers, as `raft-mux certs` makes it.
struct CertificateFolder {
  let path: String

  private var url: URL { URL(filePath: path, directoryHint: .isDirectory) }

  /// The authority's certificate: what every server trusts.
  var trustRoots: String { file("ca.pem") }

  /// The authority's key, which belongs on no server.
  var authorityKey: String { file("ca.key") }

  /// A server's certificate.
  func certificate(of server: String) -> String { file("\(Self.stem(of: server)).pem") }

  /// A server's key.
  func key(of server: String) -> String { file("\(Self.stem(of: server)).key") }

  private func file(_ name: String) -> String { url.appending(path: name).path(percentEncoded: false) }

  /// The name of a server as part of a file's name: a slash in it must not lead elsewhere.
  private static func stem(of server: String) -> String {
    String(CertificateName(clusterID: "-", serverID: server).uri.split(separator: "/").last ?? "")
  }

  /// Whether a server's ID can be the name of a file here.
  static func canName(_ server: String) -> Bool {
    !server.isEmpty && stem(of: server).utf8.count <= 200 && server != "ca" && !server.hasPrefix(".")
  }
}
