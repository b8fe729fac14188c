import Foundation

/// Where values come to lie on an axis, and which of them are named.
struct PlotScale: Sendable {
  enum Kind: Sendable {
    case linear
    case logarithmic
    /// Percentiles, so that 99 is as far from 90 as 99.9 is from 99.
    case nines
  }

  let kind: Kind
  private let least: Double
  private let greatest: Double

  /// Around values; those that the kind has no place for are left out.
  init(_ kind: Kind, around values: [Double]) {
    self.kind = kind
    let places = values.filter { kind != .logarithmic || $0 > 0 }.map { Self.place($0, kind) }
    var least = places.min() ?? 0
    var greatest = places.max() ?? 1
    switch kind {
    case .linear:
      least = min(0, least)
      greatest = greatest > least ? greatest * 1.05 : least + 1
    case .logarithmic:
      if greatest - least < 0.5 {
        least -= 0.3
        greatest += 0.3
      } else {
        least -= 0.05
        greatest += 0.05
      }
    case .nines:
      if greatest <= least { greatest = least + 1 }
    }
    self.least = least
    self.greatest = greatest
  }

  /// From 0 to 1.
  func position(_ value: Double) -> Double {
    min(1, max(0, (Self.place(value, kind) - least) / (greatest - least)))
  }

  var ticks: [Double] {
    switch kind {
    case .linear: linearTicks
    case .logarithmic: logarithmicTicks
    case .nines: [0, 50, 90, 99, 99.9, 99.99].filter { Self.place($0, kind) <= greatest + 1e-9 }
    }
  }

  private static func place(_ value: Double, _ kind: Kind) -> Double {
    switch kind {
    case .linear: value
    case .logarithmic: log10(max(value, 1e-9))
    // The last one stands for all that were measured.
    case .nines: -log10(1 - min(value, 99.995) / 100)
    }
  }

  private var linearTicks: [Double] {
    let rough = (greatest - least) / 5
    let power = pow(10, floor(log10(rough)))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
    return stride(from: ceil(least / step) * step, through: greatest, by: step).map { $0 }
  }

  private var logarithmicTicks: [Double] {
    let steps: [Double] = greatest - least > 3 ? [1] : greatest - least > 1.2 ? [1, 3] : [1, 2, 5]
    return (Int(floor(least))...Int(ceil(greatest))).flatMap { power in
      steps.map { $0 * pow(10, Double(power)) }
    }.filter { log10($0) >= least && log10($0) <= greatest }
  }
}

/// How values of an axis are written.
enum PlotUnit: Sendable {
  case count
  case bytes
  case microseconds
  case seconds
  case megabytesPerSecond
  case percentile

  func text(_ value: Double) -> String {
    switch self {
    case .count, .megabytesPerSecond: Self.short(value, ["", "k", "M", "G"], step: 1_000)
    case .bytes: Self.short(value, ["B", "KiB", "MiB", "GiB"], step: 1_024)
    case .microseconds: Self.short(value, ["\u{b5}s", "ms", "s"], step: 1_000)
    case .seconds: Self.number(value)
    case .percentile: value == 100 ? "max" : "\(Self.number(value)) %"
    }
  }

  private static func short(_ value: Double, _ units: [String], step: Double) -> String {
    var value = value
    var index = 0
    while value >= step * 0.9995, index < units.count - 1 {
      value /= step
      index += 1
    }
    let unit = units[index]
    return number(value) + (unit.count > 1 || unit == "B" || unit == "s" ? " \(unit)" : unit)
  }

  private static func number(_ value: Double) -> String {
    var text = Figures.fixed(value, digits: value >= 100 ? 0 : 2)
    if text.contains(".") {
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
    }
    return text
  }
}
