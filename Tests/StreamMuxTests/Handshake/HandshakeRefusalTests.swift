import NIOCore
import StreamMux
import Testing

@Suite("What the handshake refuses by itself")
struct HandshakeRefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let role: Role
    let peer: @Sendable () throws -> ByteBuffer
    let expecting: String?
    let code: ErrorCode

    init(
      _ name: String, _ role: Role, expecting: String? = nil, _ code: ErrorCode,
      _ peer: @escaping @Sendable () throws -> ByteBuffer
    ) {
      testDescription = "\(name), \(role)"
      self.role = role
      self.expecting = expecting
      self.code = code
      self.peer = peer
    }
  }

  /// The own HELLO is server "a" of cluster "blue" with nonce 1, version 1 and method none.
  static let both: [Case] = [Role.dialler, .acceptor].flatMap { role in
    [
      Case("another cluster", role, .wrongCluster) {
        payload(of: try sampleHello(server: "b", cluster: "green", nonce: 2))
      },
      Case("the same cluster in another Unicode spelling", role, .wrongCluster) {
        payload(of: try sampleHello(server: "b", cluster: "blue\u{0301}", nonce: 2))
      },
      Case("the same server", role, .selfConnection) { payload(of: try sampleHello(server: "a", nonce: 2)) },
      Case("the same nonce", role, .selfConnection) { payload(of: try sampleHello(server: "b", nonce: 1)) },
      Case("newer versions only", role, .unsupportedVersion) {
        payload(of: try sampleHello(server: "b", nonce: 2, versions: 2...9))
      },
      Case("another method", role, .unauthenticated) {
        payload(of: try sampleHello(server: "b", nonce: 2, methods: .sharedKey))
      },
      Case("unknown methods only", role, .unauthenticated) {
        payload(of: try sampleHello(server: "b", nonce: 2, methods: .init(rawValue: 0xFF00)))
      },
      Case("an empty HELLO", role, .malformedHello) { ByteBuffer() },
    ]
  }

  static let one: [Case] = [
    Case("another server wanted", .acceptor, .wrongServer) {
      payload(of: try sampleHello(server: "b", target: "c", nonce: 2))
    },
    Case("another server found", .dialler, expecting: "c", .wrongServer) {
      payload(of: try sampleHello(server: "b", nonce: 2))
    },
  ]

  // R-HSK-3, R-HSK-4, R-HSK-10, R-HSK-13, R-HSK-33, R-HSK-34, R-HSK-35, R-HSK-36, R-SEC-7
  @Test("a peer is refused with a code and a text, behind our own HELLO", arguments: both + one)
  func refused(_ test: Case) throws {
    let own = try sampleHello(server: "a", cluster: "blue", nonce: 1)
    var machine = makeHandshake(test.role, own, expecting: test.expecting)
    var actions = machine.start() + machine.receivePreface()
    actions += machine.receive(.frame(.hello(try test.peer())))
    try #require(actions.count == 4)
    #expect(actions[0] == .sendPreface)
    #expect(actions[1] == .send(.hello(payload(of: own))))
    guard case .send(.welcome(.refused(let refusal))) = actions[2] else {
      Issue.record("no refusal but \(actions)")
      return
    }
    #expect(refusal.code == test.code)
    #expect(refusal.text.count > 10)
    #expect(actions[3] == .refused(refusal))
    #expect(machine.isFinished)
  }

  // R-HSK-34, R-HSK-35
  @Test("the server that was wanted is taken, as is whoever answers")
  func wanted() throws {
    for (expecting, target) in [("b", "a"), (nil, ""), ("", "")] as [(String?, String)] {
      let own = try sampleHello(server: "a", nonce: 1)
      let peer = try sampleHello(server: "b", nonce: 2)
      var dialler = makeHandshake(.dialler, own, expecting: expecting)
      _ = dialler.receivePreface()
      #expect(
        dialler.receive(.frame(.hello(payload(of: peer)))) == [.send(.authentication(Authentication(.none)))])
      var acceptor = makeHandshake(.acceptor, own)
      _ = acceptor.receivePreface()
      let dialling = try sampleHello(server: "b", target: target, nonce: 2)
      #expect(
        acceptor.receive(.frame(.hello(payload(of: dialling)))).last
          == .send(.authentication(Authentication(.none))))
    }
  }

  // R-HSK-6
  @Test("a target in the acceptor's HELLO is ignored")
  func acceptorTarget() throws {
    var dialler = makeHandshake(.dialler, try sampleHello(server: "a", nonce: 1))
    _ = dialler.receivePreface()
    let peer = try sampleHello(server: "b", target: "z", nonce: 2)
    #expect(
      dialler.receive(.frame(.hello(payload(of: peer)))) == [.send(.authentication(Authentication(.none)))])
  }

  // R-HSK-17
  @Test("AUTH by another method than the agreed one is refused", arguments: [Role.dialler, .acceptor])
  func otherMethod(role: Role) throws {
    for method: UInt8 in [1, 2, 9] {
      var (machine, _, _) = try afterHello(role)
      let actions = machine.receive(.frame(.authentication(Authentication(method: method))))
      guard case .refused(let refusal) = try #require(actions.last) else {
        Issue.record("no refusal but \(actions)")
        return
      }
      #expect(refusal.code == .unauthenticated)
    }
  }

  // R-HSK-17
  @Test("a wrong proof is refused", arguments: [Role.dialler, .acceptor])
  func wrongProof(role: Role) throws {
    var (machine, _, _) = try afterHello(role, methods: .sharedKey)
    if role == .dialler { _ = machine.provideProof([1]) }
    _ = machine.receive(.frame(.authentication(Authentication(.sharedKey, proof: [2]))))
    let actions = machine.proofWasChecked(isValid: false)
    guard case .refused(let refusal) = try #require(actions.last) else {
      Issue.record("no refusal but \(actions)")
      return
    }
    #expect(refusal.code == .unauthenticated)
    #expect(actions.first == .send(.welcome(.refused(refusal))))
    #expect(machine.provideProof([]) == [])
    #expect(machine.proofWasChecked(isValid: true) == [])
  }

  // R-HSK-22
  @Test(
    "the peer's refusal ends the handshake wherever it comes", arguments: [Role.dialler, .acceptor], 0..<4)
  func refusedByPeer(role: Role, step: Int) throws {
    let methods: AuthenticationMethods = step == 3 ? .sharedKey : .none
    var (machine, _, _) = try afterHello(role, methods: methods)
    switch step {
    case 1: _ = machine.receive(authenticated)
    case 2:
      _ = machine.receive(authenticated)
      _ = machine.accept(grantsRoute: false)
    default: break
    }
    let refusal = Refusal(code: .unauthorized, text: "go away", winner: nil)
    #expect(machine.receive(.frame(.welcome(.refused(refusal)))) == [.refusedByPeer(refusal)])
    #expect(machine.isFinished && !machine.isEstablished)
    #expect(machine.refuse(refusal) == [])
  }
}
