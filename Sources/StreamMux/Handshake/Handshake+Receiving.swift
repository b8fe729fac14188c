internal import NIOCore

extension Handshake {
  /// The peer's preface was right.
  package mutating func receivePreface() -> [HandshakeAction] {
    guard case .awaitingPreface = state else { return [] }
    state = .awaitingHello
    return []
  }

  /// Takes what the decoder found. Not to be called once the handshake is established: GOAWAY and all other
  /// frames are the connection's then, and a repeated HELLO, AUTH or WELCOME is
  /// ``Violation/Sin/handshakeFrameRepeated(_:)``.
  package mutating func receive(_ event: FrameEvent) -> [HandshakeAction] {
    precondition(!isEstablished, "the handshake is over, the frame is for the connection")
    switch event {
    case .frame(.hello(let payload)): return receiveHello(payload)
    case .frame(.authentication(let authentication)): return receive(authentication)
    case .frame(.welcome(let welcome)): return receive(welcome)
    case .frame(.goAway(let goAway)) where hasPeerAccepted: return receive(goAway)
    case .frame(let frame): return fail(unexpected(Violation.FrameName(frame.type)))
    case .data: return fail(unexpected(Violation.FrameName(.data)))
    case .ignorable(let type, _): return fail(unexpected(Violation.FrameName(type)))
    // Its header ended the handshake already.
    case .payload: return []
    }
  }

  /// R-HSK-3, R-HSK-16, R-HSK-18
  private mutating func receiveHello(_ payload: ByteBuffer) -> [HandshakeAction] {
    guard case .awaitingHello = state else { return failFor(.hello) }
    let session: Session
    do throws(HelloDefect) {
      let hello = try Hello(decoding: payload)
      do throws(Refusal) {
        session = Session(hello: hello, payload: payload, agreement: try check.agree(with: hello))
      } catch {
        return refuse(error)
      }
    } catch {
      return refuse(Refusal(code: .malformedHello, text: error.description))
    }
    let first = hasSentHello ? [] : greeting
    hasSentHello = true
    guard session.agreement.method == .sharedKey else {
      state = .awaitingAuthentication(session)
      return first + [.send(.authentication(Authentication(session.agreement.method)))]
    }
    // With a key the dialler proves first: a stranger gets nothing from us that it could replay or grind
    // (R-HSK-19).
    guard role == .dialler else {
      state = .awaitingAuthentication(session)
      return first
    }
    state = .proving(session)
    return [.computeProof(proofContext(session, prover: role))]
  }

  /// R-HSK-17, R-HSK-40
  private mutating func receive(_ authentication: Authentication) -> [HandshakeAction] {
    if case .proving = state, role == .dialler { return fail(Violation(.proofOutOfTurn)) }
    guard case .awaitingAuthentication(let session) = state else { return failFor(.authentication) }
    let method = session.agreement.method
    guard authentication.method == method.rawValue else {
      return refuse(
        Refusal(
          code: .unauthenticated,
          text: "AUTH uses method \(authentication.method) where \(method.rawValue) (\(method)) was agreed on"
        ))
    }
    guard method == .sharedKey else {
      state = .deciding(session, welcome: nil)
      return [.peerAuthenticated(session.hello, session.agreement)]
    }
    state = .verifying(session, welcome: nil)
    return [.verifyProof(authentication.proof, proofContext(session, prover: role.peer))]
  }

  /// R-HSK-25: what a dialler says of the route is ignored.
  private mutating func receive(_ welcome: Welcome) -> [HandshakeAction] {
    switch welcome {
    case .refused(let refusal): receive(refusal)
    case .accepted(let grantsRoute): receiveAcceptance(grantsRoute: grantsRoute && role == .dialler)
    }
  }

  private mutating func receive(_ refusal: Refusal) -> [HandshakeAction] {
    if case .over = state { return [] }
    guard knowsPeerHello, !hasPeerAccepted else { return failFor(.welcome) }
    state = .over
    return [.refusedByPeer(refusal)]
  }

  private mutating func receiveAcceptance(grantsRoute: Bool) -> [HandshakeAction] {
    switch state {
    // The acceptor may have verified us, proved itself and accepted before its own proof was checked here.
    case .verifying(let session, nil) where role == .dialler:
      state = .verifying(session, welcome: grantsRoute)
      return [endIncoming(session)]
    case .deciding(let session, nil):
      state = .deciding(session, welcome: grantsRoute)
      return [endIncoming(session)]
    case .awaitingWelcome(let session):
      state = .established
      return [endIncoming(session), .established(grantsRoute: grantsRoute)]
    case .proving where role == .acceptor, .verifying where role == .acceptor:
      return fail(Violation(.acceptedBeforeOurProof))
    default:
      return failFor(.welcome)
    }
  }

  /// A peer that accepted and gives up before our WELCOME says so with GOAWAY (R-HSK-45).
  private mutating func receive(_ goAway: GoAway) -> [HandshakeAction] {
    state = .over
    // No error is no reason to give up: the specification takes it for one of the peer's own.
    let code = goAway.code == .none ? .internalError : goAway.code
    return [.refusedByPeer(Refusal(code: code, text: goAway.text))]
  }

  private func endIncoming(_ session: Session) -> HandshakeAction {
    .endIncomingHandshake(isChecksummed: session.agreement.features.contains(.crc32))
  }

  /// Fails for a HELLO, AUTH or WELCOME that came a second time or too early.
  private mutating func failFor(_ type: FrameType) -> [HandshakeAction] {
    let isRepeated =
      switch type {
      case .hello: knowsPeerHello
      case .authentication: hasPeerProved
      default: hasPeerAccepted
      }
    return fail(isRepeated ? Violation(.handshakeFrameRepeated(type)) : unexpected(.init(type)))
  }

  private func unexpected(_ frame: Violation.FrameName) -> Violation {
    if hasPeerAccepted { return Violation(.frameBeforeOurWelcome(frame)) }
    let awaiting: FrameType =
      switch state {
      case .awaitingPreface, .awaitingHello: .hello
      case .proving where role == .dialler: .authentication
      case .awaitingAuthentication: .authentication
      default: .welcome
      }
    return Violation(.unexpectedInHandshake(frame, awaiting: awaiting))
  }

  private var knowsPeerHello: Bool {
    switch state {
    case .awaitingPreface, .awaitingHello, .over: false
    default: true
    }
  }

  private var hasPeerProved: Bool {
    switch state {
    case .proving: role == .acceptor
    case .verifying, .deciding, .awaitingWelcome, .established: true
    case .awaitingPreface, .awaitingHello, .awaitingAuthentication, .over: false
    }
  }

  private var hasPeerAccepted: Bool {
    switch state {
    case .verifying(_, let welcome), .deciding(_, let welcome): welcome != nil
    default: false
    }
  }
}
