import NIOCore
import StreamMux
import Testing

/// Shared by the suites: a handshake at its start, and one that has the peer's HELLO.
func makeHandshake(_ role: Role, _ hello: Hello, expecting: String? = nil) -> Handshake {
  Handshake(
    role: role, hello: hello, expectedServerID: expecting, timeout: .seconds(5), now: .uptimeNanoseconds(0))
}

func afterHello(
  _ role: Role, methods: AuthenticationMethods = .none, features: Features = .known
) throws -> (machine: Handshake, own: Hello, peer: Hello) {
  let own = try sampleHello(server: "a", nonce: 1, methods: methods, features: features)
  let peer = try sampleHello(server: "b", nonce: 2, methods: methods, features: features)
  var machine = makeHandshake(role, own)
  _ = machine.start()
  _ = machine.receivePreface()
  _ = machine.receive(.frame(.hello(payload(of: peer))))
  return (machine, own, peer)
}

let accepted = FrameEvent.frame(.welcome(.accepted(grantsRoute: true)))
let acceptedQuietly = FrameEvent.frame(.welcome(.accepted(grantsRoute: false)))
let authenticated = FrameEvent.frame(.authentication(Authentication(.none)))

@Suite("The handshake, both ends")
struct HandshakeTests {
  // R-FRM-1, R-FRM-2, R-FRM-33, R-HSK-2, R-HSK-3, R-HSK-18
  @Test("the dialler speaks first, the acceptor not before it has a HELLO")
  func whoSpeaks() throws {
    let own = try sampleHello(server: "a", nonce: 1)
    let peer = try sampleHello(server: "b", nonce: 2)
    let dialler = makeHandshake(.dialler, own)
    #expect(dialler.start() == [.sendPreface, .send(.hello(payload(of: own)))])

    var acceptor = makeHandshake(.acceptor, own)
    #expect(acceptor.start() == [])
    #expect(acceptor.receivePreface() == [])
    #expect(
      acceptor.receive(.frame(.hello(payload(of: peer)))) == [
        .sendPreface, .send(.hello(payload(of: own))), .send(.authentication(Authentication(.none))),
      ])
  }

  // R-HSK-16, R-HSK-20, R-HSK-25
  @Test(
    "without a key each end is authenticated by the other's AUTH and established by both WELCOMEs",
    arguments: [Role.dialler, .acceptor], [AuthenticationMethods.none, .tls, [.none, .tls]])
  func plain(role: Role, methods: AuthenticationMethods) throws {
    var (machine, _, peer) = try afterHello(role, methods: methods)
    let method = try #require(methods.strongest)
    let agreement = Agreement(version: 1, features: .crc32, method: method)
    #expect(
      machine.receive(.frame(.authentication(Authentication(method)))) == [
        .peerAuthenticated(peer, agreement)
      ])
    #expect(
      machine.accept(grantsRoute: true) == [
        .send(.welcome(.accepted(grantsRoute: true))), .endOutgoingHandshake(isChecksummed: true),
      ])
    #expect(!machine.isEstablished)
    // Only what the acceptor says of the route counts.
    #expect(
      machine.receive(accepted) == [
        .endIncomingHandshake(isChecksummed: true), .established(grantsRoute: role == .dialler),
      ])
    #expect(machine.isEstablished && machine.isFinished)
    #expect(machine.deadline == nil)
  }

  @Test("the peer's WELCOME may come before ours", arguments: [Role.dialler, .acceptor])
  func peerFirst(role: Role) throws {
    var (machine, _, _) = try afterHello(role, features: [])
    _ = machine.receive(authenticated)
    #expect(machine.receive(accepted) == [.endIncomingHandshake(isChecksummed: false)])
    #expect(
      machine.accept(grantsRoute: false) == [
        .send(.welcome(.accepted(grantsRoute: false))), .endOutgoingHandshake(isChecksummed: false),
        .established(grantsRoute: role == .dialler),
      ])
  }

  // R-HSK-16, R-HSK-19
  @Test("with a key the dialler proves first, and both proofs are over both HELLOs as received")
  func sharedKey() throws {
    let dialling = try sampleHello(server: "a", nonce: 1, methods: .sharedKey)
    let accepting = try sampleHello(server: "b", nonce: 2, methods: [.sharedKey, .none])
    let agreement = Agreement(version: 1, features: .crc32, method: .sharedKey)
    let context = { (prover: Role) in
      ProofContext(prover: prover, diallerHello: payload(of: dialling), acceptorHello: payload(of: accepting))
    }
    var dialler = makeHandshake(.dialler, dialling)
    var acceptor = makeHandshake(.acceptor, accepting)
    _ = dialler.start()
    _ = acceptor.receivePreface()
    _ = dialler.receivePreface()

    #expect(
      acceptor.receive(.frame(.hello(payload(of: dialling)))) == [
        .sendPreface, .send(.hello(payload(of: accepting))),
      ])
    #expect(dialler.receive(.frame(.hello(payload(of: accepting)))) == [.computeProof(context(.dialler))])
    let first = Frame.authentication(Authentication(.sharedKey, proof: [1, 2]))
    #expect(dialler.provideProof([1, 2]) == [.send(first)])
    #expect(acceptor.receive(.frame(first)) == [.verifyProof([1, 2], context(.dialler))])
    #expect(acceptor.proofWasChecked(isValid: true) == [.computeProof(context(.acceptor))])
    let second = Frame.authentication(Authentication(.sharedKey, proof: [3]))
    #expect(acceptor.provideProof([3]) == [.send(second), .peerAuthenticated(dialling, agreement)])
    // The acceptor's WELCOME arrives while the dialler still checks the proof in front of it.
    _ = acceptor.accept(grantsRoute: true)
    #expect(dialler.receive(.frame(second)) == [.verifyProof([3], context(.acceptor))])
    #expect(dialler.receive(accepted) == [.endIncomingHandshake(isChecksummed: true)])
    #expect(dialler.proofWasChecked(isValid: true) == [.peerAuthenticated(accepting, agreement)])
    #expect(dialler.accept(grantsRoute: false).last == .established(grantsRoute: true))
    #expect(acceptor.receive(acceptedQuietly).last == .established(grantsRoute: false))
  }

  // R-HSK-21
  @Test("the owner may refuse instead of accepting", arguments: [Role.dialler, .acceptor])
  func ownerRefuses(role: Role) throws {
    var (machine, _, _) = try afterHello(role)
    _ = machine.receive(authenticated)
    let refusal = Refusal(code: .duplicate, text: "there is one", winner: Nonce(high: 5, low: 6))
    #expect(machine.refuse(refusal) == [.send(.welcome(.refused(refusal))), .refused(refusal)])
    #expect(machine.isFinished && !machine.isEstablished)
    // All is over: late answers and whatever the peer still sends change nothing.
    #expect(machine.accept(grantsRoute: true) == [])
    #expect(machine.refuse(refusal) == [])
    #expect(machine.receive(accepted) == [])
    #expect(machine.receive(.frame(.ping(1))) == [])
    #expect(machine.handleTimeout(now: .distantFuture) == [])
    #expect(machine.fail(Violation(.handshakeTooLate)) == [])
  }

  // R-FRM-33, R-HSK-3
  @Test("an acceptor that refuses before its HELLO sends preface and HELLO in front of the refusal")
  func earlyRefusal() throws {
    let own = try sampleHello(server: "a", nonce: 1)
    var machine = makeHandshake(.acceptor, own)
    _ = machine.receivePreface()
    let busy = Refusal(code: .busy, text: "later")
    #expect(
      machine.refuse(busy) == [
        .sendPreface, .send(.hello(payload(of: own))), .send(.welcome(.refused(busy))), .refused(busy),
      ])
  }

  @Test("behind our WELCOME a refusal comes too late and does nothing", arguments: [Role.dialler, .acceptor])
  func lateRefusal(role: Role) throws {
    var (machine, _, _) = try afterHello(role)
    _ = machine.receive(authenticated)
    _ = machine.accept(grantsRoute: false)
    #expect(machine.refuse(Refusal(code: .busy, text: "")) == [])
    #expect(machine.receive(acceptedQuietly).last == .established(grantsRoute: false))
  }

  // R-HSK-30
  @Test("all of the largest handshake fits its limit")
  func largest() throws {
    let long = String(repeating: "x", count: 255)
    let hello = try Hello(
      incarnation: 1, nonce: Nonce(high: 1, low: 1), clusterID: long, serverID: long, address: long,
      targetServerID: long,
      extensions: [.init(type: 1, value: [UInt8](repeating: 0, count: 3_072 - 1_088 - 4))])
    #expect(hello.encodedLength == 3_072)
    let encoder = FrameEncoder()
    var sent = ByteBuffer()
    FrameEncoder.writePreface(into: &sent)
    encoder.write(.hello(payload(of: hello)), into: &sent)
    encoder.write(
      .authentication(Authentication(.sharedKey, proof: [UInt8](repeating: 1, count: 256))), into: &sent)
    let refusal = Refusal(
      code: .duplicate, text: String(repeating: "t", count: 512), winner: Nonce(high: 1, low: 2))
    encoder.write(.welcome(.refused(refusal)), into: &sent)
    #expect(sent.readableBytes <= ProtocolConstants.handshakeLimit)
    let got = decode(
      [sent.getSlice(at: 8, length: sent.readableBytes - 8) ?? ByteBuffer()], isHandshaking: true)
    #expect(got.violation == nil)
    #expect(got.found.last == .frame(.welcome(.refused(refusal))))
  }
}
