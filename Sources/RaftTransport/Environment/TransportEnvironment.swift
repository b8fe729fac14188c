internal import NIOCore
internal import NIOPosix
internal import StreamMux

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Everything that a transport takes from outside besides its event loop, whose clock it goes by: sockets, chance,
/// the calendar and threads for work that takes long.
///
/// It exists so that a whole cluster can run on a virtual clock and a simulated network, from one seed. What the
/// product does must follow from its calls, its event loop and this.
package struct TransportEnvironment: Sendable {
  /// Where sockets come from.
  package var network: any TransportNetwork
  /// Where work runs that would hold the event loops up.
  package var workers: any WorkerPool
  /// How much of such work is worth doing at once, 1 or more.
  package var processors: Int
  /// A source of random bits; the system's is fit for secrets.
  package var random: @Sendable () -> UInt64
  /// The calendar's time: nanoseconds since 1970. It may jump.
  package var nanosecondsSinceEpoch: @Sendable () -> UInt64
  #if DEBUG
    /// A fault that is built in on purpose, to see whether the tests find it.
    package var plantedFault: PlantedFault?
  #endif

  package init(
    network: any TransportNetwork, workers: any WorkerPool, processors: Int,
    random: @escaping @Sendable () -> UInt64, nanosecondsSinceEpoch: @escaping @Sendable () -> UInt64
  ) {
    self.network = network
    self.workers = workers
    self.processors = processors
    self.random = random
    self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
  }

  /// The operating system's.
  package static let system = TransportEnvironment(
    network: SystemNetwork(), workers: NIOThreadPool.singleton, processors: System.coreCount,
    random: { .random(in: 0...(.max)) }, nanosecondsSinceEpoch: systemNanosecondsSinceEpoch)

  private static let systemNanosecondsSinceEpoch: @Sendable () -> UInt64 = {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_REALTIME, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// A name for one attempt to connect.
  func nonce() -> Nonce { Nonce(high: random(), low: random()) }
}

extension TransportEnvironment {
  /// Whether a fault was built in on purpose; never in a release build.
  @inline(__always)
  func has(_ fault: @autoclosure () -> PlantedFault) -> Bool {
    #if DEBUG
      plantedFault == fault()
    #else
      false
    #endif
  }
}
