import Testing

@testable import raft_mux

@Suite("The benchmark's page")
struct BenchReportTests {
  private static let results = BenchRun.Results(
    measurements: [
      BenchMeasurements.latency("vote-busy", "rmux", p50: 100, p99: 1_000),
      BenchMeasurements.latency("vote-busy", "hashicorp-tcp", p50: 200, p99: 2_000),
      BenchMeasurements.requests("pipeline-1x256", "rmux", round: 1, perSecond: 300_000),
      BenchMeasurements.requests("pipeline-1x256", "rmux", round: 2, perSecond: 200_000),
      BenchMeasurements.requests("growth-streams-1", "rmux", perSecond: 10),
      BenchMeasurements.requests("growth-streams-64", "rmux", perSecond: 100),
    ],
    gaps: [BenchRun.Gap(workload: "unary-1", system: "rmux", reason: "<b>it & \"they\" broke</b>")])

  private static let page = BenchReport(
    results: results, workloads: Workload.all, reference: .rmux,
    circumstances: [("command", "bench --link '<script>alert(1)</script>'")],
    bars: BarTable(results.measurements, BarTable.bars(isFar: false))
  ).html

  @Test("Whatever comes from outside is escaped")
  func escaping() {
    #expect(Self.page.contains("&lt;b&gt;it &amp; &quot;they&quot; broke&lt;/b&gt;"))
    #expect(Self.page.contains("&#39;&lt;script&gt;alert(1)&lt;/script&gt;&#39;"))
    #expect(!Self.page.contains("<script"))
  }

  @Test("Every element is closed where it was opened")
  func isWellFormed() throws {
    var open: [Substring] = []
    var rest = Self.page.dropFirst("<!doctype html>".count)
    while let start = rest.firstIndex(of: "<") {
      rest = rest[rest.index(after: start)...]
      let end = try #require(rest.firstIndex(of: ">"))
      let tag = rest[..<end]
      rest = rest[rest.index(after: end)...]
      #expect(!tag.contains("<"), "an element begins inside another's tag: \(tag)")
      let name = tag.prefix { $0 != " " && $0 != "/" }
      if tag.hasPrefix("/") {
        #expect(open.popLast() == tag.dropFirst())
      } else if !tag.hasSuffix("/"), name != "meta" {
        open.append(name)
      }
    }
    #expect(open == [])
  }

  @Test("It needs nothing from elsewhere")
  func isSelfContained() {
    for reference in ["http://", "https://", "url(", "@import", " src="] {
      #expect(!Self.page.contains(reference), "\(reference)")
    }
  }

  @Test("It shows medians with ranges, curves, the course of time, growth and the bars")
  func contents() {
    #expect(Self.page.contains("250,000<small>200,000 ... 300,000</small>"))
    for words in [
      "How long calls took, by percentile", "The slowest call of each moment",
      "What the snapshot did meanwhile",
      "requests/s by pipelines", "The bars", "not reached",
    ] {
      #expect(Self.page.contains(words), "\(words)")
    }
  }

  @Test(
    "No drawing leaves its frame, whatever the values",
    arguments: [[0, 0], [1e-3, 1e12], [5, 5], [-1, 3]])
  func scales(values: [Double]) {
    for kind in [PlotScale.Kind.linear, .logarithmic, .nines] {
      let scale = PlotScale(kind, around: values)
      for value in values + [0, 99.999, 100] {
        let position = scale.position(value)
        #expect((0...1).contains(position), "\(kind) \(value)")
      }
      #expect(scale.ticks.count < 40)
    }
  }
}
