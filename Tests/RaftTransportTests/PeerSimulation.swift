import NIOCore
import StreamMux

@testable import RaftTransport

/// A cluster of peer tables, each with real protocol engines, on a simulated network and a virtual clock.
///
/// Everything by chance comes from the seed. What is found wrong is collected in ``problems``. This file holds the
/// world: time, servers, calls. The network and the driver of one connection's end have files of their own.
final class PeerSimulation {
  struct Options {
    var servers = 2
    /// Servers whose inbound connections cannot be checked by address: their peers must dial them.
    var hiddenServers: Set<Int> = []
    /// How long faults happen.
    var trouble = TimeAmount.seconds(10)
    var faultsPerSecond = 1.0
    var callsPerSecond = 8.0
    /// Of how many thousand connections one is cut or silenced in its first moments.
    var earlyCutsPerMille = 150
    /// How long a message takes at least, in microseconds; the most is 20,000, unless it is one of the slow ones.
    var leastDelay: Int64 = 200
    /// Of how many thousand messages one is much later than the others.
    var slowMessagesPerMille = 30
    /// Of how many thousand inbound connections one cannot be checked by chance.
    var failedChecksPerMille = 0
  }

  /// One server; its process may die and start again.
  struct Server {
    let id: ServerID
    let address: ServerAddress
    var isRunning = true
    /// Whether its machine answers for its dead processes.
    var isPowered = true
    /// Counts the starts of its process; what was scheduled for an earlier one is void.
    var start = 0
    var incarnation: UInt64
    var table: PeerTable
    var ends: [LinkID: PeerSimulationEnd] = [:]
    var cancelledDials: Set<LinkID> = []
    var timerDue: NIODeadline?
  }

  struct Call {
    enum Outcome {
      case waiting
      case resumed
      case failed(TransportError)
      case withdrawn
    }

    let server: Int
    let start: Int
    let id: ServerID
    let address: ServerAddress
    let began: NIODeadline
    var outcome = Outcome.waiting

    var isWaiting: Bool {
      if case .waiting = outcome { true } else { false }
    }
  }

  let options: Options
  let seed: UInt64
  var random: SplitMix64
  var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
  private var agenda = PeerSimulationAgenda()
  var servers: [Server] = []
  var calls: [UInt64: Call] = [:]
  private var nextTicket: UInt64 = 0
  /// Where each address leads.
  var locations: [ServerAddress: Int] = [:]
  /// Directions in which nothing gets through: from, to.
  var blocked: Set<[Int]> = []
  var ends: [PeerSimulationEnd] = []
  /// The next connections fall silent after so many segments from one end; the next one is the last here.
  var silenceAfter: [Int] = []
  var isTroubled = true
  /// Whether every call must succeed.
  var isSettled = false
  var problems: [String] = []
  private(set) var dialCount = 0
  private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
  private(set) var history: [String] = []
  var keepsHistory = false

  init(seed: UInt64, options: Options) {
    self.seed = seed
    self.options = options
    random = SplitMix64(seed: seed)
    for index in 0..<options.servers {
      let id = ServerID("server-\(index)")
      let address = ServerAddress("10.0.0.\(index):8300")
      let alias = ServerAddress("alias-\(index):8300")
      locations[address] = index
      locations[alias] = index
      servers.append(
        Server(id: id, address: address, incarnation: 1_000, table: Self.table(id, seed: random.next())))
    }
  }

  static func table(_ id: ServerID, seed: UInt64) -> PeerTable {
    PeerTable(
      configuration: PeerTable.Configuration(
        localID: id, backOff: BackOff(first: .milliseconds(50), longest: .milliseconds(500)),
        maximumWaitingCalls: 64),
      seed: seed)
  }

  // MARK: Time

  func schedule(after delay: TimeAmount, _ body: @escaping (PeerSimulation) -> Void) {
    agenda.add(at: now + delay, tieBreak: random.next(), body)
  }

  /// Runs what is due in the given time.
  func run(for time: TimeAmount) {
    let end = now + time
    while let item = agenda.next(until: end) {
      now = max(now, item.time)
      item.body(self)
    }
    now = end
  }

  func chance(_ perMille: Int) -> Bool { Int.random(in: 0..<1_000, using: &random) < perMille }

  func delay(_ range: ClosedRange<Int64>) -> TimeAmount {
    .microseconds(Int64.random(in: range, using: &random))
  }

  /// Of one message on the network.
  var networkDelay: TimeAmount {
    delay(chance(options.slowMessagesPerMille) ? 20_000...400_000 : options.leastDelay...20_000)
  }

  func note(_ text: @autoclosure () -> String) {
    let line = "\(now.uptimeNanoseconds / 1_000) \(text())"
    for byte in line.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
    if keepsHistory { history.append(line) }
  }

  func problem(_ text: String) {
    note("PROBLEM \(text)")
    problems.append("\(now.uptimeNanoseconds / 1_000_000) ms: \(text)")
  }

  // MARK: Tables

  /// Tells a server's table something, and does what it wants done.
  func update(_ server: Int, _ body: (inout PeerTable) -> [PeerTableAction]) {
    let actions = body(&servers[server].table)
    checkInvariants(server)
    for action in actions { run(action, of: server) }
    armTimer(server)
  }

  private func armTimer(_ server: Int) {
    guard let due = servers[server].table.nextDeadline else {
      servers[server].timerDue = nil
      return
    }
    if let armed = servers[server].timerDue, armed <= due { return }
    servers[server].timerDue = due
    let start = servers[server].start
    schedule(after: due - now) { simulation in
      guard simulation.isAlive(server, start), simulation.servers[server].timerDue == due else { return }
      simulation.servers[server].timerDue = nil
      simulation.update(server) { $0.handleTimeout(now: simulation.now) }
    }
  }

  func isAlive(_ server: Int, _ start: Int) -> Bool {
    servers[server].isRunning && servers[server].start == start
  }

  private func run(_ action: PeerTableAction, of server: Int) {
    let table = servers[server].table
    switch action {
    case .resume(let ticket, let link):
      finish(ticket, .resumed, on: link)
    case .fail(let ticket, let error):
      finish(ticket, .failed(error), on: nil)
    case .dial(let address, let target, let link):
      note("\(server) dials \(address) as \(link)")
      dialCount += 1
      later(server) { $0.dial(address, target: target, link: link, from: server) }
    case .accept(let link, let grantsRoute):
      note("\(server) accepts \(link) \(grantsRoute)")
      checkAccepted(link, of: server)
      later(server) { simulation in
        simulation.end(link, of: server).map { end in
          end.grantsRoute = grantsRoute
          end.perform(simulation) { $0.accept(grantsRoute: grantsRoute, now: simulation.now) }
        }
      }
    case .refuse(let link, let code, let text, let winner):
      note("\(server) refuses \(link) \(code)")
      if code == .duplicate { checkDuplicate(link, winner, of: server) }
      let nonce = winner.flatMap { end($0, of: server)?.diallerNonce }
      later(server) { simulation in
        simulation.end(link, of: server)?.perform(simulation) {
          $0.refuse(Refusal(code: code, text: text, winner: nonce), now: simulation.now)
        }
      }
    case .probe(let link, _):
      note("\(server) probes \(link)")
      if table.links[link]?.isEstablished != true { problem("\(server) probes \(link), not established") }
      guard let end = end(link, of: server) else { return problem("\(server) probes \(link), which is gone") }
      if end.isAsked { problem("\(server) probes \(link) twice") }
      end.isAsked = true
      later(server) { end.probe($0) }
    case .close(let link, let code, let text):
      note("\(server) closes \(link) \(code)")
      guard let end = end(link, of: server) else {
        servers[server].cancelledDials.insert(link)
        return
      }
      later(server) { simulation in
        end.perform(simulation) { $0.close(code, text: text, now: simulation.now) }
      }
    case .alarm:
      note("\(server) alarm")
    }
  }

  /// Orders go to other threads: they arrive a little later, in any order.
  private func later(_ server: Int, _ body: @escaping (PeerSimulation) -> Void) {
    let start = servers[server].start
    schedule(after: delay(0...300)) { simulation in
      if simulation.isAlive(server, start) { body(simulation) }
    }
  }

  func end(_ link: LinkID, of server: Int) -> PeerSimulationEnd? { servers[server].ends[link] }

  private func checkDuplicate(_ link: LinkID, _ winner: LinkID?, of server: Int) {
    guard let winner, let incumbent = end(winner, of: server), let newcomer = end(link, of: server) else {
      return problem("R-PAIR-4: \(server) refuses \(link) without a winner")
    }
    if incumbent.peer.server != newcomer.peer.server { problem("\(server) names a winner of another pair") }
    if servers[server].id < servers[newcomer.peer.server].id {
      problem("R-PAIR-1: \(server) refuses a duplicate and is not the arbiter")
    }
    if let record = servers[server].table.links[winner], record.isHandshaking, let holder = record.identity,
      let identity = newcomer.peerIdentity, holder.standing == identity.standing,
      holder.incarnation < identity.incarnation
    {
      problem("R-PAIR-18: \(server) prefers an unfinished connection of an earlier start")
    }
  }

  // MARK: Calls

  func call(from server: Int, id: ServerID, address: ServerAddress, patience: TimeAmount? = nil) {
    guard servers[server].isRunning else { return }
    nextTicket += 1
    let ticket = CallTicket(rawValue: nextTicket)
    note("\(server) calls \(id) at \(address)")
    calls[ticket.rawValue] = Call(
      server: server, start: servers[server].start, id: id, address: address, began: now)
    update(server) { $0.call(ticket, id: id, address: address, now: now) }
    checkIsNotNeedless(ticket)
    guard let patience else { return }
    schedule(after: patience) { $0.withdraw(ticket) }
  }

  /// Where a server called us from where it lives, nobody waits for another connection to it.
  private func checkIsNotNeedless(_ ticket: CallTicket) {
    guard let call = calls[ticket.rawValue], call.isWaiting else { return }
    let isNeedless = servers[call.server].table.links.values.contains { record in
      guard record.isEstablished, !record.isDialled, record.mayCarryOurCalls else { return false }
      return record.identity?.id == call.id && record.identity?.advertisedAddress == call.address
    }
    if isNeedless { problem("\(call.server) dials \(call.id), which has called from there") }
  }

  private func withdraw(_ ticket: CallTicket) {
    guard let call = calls[ticket.rawValue], call.isWaiting else { return }
    calls[ticket.rawValue]?.outcome = .withdrawn
    update(call.server) { table in
      table.withdraw(ticket, id: call.id, address: call.address)
      return []
    }
  }

  private func finish(_ ticket: CallTicket, _ outcome: Call.Outcome, on link: LinkID?) {
    guard let call = calls[ticket.rawValue] else { return problem("a call that nobody made ends") }
    guard call.isWaiting else { return problem("a call ends twice, or after it was withdrawn: \(call)") }
    calls[ticket.rawValue]?.outcome = outcome
    note("\(call.server) call ends \(link.map { "\($0)" } ?? "failed")")
    if let link { checkRoute(link, for: call) }
  }

  private func checkRoute(_ link: LinkID, for call: Call) {
    let what = "\(call.server)'s call to \(call.id) at \(call.address) on \(link)"
    guard let end = end(link, of: call.server), end.isEstablished, !end.isOver, !end.isDraining else {
      return problem("\(what): the connection is not established")
    }
    guard servers[call.server].table.links[link]?.isEstablished == true else {
      return problem("\(what): not established for the table")
    }
    if end.engine.role == .acceptor, end.grantsRoute != true { problem("R-PAIR-15: \(what): no route") }
    let reached = servers[end.peer.server].id
    if !call.id.isEmpty, reached != call.id { problem("\(what): reached \(reached)") }
    if isSettled, !isUsable(end) { problem("\(what): the connection is dead") }
  }

  /// Whether both ends of a connection want it and hear each other.
  private func isUsable(_ end: PeerSimulationEnd) -> Bool {
    [end, end.peer].allSatisfy { side in
      !side.isOver && !side.isMuted && isAlive(side.server, side.start)
        && servers[side.server].table.links[side.link]?.welcomedPeer != nil
    }
  }

  /// Whether it is established at both ends, too.
  func isLive(_ end: PeerSimulationEnd) -> Bool {
    isUsable(end)
      && [end, end.peer].allSatisfy { side in
        side.isEstablished && servers[side.server].table.links[side.link]?.isEstablished == true
      }
  }
}

/// What happens when, in order of time.
private struct PeerSimulationAgenda {
  struct Item {
    let time: NIODeadline
    let tieBreak: UInt64
    let body: (PeerSimulation) -> Void

    func precedes(_ other: Item) -> Bool { (time, tieBreak) < (other.time, other.tieBreak) }
  }

  /// A binary heap, the earliest first.
  private var items: [Item] = []

  mutating func add(at time: NIODeadline, tieBreak: UInt64, _ body: @escaping (PeerSimulation) -> Void) {
    items.append(Item(time: time, tieBreak: tieBreak, body: body))
    var child = items.count - 1
    while child > 0, items[child].precedes(items[(child - 1) / 2]) {
      items.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func next(until end: NIODeadline) -> Item? {
    guard let first = items.first, first.time <= end else { return nil }
    let last = items.removeLast()
    guard !items.isEmpty else { return first }
    items[0] = last
    var parent = 0
    while true {
      let left = 2 * parent + 1
      guard left < items.count else { break }
      let right = left + 1
      let least = right < items.count && items[right].precedes(items[left]) ? right : left
      guard items[least].precedes(items[parent]) else { break }
      items.swapAt(least, parent)
      parent = least
    }
    return first
  }
}
