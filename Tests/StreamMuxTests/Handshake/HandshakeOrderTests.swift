import NIOCore
import StreamMux
import Testing

@Suite("The order of the handshake")
struct HandshakeOrderTests {
  typealias Sin = Violation.Sin

  /// How far the handshake has come before the wrong frame.
  enum Stage: CaseIterable, Sendable {
    case preface
    case hello
    case peerAuthenticated
    case peerAccepted
    case weAccepted
  }

  private func machine(_ role: Role, at stage: Stage) throws -> Handshake {
    guard stage != .preface else {
      var machine = makeHandshake(role, try sampleHello(server: "a", nonce: 1))
      _ = machine.receivePreface()
      return machine
    }
    var (machine, _, _) = try afterHello(role)
    if stage != .hello { _ = machine.receive(authenticated) }
    if stage == .peerAccepted { _ = machine.receive(accepted) }
    if stage == .weAccepted { _ = machine.accept(grantsRoute: false) }
    return machine
  }

  private static let hello = FrameEvent.frame(.hello(ByteBuffer()))

  static let wrong: [(Stage, FrameEvent, Sin)] = [
    (.preface, authenticated, .unexpectedInHandshake(.init(.authentication), awaiting: .hello)),
    (.preface, accepted, .unexpectedInHandshake(.init(.welcome), awaiting: .hello)),
    (
      .preface, .frame(.welcome(.refused(Refusal(code: .busy, text: "")))),
      .unexpectedInHandshake(.init(.welcome), awaiting: .hello)
    ),
    (.preface, .frame(.ping(1)), .unexpectedInHandshake(.init(.ping), awaiting: .hello)),
    (
      .preface, .data(DataHeader(stream: 1, byteCount: 9)),
      .unexpectedInHandshake(.init(.data), awaiting: .hello)
    ),
    (.preface, .ignorable(type: 0x90, length: 0), .unexpectedInHandshake(.init(0x90), awaiting: .hello)),
    (.hello, hello, .handshakeFrameRepeated(.hello)),
    (.hello, accepted, .unexpectedInHandshake(.init(.welcome), awaiting: .authentication)),
    (.hello, .frame(.ping(1)), .unexpectedInHandshake(.init(.ping), awaiting: .authentication)),
    (.peerAuthenticated, hello, .handshakeFrameRepeated(.hello)),
    (.peerAuthenticated, authenticated, .handshakeFrameRepeated(.authentication)),
    (
      .peerAuthenticated, .data(DataHeader(stream: 1, byteCount: 0)),
      .unexpectedInHandshake(.init(.data), awaiting: .welcome)
    ),
    (
      .peerAuthenticated, .frame(.goAway(GoAway(lastStream: 0, code: .shutdown))),
      .unexpectedInHandshake(.init(.goAway), awaiting: .welcome)
    ),
    (.peerAccepted, hello, .handshakeFrameRepeated(.hello)),
    (.peerAccepted, authenticated, .handshakeFrameRepeated(.authentication)),
    (.peerAccepted, accepted, .handshakeFrameRepeated(.welcome)),
    (
      .peerAccepted, .frame(.welcome(.refused(Refusal(code: .busy, text: "")))),
      .handshakeFrameRepeated(.welcome)
    ),
    (.peerAccepted, .frame(.ping(1)), .frameBeforeOurWelcome(.init(.ping))),
    (.peerAccepted, .data(DataHeader(stream: 1, byteCount: 0)), .frameBeforeOurWelcome(.init(.data))),
    (.peerAccepted, .ignorable(type: 0x90, length: 0), .frameBeforeOurWelcome(.init(0x90))),
    (.weAccepted, hello, .handshakeFrameRepeated(.hello)),
    (.weAccepted, authenticated, .handshakeFrameRepeated(.authentication)),
    (.weAccepted, .frame(.ping(1)), .unexpectedInHandshake(.init(.ping), awaiting: .welcome)),
    (.weAccepted, .ignorable(type: 0x90, length: 0), .unexpectedInHandshake(.init(0x90), awaiting: .welcome)),
  ]

  // R-HSK-1, R-HSK-28, R-HSK-29, R-HSK-44
  @Test(
    "a frame out of order is a violation, told to the peer", arguments: [Role.dialler, .acceptor],
    wrong.indices)
  func outOfOrder(role: Role, index: Int) throws {
    let (stage, event, sin) = Self.wrong[index]
    var machine = try machine(role, at: stage)
    let actions = machine.receive(event)
    let violation = Violation(sin)
    #expect(actions.last == .failed(violation))
    let told = try #require(actions.dropLast().last)
    if stage == .weAccepted {
      #expect(
        told == .send(.goAway(GoAway(lastStream: 0, code: .protocolViolation, text: violation.text))))
    } else {
      #expect(
        told == .send(.welcome(.refused(Refusal(code: .protocolViolation, text: violation.text)))))
    }
    #expect(machine.isFinished)
    #expect(machine.receive(.frame(.ping(2))) == [])
  }

  @Test("stream bytes behind DATA that ended the handshake are dropped")
  func payloadBehind() throws {
    var machine = try machine(.acceptor, at: .hello)
    _ = machine.receive(.data(DataHeader(stream: 1, byteCount: 9)))
    #expect(machine.receive(.payload(ByteBuffer(bytes: [1]), isLast: false)) == [])
  }

  // R-HSK-40
  @Test("with a key the acceptor must not prove first")
  func proofOutOfTurn() throws {
    var (machine, _, _) = try afterHello(.dialler, methods: .sharedKey)
    let actions = machine.receive(.frame(.authentication(Authentication(.sharedKey, proof: [1]))))
    #expect(actions.last == .failed(Violation(.proofOutOfTurn)))
    #expect(machine.provideProof([1]) == [])
  }

  // R-HSK-20, R-HSK-28
  @Test("with a key the dialler must not accept before the acceptor proved", arguments: [false, true])
  func acceptedTooEarly(isVerified: Bool) throws {
    var (machine, _, _) = try afterHello(.acceptor, methods: .sharedKey)
    _ = machine.receive(.frame(.authentication(Authentication(.sharedKey, proof: [1]))))
    if isVerified { _ = machine.proofWasChecked(isValid: true) }
    #expect(machine.receive(accepted).last == .failed(Violation(.acceptedBeforeOurProof)))
  }

  // R-HSK-45
  @Test(
    "a peer that accepted and gives up says so with GOAWAY", arguments: [Role.dialler, .acceptor],
    [(ErrorCode.handshakeTimeout, ErrorCode.handshakeTimeout), (.none, .internalError)])
  func goAwayBehindAcceptance(role: Role, codes: (said: ErrorCode, meant: ErrorCode)) throws {
    var machine = try machine(role, at: .peerAccepted)
    let actions = machine.receive(
      .frame(.goAway(GoAway(lastStream: 0, code: codes.said, text: "too slow"))))
    #expect(actions == [.refusedByPeer(Refusal(code: codes.meant, text: "too slow"))])
    #expect(machine.isFinished)
  }

  // R-HSK-32
  @Test("time runs out wherever the handshake is", arguments: [Role.dialler, .acceptor], Stage.allCases)
  func tooLate(role: Role, stage: Stage) throws {
    var machine = try machine(role, at: stage)
    let due = try #require(machine.deadline)
    #expect(due == .uptimeNanoseconds(5_000_000_000))
    #expect(machine.handleTimeout(now: due - .nanoseconds(1)) == [])
    let actions = machine.handleTimeout(now: due)
    #expect(actions.last == .failed(Violation(.handshakeTooLate)))
    #expect(actions.count >= 2)
    #expect(machine.deadline == nil)
    #expect(machine.handleTimeout(now: due) == [])
  }

  // R-FRM-3, R-HSK-21
  @Test("a stranger without the preface is not answered", arguments: [Role.dialler, .acceptor])
  func silence(role: Role) throws {
    let bad = Violation(.badPreface(BadPreface(firstBytes: [0x16])))
    var machine = makeHandshake(role, try sampleHello())
    #expect(machine.fail(bad) == [.failed(bad)])
    machine = makeHandshake(role, try sampleHello())
    #expect(machine.handleTimeout(now: .distantFuture) == [.failed(Violation(.handshakeTooLate))])
    machine = makeHandshake(role, try sampleHello())
    let busy = Refusal(code: .busy, text: "")
    #expect(machine.refuse(busy) == [.refused(busy)])
  }

  @Test("an established handshake is not undone")
  func established() throws {
    var machine = try machine(.dialler, at: .weAccepted)
    _ = machine.receive(accepted)
    #expect(machine.isEstablished)
    #expect(machine.handleTimeout(now: .distantFuture) == [])
    #expect(machine.refuse(Refusal(code: .busy, text: "")) == [])
    #expect(machine.fail(Violation(.handshakeTooLate)) == [])
    #expect(machine.isEstablished)
  }
}
