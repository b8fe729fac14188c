/// Which bars are reached.
struct BarTable: Sendable {
  struct Row: Sendable, Equatable {
    var work: String
    var against: String
    var limit: String
    var measured: String
    var verdict: String
  }

  let rows: [Row]

  /// The bars that are looked at.
  ///
  /// - Parameter isFar: Whether a network lies between the two sides.
  static func bars(isFar: Bool) -> [Bar] {
    BarList.all.filter { $0.place == .anywhere || $0.place == (isFar ? .far : .near) }
  }

  /// What measurements say about bars; a bar whose work was not part of them is left out.
  init(_ measurements: [Measurement], _ bars: [Bar]) {
    let works = Set(measurements.map { "\($0.system) \($0.workload)" })
    rows = bars.filter { works.contains("\($0.subject.system.rawValue) \($0.subject.workload)") }.map { bar in
      let (measured, verdict) =
        switch bar.verdict(measurements) {
        case .reached(let spread): (spread.text { Figures.fixed($0, digits: 2) }, "reached")
        case .notReached(let spread): (spread.text { Figures.fixed($0, digits: 2) }, "NOT REACHED")
        case .open(let reason): ("-", reason)
        }
      return Row(
        work: bar.work, against: bar.reference.text, limit: bar.limit.text, measured: measured,
        verdict: verdict)
    }
  }

  var lines: [String] {
    let heads = ["bar", "against, in the same round", "ratio wanted", "ratio measured", "verdict"]
    return BenchTable.aligned(
      [heads] + rows.map { [$0.work, $0.against, $0.limit, $0.measured, $0.verdict] })
  }
}
