import NIOCore
import Synchronization

/// Looks up where hosts are, for the check that connections come from where their peers live (R-PAIR-14): each host once
/// at a time, however many calls and connections ask.
final class AddressChecks: Sendable {
  private let network: any TransportNetwork
  private let eventLoop: any EventLoop
  private let underWay = Mutex<[String: EventLoopFuture<Set<String>>]>([:])

  init(network: any TransportNetwork, eventLoop: any EventLoop) {
    self.network = network
    self.eventLoop = eventLoop
  }

  /// All IP addresses of a host, as normalised text; empty where the name does not resolve.
  func addresses(of host: String) async throws -> Set<String> {
    try await lookUp(host).get()
  }

  /// The same as a future.
  func lookUp(_ host: String) -> EventLoopFuture<Set<String>> {
    let (future, promise) = underWay.withLock { underWay in
      if let future = underWay[host] { return (future, nil as EventLoopPromise<Set<String>>?) }
      let promise = eventLoop.makePromise(of: Set<String>.self)
      underWay[host] = promise.futureResult
      return (promise.futureResult, promise)
    }
    guard let promise else { return future }
    future.whenComplete { _ in self.underWay.withLock { $0[host] = nil } }
    network.addresses(of: host, eventLoop: eventLoop).cascade(to: promise)
    return future
  }
}
