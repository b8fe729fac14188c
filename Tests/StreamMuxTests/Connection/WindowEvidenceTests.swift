import Foundation
import NIOCore
import Testing

@testable import StreamMux

/// Windows above a TCP with a congestion window, beside a receiver that gives 64 MiB at once.
@Suite("Windows above TCP")
struct WindowEvidenceTests {
  typealias Setting = WindowSimulation.Setting

  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let setting: Setting

    init(_ name: String, _ change: (inout Setting) -> Void) {
      self.name = name
      var setting = Setting()
      setting.length = .seconds(12)
      change(&setting)
      self.setting = setting
    }

    var testDescription: String { name }
  }

  struct Result {
    /// Of what the path could have carried in the last half, by all streams together.
    var share: Double
    /// Until nine tenths of the path's rate were reached for the first time, over a round trip; nil: never.
    var start: TimeAmount?
    /// Windows in bandwidth-delay products of the path as it is in the end.
    var peak: Double
    var last: Double
    var lastWindow: Int
    var peakReserved: Int
    /// The slowest stream's part of the fastest one's, in the last half.
    var fairness: Double
  }

  static func run(_ setting: Setting, _ windows: WindowSimulation.Windows, seed: UInt64) throws -> Result {
    var simulation = try WindowSimulation(setting, windows: windows, seed: seed)
    let samples = try simulation.run()
    let end = try #require(samples.last)
    let half = try #require(samples.first { $0.time >= .nanoseconds(setting.length.nanoseconds / 2) })
    let seconds = Double((end.time - half.time).nanoseconds) / 1e9
    let rate = setting.changes.last?.rate ?? setting.rate
    let roundTrip = setting.changes.last?.roundTrip ?? setting.roundTrip
    let product = Double(rate) * Double(roundTrip.nanoseconds) / 1e9
    let taken = zip(end.consumed, half.consumed).map { Double($0 - $1) }
    var start: TimeAmount?
    for index in samples.indices.dropFirst(20) where start == nil {
      let (now, before) = (samples[index], samples[index - 20])
      let bytes = Double(now.consumed.reduce(0, +) - before.consumed.reduce(0, +))
      if bytes >= 0.9 * Double(setting.rate) * Double((now.time - before.time).nanoseconds) / 1e9 {
        start = now.time
      }
    }
    let peak = samples.map { $0.windows.reduce(0, +) }.max() ?? 0
    let last = end.windows.reduce(0, +)
    return Result(
      share: taken.reduce(0, +) / (Double(rate) * seconds), start: start, peak: Double(peak) / product,
      last: Double(last) / product, lastWindow: last, peakReserved: samples.map(\.reserved).max() ?? 0,
      fairness: (taken.min() ?? 0) / max(1, taken.max() ?? 1))
  }

  static let rows: [Row] = [
    Row("100 Mb/s x 80 ms, cubic") { _ in },
    Row("the same, queue of 20 %") { $0.queue = 20 },
    Row("the same, queue of 400 %") { $0.queue = 400 },
    Row("the same, 0.1 % loss") { $0.lossPerMillion = 1_000 },
    Row("100 Mb/s x 80 ms, BBR") { $0.congestion = .bbr },
    Row("the same, 0.1 % loss") {
      $0.congestion = .bbr
      $0.lossPerMillion = 1_000
    },
    Row("20 Mb/s x 150 ms, cubic") {
      $0.rate = 2_500_000
      $0.roundTrip = .milliseconds(150)
    },
    Row("20 Mb/s x 150 ms, BBR, 1 % loss") {
      $0.rate = 2_500_000
      $0.roundTrip = .milliseconds(150)
      $0.congestion = .bbr
      $0.lossPerMillion = 10_000
    },
    Row("1 Gb/s x 100 ms, cubic") {
      $0.rate = 125_000_000
      $0.roundTrip = .milliseconds(100)
    },
    Row("100 to 20 Mb/s after 4 s") { $0.changes = [.init(time: .seconds(4), rate: 2_500_000)] },
    Row("20 to 100 Mb/s after 4 s") {
      $0.rate = 2_500_000
      $0.changes = [.init(time: .seconds(4), rate: 12_500_000)]
    },
    Row("80 to 20 ms after 4 s") {
      $0.changes = [.init(time: .seconds(4), roundTrip: .milliseconds(20))]
    },
    Row("40 to 160 ms after 4 s") {
      $0.roundTrip = .milliseconds(40)
      $0.changes = [.init(time: .seconds(4), roundTrip: .milliseconds(160))]
    },
    Row("four streams") { $0.consumers = Array(repeating: .init(), count: 4) },
    Row("consumer of 1 MB/s") { $0.consumers = [.init(rate: 1_000_000)] },
    Row("consumer slows to 1 MB/s after 4 s") {
      $0.changes = [.init(time: .seconds(4), consumer: .init(rate: 1_000_000))]
    },
  ]

  // R-FLW-31
  @Test(
    "windows that grow take from the path what one that is large from the start takes",
    arguments: [1, 2] as [UInt64])
  func share(seed: UInt64) throws {
    let row = Row("") { $0.length = .seconds(6) }
    let growing = try Self.run(row.setting, .growing, seed: seed)
    let large = try Self.run(row.setting, .fixed(64 << 20), seed: seed)
    #expect(growing.share >= 0.95 * large.share, "seed \(seed): \(growing) \(large)")
    #expect(growing.last <= 2.5, "seed \(seed): \(growing)")
  }

  // R-FLW-31
  @Test("a consumer that slows down shrinks its window to what it uses")
  func slowConsumer() throws {
    let row = Row("") {
      $0.changes = [.init(time: .seconds(2), consumer: .init(rate: 1_000_000))]
      $0.length = .seconds(12)
    }
    let result = try Self.run(row.setting, .growing, seed: 1)
    // Twice what it takes in a round trip are 160 KB, and its bursts may look like twice its rate.
    #expect(result.lastWindow <= 400_000, "\(result)")
    #expect(result.share >= 0.9 * 1_000_000 / 12_500_000, "\(result)")
  }

  // R-FLW-38: with the least of sixteen round trips, two a second, the old route would be believed for eight seconds.
  @Test(
    "a round trip that becomes four times as long does not starve a stream that runs",
    arguments: [1, 3] as [UInt64])
  func longerRoute(seed: UInt64) throws {
    let row = Row("") {
      $0.roundTrip = .milliseconds(40)
      $0.changes = [.init(time: .seconds(3), roundTrip: .milliseconds(160))]
      $0.length = .seconds(12)
    }
    let growing = try Self.run(row.setting, .growing, seed: seed)
    let large = try Self.run(row.setting, .fixed(64 << 20), seed: seed)
    #expect(growing.share >= 0.75 * large.share, "seed \(seed): \(growing) \(large)")
  }

  @Test("streams of one class share the path")
  func sharing() throws {
    let row = Row("") {
      $0.consumers = Array(repeating: .init(), count: 3)
      $0.length = .seconds(6)
    }
    let result = try Self.run(row.setting, .growing, seed: 1)
    #expect(result.fairness >= 0.8, "\(result)")
    #expect(result.share >= 0.85, "\(result)")
    #expect(result.peakReserved <= MuxLimits.defaults.receiveBudget)
  }

  /// Prints the second table of `Spec/flow-control.md`.
  @Test(
    "the table of the specification",
    .enabled(if: ProcessInfo.processInfo.environment["RAFT_MUX_WINDOW_TABLE"] != nil))
  func windowTable() throws {
    print("| path, consumer | share: growing, large | 90 % after: growing, large | peak | last |")
    for row in Self.rows {
      let growing = try Self.run(row.setting, .growing, seed: 1)
      let large = try Self.run(row.setting, .fixed(64 << 20), seed: 1)
      func percent(_ value: Double) -> String { String(format: "%.0f %%", value * 100) }
      func time(_ value: TimeAmount?) -> String {
        value.map { String(format: "%.2f s", Double($0.nanoseconds) / 1e9) } ?? "never"
      }
      print(
        "| \(row.name) | \(percent(growing.share)), \(percent(large.share)) "
          + "| \(time(growing.start)), \(time(large.start)) "
          + String(format: "| %.1f | %.1f |", growing.peak, growing.last))
    }
  }
}
