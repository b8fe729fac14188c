import NIOCore
import Testing

@testable import RaftTransport

/// Which protocol a peer is called with.
@Suite struct PeerProtocolMemoryTests {
  private let peer = DialTarget(address: "10.0.0.2:8300", id: "b")
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  private func memory(
    _ mode: PeerProtocolMemory.Mode, known: TransportConfiguration.KnownPeers = .init()
  ) -> PeerProtocolMemory {
    PeerProtocolMemory(mode: mode, memory: .seconds(300), spokeRMUX: known)
  }

  @Test(
    "a mode says what is dialled and whether that may change",
    arguments: [
      (PeerProtocolMemory.Mode.preferRMUX, PeerProtocolMemory.Choice.rmux(mayFallBack: true)),
      (.rmuxOnly, .rmux(mayFallBack: false)),
      (.classicOnly, .classic),
    ])
  func modes(mode: PeerProtocolMemory.Mode, choice: PeerProtocolMemory.Choice) {
    #expect(memory(mode).choice(for: peer, now: start) == choice)
  }

  // R-CLS-20, R-CLS-21
  @Test("a peer that answered a classic call is called so for a while, and then RMUX is tried again")
  func remembersForAWhile() {
    var memory = memory(.preferRMUX)
    let isNews = memory.answeredClassic(peer, now: start)
    #expect(isNews)
    #expect(memory.choice(for: peer, now: start) == .classic)
    #expect(memory.choice(for: peer, now: start + .seconds(299)) == .classic)
    #expect(memory.choice(for: peer, now: start + .seconds(300)) == .rmux(mayFallBack: true))
    // It proves to be an old one once more.
    let isNewsAgain = memory.answeredClassic(peer, now: start + .seconds(301))
    #expect(!isNewsAgain)
    #expect(memory.choice(for: peer, now: start + .seconds(600)) == .classic)
  }

  @Test("answers do not put off the next attempt with RMUX")
  func answersDoNotProlong() {
    var memory = memory(.preferRMUX)
    _ = memory.answeredClassic(peer, now: start)
    for second in stride(from: Int64(10), to: 300, by: 10) {
      let isNews = memory.answeredClassic(peer, now: start + .seconds(second))
      #expect(!isNews)
    }
    #expect(memory.choice(for: peer, now: start + .seconds(300)) == .rmux(mayFallBack: true))
  }

  @Test("a classic call that is not answered makes the next one look again")
  func failureForgets() {
    var memory = memory(.preferRMUX)
    _ = memory.answeredClassic(peer, now: start)
    memory.failedClassic(peer.address)
    #expect(memory.choice(for: peer, now: start) == .rmux(mayFallBack: true))
  }

  // R-CLS-22
  @Test("a peer that has spoken RMUX is never called with the old protocol by itself, wherever it is")
  func rmuxStays() {
    var memory = memory(.preferRMUX)
    _ = memory.answeredClassic(peer, now: start)
    let wasClassic = memory.spokeRMUX(peer)
    #expect(wasClassic)
    #expect(memory.choice(for: peer, now: start) == .rmux(mayFallBack: false))
    let isNews = memory.answeredClassic(peer, now: start)
    #expect(!isNews)
    #expect(memory.choice(for: peer, now: start) == .rmux(mayFallBack: false))
    let moved = DialTarget(address: "10.0.0.9:8300", id: "b")
    #expect(memory.choice(for: moved, now: start) == .rmux(mayFallBack: false))
    let nameless = DialTarget(address: "10.0.0.2:8300", id: "")
    #expect(memory.choice(for: nameless, now: start) == .rmux(mayFallBack: false))
    // Another server may live at the address now.
    let other = DialTarget(address: "10.0.0.2:8300", id: "c")
    #expect(memory.choice(for: other, now: start) == .rmux(mayFallBack: true))
  }

  // R-CLS-23
  @Test("the peers that are given as speaking RMUX count like those that have, until the user says otherwise")
  func givenPeers() {
    var memory = memory(.preferRMUX, known: .init(ids: ["b"], addresses: ["10.0.0.3:8300"]))
    let nameless = DialTarget(address: "10.0.0.3:8300", id: "")
    #expect(memory.choice(for: peer, now: start) == .rmux(mayFallBack: false))
    #expect(memory.choice(for: nameless, now: start) == .rmux(mayFallBack: false))
    memory.forgetRMUX(peer)
    memory.forgetRMUX(nameless)
    #expect(memory.choice(for: peer, now: start) == .rmux(mayFallBack: true))
    #expect(memory.choice(for: nameless, now: start) == .rmux(mayFallBack: true))
  }

  @Test("the memory stays bounded, and when it is full nobody is taken for an old peer")
  func bounded() {
    var memory = memory(.preferRMUX)
    for number in 0..<10_000 {
      _ = memory.answeredClassic(
        DialTarget(address: ServerAddress("10.0.0.1:\(number)"), id: ""), now: start + .seconds(1))
    }
    let newest = DialTarget(address: "10.0.0.1:9999", id: "")
    #expect(memory.choice(for: newest, now: start + .seconds(2)) == .classic)
    for number in 0..<10_000 {
      _ = memory.spokeRMUX(
        DialTarget(address: ServerAddress("10.0.0.2:\(number)"), id: ServerID("\(number)")))
    }
    #expect(memory.spokeRMUX.ids.count == 4_096)
    #expect(memory.spokeRMUX.addresses.count == 4_096)
    let stranger = DialTarget(address: "10.0.0.3:1", id: "stranger")
    #expect(memory.choice(for: stranger, now: start) == .rmux(mayFallBack: false))
  }
}
