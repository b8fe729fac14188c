import NIOCore
import StreamMux

#if Authentication
  import NIOSSL
#endif

extension TransportSecurity {
  /// Which layer a connection that we dial gets.
  ///
  /// - Parameter hasUsedTLS: Whether the peer has dialled us with TLS, and so knows it (R-SEC-9).
  func layerForDialling(hasUsedTLS: Bool) -> ConnectionSecurity.Layer {
    #if Authentication
      if case .tls = protection { return migration.dialsPlaintext && !hasUsedTLS ? .plaintext : .tls }
    #endif
    return .plaintext
  }

  /// Whether the listener understands TLS.
  var acceptsTLS: Bool {
    #if Authentication
      if case .tls = protection { return true }
    #endif
    return false
  }

  /// Puts a layer into an empty pipeline, below what is added behind it; on the channel's event loop.
  func install(_ layer: ConnectionSecurity.Layer, on channel: any Channel, role: Role) throws {
    guard layer == .tls else { return }
    #if Authentication
      guard case .tls(let credentials, _) = protection else { return }
      let pipeline = channel.pipeline.syncOperations
      switch role {
      case .dialler:
        let tls = try NIOSSLClientHandler(context: credentials.contexts.client, serverHostname: nil)
        try pipeline.addHandlers([tls, TLSMonitor(tls, lingering: nil)])
      case .acceptor:
        let tls = NIOSSLServerHandler(context: credentials.contexts.server)
        let lingering = LingeringClose()
        try pipeline.addHandlers([lingering, tls, TLSMonitor(tls, lingering: lingering)])
      }
    #else
      preconditionFailure("TLS is not part of this build")
    #endif
  }
}
