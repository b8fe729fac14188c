import Foundation
import NIOCore
import Testing

@testable import StreamMux

extension PacingScenario: CustomTestStringConvertible {
  var testDescription: String { name }
}

@Suite("Bulk that is held back")
struct PacingTests {
  // R-PATH-2, R-PATH-4
  @Test(
    "a vote does not feel a snapshot, and the snapshot keeps the path", arguments: PacingScenario.steadyPaths)
  func steady(_ path: PacingScenario) throws {
    let free = try path.run(.unasked, seed: 1)
    let held = try path.run(.figures, seed: 1)
    let roundTrip = Double(2 * path.shape.delay.nanoseconds) / 1e6
    // A frame of the least size takes longer than a millisecond on a slow path.
    let frame = 4_096 / Double(path.shape.rate) * 1e3
    #expect(held.share >= 0.92 * free.share, "\(held), without: \(free)")
    #expect(held.median <= 6 + 2 * frame, "\(held), without: \(free)")
    #expect(held.high <= max(0.3 * roundTrip, 10) + 2 * frame, "\(held), without: \(free)")
    if path.streams > 1 { #expect(held.least > held.most / 2) }
  }

  @Test("losses cost what they cost TCP, and votes wait less", arguments: PacingScenario.lossyPaths, [1, 2])
  func losses(_ path: PacingScenario, seed: UInt64) throws {
    let free = try path.run(.unasked, seed: seed)
    let held = try path.run(.figures, seed: seed)
    #expect(held.share >= 0.8 * free.share, "seed \(seed): \(held), without: \(free)")
    #expect(held.median <= free.median + 1, "seed \(seed): \(held), without: \(free)")
  }

  @Test("a path that changes is found again", arguments: PacingScenario.changingPaths)
  func changes(_ path: PacingScenario) throws {
    let free = try path.run(.unasked, seed: 1)
    let held = try path.run(.figures, seed: 1)
    #expect(held.lastShare >= 0.85 * min(free.lastShare, 1), "\(held), without: \(free)")
    #expect(held.lastMedian <= 20, "\(held), without: \(free)")
  }

  @Test(
    "PINGs do where the system does not tell",
    arguments: [PacingScenario.steadyPaths[0], PacingScenario.steadyPaths[4]])
  func pings(_ path: PacingScenario) throws {
    let free = try path.run(.unasked, seed: 1)
    let held = try path.run(.none, seed: 1)
    #expect(held.share >= 0.75 * free.share, "\(held), without: \(free)")
    #expect(held.median <= max(25, free.median + 1), "\(held), without: \(free)")
  }

  // R-PATH-5
  @Test("nothing is held back on a LAN, and nobody is asked often")
  func aside() throws {
    var options = EnginesOnPath.Options()
    options.there.rate = 1_250_000_000
    options.there.delay = .microseconds(100)
    options.there.queue = 4 << 20
    options.there.segment = 65_536
    options.there.congestion = .none
    let pair = try EnginesOnPath(options, seed: 1)
    try pair.startBulk(.snapshot)
    pair.pass(.milliseconds(200))
    guard case .aside = pair.dialler.engine.pacer.phase else {
      Issue.record("it does not stand aside: \(pair.dialler.engine.pacer.phase)")
      return
    }
    #expect(pair.dialler.engine.pacer.holds == 0)
    #expect(pair.dialler.samples < 20)
    // At most a quarter of a millisecond's worth, and more than where nothing is known.
    #expect((200_000...330_000).contains(pair.dialler.burst), "\(pair.dialler.burst)")
  }

  // R-PATH-3
  @Test("votes and control frames pass bulk that is held back")
  func electionsPass() throws {
    var options = EnginesOnPath.Options()
    options.there = PacingScenario.shape(20, 80)
    let pair = try EnginesOnPath(options, seed: 1)
    try pair.startBulk(.snapshot)
    pair.pass(.seconds(3))
    var found = false
    for _ in 0..<200 where !found {
      pair.pass(.milliseconds(1))
      found = pair.dialler.engine.pacer.isHolding
    }
    #expect(found)
    #expect(!pair.dialler.engine.hasTransmission)
    let before = pair.dialler.engine.figures.framesSent
    _ = pair.dialler.engine.ping(now: pair.now)
    try pair.vote()
    let after = pair.dialler.engine.figures.framesSent
    #expect(after.ping == before.ping + 1)
    #expect(after.data == before.data + 1)
  }

  // R-PATH-6
  @Test("nobody is asked about a connection that sends no bulk")
  func idle() throws {
    var options = EnginesOnPath.Options()
    options.there = PacingScenario.shape(100, 80)
    let pair = try EnginesOnPath(options, seed: 1)
    for _ in 0..<20 {
      try pair.vote()
      pair.pass(.milliseconds(100))
    }
    #expect(pair.dialler.samples == 0 && pair.acceptor.samples == 0)
    let key = try pair.startBulk(.snapshot)
    pair.pass(.seconds(1))
    #expect(pair.dialler.samples > 20)
    pair.endBulk(key)
    pair.pass(.seconds(2))
    let samples = pair.dialler.samples
    for _ in 0..<20 {
      try pair.vote()
      pair.pass(.milliseconds(100))
    }
    #expect(pair.dialler.samples <= samples + 1)
    #expect(!pair.dialler.engine.pacer.isHolding)
  }

  // R-PATH-1
  @Test("what lies behind the scheduler follows the rate")
  func burst() throws {
    for (megabits, bytes) in [(5, 4_096...4_096), (100, 10_000...16_000), (500, 55_000...75_000)] {
      var options = EnginesOnPath.Options()
      options.there = PacingScenario.shape(megabits, 40)
      let pair = try EnginesOnPath(options, seed: 1)
      try pair.startBulk(.append)
      pair.pass(.seconds(4))
      #expect(bytes.contains(pair.dialler.burst), "\(megabits) Mb/s: \(pair.dialler.burst)")
    }
  }

  /// Prints the table of `Spec/path.md`: `RAFT_MUX_PATH_TABLE=1 swift test --filter PacingTests/table`
  @Test(
    "the table of the specification",
    .enabled(if: ProcessInfo.processInfo.environment["RAFT_MUX_PATH_TABLE"] != nil))
  func table() throws {
    func cell(_ result: PacingScenario.Result) -> String {
      String(
        format: "+%.0f / +%.0f ms, %.0f %%", result.median, result.high,
        (min(result.share, 1) * 100).rounded())
    }
    print("| path | nothing held back | by the system's figures | by PINGs |\n| --- | --- | --- | --- |")
    for path in PacingScenario.paths {
      let cells = try [EnginesOnPath.Knowledge.unasked, .figures, .none].map {
        cell(try path.run($0, seed: 1))
      }
      print("| \(path.name) | \(cells.joined(separator: " | ")) |")
    }
  }
}
