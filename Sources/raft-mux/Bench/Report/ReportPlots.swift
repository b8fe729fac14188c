/// The plots of the report.
struct ReportPlots: Sendable {
  let results: BenchRun.Results

  /// Of a workload that stands alone.
  func single(_ workload: Workload) -> String {
    switch workload.kind {
    case .latency: curves(workload) + course(workload)
    case .unary: ranges(workload) + curves(workload)
    default: ranges(workload)
    }
  }

  /// Of workloads that differ in one number.
  func growth(_ group: WorkloadGroup) -> String {
    guard let figure = group.workloads.last?.figures.last else { return "" }
    let isCostly = group.name == "growth-entries"
    let series = systems(of: group.workloads).map { name in
      let points = group.workloads.compactMap { workload -> (x: Double, y: Double)? in
        // Where entries are counted, each workload's figure knows how many it has.
        guard let position = group.position(of: workload), let figure = workload.figures.last else {
          return nil
        }
        let rounds = rounds(workload, name)
        let values =
          isCostly
          ? rounds.compactMap { figure.value($0).map { 1e6 / max($0, 1e-9) } }
          : rounds.compactMap(figure.value)
        return Spread(values).map { (position, $0.median) }
      }
      return LinePlot.Series(name: name, colour: Self.colour(name), points: points)
    }.filter { $0.points.count > 1 }
    let isBytes = group.name == "growth-snapshot"
    return LinePlot(
      title: isCostly ? "Time per entry" : "\(figure.title) by \(group.part)",
      horizontal: LinePlot.Axis(
        title: group.part, scale: .logarithmic, unit: isBytes ? .bytes : .count,
        ticks: Set(series.flatMap { $0.points.map(\.x) }).sorted()),
      vertical: LinePlot.Axis(
        title: isCostly ? "time per entry" : figure.title, scale: isCostly ? .logarithmic : .linear,
        unit: isCostly ? .microseconds : .count), series: series
    ).markup
  }

  private func ranges(_ workload: Workload) -> String {
    guard let figure = workload.figures.first else { return "" }
    let rows = systems(of: [workload]).compactMap { name in
      Spread(rounds(workload, name).compactMap(figure.value)).map {
        RangePlot.Row(name: name, colour: Self.colour(name), spread: $0)
      }
    }
    if case .codec = workload.kind { return "" }
    if case .idle = workload.kind { return "" }
    return RangePlot(
      title: "\(figure.title), median and range; \(figure.isBetterWhenLess ? "less" : "more") is better",
      rows: rows
    ).markup
  }

  /// How long calls took, from the fastest to the slowest: at each percentile the median of the rounds.
  private func curves(_ workload: Workload) -> String {
    let series = systems(of: [workload]).compactMap { name -> LinePlot.Series? in
      let rounds = rounds(workload, name)
      let points = Sample.Latency.curvePercentiles.enumerated().compactMap { number, percentile in
        let values = rounds.compactMap { round -> Double? in
          // A percentile says something as long as a call lies beyond it.
          guard Double(round.sample.operations) * (100 - percentile) >= 100,
            let curve = round.sample.latency?.curve, curve.indices.contains(number)
          else {
            return nil
          }
          return curve[number]
        }
        return Spread(values).map { (x: percentile, y: $0.median) }
      }
      return points.isEmpty ? nil : LinePlot.Series(name: name, colour: Self.colour(name), points: points)
    }
    return LinePlot(
      title: "How long calls took, by percentile; lower is better",
      horizontal: LinePlot.Axis(title: "percentile of calls", scale: .nines, unit: .percentile),
      vertical: LinePlot.Axis(title: "time", scale: .logarithmic, unit: .microseconds), series: series
    ).markup
  }

  /// The worst call of each interval of the first round, and what the snapshot did meanwhile.
  private func course(_ workload: Workload) -> String {
    guard case .latency(_, let load) = workload.kind, load != .idle else { return "" }
    let timelines = systems(of: [workload]).compactMap { name in
      rounds(workload, name).first?.sample.timeline.map { (name, $0) }
    }
    let seconds = LinePlot.Axis(
      title: "seconds since the beginning, first round", scale: .linear, unit: .seconds)
    let worst = timelines.map { name, moments in
      LinePlot.Series(name: name, colour: Self.colour(name), points: moments.map { ($0.seconds, $0.worst) })
    }
    let speeds = timelines.map { name, moments in
      LinePlot.Series(
        name: name, colour: Self.colour(name),
        points: zip(moments, moments.dropFirst()).compactMap { earlier, later in
          guard later.seconds > earlier.seconds, later.snapshotBytes >= earlier.snapshotBytes else {
            return nil
          }
          let bytes = Double(later.snapshotBytes - earlier.snapshotBytes)
          return (later.seconds, bytes / (later.seconds - earlier.seconds) / 1e6)
        })
    }
    return LinePlot(
      title: "The slowest call of each moment while the load runs", horizontal: seconds,
      vertical: LinePlot.Axis(title: "time", scale: .logarithmic, unit: .microseconds), series: worst,
      marksPoints: false
    ).markup
      + LinePlot(
        title: "What the snapshot did meanwhile, as its reader saw it", horizontal: seconds,
        vertical: LinePlot.Axis(title: "MB/s", scale: .linear, unit: .megabytesPerSecond), series: speeds,
        marksPoints: false
      ).markup
  }

  private func systems(of workloads: [Workload]) -> [String] {
    var names: [String] = []
    for measurement in results.measurements
    where workloads.contains(where: { $0.name == measurement.workload })
      && !names.contains(measurement.system)
    {
      names.append(measurement.system)
    }
    return names
  }

  private func rounds(_ workload: Workload, _ system: String) -> [Measurement] {
    results.measurements.filter { $0.workload == workload.name && $0.system == system && !$0.isCounted }
  }

  /// The class that gives a system its colour.
  private static func colour(_ name: String) -> String {
    let number = SystemName(rawValue: name).flatMap { SystemName.allCases.firstIndex(of: $0) } ?? 0
    return "system-\(number)"
  }
}
