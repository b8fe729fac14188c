import Foundation
import NIOCore

@testable import StreamMux

/// A path on which a snapshot is sent without end while votes are asked for.
struct PacingScenario: Sendable {
  var name: String
  var shape: SimulatedPath.Shape
  var seconds = 12
  var startUp = 2

  struct Result {
    /// Of votes, above the path's round trip.
    var median: Double
    var high: Double
    /// Of the path's rate, after the start-up.
    var share: Double
    var longestQueue: Double
    var drops: Int
    var wakeUps: Int
  }

  var roundTrip: TimeAmount { shape.delay + shape.delay }

  func run(_ knowledge: EnginesOnPath.Knowledge, seed: UInt64, trace: Bool = false) throws -> Result {
    var options = EnginesOnPath.Options()
    options.there = shape
    options.knowledge = knowledge
    let pair = try EnginesOnPath(options, seed: seed)
    try pair.startBulk(.snapshot)
    var began = 0
    let step = TimeAmount.milliseconds(20)
    for index in 0..<seconds * 50 {
      if index == startUp * 50 { began = pair.consumed[.snapshot] ?? 0 }
      try pair.vote()
      pair.pass(step)
      if trace, index % 5 == 0 { print(Self.line(pair)) }
    }
    let consumed = (pair.consumed[.snapshot] ?? 0) - began
    let late = pair.votes.map { Double(($0.roundTrip - roundTrip).nanoseconds) / 1e6 }.sorted()
    func quantile(_ part: Double) -> Double {
      late.isEmpty ? .infinity : late[min(late.count - 1, Int(part * Double(late.count)))]
    }
    return Result(
      median: quantile(0.5), high: quantile(0.99),
      share: Double(consumed) / Double(seconds - startUp) / (Double(shape.rate) * 1_448 / 1_500),
      longestQueue: Double(pair.dialler.path.longestQueue.nanoseconds) / 1e6,
      drops: pair.dialler.path.droppedByQueue, wakeUps: pair.dialler.wakeUps)
  }

  static func line(_ pair: EnginesOnPath) -> String {
    let path = pair.dialler.engine.path.bottleneck
    let figures = pair.dialler.path.figures
    let rate = (path.rate ?? 0) * 8 / 1e6
    func ms(_ amount: TimeAmount?) -> String {
      String(format: "%.1f", Double(amount?.nanoseconds ?? 0) / 1e6)
    }
    return
      "\(ms(pair.now - EnginesOnPath.start)) rate \(String(format: "%.1f", rate)) least \(ms(path.leastRoundTrip)) srtt \(ms(figures.roundTrip)) var \(ms(figures.roundTripVariation)) out \(figures.unacknowledged)+\(figures.unsent) bound \(pair.dialler.engine.pacer.bound(path) ?? -1) cwnd \(pair.dialler.path.congestionWindow) \(pair.dialler.engine.pacer.phase)"
  }

  static func shape(
    _ megabits: Int, _ milliseconds: Int, queue: Double = 1, loss: Int = 0,
    _ congestion: CongestionModel.Kind = .cubic
  ) -> SimulatedPath.Shape {
    var shape = SimulatedPath.Shape()
    shape.rate = megabits * 125_000
    shape.delay = .microseconds(Int64(milliseconds) * 500)
    shape.queue = Int(Double(shape.rate) * Double(milliseconds) / 1e3 * queue)
    shape.lossPerMillion = loss
    shape.congestion = congestion
    shape.segment = max(1_448, shape.rate * milliseconds / 1_000 / 1_000 / 1_448 * 1_448)
    return shape
  }

  static let paths: [PacingScenario] = [
    PacingScenario(name: "100 Mb/s, 80 ms", shape: shape(100, 80)),
    PacingScenario(name: "100 Mb/s, 80 ms, BBR", shape: shape(100, 80, .bbr)),
    PacingScenario(name: "100 Mb/s, 80 ms, 0.1 % loss", shape: shape(100, 80, loss: 1_000)),
    PacingScenario(name: "20 Mb/s, 150 ms", shape: shape(20, 150)),
    PacingScenario(name: "1 Gb/s, 100 ms", shape: shape(1_000, 100)),
    PacingScenario(name: "100 Mb/s, 10 ms", shape: shape(100, 10)),
  ]
}
