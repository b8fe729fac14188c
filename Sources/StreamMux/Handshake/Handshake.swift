package import NIOCore

/// The conversation from the first byte to both WELCOMEs, for either end.
///
///                     dialler                                acceptor
///     awaitingPreface   preface, HELLO sent                    nothing sent
///     awaitingHello     the peer's preface was right           the same
///     proving           our proof is computed (shared key)     the same, once the dialler's was right
///     awaitingAuth      the peer's AUTH is due                 the same
///     verifying         its proof is checked (shared key)      the same
///     deciding          the owner accepts or refuses           the same
///     awaitingWelcome   we accepted, the peer's is due         the same
///     established       both accepted                          the same
///     over              refused or failed: nothing counts any more
///
/// Bytes are read by a ``PrefaceReader`` and a ``FrameDecoder``, which also hold the handshake to its size;
/// what they find comes in here, and what to do comes out as actions.
package struct Handshake: Sendable {
  /// What is known once the HELLOs agree.
  struct Session: Sendable {
    let hello: Hello
    /// As received, for proofs.
    let payload: ByteBuffer
    let agreement: Agreement
  }

  enum State: Sendable {
    case awaitingPreface
    case awaitingHello
    case proving(Session)
    case awaitingAuthentication(Session)
    /// `welcome`: whether the peer's accepting WELCOME came, and what it said of the route.
    case verifying(Session, welcome: Bool?)
    case deciding(Session, welcome: Bool?)
    case awaitingWelcome(Session)
    case established
    case over
  }

  package let role: Role
  let check: HelloCheck
  let payload: ByteBuffer
  let due: NIODeadline
  var state = State.awaitingPreface
  var hasSentHello: Bool

  /// - Parameters:
  ///   - hello: what this end says of itself.
  ///   - expectedServerID: whom the dialler wants; nil or empty: whoever answers.
  ///   - timeout: from now to both WELCOMEs.
  package init(
    role: Role, hello: Hello, expectedServerID: String?, timeout: TimeAmount, now: NIODeadline
  ) {
    precondition(
      role == .dialler || hello.targetServerID.isEmpty, "an acceptor does not choose whom it reaches")
    self.role = role
    check = HelloCheck(own: hello, role: role, expectedServerID: expectedServerID)
    var payload = ByteBuffer()
    hello.encode(into: &payload)
    self.payload = payload
    due = now + timeout
    hasSentHello = role == .dialler
  }

  /// What to send at once: the dialler speaks first (R-FRM-2, R-HSK-2).
  package func start() -> [HandshakeAction] {
    role == .dialler ? greeting : []
  }

  var greeting: [HandshakeAction] { [.sendPreface, .send(.hello(payload))] }

  package var isEstablished: Bool {
    if case .established = state { true } else { false }
  }

  /// Whether the handshake came to its end, good or bad.
  package var isFinished: Bool {
    switch state {
    case .established, .over: true
    default: false
    }
  }

  /// When the handshake fails for time (R-HSK-32); nil once it is finished.
  package var deadline: NIODeadline? { isFinished ? nil : due }

  /// Early calls are harmless.
  package mutating func handleTimeout(now: NIODeadline) -> [HandshakeAction] {
    isFinished || now < due ? [] : fail(Violation(.handshakeTooLate))
  }

  // MARK: The owner's answers

  /// Answers ``HandshakeAction/computeProof(_:)``. Too late, when all is over, it does nothing.
  ///
  /// - Parameter proof: at most 256 bytes.
  package mutating func provideProof(_ proof: [UInt8]) -> [HandshakeAction] {
    if case .over = state { return [] }
    guard case .proving(let session) = state else { preconditionFailure("no proof was asked for") }
    let send = HandshakeAction.send(.authentication(Authentication(session.agreement.method, proof: proof)))
    guard role == .acceptor else {
      state = .awaitingAuthentication(session)
      return [send]
    }
    state = .deciding(session, welcome: nil)
    return [send, .peerAuthenticated(session.hello, session.agreement)]
  }

  /// Answers ``HandshakeAction/verifyProof(_:_:)``. Too late, when all is over, it does nothing.
  package mutating func proofWasChecked(isValid: Bool) -> [HandshakeAction] {
    if case .over = state { return [] }
    guard case .verifying(let session, let welcome) = state else {
      preconditionFailure("no proof was to be checked")
    }
    guard isValid else {
      return refuse(
        Refusal(code: .unauthenticated, text: "the proof is wrong; give both servers the same key"))
    }
    guard role == .acceptor else {
      state = .deciding(session, welcome: welcome)
      return [.peerAuthenticated(session.hello, session.agreement)]
    }
    state = .proving(session)
    return [.computeProof(proofContext(session, prover: role))]
  }

  /// Answers ``HandshakeAction/peerAuthenticated(_:_:)``. Too late, when all is over, it does nothing.
  package mutating func accept(grantsRoute: Bool) -> [HandshakeAction] {
    if case .over = state { return [] }
    guard case .deciding(let session, let welcome) = state else {
      preconditionFailure("there is no peer to accept")
    }
    let isChecksummed = session.agreement.features.contains(.crc32)
    let actions: [HandshakeAction] = [
      .send(.welcome(.accepted(grantsRoute: grantsRoute))),
      .endOutgoingHandshake(isChecksummed: isChecksummed),
    ]
    guard let welcome else {
      state = .awaitingWelcome(session)
      return actions
    }
    state = .established
    return actions + [.established(grantsRoute: welcome)]
  }

  /// Refuses the peer, at any time before our accepting WELCOME; behind it this does nothing.
  ///
  /// A stranger that did not send the preface is not answered (R-FRM-3, R-HSK-21).
  package mutating func refuse(_ refusal: Refusal) -> [HandshakeAction] {
    switch state {
    case .awaitingWelcome, .established, .over: []
    default: end(refusal) + [.refused(refusal)]
    }
  }

  /// Ends the handshake because the peer broke a rule: found here, or by those who read its bytes.
  package mutating func fail(_ violation: Violation) -> [HandshakeAction] {
    switch state {
    case .over, .established: return []
    case .awaitingWelcome:
      state = .over
      let goAway = GoAway(lastStream: 0, code: violation.code, text: violation.text)
      return [.send(.goAway(goAway)), .failed(violation)]
    default:
      return end(Refusal(code: violation.code, text: violation.text)) + [.failed(violation)]
    }
  }

  /// The refusing WELCOME, behind our own preface and HELLO if these are not out yet.
  private mutating func end(_ refusal: Refusal) -> [HandshakeAction] {
    if case .awaitingPreface = state {
      state = .over
      return []
    }
    let first = hasSentHello ? [] : greeting
    hasSentHello = true
    state = .over
    return first + [.send(.welcome(.refused(refusal)))]
  }

  func proofContext(_ session: Session, prover: Role) -> ProofContext {
    role == .dialler
      ? ProofContext(prover: prover, diallerHello: payload, acceptorHello: session.payload)
      : ProofContext(prover: prover, diallerHello: session.payload, acceptorHello: payload)
  }
}
