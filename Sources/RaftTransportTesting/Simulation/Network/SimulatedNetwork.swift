internal import Logging
internal import NIOCore
internal import RaftTransport
internal import StreamMux

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Machines, the paths between them, and the TCP connections on these.
final class SimulatedNetwork: @unchecked Sendable {
  // Confined to the simulation's thread.
  struct Connection {
    let number: UInt64
    /// From the dialler.
    let forth: SimulatedDirection
    let back: SimulatedDirection

    /// Whether either end holds its socket open.
    var isOpen: Bool {
      [forth, back].contains { $0.sender?.isOpen ?? false }
    }
  }

  let time: VirtualTime
  let trace: SimulationTrace
  let random: SimulationRandom
  /// How much comes with one read, at most.
  var largestSegment = 16 * 1_024
  private(set) var connections: [Connection] = []
  private var paths: [[PathConditions]] = []
  private var machines: [SimulatedMachine] = []
  private var connectionCount: UInt64 = 0

  init(time: VirtualTime, trace: SimulationTrace, random: SimulationRandom) {
    self.time = time
    self.trace = trace
    self.random = random
  }

  // MARK: Machines and paths

  /// Adds a machine with an address of its own, or one that takes the place of a dead one.
  func add(_ machine: SimulatedMachine, _ conditions: PathConditions) {
    guard machine.index == machines.count else {
      machines[machine.index] = machine
      return
    }
    machines.append(machine)
    for index in paths.indices { paths[index].append(conditions) }
    paths.append(Array(repeating: conditions, count: machines.count))
  }

  func conditions(from source: SimulatedMachine, to destination: SimulatedMachine) -> PathConditions {
    paths[source.index][destination.index]
  }

  func change(from source: Int, to destination: Int, _ change: (inout PathConditions) -> Void) {
    guard source != destination else { return }
    let wasBlocked = paths[source][destination].isBlocked
    change(&paths[source][destination])
    guard wasBlocked, !paths[source][destination].isBlocked else { return }
    for connection in connections {
      for direction in [connection.forth, connection.back] { resume(direction) }
    }
  }

  /// Lets everything through again, but for connections that are cut.
  func heal() {
    for source in paths.indices {
      for destination in paths.indices {
        change(from: source, to: destination) { $0.isBlocked = false }
      }
    }
  }

  private func resume(_ direction: SimulatedDirection) {
    let pause = conditions(from: direction.source, to: direction.destination).delay
    direction.destination.loop.at(time.now + pause) {
      direction.deliverDue()
      direction.acknowledge()
    }
  }

  /// Connections of which an end is open, of the dead included only where `includingDead`.
  func openConnections(between first: Int, and second: Int) -> [Connection] {
    connections.filter {
      let ends: Set = [$0.forth.source.index, $0.forth.destination.index]
      return $0.isOpen && ends == [first, second]
    }
  }

  // MARK: Faults of connections

  /// Ends a connection from the middle: one end or both hear of it.
  func reset(_ connection: Connection, heardBySource: Bool, heardByDestination: Bool) {
    if heardByDestination { connection.forth.sendReset() }
    if heardBySource { connection.back.sendReset() }
    if !heardByDestination { connection.forth.isCut = true }
    if !heardBySource { connection.back.isCut = true }
  }

  /// Whether somebody at a machine's address answers a packet of an unknown connection.
  func answers(at machine: SimulatedMachine) -> Bool {
    machines[machine.index].state != .machineDead
  }

  // MARK: Connecting

  /// A machine asks for a connection; the answer takes a round trip.
  func connect(
    from machine: SimulatedMachine, socket: SimulatedSocket, to address: SocketAddress,
    connected: @escaping (Result<Void, any Error>) -> Void
  ) {
    guard let target = machines.first(where: { $0.ip == address.ipAddress })?.index else {
      return connected(.failure(IOError(errnoCode: EHOSTUNREACH, reason: "connect")))
    }
    knock(machine, socket, target, address, connected)
  }

  private func knock(
    _ machine: SimulatedMachine, _ socket: SimulatedSocket, _ index: Int,
    _ address: SocketAddress, _ connected: @escaping (Result<Void, any Error>) -> Void
  ) {
    let way = paths[machine.index][index]
    machine.wire.at(time.now + way.delay + random.next(in: 0...max(way.jitter, 1))) { [self] in
      guard socket.isOpen else { return }
      let target = machines[index]
      if paths[machine.index][index].isBlocked || !answers(at: target) {
        // The kernel asks again after a second.
        machine.wire.at(time.now + 1_000_000_000) { [self] in
          if socket.isOpen { knock(machine, socket, index, address, connected) }
        }
        return
      }
      let back = conditions(from: target, to: machine)
      let answered = time.now + back.delay
      guard let listener = target.listener, listener.port == address.port else {
        machine.loop.at(answered) {
          connected(.failure(IOError(errnoCode: ECONNREFUSED, reason: "connect")))
        }
        return
      }
      let accepted = join(machine, socket, target, address)
      target.loop.at(time.now) { listener.accept(accepted) }
      machine.loop.at(answered) { connected(.success(())) }
    }
  }

  private func join(
    _ machine: SimulatedMachine, _ socket: SimulatedSocket, _ target: SimulatedMachine,
    _ address: SocketAddress
  ) -> SimulatedSocket {
    connections.removeAll { !$0.isOpen && $0.forth.isIdle && $0.back.isIdle }
    let accepted = SimulatedSocket(loop: target.loop, local: address, remote: socket.localAddress)
    let forth = SimulatedDirection(network: self, from: machine, to: target)
    let back = SimulatedDirection(network: self, from: target, to: machine)
    (forth.sender, forth.receiver) = (socket, accepted)
    (back.sender, back.receiver) = (accepted, socket)
    forth.back = back
    back.back = forth
    socket.outgoing = forth
    accepted.outgoing = back
    target.sockets.append(accepted)
    connectionCount += 1
    connections.append(Connection(number: connectionCount, forth: forth, back: back))
    return accepted
  }
}
