/// What a soak is like.
struct SoakSettings: Sendable {
  /// The time of all rounds together.
  var duration: Duration
  var nodeCount: Int
  /// What all choices follow from. When things happen is up to the machine, so two runs are alike, not the same.
  var seed: UInt64

  /// The time is cut into so many rounds, each at least two seconds long.
  var rounds: Int { max(1, min(10, Int(duration / .seconds(2)))) }

  var roundLength: Duration { duration / rounds }
}

/// Choices that follow from a seed (the standard library's generator has none).
struct SoakChoices: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// - Parameter stream: tells the choices of one worker from those of another.
  init(seed: UInt64, stream: UInt64) {
    state = seed &+ stream &* 0xD1B5_4A32_D192_ED03
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Whether something happens that does so once in `count` times.
  mutating func once(in count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

  mutating func milliseconds(_ range: ClosedRange<Int>) -> Duration {
    .milliseconds(Int.random(in: range, using: &self))
  }
}
