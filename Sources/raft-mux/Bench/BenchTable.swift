/// The measurements as people read them: a block for each workload, a line for each system, medians and ranges.
struct BenchTable: Sendable {
  /// The system that the others are compared with.
  let reference: String

  func lines(_ results: BenchRun.Results, workloads: [Workload]) -> [String] {
    workloads.flatMap { workload -> [String] in
      let measurements = results.measurements.filter { $0.workload == workload.name }
      let gaps = results.gaps.filter { $0.workload == workload.name }
      if measurements.isEmpty && gaps.isEmpty { return [] }
      var names: [String] = []
      for measurement in measurements where !names.contains(measurement.system) {
        names.append(measurement.system)
      }
      let blocks = names.map { name in
        cells(measurements.filter { $0.system == name }, measurements, workload)
      }
      return ["", "\(workload.name): \(workload.about)"] + aligned([heads(workload)] + blocks)
        + gaps.map { "  \($0.system): not measured: \($0.reason)" }
    }
  }

  private func heads(_ workload: Workload) -> [String] {
    let figure: [String] =
      switch workload.kind {
      case .unary, .pipeline: ["requests/s"]
      case .snapshot: ["MB/s"]
      case .latency: ["p50 us", "p99 us", "p99.9 us"]
      }
    let per = Self.isBulk(workload) ? "MB" : "request"
    let load = Self.hasLoad(workload) ? ["beside"] : []
    return ["system"] + figure + ["CPU us/\(per), client + server", "wire B/\(per)"] + load
      + ["times as fast as \(reference)"]
  }

  private func cells(_ own: [Measurement], _ all: [Measurement], _ workload: Workload) -> [String] {
    let system = own.first?.system ?? ""
    var cells = [system]
    for figure in Self.figures(workload) {
      cells.append(Spread(own.compactMap(figure.value))?.text(Self.number) ?? "-")
    }
    // CPU seconds per request, or per byte and so in microseconds per megabyte.
    let units = own.map {
      Self.isBulk(workload) ? Double($0.sample.payloadBytes) / 1e6 : Double($0.sample.operations)
    }
    let cpu = zip(own, units).compactMap {
      $1 > 0 ? ($0.usage.clientCPUSeconds * 1e6 / $1, $0.usage.serverCPUSeconds * 1e6 / $1) : nil
    }
    let wire = zip(own, units).compactMap { $1 > 0 ? Double($0.usage.wireBytes) / $1 : nil }
    if let client = Spread(cpu.map(\.0)), let server = Spread(cpu.map(\.1)) {
      // The load's work is in these, too; per call they would say nothing.
      let isShared = Self.hasLoad(workload)
      cells.append(isShared ? "-" : "\(Self.number(client.median)) + \(Self.number(server.median))")
      cells.append(isShared ? "-" : Spread(wire).map { Self.number($0.median) } ?? "-")
    } else {
      cells += ["-", "-"]
    }
    if Self.hasLoad(workload) {
      let requests = Spread(own.compactMap { $0.sample.load?.requestsPerSecond })
      let bytes = Spread(own.compactMap { $0.sample.load?.snapshotBytesPerSecond })
      cells.append(
        "\(Self.number(requests?.median ?? 0))/s, \(Self.number((bytes?.median ?? 0) / 1e6)) MB/s")
    }
    cells.append(system == reference ? "" : ratios(own, all, workload))
    return cells
  }

  /// The figures of the first column against the reference's of the same round; more than 1 is better than it.
  private func ratios(_ own: [Measurement], _ all: [Measurement], _ workload: Workload) -> String {
    guard let figure = Self.figures(workload).first else { return "" }
    let ratios = own.compactMap { measurement -> Double? in
      let other = all.first { $0.system == reference && $0.round == measurement.round }
      guard let other, let mine = figure.value(measurement), let its = figure.value(other), mine > 0, its > 0
      else { return nil }
      return figure.isBetterWhenLess ? its / mine : mine / its
    }
    return Spread(ratios)?.text { Figures.fixed($0, digits: 2) } ?? ""
  }

  private struct Figure {
    let isBetterWhenLess: Bool
    let value: (Measurement) -> Double?
  }

  private static func figures(_ workload: Workload) -> [Figure] {
    switch workload.kind {
    case .unary, .pipeline:
      [Figure(isBetterWhenLess: false) { Double($0.sample.operations) / $0.sample.seconds }]
    case .snapshot:
      [Figure(isBetterWhenLess: false) { Double($0.sample.payloadBytes) / $0.sample.seconds / 1e6 }]
    case .latency:
      [
        Figure(isBetterWhenLess: true) { $0.sample.latency?.p50 },
        Figure(isBetterWhenLess: true) { $0.sample.latency?.p99 },
        Figure(isBetterWhenLess: true) { $0.sample.latency?.p999 },
      ]
    }
  }

  private static func isBulk(_ workload: Workload) -> Bool {
    if case .snapshot = workload.kind { true } else { false }
  }

  private static func hasLoad(_ workload: Workload) -> Bool {
    if case .latency(_, let load) = workload.kind { load != .idle } else { false }
  }

  private static func number(_ value: Double) -> String {
    value >= 100 ? Figures.count(UInt64(value.rounded())) : Figures.fixed(value, digits: value >= 10 ? 1 : 2)
  }

  private func aligned(_ rows: [[String]]) -> [String] {
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
