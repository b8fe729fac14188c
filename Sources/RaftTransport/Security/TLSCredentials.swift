#if Authentication
  import NIOSSL
  import Synchronization

  /// This server's certificate and key, and whom it trusts.
  ///
  /// They can be replaced at any time, from any task: connections that stand go on with what they were made with, new
  /// ones use the new. To end the others too, call `closeStreams()` on the transport.
  public final class TLSCredentials: Sendable {
    /// Where PEM text comes from.
    public struct PEM: Sendable {
      enum Place: Sendable {
        case file(String)
        case bytes([UInt8])
      }

      let place: Place

      /// A file, read now and at each ``TLSCredentials/reload()``.
      public static func file(_ path: String) -> PEM { PEM(place: .file(path)) }

      /// Text that is in memory.
      public static func bytes(_ bytes: [UInt8]) -> PEM { PEM(place: .bytes(bytes)) }
    }

    private struct Sources: Sendable {
      let certificateChain: PEM
      let privateKey: PEM
      let trustRoots: PEM
    }

    private struct State: Sendable {
      var sources: Sources
      var contexts: TLSContexts
    }

    private let state: Mutex<State>

    /// Loads credentials.
    ///
    /// - Parameters:
    ///   - certificateChain: This server's certificate, then intermediate ones up to, and without, the root. It needs
    ///     to be good for both server and client authentication.
    ///   - privateKey: The key of that certificate, without passphrase.
    ///   - trustRoots: The authorities that sign the certificates of this cluster's servers; all others are refused,
    ///     those of the system included.
    /// - Throws: ``TransportError`` with `badCredentials`, which says what is wrong with which of the three.
    public init(certificateChain: PEM, privateKey: PEM, trustRoots: PEM) throws(TransportError) {
      let sources = Sources(
        certificateChain: certificateChain, privateKey: privateKey, trustRoots: trustRoots)
      state = Mutex(State(sources: sources, contexts: try Self.load(sources)))
    }

    /// Loads credentials from PEM files; see ``init(certificateChain:privateKey:trustRoots:)``.
    public convenience init(
      certificateFile: String, privateKeyFile: String, trustRootsFile: String
    ) throws(TransportError) {
      try self.init(
        certificateChain: .file(certificateFile), privateKey: .file(privateKeyFile),
        trustRoots: .file(trustRootsFile))
    }

    /// Reads the files again; for new connections. Blocks for as long as the files take.
    ///
    /// - Throws: ``TransportError`` with `badCredentials`; the old credentials stay then.
    public func reload() throws(TransportError) {
      let contexts = try Self.load(state.withLock { $0.sources })
      state.withLock { $0.contexts = contexts }
    }

    /// Puts other credentials in the place of these; for new connections.
    ///
    /// - Throws: ``TransportError`` with `badCredentials`; the old credentials stay then.
    public func replace(certificateChain: PEM, privateKey: PEM, trustRoots: PEM) throws(TransportError) {
      let sources = Sources(
        certificateChain: certificateChain, privateKey: privateKey, trustRoots: trustRoots)
      let contexts = try Self.load(sources)
      state.withLock { $0 = State(sources: sources, contexts: contexts) }
    }

    /// What new connections use.
    var contexts: TLSContexts { state.withLock { $0.contexts } }

    private static func load(_ sources: Sources) throws(TransportError) -> TLSContexts {
      let chain = try read("the certificate chain", sources.certificateChain) { place in
        switch place {
        case .file(let path): try NIOSSLCertificate.fromPEMFile(path)
        case .bytes(let bytes): try NIOSSLCertificate.fromPEMBytes(bytes)
        }
      }
      let key = try read("the private key", sources.privateKey) { place in
        switch place {
        case .file(let path): try NIOSSLPrivateKey(file: path, format: .pem)
        case .bytes(let bytes): try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        }
      }
      let roots = try read("the trust roots", sources.trustRoots) { place in
        switch place {
        case .file(let path): try NIOSSLCertificate.fromPEMFile(path)
        case .bytes(let bytes): try NIOSSLCertificate.fromPEMBytes(bytes)
        }
      }
      guard !roots.isEmpty else { throw bad("the trust roots have no certificate in them", nil) }
      guard let leaf = chain.first else { throw bad("the certificate chain has no certificate in it", nil) }
      do {
        return try TLSContexts(chain: chain, key: key, roots: roots, own: PeerCertificate(leaf))
      } catch {
        throw bad("the private key is not that of the certificate, or one of them cannot be used", error)
      }
    }

    private static func read<Value>(
      _ what: String, _ source: PEM, _ body: (PEM.Place) throws -> Value
    ) throws(TransportError) -> Value {
      do {
        return try body(source.place)
      } catch {
        let place =
          switch source.place {
          case .file(let path): " (\(path))"
          case .bytes: ""
          }
        throw bad("\(what)\(place) cannot be read as PEM", error)
      }
    }

    private static func bad(_ message: String, _ underlying: (any Error)?) -> TransportError {
      TransportError(.badCredentials, message, delivery: .notDelivered, underlying: underlying)
    }
  }
#endif
