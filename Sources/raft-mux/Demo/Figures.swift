/// Numbers as people read them, in tables and sentences.
enum Figures {
  /// `0 B`, `1023 B`, `1.5 KiB`, `64.0 MiB`.
  static func bytes(_ count: UInt64) -> String {
    guard count >= 1024 else { return "\(count) B" }
    var value = Double(count) / 1024
    for unit in ["KiB", "MiB", "GiB"] {
      // What would be rounded to 1024 goes to the next unit.
      if value < 1023.95 { return "\(self.fixed(value, digits: 1)) \(unit)" }
      value /= 1024
    }
    return "\(self.fixed(value, digits: 1)) TiB"
  }

  /// `1,234,567`.
  static func count(_ count: UInt64) -> String {
    var groups: [Substring] = []
    var digits = Substring("\(count)")
    while digits.count > 3 {
      groups.append(digits.suffix(3))
      digits = digits.dropLast(3)
    }
    return ([digits] + groups.reversed()).joined(separator: ",")
  }

  /// `1,234,567`.
  static func count(_ count: Int) -> String {
    (count < 0 ? "-" : "") + self.count(UInt64(count.magnitude))
  }

  /// `0.12 ms`, `15.0 ms`, `1.20 s`.
  static func time(nanoseconds: UInt64) -> String {
    let milliseconds = Double(nanoseconds) / 1e6
    if milliseconds < 10 { return "\(self.fixed(milliseconds, digits: 2)) ms" }
    if milliseconds < 999.95 { return "\(self.fixed(milliseconds, digits: 1)) ms" }
    return "\(self.fixed(milliseconds / 1000, digits: 2)) s"
  }

  /// A number of at least 0 with a fixed number of decimals, rounded to nearest.
  static func fixed(_ value: Double, digits: Int) -> String {
    var scale: UInt64 = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = (max(0, value) * Double(scale)).rounded()
    guard scaled < 1e18 else { return "\(value)" }
    let whole = UInt64(scaled)
    guard digits > 0 else { return "\(whole)" }
    let decimals = "\(whole % scale)"
    return "\(whole / scale)." + String(repeating: "0", count: digits - decimals.count) + decimals
  }
}
