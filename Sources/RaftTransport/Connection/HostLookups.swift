import Dispatch
import NIOCore
import NIOPosix
import Synchronization

/// Looks up the addresses that connections are dialled at.
///
/// The system's own call cannot be stopped and may take half a minute. So it runs on a thread that it shares with no
/// other look-up, and whoever waits for it can be let go: a transport that closes, and connections beside it.
final class HostLookups: Sendable {
  /// Blocks until a name is looked up.
  typealias System = @Sendable (_ host: String, _ port: Int) -> [SocketAddress]

  private struct State {
    var isShutDown = false
    var nextNumber: UInt64 = 0
    var pending: [UInt64: EventLoopPromise<[SocketAddress]>] = [:]
  }

  private let system: System
  private let state = Mutex(State())

  init(system: @escaping System = HostResolver.socketAddresses) {
    self.system = system
  }

  /// The resolver of one attempt to dial.
  func resolver(on eventLoop: any EventLoop) -> any Resolver & Sendable {
    OneLookup(lookups: self, eventLoop: eventLoop)
  }

  /// All addresses of a host; fails where there are none.
  fileprivate func addresses(
    of host: String, port: Int, on eventLoop: any EventLoop
  ) -> EventLoopFuture<
    [SocketAddress]
  > {
    if let literal = try? SocketAddress(ipAddress: host, port: port) {
      return eventLoop.makeSucceededFuture([literal])
    }
    let promise = eventLoop.makePromise(of: [SocketAddress].self)
    let number = state.withLock { state -> UInt64? in
      if state.isShutDown { return nil }
      state.nextNumber += 1
      state.pending[state.nextNumber] = promise
      return state.nextNumber
    }
    guard let number else {
      promise.fail(TransportError(.shutdown, "", delivery: .notDelivered))
      return promise.futureResult
    }
    DispatchQueue.global().async {
      let found = self.system(host, port)
      // Whoever takes the promise out completes it.
      let promise = self.state.withLock { $0.pending.removeValue(forKey: number) }
      if found.isEmpty {
        promise?.fail(UnknownHost(host: host))
      } else {
        promise?.succeed(found)
      }
    }
    return promise.futureResult
  }

  /// Lets everybody go who waits, and those who come later.
  func shutDown() {
    let pending = state.withLock { state in
      state.isShutDown = true
      defer { state.pending = [:] }
      return state.pending.values
    }
    for promise in pending { promise.fail(TransportError(.shutdown, "", delivery: .notDelivered)) }
  }
}

/// A name that has no address.
struct UnknownHost: Error, CustomStringConvertible {
  let host: String

  var description: String { "the name '\(host)' does not resolve" }
}

/// NIO asks for the addresses of the two families apart; one look-up answers both.
private final class OneLookup: Resolver, Sendable {
  private let lookups: HostLookups
  private let eventLoop: any EventLoop
  private let found = Mutex<EventLoopFuture<[SocketAddress]>?>(nil)

  init(lookups: HostLookups, eventLoop: any EventLoop) {
    self.lookups = lookups
    self.eventLoop = eventLoop
  }

  func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
    addresses(of: host, port: port).map { $0.filter { $0.protocol == .inet } }
  }

  func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
    addresses(of: host, port: port).map { $0.filter { $0.protocol == .inet6 } }
  }

  func cancelQueries() {}

  private func addresses(of host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
    found.withLock { found in
      if let found { return found }
      let future = lookups.addresses(of: host, port: port, on: eventLoop)
      found = future
      return future
    }
  }
}
