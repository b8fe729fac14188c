/// The measurements as people read them: a block for each workload, a line for each system, medians and ranges.
struct BenchTable: Sendable {
  /// The system that the others are compared with.
  let reference: String

  func lines(_ results: BenchRun.Results, workloads: [Workload]) -> [String] {
    WorkloadGroup.groups(of: workloads).flatMap { group -> [String] in
      let rows = rows(results, group)
      let gaps = results.gaps.filter { gap in group.workloads.contains { $0.name == gap.workload } }
      if rows.isEmpty && gaps.isEmpty { return [] }
      return ["", "\(group.name): \(group.about)"] + Self.aligned(rows.map { $0.map(\.line) })
        + gaps.map { "  \($0.workload), \($0.system): not measured: \($0.reason)" }
    }
  }

  /// A cell: a text, or a median with its range.
  struct Cell: Sendable, Equatable {
    var text: String
    /// From the least to the greatest; `nil` where there is one value, or none.
    var range: String?
    var isNumber = true

    var line: String { range.map { "\(text) [\($0)]" } ?? text }

    init(_ text: String, range: String? = nil, isNumber: Bool = true) {
      self.text = text
      self.range = range
      self.isNumber = isNumber
    }

    init(_ spread: Spread, _ format: (Double) -> String) {
      text = format(spread.median)
      range =
        spread.least == spread.greatest ? nil : "\(format(spread.least)) ... \(format(spread.greatest))"
    }
  }

  /// The heads and a row for each workload and system; nothing if there are no measurements. Columns that are empty
  /// throughout are left out.
  func rows(_ results: BenchRun.Results, _ group: WorkloadGroup) -> [[Cell]] {
    let lines = group.workloads.flatMap { workload in
      let all = results.measurements.filter { $0.workload == workload.name }
      var names: [String] = []
      for measurement in all where !names.contains(measurement.system) { names.append(measurement.system) }
      return names.map { Line(workload: workload, system: $0, all: all) }
    }
    guard let first = group.workloads.first, !lines.isEmpty else { return [] }
    var columns: [[Cell]] = []
    if group.workloads.count > 1 {
      columns.append(
        [Cell(group.part, isNumber: false)]
          + lines.map { Cell(group.partName(of: $0.workload), isNumber: false) })
    }
    columns.append(
      [Cell("system", isNumber: false)] + lines.map { Cell($0.system, isNumber: false) })
    for (number, figure) in first.figures.enumerated() {
      columns.append(
        column(figure.title, lines) { line in
          let figures = line.workload.figures
          guard figures.indices.contains(number) else { return nil }
          return Spread(line.timed.compactMap(figures[number].value)).map { Cell($0, Figure.text) }
        })
    }
    for (number, cost) in first.costs.enumerated() {
      columns.append(
        column(cost.title, lines) { line in
          let costs = line.workload.costs
          return costs.indices.contains(number) ? costs[number].text(line.own).map { Cell($0) } : nil
        })
    }
    if lines.contains(where: { $0.system != reference }) {
      columns.append(
        column("times as good as \(reference)", lines) { line in
          if line.system == reference { return Cell("") }
          let ratios = line.workload.figures.first?.ratios(line.timed, to: line.timed(of: reference))
          return Spread(ratios ?? []).map { Cell($0) { Figures.fixed($0, digits: 2) } }
        })
    }
    columns.removeAll { $0.dropFirst().allSatisfy { $0.text == "-" || $0.text.isEmpty } }
    return (0...lines.count).map { row in columns.map { $0[row] } }
  }

  /// One system at one workload.
  private struct Line {
    let workload: Workload
    let system: String
    /// Of all systems at this workload.
    let all: [Measurement]

    var own: [Measurement] { all.filter { $0.system == system } }
    var timed: [Measurement] { timed(of: system) }

    func timed(of system: String) -> [Measurement] {
      all.filter { $0.system == system && !$0.isCounted }
    }
  }

  private func column(_ title: String, _ lines: [Line], _ cell: (Line) -> Cell?) -> [Cell] {
    [Cell(title)] + lines.map { cell($0) ?? Cell("-") }
  }

  static func aligned(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      let line = "  " + cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
