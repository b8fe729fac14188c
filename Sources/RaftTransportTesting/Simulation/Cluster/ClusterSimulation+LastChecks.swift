internal import NIOCore
internal import RaftTransport

/// What is tried on purpose at the end of a run, in a network that is well: each of these would rarely be met by chance.
extension ClusterSimulation {
  private static let second: Int64 = 1_000_000_000

  /// One end loses a connection, and the other one hears nothing of it, nor of anything else on it: who lost it calls
  /// again, and the arbiter finds out by a probe before its patience with silence is at its end (R-PAIR-8).
  func checkLostConnection() {
    guard servers.count > 1 else { return }
    let arbiter = random.next(in: 1...servers.count - 1)
    let loser = random.next(in: 0...arbiter - 1)
    trace.note { "n\(loser + 1) loses its connection with n\(arbiter + 1), which hears nothing of it" }
    let death = time.now
    let lost = network.openConnections(between: loser, and: arbiter)
    for connection in lost {
      let isSource = connection.forth.source.index == loser
      network.reset(connection, heardBySource: isSource, heardByDestination: !isSource)
    }
    // The reset has arrived; from now on nothing else does.
    run(seconds: 1) { time.now >= death + Self.second / 5 }
    for connection in lost {
      connection.forth.isCut = true
      connection.back.isCut = true
    }
    // Later than the second within which the arbiter takes an old sign of life for one.
    run(seconds: 1) { false }
    let first = ledger.nextNumber
    call(.vote, from: servers[loser], to: arbiter, wanting: SimulatedServer.id(arbiter))
    run(seconds: 3) { ledger.open.isEmpty }
    ledger.checkAllAnswered(from: first)
    time.run(until: death + 3_900_000_000)
    checkConnections()
    run(seconds: 10) { ledger.open.isEmpty }
  }

  /// Calls for a server that is not where the caller thinks.
  func checkWrongServer() {
    let first = ledger.nextNumber
    for caller in servers {
      for target in servers.indices where target != caller.index {
        call(.vote, from: caller, to: target, wanting: "nobody")
      }
    }
    run(seconds: 10) { ledger.open.isEmpty }
    ledger.checkAllFailed(from: first, with: .wrongServer)
    run(seconds: 1) { false }
  }

  /// A server whose consumer takes nothing: calls end when their time is up.
  func checkDeadlines() {
    let (caller, target) = (servers[0], servers.count - 1)
    servers[target].consumerRestsUntil = time.now + timeout + 2 * Self.second
    let first = ledger.nextNumber
    call(.vote, from: caller, to: target, wanting: SimulatedServer.id(target))
    run(seconds: 10) { ledger.open.isEmpty }
    ledger.checkAllFailed(from: first, with: .timeout)
    run(seconds: 3) { false }
  }

  /// Requests that are given up while their bytes are on their way leave nothing behind.
  func checkCancellations() {
    for source in servers.indices {
      for destination in servers.indices {
        network.change(from: source, to: destination) { $0.rate = 100_000 }
      }
    }
    for caller in servers {
      for target in servers.indices where target != caller.index {
        for _ in 0...limits.appendStreams {
          call(
            .append, from: caller, to: target, wanting: SimulatedServer.id(target), size: 30_000,
            cancellingAfter: random.next(in: 50_000_000...400_000_000))
        }
      }
    }
    run(seconds: 10) { ledger.open.isEmpty }
    healPaths()
    run(seconds: 5) { false }
    checkStatistics()
  }

  /// More bytes than all windows together have at first: they come through only if what was taken is credited.
  func checkSteadyFlow() {
    let first = ledger.nextNumber
    let size = min(3 * windows.initial, network.largestSegment < 1_000 ? 60_000 : .max)
    let caller = servers[0]
    snapshot(from: caller, to: servers.count - 1, size: size)
    pipeline(3 * size / 16_384 + 1, from: caller, to: servers.count - 1, size: 16_384)
    run(seconds: 60) { ledger.open.isEmpty && !caller.tasks.values.contains { $0.contains("pipeline") } }
    ledger.checkAllEnded()
    ledger.checkAllAnswered(from: first)
  }

  /// A process of an earlier start of a server is still there, at another address: nobody takes its calls while the
  /// later one is connected (R-PAIR-11).
  func checkEarlierStart() {
    let victim = random.next(in: 0...servers.count - 1)
    let index = servers.count
    let machine = SimulatedMachine(
      index: index, life: 1, network: network,
      clockOffset: random.next(in: 1_000_000_000_000...9_000_000_000_000))
    network.add(machine, conditions)
    let old = SimulatedServer(machine: machine)
    formerServers.append(old)
    trace.note { "\(old.name) starts as an earlier start of n\(victim + 1)" }
    listen(old, as: SimulatedServer.id(victim), bornAt: 1_600_000_000_000_000_000)
    run(seconds: 1) { old.transport != nil }
    let first = ledger.nextNumber
    for target in servers.indices where target != victim {
      call(.vote, from: old, to: target, wanting: SimulatedServer.id(target))
    }
    run(seconds: 10) { ledger.open.isEmpty }
    ledger.checkAllFailed(from: first, with: .refused)
    close(old)
    run(seconds: 1) { old.transport == nil }
  }
}
