internal import StreamMux

/// Chance from a seed, shared by those who hold it.
final class SimulationRandom: @unchecked Sendable {
  // Confined to the simulation's thread.
  private var generator: SplitMix64

  init(seed: UInt64) {
    generator = SplitMix64(seed: seed)
  }

  /// Another source that follows from this one.
  func split() -> SimulationRandom {
    SimulationRandom(seed: generator.next())
  }

  func bits() -> UInt64 { generator.next() }

  func next<Number: FixedWidthInteger>(in range: ClosedRange<Number>) -> Number {
    Number.random(in: range, using: &generator)
  }

  /// Whether something of the given probability happens.
  func happens(_ probability: Double) -> Bool {
    Double.random(in: 0..<1, using: &generator) < probability
  }

  /// Nanoseconds between zero and the bound, short ones as likely as long ones.
  func duration(upTo bound: Int64) -> Int64 {
    // From a microsecond on, and with integers alone, which are the same everywhere.
    let microseconds = UInt64(max(bound / 1_000, 1))
    let doublings = UInt64.bitWidth - 1 - microseconds.leadingZeroBitCount
    let least = Int64(1_000) << next(in: 0...doublings)
    return min(next(in: least...2 * least), max(bound, 1_000))
  }

  func element<Element>(of elements: [Element]) -> Element? {
    elements.randomElement(using: &generator)
  }
}
