/// A path between two sites as it is measured over: what an emulator between two network namespaces is told.
struct PathProfile: Sendable, Equatable {
  let name: String
  let megabitsPerSecond: Int
  /// Both ways together.
  let roundTripMilliseconds: Int
  /// Of the packets, in percent, each way.
  let lossPercent: Double
  /// A size of snapshot that takes some tens of seconds at most.
  let snapshotSize: ByteSize

  /// Three links, each without loss, with a little and with a lot.
  static let all: [PathProfile] = [
    (name: "fast", rate: 1_000, delay: 100, size: 1 << 30),
    (name: "middle", rate: 100, delay: 80, size: 256 << 20),
    (name: "slow", rate: 20, delay: 150, size: 64 << 20),
  ].flatMap { link in
    [0, 0.1, 1].map { loss in
      PathProfile(
        name: link.name + (loss == 0 ? "" : loss < 1 ? "-loss" : "-heavy-loss"), megabitsPerSecond: link.rate,
        roundTripMilliseconds: link.delay, lossPercent: loss, snapshotSize: ByteSize(count: link.size))
    }
  }

  /// The bandwidth-delay product, and so the length of the bottleneck's queue.
  var queueBytes: Int { megabitsPerSecond * 1_000_000 / 8 * roundTripMilliseconds / 1_000 }

  var text: String {
    "\(name): \(megabitsPerSecond) Mb/s, \(roundTripMilliseconds) ms there and back, \(lossPercent) % loss, "
      + "a drop-tail queue of \(Figures.bytes(UInt64(queueBytes))); snapshots of \(snapshotSize)"
  }
}
