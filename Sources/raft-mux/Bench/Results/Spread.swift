/// The middle and the ends of some values.
struct Spread: Sendable, Equatable {
  let median: Double
  let least: Double
  let greatest: Double

  /// `nil` for no values.
  init?(_ values: [Double]) {
    let sorted = values.sorted()
    guard let least = sorted.first, let greatest = sorted.last else { return nil }
    let middle = sorted.count / 2
    self.least = least
    self.greatest = greatest
    median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }

  /// `median [least ... greatest]`, each written by `format`; the median alone where all are the same.
  func text(_ format: (Double) -> String) -> String {
    if least == greatest { return format(median) }
    return "\(format(median)) [\(format(least)) ... \(format(greatest))]"
  }
}
