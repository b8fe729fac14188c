internal import NIOCore
internal import NIOPosix
internal import RaftTransport
internal import StreamMux

/// One machine of the simulated network with one process on it, from its start to its death; after a restart the same
/// address has another one.
final class SimulatedMachine: TransportNetwork, WorkerPool, @unchecked Sendable {
  // Confined to the simulation's thread.
  enum State {
    case running
    /// The kernel still says that nobody listens.
    case processDead
    /// Nobody says anything.
    case machineDead
  }

  struct Listener {
    let port: Int
    let socket: SimulatedSocket
    let accept: (SimulatedSocket) -> Void
  }

  /// Its place among the addresses of the network.
  let index: Int
  let name: String
  let ip: String
  let process: SimulatedProcess
  /// Where the transport lives.
  let loop: SimulatedEventLoop
  /// What happens in the kernel and on the wire, whether the process runs or not.
  let wire: SimulatedEventLoop
  private let workers: SimulatedEventLoop
  private unowned let network: SimulatedNetwork
  private(set) var listener: Listener?
  private(set) var state = State.running
  var sockets: [SimulatedSocket] = []
  private var nextPort = 40_000

  init(index: Int, life: Int, network: SimulatedNetwork, clockOffset: Int64) {
    self.index = index
    self.network = network
    name = "n\(index + 1)" + (life > 1 ? ".\(life)" : "")
    ip = "10.0.0.\(index + 1)"
    process = SimulatedProcess(clockOffset: clockOffset)
    let number = UInt64(index * 1_000 + life * 3)
    loop = SimulatedEventLoop(number: number, time: network.time, process: process)
    workers = SimulatedEventLoop(number: number + 1, time: network.time, process: process)
    wire = SimulatedEventLoop(
      number: number + 2, time: network.time, process: SimulatedProcess(clockOffset: clockOffset))
    nextPort += life * 1_000
  }

  var loops: [SimulatedEventLoop] { [loop, workers, wire] }

  // MARK: Death

  /// The process is gone. What runs of it runs on, but nothing of it reaches the network.
  ///
  /// - Parameter isAnnounced: Whether its kernel closes its connections; else the machine is dead, too.
  func die(isAnnounced: Bool) {
    state = isAnnounced ? .processDead : .machineDead
    listener = nil
    for socket in sockets {
      if isAnnounced, socket.isOpen { socket.outgoing?.sendReset() }
      socket.outgoing = nil
    }
    for connection in network.connections {
      for direction in [connection.forth, connection.back] {
        if direction.source === self { direction.sender = nil }
        if direction.destination === self { direction.receiver = nil }
      }
    }
  }

  // MARK: TransportNetwork

  func listen(
    host: String, port: Int, eventLoop: any EventLoop,
    accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>,
    failed: @escaping @Sendable (any Error, TimeAmount) -> Void
  ) -> EventLoopFuture<any Channel> {
    eventLoop.submit { [self] in
      let socket = SimulatedSocket(
        loop: loop, local: try SocketAddress(ipAddress: ip, port: port), remote: nil)
      sockets.append(socket)
      socket.closed = { self.listener = nil }
      listener = Listener(port: port, socket: socket) { accepted in
        guard self.listener != nil else {
          return accepted.close0(error: ChannelError.eof, mode: .all, promise: nil)
        }
        accept(accepted).assumeIsolated().whenComplete { outcome in
          if case .failure(let error) = outcome {
            accepted.close0(error: error, mode: .all, promise: nil)
          } else {
            accepted.activate()
          }
        }
      }
      return socket
    }
  }

  func connect(
    host: String, port: Int, eventLoop: any EventLoop, timeout: TimeAmount,
    resolver: any Resolver & Sendable,
    initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any Channel> {
    eventLoop.flatSubmit { [self] in
      do {
        let address = try SocketAddress(ipAddress: host, port: port)
        nextPort += 1
        let socket = SimulatedSocket(
          loop: loop, local: try SocketAddress(ipAddress: ip, port: nextPort), remote: address)
        sockets.removeAll { !$0.isOpen }
        sockets.append(socket)
        return initialize(socket).flatMap { self.connect(socket, to: address, timeout: timeout) }
      } catch {
        return eventLoop.makeFailedFuture(error)
      }
    }
  }

  private func connect(
    _ socket: SimulatedSocket, to address: SocketAddress, timeout: TimeAmount
  ) -> EventLoopFuture<any Channel> {
    let promise = loop.makePromise(of: (any Channel).self)
    var isDecided = false
    let timer = loop.scheduleTask(in: timeout) {
      socket.close0(error: ChannelError.connectTimeout(timeout), mode: .all, promise: nil)
    }
    socket.closed = {
      timer.cancel()
      if !isDecided { promise.fail(ChannelError.connectTimeout(timeout)) }
      isDecided = true
    }
    let connected: (Result<Void, any Error>) -> Void = { outcome in
      timer.cancel()
      guard !isDecided else {
        // We gave up meanwhile; the other end hears so.
        socket.outgoing?.sendReset()
        return
      }
      isDecided = true
      switch outcome {
      case .success:
        socket.activate()
        promise.succeed(socket)
      case .failure(let error):
        promise.fail(error)
        socket.close0(error: error, mode: .all, promise: nil)
      }
    }
    network.connect(from: self, socket: socket, to: address, connected: connected)
    return promise.futureResult
  }

  func addresses(of host: String, eventLoop: any EventLoop) -> EventLoopFuture<Set<String>> {
    eventLoop.makeSucceededFuture([host])
  }

  // MARK: WorkerPool

  func run(_ job: @escaping @Sendable (_ isActive: Bool) -> Void) {
    workers.at(network.time.now + network.random.next(in: 20_000...2_000_000)) { job(true) }
  }
}
