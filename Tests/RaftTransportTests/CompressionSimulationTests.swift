import Testing

@testable import RaftTransport

@Suite("Adaptive compression in virtual time")
struct CompressionSimulationTests {
  private static let mebibyte = 1 << 20

  struct Path: CustomTestStringConvertible, Sendable {
    var bitsPerSecond: Double
    /// Plain bytes: some seconds' worth on a slow path, and enough on a fast one that the first probe counts little.
    var size: Int
    var testDescription: String { "\(bitsPerSecond / 1e6) Mb/s" }
    var bytesPerSecond: Double { bitsPerSecond / 8 }
  }

  static let paths = [
    Path(bitsPerSecond: 1e6, size: 32 << 20),
    Path(bitsPerSecond: 1e7, size: 64 << 20),
    Path(bitsPerSecond: 2e7, size: 64 << 20),
    Path(bitsPerSecond: 1e8, size: 128 << 20),
    Path(bitsPerSecond: 5e8, size: 256 << 20),
    Path(bitsPerSecond: 1e9, size: 512 << 20),
    Path(bitsPerSecond: 1.5e9, size: 512 << 20),
    Path(bitsPerSecond: 2.5e9, size: 1 << 30),
    Path(bitsPerSecond: 1e10, size: 1 << 30),
    Path(bitsPerSecond: 8e10, size: 4 << 30),
  ]

  private func times(
    _ size: Int, _ stretches: [CompressionSimulation.Stretch], _ rates: [CompressionSimulation.RateChange],
    parallelism: Int = 2
  ) -> (stored: Double, zlib: Double, automatic: Double, compressedShare: Double) {
    func run(_ choice: CompressionSimulation.Choice) -> (Double, Double) {
      var simulation = CompressionSimulation(choice, size: size, stretches: stretches, rates: rates)
      simulation.parallelism = parallelism
      let time = simulation.run()
      return (time, Double(simulation.compressedBytes) / Double(size))
    }
    let automatic = run(.automatic)
    return (run(.stored).0, run(.zlib).0, automatic.0, automatic.1)
  }

  @Test(
    "But for the first bytes, auto takes at most 5 % longer than the better of plain and zlib, at every rate, ratio and speed",
    arguments: paths, [0.1, 0.3, 0.6, 0.9, 0.97, 1])
  func withinFivePercent(path: Path, ratio: Double) {
    for speed in [30e6, 100e6, 400e6] {
      for parallelism in [1, 2, 8] {
        let result = times(
          path.size, [.init(ratio: ratio, compressorSpeed: speed)],
          [.init(time: 0, bytesPerSecond: path.bytesPerSecond)], parallelism: parallelism)
        let best = min(result.stored, result.zlib)
        // What goes plain before anything is known: the buffers on the way and what is decided on ahead.
        let start = (512 + 64 * Double(parallelism)) * 1_024 / path.bytesPerSecond
        #expect(
          result.automatic <= 1.05 * best + start,
          "\(speed / 1e6) MB/s x \(parallelism): plain \(result.stored), zlib \(result.zlib), auto \(result.automatic)"
        )
      }
    }
  }

  @Test("Random data anywhere, and text on a fast path, are hardly ever compressed", arguments: paths)
  func staysStored(path: Path) {
    let random = times(
      path.size, [.init(ratio: 1, compressorSpeed: 30e6)],
      [.init(time: 0, bytesPerSecond: path.bytesPerSecond)])
    #expect(random.compressedShare <= 0.07)
    #expect(random.automatic <= 1.02 * random.stored)
    guard path.bytesPerSecond > 1e9 else { return }
    let text = times(
      path.size, [.init(ratio: 0.3, compressorSpeed: 100e6)],
      [.init(time: 0, bytesPerSecond: path.bytesPerSecond)])
    #expect(text.compressedShare <= 0.01)
    #expect(text.automatic <= 1.03 * text.stored)
  }

  @Test(
    "A path that changes in the middle is followed",
    arguments: [(1e6, 1e9), (1e9, 1e6), (5e6, 2e8), (2e8, 5e6), (3e7, 3e9), (3e9, 3e6)])
  func pathChanges(before: Double, after: Double) {
    // A quarter of the time that plain bytes would take passes before the change.
    let size = 512 * Self.mebibyte
    let change = 0.25 * Double(size) / max(before, 20e6)
    let stretches = [CompressionSimulation.Stretch(ratio: 0.3, compressorSpeed: 100e6)]
    let rates: [CompressionSimulation.RateChange] = [
      .init(time: 0, bytesPerSecond: before), .init(time: change, bytesPerSecond: after),
    ]
    let result = times(size, stretches, rates)
    // No choice for the whole snapshot is as good as one that follows; what it takes to notice is bounded.
    #expect(
      result.automatic <= 1.05 * min(result.stored, result.zlib) + 0.1,
      "plain \(result.stored), zlib \(result.zlib), auto \(result.automatic)")
  }

  @Test("Data that changes in the middle is followed", arguments: [(0.2, 1.0), (1.0, 0.2), (0.5, 0.99)])
  func dataChanges(before: Double, after: Double) {
    for rate in [1e6, 1e7, 1e8] {
      let size = 256 * Self.mebibyte
      let result = times(
        size,
        [
          .init(plainBytes: Double(size) / 2, ratio: before, compressorSpeed: 100e6),
          .init(ratio: after, compressorSpeed: 100e6),
        ], [.init(time: 0, bytesPerSecond: rate)])
      #expect(
        result.automatic <= 1.05 * min(result.stored, result.zlib),
        "plain \(result.stored), zlib \(result.zlib), auto \(result.automatic)")
    }
  }

  @Test("A machine that becomes busy in the middle turns compression off, and back on when it is idle again")
  func machineBecomesBusy() {
    let size = 512 * Self.mebibyte
    let third = Double(size) / 3
    let result = times(
      size,
      [
        .init(plainBytes: third, ratio: 0.3, compressorSpeed: 100e6),
        .init(plainBytes: third, ratio: 0.3, compressorSpeed: 10e6),
        .init(ratio: 0.3, compressorSpeed: 100e6),
      ], [.init(time: 0, bytesPerSecond: 60e6)])
    #expect(
      result.automatic <= 0.95 * min(result.stored, result.zlib),
      "plain \(result.stored), zlib \(result.zlib), auto \(result.automatic)")
  }
}
