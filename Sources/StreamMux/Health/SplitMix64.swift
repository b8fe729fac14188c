internal import NIOCore

/// A small generator whose whole output follows from its seed, for jitter and for frames to ignore.
///
/// Not for secrets. The algorithm is SplitMix64 (Steele, Lea and Flood 2014).
package struct SplitMix64: RandomNumberGenerator, Equatable, Sendable {
  private var state: UInt64

  package init(seed: UInt64) {
    state = seed
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension SplitMix64 {
  /// `amount` changed by up to `percent` of it in either direction.
  mutating func jittered(_ amount: TimeAmount, byPercent percent: Int) -> TimeAmount {
    let spread = amount.nanoseconds / 100 * Int64(percent)
    guard spread > 0 else { return amount }
    return .nanoseconds(amount.nanoseconds + Int64.random(in: -spread...spread, using: &self))
  }
}
