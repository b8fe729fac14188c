import NIOCore
import StreamMux

@testable import RaftTransport

/// One end of a simulated connection: an engine, and what the connection driver and the peer directory do with it.
final class PeerSimulationEnd {
  /// What travels from one end to the other.
  enum Segment {
    /// The connection itself: the acceptor learns of it.
    case open
    case bytes(ByteBuffer)
    case endOfInput
    case reset
  }

  let server: Int
  let start: Int
  /// Of an acceptor once the connection has reached it.
  var link: LinkID
  var engine: MuxConnection
  /// The simulation keeps both ends.
  private unowned var other: PeerSimulationEnd?
  let diallerNonce: Nonce

  /// Who is at the other end, as the table was told.
  var peerIdentity: PeerIdentity?
  var grantsRoute: Bool?
  var isEstablished = false
  var isDraining = false
  /// No stream of it lives on: the driver has told the table.
  var isOver = false
  var isSocketOpen = true
  private var hasEndedOutput = false
  /// What it sends is lost without a trace.
  var isMuted = false
  /// After so many segments of this end a fault strikes.
  var segmentsUntilFault: (count: Int, fault: (PeerSimulation) -> Void)?
  /// Segments of one direction arrive in order.
  private var lastArrival = NIODeadline.uptimeNanoseconds(0)
  /// Waits for the end of a partition, to be sent again.
  private(set) var held: [Segment] = []
  private var probes: Set<UInt64> = []
  /// The table has asked for a probe and has not heard of its end.
  var isAsked = false
  private var timerDue: NIODeadline?

  init(server: Int, start: Int, link: LinkID, engine: MuxConnection, diallerNonce: Nonce) {
    self.server = server
    self.start = start
    self.link = link
    self.engine = engine
    self.diallerNonce = diallerNonce
  }

  /// The other end.
  var peer: PeerSimulationEnd {
    guard let other else { preconditionFailure("a connection has two ends") }
    return other
  }

  func join(_ other: PeerSimulationEnd) {
    self.other = other
    other.other = self
  }

  // MARK: The driver

  func perform(_ simulation: PeerSimulation, _ body: (inout MuxConnection) -> Void) {
    body(&engine)
    pump(simulation)
  }

  func pump(_ simulation: PeerSimulation) {
    guard isSocketOpen else { return }
    repeat {
      while let event = engine.nextEvent() { handle(event, simulation) }
      while isSocketOpen, let bytes = engine.nextTransmission(limit: 65_536, now: simulation.now) {
        send(.bytes(bytes), simulation)
      }
    } while isSocketOpen && engine.hasTransmission
    armTimer(simulation)
  }

  private func armTimer(_ simulation: PeerSimulation) {
    guard isSocketOpen, let due = engine.nextDeadline else { return }
    if let timerDue, timerDue <= due { return }
    timerDue = due
    simulation.schedule(after: max(.zero, due - simulation.now)) { simulation in
      guard self.timerDue == due else { return }
      self.timerDue = nil
      guard self.isSocketOpen, simulation.isAlive(self.server, self.start) else { return }
      self.perform(simulation) { $0.handleTimeout(now: simulation.now) }
    }
  }

  private func handle(_ event: MuxEvent, _ simulation: PeerSimulation) {
    let (server, link, now) = (self.server, self.link, simulation.now)
    switch event {
    case .peerAuthenticated(let hello, _):
      simulation.authenticate(self, hello)
    case .established(let peerGrantsRoute):
      isEstablished = true
      simulation.note("\(server) established \(link)")
      simulation.update(server) { $0.established(link, peerGrantsRoute: peerGrantsRoute, now: now) }
    case .refused(let refusal):
      simulation.note("\(server) refused \(link) \(refusal.code)")
      let error = TransportError(
        refusal.code == .wrongServer ? .wrongServer : .refused, "\(refusal)", delivery: .notDelivered)
      simulation.update(server) {
        $0.refused(link, error: error, isDuplicate: refusal.code == .duplicate, now: now)
      }
    case .pong(let number, _):
      endProbe(number, answered: true, simulation)
    case .draining:
      tellDraining(simulation)
    case .ending(let closure):
      finish(closure, simulation)
    case .shouldCloseOutput:
      endOutput(simulation)
      simulation.schedule(after: .seconds(1)) { self.closeSocket($0) }
    case .closed(let closure):
      finish(closure, simulation)
      closeSocket(simulation)
    case .proofNeeded, .proofReceived, .opened, .data, .finished, .reset, .stopped, .rejected, .writable:
      break
    }
  }

  func drain(_ simulation: PeerSimulation) {
    engine.drain(now: simulation.now)
    tellDraining(simulation)
    pump(simulation)
  }

  private func tellDraining(_ simulation: PeerSimulation) {
    isDraining = true
    simulation.update(server) { $0.draining(link, now: simulation.now) }
  }

  func probe(_ simulation: PeerSimulation) {
    guard !isOver else { return }
    let number = engine.ping(now: simulation.now)
    probes.insert(number)
    let patience = ConnectionDriver.probePatience(engine.figures.smoothedRoundTrip)
    let (server, start) = (self.server, self.start)
    simulation.schedule(after: patience) { simulation in
      if simulation.isAlive(server, start) { self.endProbe(number, answered: false, simulation) }
    }
    pump(simulation)
  }

  private func endProbe(_ number: UInt64, answered: Bool, _ simulation: PeerSimulation) {
    guard probes.remove(number) != nil else { return }
    isAsked = false
    simulation.update(server) { $0.probeEnded(link, answered: answered, now: simulation.now) }
  }

  private func finish(_ closure: Closure, _ simulation: PeerSimulation) {
    guard !isOver else { return }
    isOver = true
    simulation.note("\(server) over \(link) \(closure.explanation)")
    probes = []
    let code: TransportError.Code
    switch closure {
    case .refused(let refusal) where refusal.code == .wrongServer: code = .wrongServer
    case .refused, .refusedByPeer: code = .refused
    default: code = .unreachable
    }
    let error = TransportError(code, closure.explanation, delivery: .notDelivered)
    simulation.servers[server].ends[link] = nil
    simulation.update(server) { $0.closed(link, error: error, now: simulation.now) }
  }

  // MARK: The socket

  private func endOutput(_ simulation: PeerSimulation) {
    guard !hasEndedOutput else { return }
    hasEndedOutput = true
    send(.endOfInput, simulation)
  }

  func closeSocket(_ simulation: PeerSimulation) {
    guard isSocketOpen else { return }
    endOutput(simulation)
    isSocketOpen = false
    guard simulation.isAlive(server, start) else { return }
    engine.receiveEndOfInput(now: simulation.now)
    finish(.endOfInput, simulation)
  }

  /// The connection ends without a word to the other end.
  func lose(_ simulation: PeerSimulation) {
    guard isSocketOpen else { return }
    hasEndedOutput = true
    closeSocket(simulation)
  }

  /// The process has died; its system may tell the other end, or be dead, too.
  func die(_ simulation: PeerSimulation, tellsPeer: Bool) {
    guard isSocketOpen else { return }
    isSocketOpen = false
    if tellsPeer { send(.reset, simulation) }
  }

  func send(_ segment: Segment, _ simulation: PeerSimulation) {
    if let (count, fault) = segmentsUntilFault {
      segmentsUntilFault = count > 0 ? (count - 1, fault) : nil
      if count == 0 { simulation.schedule(after: simulation.delay(0...30_000), fault) }
    }
    if isMuted { return }
    let isReset: Bool
    if case .reset = segment { isReset = true } else { isReset = false }
    guard !simulation.blocked.contains([server, peer.server]), held.isEmpty else {
      // A reset is not repeated by TCP; everything else is.
      if !isReset { held.append(segment) }
      return
    }
    var arrival = simulation.now + simulation.networkDelay
    if !isReset {
      arrival = max(arrival, lastArrival + .nanoseconds(1))
      lastArrival = arrival
    }
    simulation.schedule(after: arrival - simulation.now) { self.peer.receive(segment, $0) }
  }

  /// TCP tries again what was lost in a partition.
  func sendHeld(_ simulation: PeerSimulation) {
    let segments = held
    held = []
    for segment in segments { send(segment, simulation) }
  }

  private func receive(_ segment: Segment, _ simulation: PeerSimulation) {
    // What was under way when the path failed is lost, too.
    guard !peer.isMuted, simulation.servers[server].isPowered else { return }
    guard isSocketOpen, simulation.isAlive(server, start) else {
      if case .reset = segment { return }
      return send(.reset, simulation)
    }
    switch segment {
    case .open:
      link = simulation.servers[server].table.accepted()
      simulation.servers[server].ends[link] = self
      simulation.note("\(server) accepted \(link)")
      pump(simulation)
    case .bytes(let bytes):
      simulation.note("\(server) receives \(bytes.readableBytes) on \(link)")
      perform(simulation) { $0.receive(bytes, now: simulation.now) }
    case .endOfInput:
      perform(simulation) { $0.receiveEndOfInput(now: simulation.now) }
    case .reset:
      lose(simulation)
    }
  }
}
