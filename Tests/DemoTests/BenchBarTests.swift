import Testing

@testable import raft_mux

@Suite("The bars of the benchmark")
struct BenchBarTests {
  private static func bar(_ limit: Bar.Limit, _ reference: Bar.Reference) -> Bar {
    Bar(work: "work", subject: term(.rmux), reference: reference, limit: limit, place: .near)
  }

  private static func term(
    _ system: SystemName, _ quantity: Bar.Quantity = .figure(.requestsPerSecond)
  ) -> Bar.Term {
    Bar.Term(system: system, workload: "pipeline-1x256", quantity: quantity)
  }

  private static func measured(_ system: SystemName, round: Int = 1, _ perSecond: Int) -> Measurement {
    BenchMeasurements.requests("pipeline-1x256", system.rawValue, round: round, perSecond: perSecond)
  }

  @Test("The median of the rounds' ratios decides, whatever single rounds say")
  func median() throws {
    let measurements = [
      Self.measured(.rmux, round: 1, 300), Self.measured(.raftOverTCP, round: 1, 100),
      Self.measured(.rmux, round: 2, 900), Self.measured(.raftOverTCP, round: 2, 1_000),
      Self.measured(.rmux, round: 3, 400), Self.measured(.raftOverTCP, round: 3, 100),
    ]
    let spread = try #require(Spread([3, 0.9, 4]))
    let reference = Bar.Reference.term(Self.term(.raftOverTCP))
    #expect(Self.bar(.atLeast(3), reference).verdict(measurements) == .reached(spread))
    #expect(Self.bar(.atLeast(3.01), reference).verdict(measurements) == .notReached(spread))
    #expect(Self.bar(.atMost(2), reference).verdict(measurements) == .notReached(spread))
  }

  @Test("A bar whose reference was not measured in the same round stays open")
  func openBar() {
    let measurements = [Self.measured(.rmux, round: 1, 300), Self.measured(.raftOverTCP, round: 2, 100)]
    let bar = Self.bar(.atLeast(3), .term(Self.term(.raftOverTCP)))
    #expect(bar.verdict(measurements) == .open("not measured"))
  }

  @Test("The better of several references counts, a constant as it is, and a sum with what is on top")
  func references() throws {
    let measurements = [
      Self.measured(.rmux, 300), Self.measured(.raftOverTCP, 100), Self.measured(.bareNIO, 200),
    ]
    func ratio(_ reference: Bar.Reference) throws -> Double {
      guard case .reached(let spread) = Self.bar(.atLeast(0), reference).verdict(measurements) else {
        throw BenchError("no verdict")
      }
      return spread.median
    }
    #expect(try ratio(.best([Self.term(.raftOverTCP), Self.term(.bareNIO)])) == 1.5)
    #expect(try ratio(.constant(600, "requests/s")) == 0.5)
    #expect(try ratio(.sum(Self.term(.bareNIO), 100, "100")) == 1)
  }

  @Test("System calls are taken from counted rounds and speeds from the others")
  func countedRounds() throws {
    func counted(_ system: SystemName, _ calls: UInt64) -> Measurement {
      BenchMeasurements.requests(
        "pipeline-1x256", system.rawValue, round: 2, perSecond: 100, isCounted: true, systemCalls: calls)
    }
    let measurements = [
      Self.measured(.rmux, 300), Self.measured(.bareNIO, 100), counted(.rmux, 50), counted(.bareNIO, 25),
    ]
    let calls = Bar.Quantity.cost("system calls/request")
    let bar = Bar(
      work: "work", subject: Self.term(.rmux, calls), reference: .term(Self.term(.bareNIO, calls)),
      limit: .atMost(1.3), place: .near)
    #expect(bar.verdict(measurements) == .notReached(try #require(Spread([2]))))
    let speed = Self.bar(.atLeast(3), .term(Self.term(.bareNIO)))
    #expect(speed.verdict(measurements) == .reached(try #require(Spread([3]))))
  }

  @Test("Every bar speaks of workloads that there are, and every cost of one that they have")
  func names() throws {
    let terms = BarList.all.flatMap { bar -> [Bar.Term] in
      switch bar.reference {
      case .term(let term), .sum(let term, _, _): [bar.subject, term]
      case .best(let terms): [bar.subject] + terms
      case .constant: [bar.subject]
      }
    }
    for term in terms {
      let workload = try #require(Workload.all.first { $0.name == term.workload }, "\(term.text)")
      if case .cost(let title) = term.quantity {
        #expect(workload.costs.contains { $0.title == title }, "\(term.text)")
      }
    }
  }

  @Test("Over a network other bars are looked at than on one machine")
  func places() {
    let near = BarTable.bars(isFar: false).map(\.work)
    let far = BarTable.bars(isFar: true).map(\.work)
    #expect(near.contains("unary, 1 caller, median time"))
    #expect(!far.contains("unary, 1 caller, median time"))
    #expect(far.contains("vote beside a snapshot, p99"))
    #expect(!near.contains("vote beside a snapshot, p99"))
  }

  @Test("Only bars whose work was measured are spoken of, and a missing reference is said")
  func rows() {
    let table = BarTable([Self.measured(.rmux, 300)], BarList.all)
    #expect(Set(table.rows.map(\.work)).contains("pipeline, 1 x 256 B"))
    #expect(
      table.rows.allSatisfy {
        ($0.work.contains("pipeline") || $0.work.contains("system calls")) && $0.verdict == "not measured"
      })
    #expect(table.lines.count == table.rows.count + 1)
  }
}
