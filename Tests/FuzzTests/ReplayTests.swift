import FuzzTargets
import NIOCore
import Testing

/// The fuzzer's targets over inputs that are known, so that they run with every test run and without libFuzzer.
@Suite("Fuzz targets")
struct ReplayTests {
  private static let names = FuzzTarget.all.map(\.name)

  @Test("hold for every seed that the specification's vectors make", arguments: names)
  func seeds(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    let seeds = try FuzzInputs.seeds(name)
    #expect(name == "pair" || seeds.count > 5)
    for (index, seed) in seeds.enumerated() { try replay(target, seed, "seed \(index)") }
  }

  @Test("hold for every input that a fuzzer found worth keeping", arguments: names)
  func corpus(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    for (index, input) in try FuzzInputs.corpus(name).enumerated() {
      try replay(target, input, "kept \(index)")
    }
  }

  @Test("hold for every input that once found a fault", arguments: names)
  func regressions(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    for regression in try FuzzInputs.regressions(name) {
      try replay(target, regression.bytes, regression.name)
    }
  }

  @Test("hold for random inputs", arguments: names)
  func noise(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<100 {
      let count = Int.random(in: 0...400, using: &generator)
      let input = ByteBuffer(
        bytes: (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
      try replay(target, input, "noise")
    }
  }

  private func replay(_ target: FuzzTarget, _ input: ByteBuffer, _ name: String) throws {
    do {
      try target.run(input)
    } catch {
      let hex = input.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      Issue.record("\(target.name), \(name), \(hex): \(error)")
    }
  }
}
