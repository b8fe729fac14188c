#if Authentication
  import NIOCore
  import NIOSSL
  import NIOTLS
  import StreamMux

  /// Stands between TLS and the driver: tells it whose certificate was shown, and says in words why TLS failed.
  final class TLSMonitor: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let tls: NIOSSLHandler
    private let lingering: LingeringClose?
    private var isHandshaking = true
    private var hasFailed = false

    /// - Parameter lingering: What lets an alert reach the peer; told when that is no longer needed.
    init(_ tls: NIOSSLHandler, lingering: LingeringClose?) {
      self.tls = tls
      self.lingering = lingering
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      guard case .handshakeCompleted(let negotiated) = event as? TLSUserEvent else {
        return context.fireUserInboundEventTriggered(event)
      }
      isHandshaking = false
      lingering?.isNeeded = false
      do {
        let certificate = try certificate(negotiated: negotiated)
        context.fireUserInboundEventTriggered(ProtectionEstablished(certificate: certificate))
      } catch {
        fail(error, context)
        context.close(promise: nil)
      }
    }

    private func certificate(negotiated: String?) throws -> PeerCertificate {
      // R-SEC-11
      guard negotiated == TLSContexts.applicationProtocol else {
        let name = TLSContexts.applicationProtocol
        throw ProtectionFailure.refused(
          Refusal(
            code: .unauthenticated,
            text: "the peer does not offer the protocol \(name) in TLS (ALPN); another service may speak here"
          ))
      }
      guard let shown = tls.peerCertificate else {
        throw ProtectionFailure.refused(
          Refusal(code: .unauthenticated, text: "the peer shows no certificate"))
      }
      do {
        return try PeerCertificate(shown)
      } catch {
        throw ProtectionFailure.refused(
          Refusal(
            code: .unauthenticated, text: "the names in the peer's certificate cannot be read: \(error)"))
      }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      // What a peer sends behind a failure is for nobody.
      if !hasFailed { context.fireChannelRead(data) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      fail(error, context)
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
      // The first one says it; what follows are its consequences.
      guard !hasFailed else { return }
      hasFailed = true
      context.fireErrorCaught(ProtectionFailure(error, isHandshaking: isHandshaking))
    }
  }
#endif
