internal import Logging
internal import NIOCore
internal import RaftTransport

/// A whole cluster of real transports on a virtual clock and a simulated network, from one seed.
///
/// Everything above the sockets is the product: peers, dialling, arbitration, the engine, calls, pipelines, snapshots
/// and their compression, and the tasks that use them. One thread runs all of it, event by event, so that a seed and a
/// number of steps always give the same run.
package final class ClusterSimulation: @unchecked Sendable {
  // Confined to the thread that calls `run()`.
  let options: SimulationOptions
  let time: VirtualTime
  let trace: SimulationTrace
  let network: SimulatedNetwork
  /// For what is done; other sources split off it, so that one does not shift the others.
  let random: SimulationRandom
  let conditions: PathConditions
  let limits: TransportConfiguration.Limits
  let windows: TransportConfiguration.Windows
  let compression: CompressionMode
  let timeout: Int64
  var servers: [SimulatedServer] = []
  /// Lives that are over; their tasks have to end all the same.
  var formerServers: [SimulatedServer] = []
  var lives: [Int] = []
  private(set) lazy var ledger = OperationLedger { [unowned self] in report($0) }
  private(set) var step = 0
  /// Whether handlers answer properly and soon, requests are small, and calendars go forward.
  var isCalm = false
  private var result = SimulationReport()
  private var pipelineCount: UInt64 = 0
  private var wallClock: UInt64 = 1_700_000_000_000_000_000

  /// The most problems that are kept.
  private static let problemLimit = 20

  /// - Parameter trace: Gets a line for all that happens.
  package init(_ options: SimulationOptions, trace sink: ((String) -> Void)? = nil) {
    self.options = options
    random = SimulationRandom(seed: options.seed)
    time = VirtualTime(seed: random.bits())
    trace = SimulationTrace(time: time, sink: sink)
    network = SimulatedNetwork(time: time, trace: trace, random: random.split())
    let shape = random.split()
    conditions = PathConditions(
      delay: shape.duration(upTo: 60_000_000), jitter: shape.duration(upTo: 5_000_000),
      rate: shape.next(in: 1_000_000...200_000_000))
    network.largestSegment = [64, 1_500, 16_384, 65_536][shape.next(in: 0...3)]
    limits = TransportConfiguration.Limits(
      electionStreams: shape.next(in: 2...8), appendStreams: shape.next(in: 2...8),
      snapshotStreams: shape.next(in: 1...3), unansweredRequestsPerStream: shape.next(in: 1...8))
    let initial = [16_384, 65_536, 262_144][shape.next(in: 0...2)]
    windows = TransportConfiguration.Windows(initial: initial, receiveBudget: 16 * initial)
    compression = [.off, .automatic, .on()][shape.next(in: 0...2)]
    timeout = shape.next(in: 1_000_000_000...6_000_000_000)
    result.servers = options.servers ?? shape.next(in: 2...5)
  }

  /// Runs the simulation to its end.
  package func run() -> SimulationReport {
    for index in 0..<result.servers {
      lives.append(0)
      startLife(index)
    }
    time.run(until: time.now + 1_000_000)
    while step < options.steps, result.problems.count < Self.problemLimit {
      step += 1
      act()
      time.run(until: time.now + random.duration(upTo: 400_000_000))
      look()
    }
    step += 1
    finish()
    if time.eventCount >= VirtualTime.eventLimit { report("it runs in circles: \(time.eventCount) events") }
    result.calls = ledger.count
    result.answered = ledger.operations.values.count { if case .answered = $0.ending { true } else { false } }
    result.events = time.eventCount
    result.virtualSeconds = Double(time.now) / 1e9
    result.digest = time.digest
    return result
  }

  func report(_ text: String) {
    trace.note { "PROBLEM: \(text)" }
    guard result.problems.count < Self.problemLimit else { return }
    result.problems.append(.init(step: step, seconds: Double(time.now) / 1e9, text: text))
  }

  func nextPipeline() -> UInt64 {
    pipelineCount += 1
    return pipelineCount
  }

  // MARK: Lives

  /// Starts a server, for the first time or again.
  func startLife(_ index: Int) {
    lives[index] += 1
    let machine = SimulatedMachine(
      index: index, life: lives[index], network: network,
      clockOffset: random.next(in: 1_000_000_000_000...9_000_000_000_000_000))
    network.add(machine, conditions)
    let server = SimulatedServer(machine: machine)
    if index < servers.count {
      formerServers.append(servers[index])
      servers[index] = server
    } else {
      servers.append(server)
    }
    trace.note { "\(server.name) starts" }
    listen(server)
  }

  /// - Parameters:
  ///   - id: Another server ID than the one that belongs to the address.
  ///   - birth: Another time of its start than the calendar's, in nanoseconds since 1970.
  func listen(_ server: SimulatedServer, as id: ServerID? = nil, bornAt birth: UInt64? = nil) {
    let configuration = configuration(of: server, as: id ?? server.id, bornAt: birth)
    server.start("listening") { [self] in
      do {
        let transport = try await MuxTransport.listen(
          on: server.address.rawValue, configuration: configuration)
        transport.setHeartbeatHandler { [unowned self] in handle($0, server) }
        server.transport = transport
        if server.machine.state != .running { return close(server) }
        serve(server, transport)
      } catch {
        report("\(server.name) cannot listen: \(error)")
      }
    }
  }

  private func configuration(
    of server: SimulatedServer, as id: ServerID, bornAt fixedBirth: UInt64?
  ) -> TransportConfiguration {
    var configuration = TransportConfiguration(
      serverID: id, clusterID: "simulated", timeout: .nanoseconds(timeout),
      snapshotDeadline: .progress(stall: .seconds(8), restore: .seconds(20)), maxRPCsInFlight: 8,
      compression: compression, limits: limits, windows: windows,
      eventLoopGroup: server.machine.loop, logger: trace.logger(for: server.name))
    let bits = random.split()
    // Calendars may be set back between two lives; mostly they are not.
    wallClock += UInt64(random.next(in: 1...1_000_000_000))
    let calendar = !isCalm && random.happens(0.05) ? wallClock - 500_000_000 : wallClock
    let birth = fixedBirth ?? calendar
    configuration.environment = TransportEnvironment(
      network: server.machine, workers: server.machine, processors: 4, random: { bits.bits() },
      nanosecondsSinceEpoch: { birth })
    #if DEBUG
      configuration.environment.plantedFault = options.plantedFault
    #endif
    return configuration
  }

  /// Ends a life by force.
  func kill(_ server: SimulatedServer, isAnnounced: Bool) {
    guard server.machine.state == .running else { return }
    trace.note { "\(server.name) dies\(isAnnounced ? "" : " in silence")" }
    server.machine.process.stoppedUntil = 0
    server.machine.die(isAnnounced: isAnnounced)
    // What would have stopped with the process ends by itself, seen by nobody.
    close(server)
  }

  func close(_ server: SimulatedServer) {
    guard !server.isClosing, let transport = server.transport else { return }
    server.isClosing = true
    server.start("closing") {
      await transport.close()
      server.transport = nil
    }
  }

  // MARK: Looks

  /// What has to hold at any time.
  private func look() {
    ledger.checkDue(now: time.now)
    for server in servers {
      for socket in server.machine.sockets where socket.pendingBytes > 256 * 1_024 {
        report("\(server.name) holds \(socket.pendingBytes) bytes back in a socket")
      }
      let pending = server.machine.loop.pendingCount
      if pending > 20_000 { report("\(server.name) has \(pending) events to come") }
    }
  }
}
