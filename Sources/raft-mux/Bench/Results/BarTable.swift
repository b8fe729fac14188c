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

  /// - Parameter isFar: Whether a network lay between the two sides.
  init(_ measurements: [Measurement], isFar: Bool, bars: [Bar] = BarList.all) {
    rows = bars.filter { $0.place == .anywhere || $0.place == (isFar ? .far : .near) }.map { bar in
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
