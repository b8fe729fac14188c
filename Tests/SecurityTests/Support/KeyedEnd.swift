#if Authentication
  import NIOCore
  import StreamMux

  @testable import RaftTransport

  /// One end of a handshake with a shared key, without a socket: bytes go in and out by hand.
  struct KeyedEnd {
    private(set) var isEstablished = false
    private(set) var closure: Closure?
    private(set) var agreement: Agreement?
    private var engine: MuxConnection
    private let security: ConnectionSecurity
    private let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    init(_ id: ServerID, _ role: Role, _ security: TransportSecurity) throws {
      let configuration = TransportConfiguration(serverID: id, clusterID: "keys", security: security)
      let settings = try EngineSettings(configuration, advertisedAddress: "127.0.0.1:1")
      self.security = ConnectionSecurity(security, layer: .plaintext)
      engine = try settings.engine(
        role: role, target: "", isLoopback: true, security: self.security, startedAt: now
      ).engine
      run()
    }

    /// The refusal or the error with which the handshake ended, either end's.
    var code: ErrorCode? {
      switch closure {
      case .refused(let refusal), .refusedByPeer(let refusal): refusal.code
      case .violation(let violation): violation.code
      default: nil
      }
    }

    mutating func take(_ bytes: ByteBuffer) {
      engine.receive(bytes, now: now)
      run()
    }

    /// What goes to the other end now.
    mutating func output() -> ByteBuffer {
      var all = ByteBuffer()
      while let bytes = engine.nextTransmission(limit: 65_536, now: now) {
        all.writeImmutableBuffer(bytes)
        run()
      }
      return all
    }

    private mutating func run() {
      while let event = engine.nextEvent() {
        switch event {
        case .proofNeeded(let context):
          engine.provideProof(security.proof(context), now: now)
        case .proofReceived(let proof, let context):
          engine.proofWasChecked(isValid: security.isValid(proof, context), now: now)
        case .peerAuthenticated(let hello, let agreement):
          self.agreement = agreement
          if let refusal = security.objection(to: hello, agreement, certificate: nil) {
            engine.refuse(refusal, now: now)
          } else {
            engine.accept(grantsRoute: false, now: now)
          }
        case .established: isEstablished = true
        case .ending(let closure), .closed(let closure): self.closure = self.closure ?? closure
        default: break
        }
      }
    }

    /// Lets two ends talk until neither has anything to say.
    ///
    /// - Parameter edit: What a middleman makes of each piece; the flag says whether it is the dialler's.
    static func converse(
      _ dialler: inout KeyedEnd, _ acceptor: inout KeyedEnd,
      edit: (Bool, ByteBuffer) -> ByteBuffer = { $1 }
    ) {
      var isQuiet = false
      while !isQuiet {
        let (there, back) = (dialler.output(), acceptor.output())
        isQuiet = there.readableBytes + back.readableBytes == 0
        if there.readableBytes > 0 { acceptor.take(edit(true, there)) }
        if back.readableBytes > 0 { dialler.take(edit(false, back)) }
      }
    }
  }
#endif
