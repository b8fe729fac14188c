/// The results as one page that needs nothing else: no network, no scripts, no fonts.
struct BenchReport: Sendable {
  let results: BenchRun.Results
  let workloads: [Workload]
  let reference: SystemName
  /// What the page says about where the figures come from, line by line.
  let circumstances: [(name: String, text: String)]
  /// `nil` leaves the bars out.
  let bars: BarTable?

  var html: String {
    let groups = WorkloadGroup.groups(of: workloads)
    let chapters = Chapter.allCases.compactMap { chapter -> String? in
      let sections = groups.filter { Chapter(of: $0) == chapter }.map(section).joined()
      if sections.isEmpty { return nil }
      return Markup.element(
        "section", [("id", chapter.rawValue)], Markup.text("h2", [], chapter.title) + sections)
    }
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>raft-mux bench</title>
      <style>\(ReportStyle.css)</style>
      </head>
      <body>
      <main>
      \(head)
      \(verdicts)
      \(chapters.joined(separator: "\n"))
      </main>
      </body>
      </html>

      """
  }

  private var head: String {
    let lines = circumstances.map {
      Markup.text("dt", [], $0.name) + Markup.text("dd", [], $0.text)
    }
    return Markup.element(
      "header", [],
      Markup.text("h1", [], "raft-mux bench")
        + Markup.text(
          "p", [],
          "One TCP connection per pair of servers, measured. Systems take turns, round by round; each figure is the "
            + "median of the rounds with their range, and ratios are taken within each round.")
        + Markup.element("dl", [], lines.joined()))
  }

  private var verdicts: String {
    guard let bars, !bars.rows.isEmpty else { return "" }
    let rows = bars.rows.map { row in
      let kind = row.verdict == "reached" ? "good" : row.measured == "-" ? "open" : "bad"
      return Markup.element(
        "tr", [],
        Markup.text("td", [], row.work) + Markup.text("td", [("class", "quiet")], row.against)
          + Markup.text("td", [("class", "number")], row.limit)
          + Markup.text("td", [("class", "number")], row.measured)
          + Markup.element(
            "td", [], Markup.text("span", [("class", "chip \(kind)")], row.verdict.lowercased())))
    }
    let heads = ["bar", "against, in the same round", "ratio wanted", "ratio measured", "verdict"].map {
      Markup.text("th", [], $0)
    }
    return Markup.element(
      "section", [("id", "bars")],
      Markup.text("h2", [], "The bars") + Self.table(head: heads.joined(), rows: rows))
  }

  /// A workload's chart and table, or the table of several.
  private func section(_ group: WorkloadGroup) -> String {
    let rows = BenchTable(reference: reference.rawValue).rows(results, group)
    let gaps = results.gaps.filter { gap in group.workloads.contains { $0.name == gap.workload } }
    if rows.isEmpty && gaps.isEmpty { return "" }
    let cells = rows.dropFirst().map { row in
      Markup.element(
        "tr", [],
        row.map { cell in
          let range = cell.range.map { Markup.text("small", [], $0) } ?? ""
          return Markup.element(
            "td", [("class", cell.isNumber ? "number" : "name")], Markup.escaped(cell.text) + range)
        }.joined())
    }
    let heads = (rows.first ?? []).map {
      Markup.text("th", [("class", $0.isNumber ? "number" : "name")], $0.text)
    }
    let missing = gaps.map {
      Markup.text("p", [("class", "gap")], "\($0.workload), \($0.system): not measured: \($0.reason)")
    }
    return Markup.element(
      "article", [("id", group.name)],
      Markup.text("h3", [], group.name) + Markup.text("p", [("class", "about")], group.about)
        + chart(group)
        + (rows.isEmpty ? "" : Self.table(head: heads.joined(), rows: cells)) + missing.joined())
  }

  private func chart(_ group: WorkloadGroup) -> String {
    guard group.workloads.count == 1, let workload = group.workloads.first else {
      return ReportPlots(results: results).growth(group)
    }
    return ReportPlots(results: results).single(workload)
  }

  private static func table(head: String, rows: [String]) -> String {
    Markup.element(
      "div", [("class", "wide")],
      Markup.element(
        "table", [],
        Markup.element("thead", [], Markup.element("tr", [], head))
          + Markup.element("tbody", [], rows.joined())))
  }

  /// How the page is divided.
  private enum Chapter: String, CaseIterable {
    case calls
    case pipelines
    case snapshots
    case latencies
    case growth
    case codec
    case idle

    init(of group: WorkloadGroup) {
      switch group.workloads.first?.kind {
      case _ where group.name.hasPrefix("growth-"): self = .growth
      case .unary, nil: self = .calls
      case .pipeline, .pipelines, .peers: self = .pipelines
      case .snapshot: self = .snapshots
      case .latency: self = .latencies
      case .codec: self = .codec
      case .idle: self = .idle
      }
    }

    var title: String {
      switch self {
      case .calls: "Calls"
      case .pipelines: "Pipelines"
      case .snapshots: "Snapshots"
      case .latencies: "Votes and heartbeats"
      case .growth: "As things grow"
      case .codec: "The codec"
      case .idle: "Doing nothing"
      }
    }
  }
}
