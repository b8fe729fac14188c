import Foundation
import NIOCore

@testable import StreamMux

/// A path on which snapshots are sent without end while votes are asked for, 50 a second.
struct PacingScenario: Sendable {
  /// Something that happens to the path.
  struct Change: Sendable {
    let second: Int
    let apply: @Sendable (inout SimulatedPath.Shape) -> Void
  }

  var name: String
  var shape: SimulatedPath.Shape
  var changes: [Change] = []
  var streams = 1
  var seconds = 12
  /// What is measured begins then.
  var startUp = 2

  /// Milliseconds.
  var jitter: Double { Double(shape.jitter.nanoseconds) / 1e6 }

  struct Result {
    /// Of votes, above the path's round trip, milliseconds.
    var median: Double
    var high: Double
    /// Of what the path could have carried after the start-up.
    var share: Double
    /// The same of the last three seconds.
    var lastShare: Double
    var lastMedian: Double
    /// Milliseconds.
    var longestQueue: Double
    var drops: Int
    var wakeUps: Int
    /// Bytes of the stream that got least, and of the one that got most.
    var least: Int
    var most: Int
  }

  func run(_ knowledge: EnginesOnPath.Knowledge, seed: UInt64, trace: Bool = false) throws -> Result {
    var options = EnginesOnPath.Options()
    options.there = shape
    options.knowledge = knowledge
    let pair = try EnginesOnPath(options, seed: seed)
    for _ in 0..<streams { try pair.startBulk(.snapshot) }
    var consumed: [Int] = []
    var possible = [0.0]
    var late: [Double] = []
    var seen = 0
    for second in 0..<seconds {
      for change in changes where change.second == second {
        for end in [pair.dialler, pair.acceptor] { change.apply(&end.path.shape) }
      }
      let roundTrip = pair.dialler.path.shape.delay + pair.dialler.path.shape.delay
      consumed.append(pair.consumed[.snapshot] ?? 0)
      possible.append(possible[second] + Double(pair.dialler.path.shape.rate) * 1_448 / 1_500)
      if second == startUp { seen = pair.votes.count }
      for index in 0..<50 {
        try pair.vote()
        pair.pass(.milliseconds(20))
        if trace, index % 5 == 0 { print(Self.line(pair)) }
      }
      while second >= startUp, seen < pair.votes.count {
        late.append(Double((pair.votes[seen].roundTrip - roundTrip).nanoseconds) / 1e6)
        seen += 1
      }
    }
    consumed.append(pair.consumed[.snapshot] ?? 0)
    func share(_ from: Int) -> Double {
      Double(consumed[seconds] - consumed[from]) / (possible[seconds] - possible[from])
    }
    func quantile(_ part: Double, _ values: some Sequence<Double>) -> Double {
      let sorted = values.sorted()
      return sorted.isEmpty ? .infinity : sorted[min(sorted.count - 1, Int(part * Double(sorted.count)))]
    }
    let each = pair.consumedOf.values
    return Result(
      median: quantile(0.5, late), high: quantile(0.99, late), share: share(startUp),
      lastShare: share(seconds - 3), lastMedian: quantile(0.5, late.suffix(140)),
      longestQueue: Double(pair.dialler.path.longestQueue.nanoseconds) / 1e6,
      drops: pair.dialler.path.droppedByQueue, wakeUps: pair.dialler.wakeUps, least: each.min() ?? 0,
      most: each.max() ?? 0)
  }

  static func line(_ pair: EnginesOnPath) -> String {
    let path = pair.dialler.engine.path.bottleneck
    let figures = pair.dialler.path.figures
    let rate = (path.rate ?? 0) * 8 / 1e6
    func ms(_ amount: TimeAmount?) -> String {
      String(format: "%.1f", Double(amount?.nanoseconds ?? 0) / 1e6)
    }
    return
      "\(ms(pair.now - EnginesOnPath.start)) rate \(String(format: "%.1f", rate)) least \(ms(path.leastRoundTrip)) srtt \(ms(figures.roundTrip)) var \(ms(figures.roundTripVariation)) out \(figures.unacknowledged)+\(figures.unsent) bound \(pair.dialler.engine.pacer.bound(path) ?? -1) cwnd \(pair.dialler.path.congestionWindow) \(pair.dialler.engine.pacer.phase) PINGs \(pair.dialler.engine.figures.framesSent.ping) least \(ms(pair.dialler.engine.path.recentMinimum))"
  }

  static func shape(
    _ megabits: Int, _ milliseconds: Int, queue: Double = 1, loss: Int = 0, jitter: Int = 0,
    _ congestion: CongestionModel.Kind = .cubic
  ) -> SimulatedPath.Shape {
    var shape = SimulatedPath.Shape()
    shape.rate = megabits * 125_000
    shape.delay = .microseconds(Int64(milliseconds) * 500)
    shape.queue = Int(Double(shape.rate) * Double(milliseconds) / 1e3 * queue)
    shape.lossPerMillion = loss
    shape.congestion = congestion
    shape.jitter = .milliseconds(Int64(jitter))
    shape.segment = max(1_448, shape.rate * milliseconds / 1_000 / 500 / 1_448 * 1_448)
    return shape
  }

  /// The paths whose figures are in the specification; too many packets for every test run.
  static let paths: [PacingScenario] = [
    PacingScenario(name: "100 Mb/s, 80 ms", shape: shape(100, 80)),
    PacingScenario(name: "100 Mb/s, 80 ms, queue of 4", shape: shape(100, 80, queue: 4)),
    PacingScenario(name: "100 Mb/s, 80 ms, queue of a fifth", shape: shape(100, 80, queue: 0.2)),
    PacingScenario(name: "100 Mb/s, 80 ms, four snapshots", shape: shape(100, 80), streams: 4),
    PacingScenario(name: "100 Mb/s, 80 ms, jitter 6 ms", shape: shape(100, 80, jitter: 6)),
    PacingScenario(name: "100 Mb/s, 10 ms", shape: shape(100, 10)),
    PacingScenario(name: "20 Mb/s, 150 ms", shape: shape(20, 150)),
    PacingScenario(name: "5 Mb/s, 40 ms", shape: shape(5, 40)),
    PacingScenario(name: "1 Gb/s, 20 ms", shape: shape(1_000, 20)),
    PacingScenario(name: "100 Mb/s, 80 ms, BBR", shape: shape(100, 80, .bbr)),
    PacingScenario(name: "100 Mb/s, 80 ms, 0.1 % loss", shape: shape(100, 80, loss: 1_000)),
    PacingScenario(name: "100 Mb/s, 80 ms, 1 % loss", shape: shape(100, 80, loss: 10_000)),
    PacingScenario(name: "100 Mb/s, 80 ms, BBR, 0.1 % loss", shape: shape(100, 80, loss: 1_000, .bbr)),
    PacingScenario(name: "100 Mb/s, 80 ms, BBR, 1 % loss", shape: shape(100, 80, loss: 10_000, .bbr)),
    PacingScenario(
      name: "100 Mb/s, then 20 Mb/s", shape: shape(100, 80),
      changes: [Change(second: 5) { $0.rate = 2_500_000 }], seconds: 14),
    PacingScenario(
      name: "20 Mb/s, then 100 Mb/s", shape: shape(20, 80),
      changes: [Change(second: 5) { $0.rate = 12_500_000 }], seconds: 16),
    PacingScenario(
      name: "80 ms, then 160 ms", shape: shape(100, 80),
      changes: [Change(second: 5) { $0.delay = .milliseconds(80) }], seconds: 20),
    PacingScenario(
      name: "80 ms, then 30 ms", shape: shape(100, 80),
      changes: [Change(second: 5) { $0.delay = .milliseconds(15) }], seconds: 16),
  ]

  // What follows shows the same with fewer packets.

  static let steadyPaths: [PacingScenario] = [
    PacingScenario(name: "20 Mb/s, 80 ms", shape: shape(20, 80), seconds: 6),
    PacingScenario(name: "20 Mb/s, 80 ms, queue of 4", shape: shape(20, 80, queue: 4), seconds: 6),
    PacingScenario(name: "20 Mb/s, 80 ms, three snapshots", shape: shape(20, 80), streams: 3, seconds: 6),
    PacingScenario(name: "20 Mb/s, 20 ms", shape: shape(20, 20), seconds: 6),
    PacingScenario(name: "5 Mb/s, 40 ms", shape: shape(5, 40), seconds: 6),
    PacingScenario(name: "20 Mb/s, 80 ms, BBR", shape: shape(20, 80, .bbr), seconds: 6),
  ]

  static let lossyPaths: [PacingScenario] = [
    PacingScenario(name: "20 Mb/s, 80 ms, 0.1 % loss", shape: shape(20, 80, loss: 1_000), seconds: 8),
    PacingScenario(
      name: "20 Mb/s, 80 ms, BBR, 0.1 % loss", shape: shape(20, 80, loss: 1_000, .bbr), seconds: 8),
  ]

  static let changingPaths: [PacingScenario] = [
    PacingScenario(
      name: "20 Mb/s, then 5 Mb/s", shape: shape(20, 80),
      changes: [Change(second: 4) { $0.rate = 625_000 }], seconds: 12),
    PacingScenario(
      name: "5 Mb/s, then 20 Mb/s", shape: shape(5, 80, queue: 4),
      changes: [Change(second: 4) { $0.rate = 2_500_000 }], seconds: 12),
    PacingScenario(
      name: "80 ms, then 160 ms", shape: shape(20, 80),
      changes: [Change(second: 4) { $0.delay = .milliseconds(80) }], seconds: 18),
    PacingScenario(
      name: "80 ms, then 30 ms", shape: shape(20, 80, queue: 2),
      changes: [Change(second: 4) { $0.delay = .milliseconds(15) }], seconds: 12),
  ]
}
