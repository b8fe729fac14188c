import Foundation
import NIOCore
import Testing

@testable import StreamMux

/// One path on which one stream sends all that it may: two engines, a virtual clock.
struct WindowScenario: Sendable, CustomTestStringConvertible {
  let name: String
  /// Bytes per second.
  let rate: Int
  let roundTrip: TimeAmount
  var trafficClass = TrafficClass.snapshot
  /// The bottleneck's queue, in percent of a bandwidth-delay product.
  var queue = 100
  var lossPerMille = 0
  /// Bytes per second that the consumer takes; nil: all that comes.
  var consumer: Int?
  /// Round trips until the start-up is over, and those that are measured then.
  var startUp = 20
  var measured = 14

  var testDescription: String { name }

  struct Result {
    /// Of what the path, or the consumer where that is slower, could have carried after the start-up.
    let utilisation: Double
    let peakWindow: Int
    let lastWindow: Int
    /// The most that was received and not consumed.
    let peakHeld: Int
    let peakReserved: Int
  }

  var product: Int { Int(Double(rate) * Double(roundTrip.nanoseconds) / 1e9) }

  func run(grows: Bool, seed: UInt64) throws -> Result {
    var options = PairOfEngines.Options()
    options.link.rate = rate
    options.link.delay = .nanoseconds(roundTrip.nanoseconds / 2)
    options.link.buffer = max(64 * 1_024, product + product * queue / 100)
    options.link.segment = 8_192...65_536
    options.link.lossPerMille = lossPerMille
    if !grows {
      let initial = MuxLimits.defaults.initialWindow
      options.configuration.acceptor.limits = try MuxLimits(
        maximumAppendWindow: initial, maximumSnapshotWindow: initial)
    }
    var pair = try PairOfEngines.established(options, seed: seed)
    let own = try pair.engines.dialler.open(StreamOpening(trafficClass: trafficClass), now: pair.now)
    pair.engines.dialler.write(ByteBuffer(repeating: 0, count: 64), to: own)
    pair.run()
    var opened: StreamKey?
    for event in pair.take(.acceptor) {
      if case .opened(let key, _) = event { opened = key }
    }
    let peers = try #require(opened)
    pair.engines.acceptor.consume(64, of: peers)
    if consumer == nil { pair.consumers = [.acceptor] }

    let chunk = ByteBuffer(repeating: 7, count: 1 << 20)
    let step = TimeAmount.nanoseconds(max(50_000, roundTrip.nanoseconds / 20))
    let stepsPerRoundTrip = max(1, Int(roundTrip.nanoseconds / step.nanoseconds))
    var atStart: UInt64 = 0
    var began = pair.now
    var peak = (window: 0, held: 0, reserved: 0)
    var last = 0
    var debt = 0.0
    for index in 0..<(startUp + measured) * stepsPerRoundTrip {
      if index == startUp * stepsPerRoundTrip {
        atStart = try #require(pair.engines.acceptor.streamFigures(peers)).consumed
        began = pair.now
      }
      while pair.engines.dialler.queuedBytes(own) < max(product, 4 << 20) {
        pair.engines.dialler.write(chunk, to: own)
      }
      pair.pass(step)
      let figures = try #require(pair.engines.acceptor.streamFigures(peers))
      let held = Int(figures.received - figures.consumed)
      if let consumer {
        debt = min(debt + Double(consumer) * Double(step.nanoseconds) / 1e9, Double(consumer))
        let count = min(held, Int(debt))
        pair.engines.acceptor.consume(count, of: peers)
        debt -= Double(count)
        pair.events.acceptor.removeAll()
      }
      last = Int(figures.receiveWindow)
      peak = (
        max(peak.window, last), max(peak.held, held),
        max(peak.reserved, pair.engines.acceptor.figures.reservedWindows)
      )
      #expect(pair.engines.acceptor.phase == .running)
    }
    let consumed = try #require(pair.engines.acceptor.streamFigures(peers)).consumed - atStart
    let seconds = Double((pair.now - began).nanoseconds) / 1e9
    return Result(
      utilisation: Double(consumed) / (Double(min(rate, consumer ?? rate)) * seconds),
      peakWindow: peak.window, lastWindow: last, peakHeld: peak.held, peakReserved: peak.reserved)
  }
}

@Suite("Windows that grow")
struct WindowGrowthTests {
  static let paths: [WindowScenario] = [
    WindowScenario(name: "1 Gb/s, 100 ms", rate: 125_000_000, roundTrip: .milliseconds(100)),
    WindowScenario(
      name: "1 Gb/s, 100 ms, append", rate: 125_000_000, roundTrip: .milliseconds(100), trafficClass: .append),
    WindowScenario(name: "100 Mb/s, 80 ms", rate: 12_500_000, roundTrip: .milliseconds(80)),
    WindowScenario(
      name: "100 Mb/s, 80 ms, short queue", rate: 12_500_000, roundTrip: .milliseconds(80), queue: 20),
    WindowScenario(
      name: "100 Mb/s, 80 ms, long queue", rate: 12_500_000, roundTrip: .milliseconds(80), queue: 400),
    WindowScenario(name: "20 Mb/s, 150 ms", rate: 2_500_000, roundTrip: .milliseconds(150)),
    WindowScenario(
      name: "10 Gb/s, 0.2 ms", rate: 1_250_000_000, roundTrip: .microseconds(200), startUp: 80, measured: 120
    ),
  ]

  static let lossyPaths: [WindowScenario] = [
    WindowScenario(
      name: "100 Mb/s, 80 ms, 0.1 % loss", rate: 12_500_000, roundTrip: .milliseconds(80), lossPerMille: 1),
    WindowScenario(
      name: "20 Mb/s, 150 ms, 1 % loss", rate: 2_500_000, roundTrip: .milliseconds(150), lossPerMille: 10),
  ]

  static let slowConsumers: [WindowScenario] = [
    WindowScenario(
      name: "1 Gb/s, 100 ms, consumer 4 MB/s", rate: 125_000_000, roundTrip: .milliseconds(100),
      consumer: 4_000_000, startUp: 30, measured: 40),
    WindowScenario(
      name: "10 Gb/s, 0.2 ms, consumer 20 MB/s", rate: 1_250_000_000, roundTrip: .microseconds(200),
      consumer: 20_000_000, startUp: 400, measured: 400),
    WindowScenario(
      name: "100 Mb/s, 80 ms, consumer stalled", rate: 12_500_000, roundTrip: .milliseconds(80), consumer: 0),
  ]

  static let seeds: [UInt64] = [1, 2]

  // R-FLW-31, R-FLW-32
  @Test("a path is filled once the window has grown to it", arguments: paths, seeds)
  func fillsThePath(_ path: WindowScenario, seed: UInt64) throws {
    let result = try path.run(grows: true, seed: seed)
    #expect(result.utilisation >= 0.9, "\(path.name), seed \(seed): \(result)")
    let most = path.trafficClass == .append ? 16 << 20 : 64 << 20
    #expect(result.peakWindow <= most)
    #expect(result.peakReserved <= MuxLimits.defaults.receiveBudget)
  }

  @Test("losses cost what they cost TCP, and the window does not add to it", arguments: lossyPaths, seeds)
  func losses(_ path: WindowScenario, seed: UInt64) throws {
    let grown = try path.run(grows: true, seed: seed)
    let fixed = try path.run(grows: false, seed: seed)
    #expect(grown.utilisation >= 0.75, "\(path.name), seed \(seed): \(grown)")
    #expect(grown.utilisation > fixed.utilisation, "\(path.name), seed \(seed): \(grown) \(fixed)")
  }

  // R-FLW-33
  @Test("a consumer that is slower than the path keeps the window small", arguments: slowConsumers, seeds)
  func slowConsumer(_ path: WindowScenario, seed: UInt64) throws {
    let result = try path.run(grows: true, seed: seed)
    let consumer = path.consumer ?? 0
    if consumer > 0 { #expect(result.utilisation >= 0.9, "\(path.name), seed \(seed): \(result)") }
    // Twice what it takes in a round trip, or where it began, with as much again for bursts.
    let needed = Double(consumer) * Double(max(path.roundTrip.nanoseconds, 2_000_000)) / 1e9
    let bound = max(Int(4 * needed), 2 * MuxLimits.defaults.initialWindow)
    #expect(result.peakHeld <= bound, "\(path.name), seed \(seed): \(result), bound \(bound)")
  }

  /// Prints the table of `Spec/flow-control.md`: `RAFT_MUX_WINDOW_TABLE=1 swift test --filter windowTable`
  @Test(
    "the table of the specification",
    .enabled(if: ProcessInfo.processInfo.environment["RAFT_MUX_WINDOW_TABLE"] != nil))
  func windowTable() throws {
    func percent(_ value: Double) -> String { "\(Int((value * 100).rounded())) %" }
    func kibibytes(_ value: Int) -> String { "\(value / 1_024)" }
    print(
      "| path, consumer | fixed 256 KiB | growing | peak window (KiB) | last window (KiB) | most held (KiB) |"
    )
    for path in Self.paths + Self.lossyPaths + Self.slowConsumers {
      let fixed = try Self.seeds.map { try path.run(grows: false, seed: $0) }
      let grown = try Self.seeds.map { try path.run(grows: true, seed: $0) }
      let used = path.consumer == 0 ? "-" : percent(grown.map(\.utilisation).min() ?? 0)
      let before = path.consumer == 0 ? "-" : percent(fixed.map(\.utilisation).max() ?? 0)
      print(
        "| \(path.name) | \(before) | \(used) | \(kibibytes(grown.map(\.peakWindow).max() ?? 0)) "
          + "| \(kibibytes(grown.map(\.lastWindow).max() ?? 0)) | \(kibibytes(grown.map(\.peakHeld).max() ?? 0)) |"
      )
    }
  }
}
