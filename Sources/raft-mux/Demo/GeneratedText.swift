/// Text for where there are no sources at hand: the same on every machine, and about as compressible as prose.
enum GeneratedText {
  private static let words = [
    "leader", "follower", "term", "vote", "log", "entry", "index", "commit", "snapshot", "stream", "window",
    "credit", "frame", "quorum", "the", "a", "of", "to", "and", "is", "was", "not", "once", "every", "before",
  ]

  /// As many lines as asked for, each with its end.
  static func lines(_ count: Int) -> String {
    var random = SplitMix64(state: 0x5246_4D55)
    var text = ""
    for number in 1...max(1, count) {
      text += "\(number):"
      for _ in 0..<(4 + random.next(below: 12)) {
        text += " " + self.words[random.next(below: self.words.count)]
      }
      // A number now and then keeps the lines from repeating word for word.
      text += " \(random.next(below: 1_000_000))\n"
    }
    return text
  }

  /// A generator with a fixed seed (the standard library's has none).
  private struct SplitMix64 {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
      self.state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = self.state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      mixed ^= mixed >> 31
      // The slight bias of a remainder does not matter for words.
      return Int(mixed % UInt64(bound))
    }
  }
}
