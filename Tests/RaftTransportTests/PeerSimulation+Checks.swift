import NIOCore
import StreamMux

@testable import RaftTransport

/// A run from trouble to rest, and what must hold meanwhile and in the end.
extension PeerSimulation {
  /// Trouble, time to recover, a time in which every call must succeed, and silence.
  func runAll() {
    generateCalls(for: options.trouble + .seconds(12))
    generateFaults(for: options.trouble)
    run(for: options.trouble)

    isTroubled = false
    heal { _ in true }
    for server in servers.indices { startAgain(server) }
    run(for: .seconds(12))
    run(for: timeToGiveUp)
    checkNoCallIsStuck(longerThan: .seconds(6), "after the trouble")

    isSettled = true
    callEverybody()
    run(for: .seconds(3))
    checkNoCallIsStuck(longerThan: .zero, "in the end")
    checkSettledCalls()
    run(for: .seconds(2))
    checkConnections()
    checkTables()
  }

  /// How much longer than usual an engine waits for a dead peer: a PING whose answer a partition has held up looks
  /// like a slow path.
  private var timeToGiveUp: TimeAmount {
    let roundTrips = ends.filter(\.isSocketOpen).compactMap(\.engine.figures.smoothedRoundTrip)
    return max(.zero, (roundTrips.max() ?? .zero) * 8 - .seconds(5))
  }

  private func generateCalls(for time: TimeAmount) {
    let count = Int(Double(time.nanoseconds) / 1e9 * options.callsPerSecond)
    for _ in 0..<count {
      schedule(after: .nanoseconds(Int64.random(in: 0..<time.nanoseconds, using: &random))) {
        $0.randomCall()
      }
    }
  }

  private func randomCall() {
    let server = Int.random(in: 0..<servers.count, using: &random)
    let other = (server + Int.random(in: 1..<servers.count, using: &random)) % servers.count
    let address: ServerAddress = chance(200) ? alias(other) : servers[other].address
    let id: ServerID = chance(150) ? "" : chance(30) ? "stranger" : servers[other].id
    call(
      from: server, id: id, address: address,
      patience: chance(300) ? delay(1_000...4_000_000) : nil)
    // Calls often come in pairs from both sides.
    if chance(300) {
      schedule(after: delay(0...2_000)) { simulation in
        simulation.call(
          from: other, id: simulation.servers[server].id, address: simulation.servers[server].address)
      }
    }
  }

  /// The other name of a server.
  private func alias(_ server: Int) -> ServerAddress { ServerAddress("alias-\(server):8300") }

  private func generateFaults(for time: TimeAmount) {
    let count = Int(Double(time.nanoseconds) / 1e9 * options.faultsPerSecond)
    for _ in 0..<count {
      schedule(after: .nanoseconds(Int64.random(in: 0..<time.nanoseconds, using: &random))) {
        $0.randomFault()
      }
    }
  }

  /// Both servers of a pair call each other at about the same time.
  func connectBoth() {
    for server in [0, 1] {
      schedule(after: delay(0...10_000)) { simulation in
        let other = simulation.servers[1 - server]
        simulation.call(from: server, id: other.id, address: other.address)
      }
    }
  }

  private func callEverybody() {
    calls = calls.filter(\.value.isWaiting)
    for server in servers.indices {
      for other in servers.indices where other != server {
        for address in [servers[other].address, alias(other)] {
          for id in [servers[other].id, ""] {
            schedule(after: delay(0...500_000)) { $0.call(from: server, id: id, address: address) }
          }
        }
        schedule(after: delay(0...500_000)) { simulation in
          simulation.call(from: server, id: "stranger", address: simulation.servers[other].address)
        }
      }
    }
  }

  func checkNoCallIsStuck(longerThan time: TimeAmount, _ when: String) {
    for (ticket, call) in calls.sorted(by: { $0.key < $1.key })
    where call.isWaiting && call.began + time < now {
      problem("\(when): call \(ticket) is stuck: \(call)")
    }
  }

  func checkSettledCalls() {
    for (ticket, call) in calls.sorted(by: { $0.key < $1.key }) {
      switch call.outcome {
      case .resumed:
        break
      case .failed(let error) where call.id == "stranger":
        if error.code != .wrongServer { problem("call \(ticket) to a stranger fails otherwise: \(error)") }
      case .waiting, .failed, .withdrawn:
        problem("call \(ticket) does not succeed: \(call)")
      }
    }
  }

  /// Every pair has the connections that it needs, and no others.
  private func checkConnections() {
    for lesser in servers.indices {
      for greater in servers.indices where lesser < greater {
        let diallers =
          ends
          .filter { $0.engine.role == .dialler && isLive($0) }
          .map { [$0.server, $0.peer.server] }
          .filter { $0 == [lesser, greater] || $0 == [greater, lesser] }
          .map { $0[0] }
        let hasHidden = options.hiddenServers.contains(lesser) || options.hiddenServers.contains(greater)
        // Where identities cannot be checked, each side may need its own.
        let isOne = !hasHidden && options.failedChecksPerMille == 0
        let isRight = isOne ? diallers.count == 1 : Set(diallers).count == diallers.count && !diallers.isEmpty
        if !isRight { problem("\(lesser) and \(greater): live connections dialled by \(diallers)") }
      }
    }
  }

  /// Nothing is left in the tables but the connections that live, and failures that are remembered.
  func checkTables() {
    for index in servers.indices {
      let table = servers[index].table
      for link in table.liveLinks {
        guard let end = servers[index].ends[link], isLive(end) else {
          problem("\(index) keeps \(link): \(String(describing: table.links[link]?.stage))")
          continue
        }
        if table.links[link]?.isProbed == true { problem("\(index) still probes \(link)") }
      }
      for (target, record) in table.dials.sorted(by: { $0.key < $1.key }) {
        guard case .resting = record.state, record.waiters.isEmpty else {
          problem("\(index) keeps an attempt: \(target) \(record.state)")
          continue
        }
        if target.id != "stranger" { problem("\(index) remembers a failure of \(target)") }
      }
      if servers[index].ends.count != table.links.count { problem("\(index): ends without links") }
    }
  }

  /// What holds in a table after every step.
  func checkInvariants(_ server: Int) {
    let table = servers[server].table
    for (target, record) in table.dials {
      switch record.state {
      case .idle: problem("\(server): an idle record of \(target)")
      case .dialling(let link):
        if table.links[link]?.direction != .dialled(target) { problem("\(server): no attempt for \(target)") }
        if table.links[link]?.isHandshaking != true, table.links[link]?.isEstablished == true {
          problem("\(server): the attempt for \(target) is established and not settled")
        }
      case .awaitingWinner: break
      case .resting: if !record.waiters.isEmpty { problem("\(server): calls wait for nothing at \(target)") }
      }
    }
    for (id, link) in table.routes {
      let record = table.links[link]
      if record?.isEstablished != true || record?.identity?.id != id || record?.mayCarryOurCalls != true {
        problem("\(server): \(link) is no route to \(id)")
      }
    }
    for (address, id) in table.addresses where table.routes[id] == nil {
      problem("\(server): \(address) leads nowhere")
    }
    for (link, record) in table.links {
      if case .dialled(let target) = record.direction, record.isHandshaking, !table.isShutDown,
        table.attempt(of: link) != target
      {
        problem("\(server): the attempt \(link) is forgotten")
      }
      guard case .challenging(let identity, let incumbent) = record.stage else { continue }
      let holder = table.links[incumbent]
      if holder?.isProbed != true || holder?.isEstablished != true || holder?.identity?.id != identity.id {
        problem("\(server): \(link) challenges \(incumbent), which is not asked")
      }
      // A stronger one wins at once (R-PAIR-3), and a weaker one is refused at once (R-PAIR-10).
      if holder?.identity?.standing != identity.standing {
        problem("\(server): \(link) challenges \(incumbent), which is not its equal")
      }
    }
  }

  /// Nobody welcomes an earlier start beside a live connection of a later one (R-PAIR-11).
  func checkAccepted(_ link: LinkID, of server: Int) {
    let table = servers[server].table
    guard let newcomer = table.links[link]?.identity else {
      return problem("\(server) accepts \(link), which is not in its table")
    }
    for (other, record) in table.links where other != link && record.welcomedPeer?.id == newcomer.id {
      guard let holder = record.identity, holder.incarnation > newcomer.incarnation else { continue }
      if holder.standing >= newcomer.standing {
        problem("R-PAIR-11: \(server) accepts \(link) beside \(other)")
      }
    }
  }
}
