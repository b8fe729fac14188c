internal import NIOCore
internal import RaftTransport

/// What a step does: mostly calls, now and then a fault.
extension ClusterSimulation {
  private static let second: Int64 = 1_000_000_000

  func act() {
    switch random.next(in: 0...99) {
    case 0..<45: for _ in 0..<random.next(in: 1...4) { callSomebody() }
    case 45..<55: openPipeline()
    case 55..<63: sendSnapshot()
    case 63..<66: drain()
    case 66..<69: restInConsumer()
    case 69..<80: changePaths()
    case 80..<87: breakConnection()
    case 87..<90: stopProcess()
    case 90..<95: restart()
    default: callEachOther()
    }
  }

  // MARK: Choices

  /// A server that runs, and the address of another one (rarely its own).
  private func pair() -> (SimulatedServer, Int)? {
    guard let caller = random.element(of: servers.filter(\.isRunning)) else { return nil }
    if random.happens(0.01) { return (caller, caller.index) }
    let others = servers.indices.filter { $0 != caller.index }
    return random.element(of: Array(others)).map { (caller, $0) }
  }

  /// Whom a call wants at an address: mostly the server that is there, sometimes anybody, rarely another one.
  private func wanted(at target: Int) -> ServerID {
    if random.happens(0.1) { return "" }
    if random.happens(0.02) { return SimulatedServer.id((target + 1) % servers.count) }
    return SimulatedServer.id(target)
  }

  // MARK: Calls

  func callSomebody() {
    guard let (caller, target) = pair() else { return }
    let kinds: [SimulatedOperation.Kind] = [.vote, .preVote, .timeoutNow, .append, .append, .heartbeat]
    guard let kind = random.element(of: kinds) else { return }
    let cancelling = random.happens(0.15) ? random.duration(upTo: 500_000_000) : nil
    call(kind, from: caller, to: target, wanting: wanted(at: target), cancellingAfter: cancelling)
  }

  /// All call each other at once, so that they dial at once.
  private func callEachOther() {
    trace.note { "all call each other" }
    for caller in servers where caller.isRunning {
      for target in servers.indices where target != caller.index {
        call(.vote, from: caller, to: target, wanting: SimulatedServer.id(target))
      }
    }
  }

  private func openPipeline() {
    guard let (caller, target) = pair() else { return }
    let requests = random.next(in: 1...12)
    pipeline(requests, from: caller, to: target)
  }

  private func sendSnapshot() {
    guard let (caller, target) = pair() else { return }
    snapshot(
      from: caller, to: target,
      cancellingAfter: random.happens(0.1) ? random.duration(upTo: 2 * Self.second) : nil)
  }

  private func drain() {
    guard let server = random.element(of: servers.filter(\.isRunning)) else { return }
    trace.note { "\(server.name) closes its streams" }
    server.start("closing streams") { await server.transport?.closeStreams() }
  }

  private func restInConsumer() {
    guard let server = random.element(of: servers) else { return }
    let rest = random.duration(upTo: 4 * Self.second)
    trace.note { "\(server.name)'s consumer rests for \(rest / 1_000_000) ms" }
    server.consumerRestsUntil = time.now + rest
  }

  // MARK: Faults

  private func changePaths() {
    let source = random.next(in: 0...servers.count - 1)
    let destination = random.next(in: 0...servers.count - 1)
    switch random.next(in: 0...5) {
    case 0:
      trace.note { "nothing gets from n\(source + 1) to n\(destination + 1)" }
      network.change(from: source, to: destination) { $0.isBlocked = true }
    case 1:
      trace.note { "n\(source + 1) is cut off" }
      for other in servers.indices {
        network.change(from: source, to: other) { $0.isBlocked = true }
        network.change(from: other, to: source) { $0.isBlocked = true }
      }
    case 2:
      let delay = random.duration(upTo: 2 * Self.second)
      trace.note { "from n\(source + 1) to n\(destination + 1) it takes \(delay / 1_000_000) ms" }
      network.change(from: source, to: destination) { $0.delay = delay }
    case 3:
      let rate = random.next(in: 20_000...2_000_000) as Int64
      trace.note { "from n\(source + 1) to n\(destination + 1) go \(rate) bytes/s" }
      network.change(from: source, to: destination) { $0.rate = rate }
    default:
      trace.note { "the network heals" }
      healPaths()
    }
  }

  /// All paths are again as they were at first.
  func healPaths() {
    for source in servers.indices {
      for destination in servers.indices {
        network.change(from: source, to: destination) { [conditions] in $0 = conditions }
      }
    }
  }

  private func breakConnection() {
    guard let connection = random.element(of: network.connections.filter(\.isOpen)) else { return }
    let ends = "\(connection.forth.source.name) to \(connection.forth.destination.name)"
    switch random.next(in: 0...4) {
    case 0:
      trace.note { "the connection from \(ends) is reset" }
      network.reset(connection, heardBySource: true, heardByDestination: true)
    case 1:
      let isSource = random.happens(0.5)
      trace.note {
        "the connection from \(ends) is half open: only the \(isSource ? "first" : "second") hears of its end"
      }
      network.reset(connection, heardBySource: isSource, heardByDestination: !isSource)
    case 2:
      trace.note { "the connection from \(ends) is a black hole" }
      connection.forth.isCut = true
      connection.back.isCut = true
    default:
      // Only behind the handshake, which comes before checksums are agreed on.
      let direction = random.happens(0.5) ? connection.forth : connection.back
      direction.corruption = max(direction.byteCount, 2_048) + random.next(in: 0...50_000)
    }
  }

  private func stopProcess() {
    guard let server = random.element(of: servers.filter(\.isRunning)) else { return }
    let pause = random.duration(upTo: 12 * Self.second)
    trace.note { "\(server.name) stands still for \(pause / 1_000_000) ms" }
    server.machine.process.stoppedUntil = time.now + pause
    ledger.postpone(by: pause)
  }

  private func restart() {
    let index = random.next(in: 0...servers.count - 1)
    let server = servers[index]
    if server.isClosing || server.machine.state != .running {
      // The port is free when the machine is another one; a closing transport has to come to its end first.
      if server.transport == nil || server.machine.state != .running { startLife(index) }
    } else if server.transport != nil {
      switch random.next(in: 0...2) {
      case 0: kill(server, isAnnounced: true)
      case 1: kill(server, isAnnounced: false)
      default:
        trace.note { "\(server.name) closes" }
        close(server)
        return
      }
      if random.happens(0.5) { startLife(index) }
    }
  }
}
