import ArgumentParser

/// A number of bytes, as the command line names it: `4096`, `512K`, `64M`, `64MiB`, `1G`.
struct ByteSize: ExpressibleByArgument, Sendable, Equatable, CustomStringConvertible {
  /// From 0 to 1 TiB.
  var count: Int

  init(count: Int) {
    self.count = count
  }

  init?(argument: String) {
    var text = argument.uppercased()[...]
    for ending in ["IB", "B"] where text.hasSuffix(ending) {
      text = text.dropLast(ending.count)
      break
    }
    var shift = 0
    if let unit = text.last, let power = ["K": 10, "M": 20, "G": 30][unit] {
      shift = power
      text = text.dropLast()
    }
    guard let number = Int(text), (0...(1 << 40) >> shift).contains(number) else { return nil }
    self.count = number << shift
  }

  var description: String {
    for (unit, shift) in [("G", 30), ("M", 20), ("K", 10)]
    where self.count > 0 && self.count.isMultiple(of: 1 << shift) {
      return "\(self.count >> shift)\(unit)"
    }
    return "\(self.count)"
  }

  var defaultValueDescription: String { self.description }
}
