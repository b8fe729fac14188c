#if Authentication
  import NIOCore
  import StreamMux
  import Testing

  @testable import RaftTransport

  /// Who may take whose place, by what was shown.
  @Suite("Strength of connections")
  struct StandingTests {
    private typealias Standing = PeerIdentity.Standing

    private static func table(_ id: ServerID) -> PeerTable {
      PeerTable(
        configuration: PeerTable.Configuration(
          localID: id, backOff: BackOff(first: .milliseconds(50), longest: .seconds(1)),
          maximumWaitingCalls: 8),
        seed: 1)
    }

    private static func peer(
      _ id: ServerID, _ standing: PeerIdentity.Standing, at address: ServerAddress = "10.0.0.1:1"
    ) -> PeerIdentity {
      PeerIdentity(id: id, advertisedAddress: address, incarnation: 1, standing: standing)
    }

    private let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    // R-PAIR-3, R-PAIR-10
    @Test(
      "A key with an address is worth more than an address, a certificate more than both, a claim nothing")
    func order() {
      #expect(Standing.claimed < .addressChecked)
      #expect(Standing.addressChecked < .memberAndAddressChecked)
      #expect(Standing.memberAndAddressChecked < .proven)
    }

    @Test("A key adds to a confirmed address, and is nothing without it")
    func keyNeedsAddress() {
      var member = Self.peer("a", .claimed)
      member.hasProvedKey = true
      var record = LinkRecord(direction: .accepted)
      record.stage = .established(member, peerGrantsRoute: false)
      #expect(!record.mayCarryOurCalls)
      record.confirm()
      #expect(record.identity?.standing == .memberAndAddressChecked)
      #expect(record.mayCarryOurCalls)
    }

    // R-PAIR-2, R-PAIR-3, R-PAIR-9, R-PAIR-10
    @Test("Only a stronger connection displaces one that is alive")
    func displacement() {
      let all: [PeerIdentity.Standing] = [.claimed, .addressChecked, .memberAndAddressChecked, .proven]
      for incumbent in all {
        for newcomer in all {
          var table = Self.table("z")
          let first = table.accepted()
          _ = table.authenticated(first, Self.peer("a", incumbent), now: now)
          _ = table.established(first, peerGrantsRoute: true, now: now)
          let second = table.accepted()
          let actions = table.authenticated(second, Self.peer("a", newcomer), now: now)
          let displaces = actions.contains {
            if case .close(first, .displaced, _) = $0 { true } else { false }
          }
          #expect(displaces == (newcomer > incumbent), "\(newcomer) against \(incumbent)")
          let refuses = actions.contains {
            if case .refuse(second, .duplicate, _, _) = $0 { true } else { false }
          }
          #expect(refuses == (newcomer < incumbent), "\(newcomer) against \(incumbent)")
        }
      }
    }

    // R-PAIR-19
    @Test(
      "A proven server that advertises another one's address gets no call for that address or that server")
    func foreignAddress() {
      var table = Self.table("m")
      let link = table.accepted()
      _ = table.authenticated(link, Self.peer("thief", .proven, at: "10.0.0.2:1"), now: now)
      _ = table.established(link, peerGrantsRoute: true, now: now)
      #expect(table.route(to: "thief", at: "10.0.0.2:1") == link)
      #expect(table.route(to: "", at: "10.0.0.2:1") == nil)
      #expect(table.route(to: "victim", at: "10.0.0.2:1") == nil)
    }

    // R-PAIR-13
    @Test(
      "A proven server is called by its name on the connection that it made, without a look at its address")
    func provenRoute() {
      var table = Self.table("m")
      let ticket = CallTicket(rawValue: 1)
      let dialling = table.call(ticket, id: "a", address: "10.0.0.1:1", now: now)
      #expect(dialling.contains { if case .dial = $0 { true } else { false } })
      let link = table.accepted()
      let answer = table.authenticated(link, Self.peer("a", .proven), now: now)
      #expect(answer.contains { if case .accept(link, grantsRoute: true) = $0 { true } else { false } })
      let actions = table.established(link, peerGrantsRoute: true, now: now)
      #expect(actions.contains { if case .resume(ticket, link) = $0 { true } else { false } })
    }

    @Test("What was used before is remembered, but of TLS only what the peer dialled")
    func memory() {
      var memory = MethodMemory()
      memory.record("answers", .tls, isDialled: true)
      memory.record("dials", .tls, isDialled: false)
      memory.record("keyed", .sharedKey, isDialled: true)
      memory.record("plain", .none, isDialled: false)
      // R-SEC-9
      #expect(memory.objection(to: .none, from: "answers") == nil)
      #expect(memory.objection(to: .none, from: "plain") == nil)
      #expect(memory.objection(to: .none, from: "dials")?.code == .unauthenticated)
      #expect(memory.objection(to: .none, from: "keyed")?.code == .unauthenticated)
      #expect(memory.objection(to: .tls, from: "dials") == nil)
      #expect(memory.hasUsedTLS("dials") && !memory.hasUsedTLS("answers") && !memory.hasUsedTLS("keyed"))
    }

    @Test("The memory has a bound, and newcomers do not push out those who are in it")
    func memoryBound() {
      var memory = MethodMemory()
      memory.record("first", .tls, isDialled: false)
      for number in 0..<5_000 { memory.record(ServerID("node-\(number)"), .sharedKey, isDialled: false) }
      #expect(memory.objection(to: .none, from: "first") != nil)
      #expect(memory.objection(to: .none, from: "node-4999") == nil)
    }
  }
#endif
