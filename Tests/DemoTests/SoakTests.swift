import RaftTransport
import Testing

@testable import raft_mux

@Suite("The soak")
struct SoakTests {
  @Test("loses, doubles and leaves nothing")
  func short() async throws {
    // What grows is seen from the third round on.
    let settings = SoakSettings(duration: .seconds(6), nodeCount: 3, seed: 1)
    #expect(settings.rounds == 3)
    let report = try await SoakRun(settings).run { _ in }
    // Descriptors are those of the whole process, in which other tests run, too.
    let problems = report.problems.filter { !$0.hasPrefix("left open") }
    #expect(problems.isEmpty, "seed \(report.seed): \(problems)")
    #expect(report.figures.answers > 0)
    #expect(report.figures.pipelines > 0)
    #expect(!report.faults.isEmpty)
  }

  @Test("sees what grows and what is left, and not what the first round makes once")
  func growth() {
    func samples(_ change: (inout SoakSample, Int) -> Void) -> [SoakSample] {
      (1...9).map { round in
        var sample = SoakSample(round: round, connections: 0, streams: 0, SoakLedger.Figures())
        (sample.residentBytes, sample.heapBytes, sample.descriptors) = (200 << 20, 20 << 20, 10)
        change(&sample, round)
        return sample
      }
    }
    #expect(SoakSample.problems(samples { _, _ in }) == [])
    #expect(SoakSample.problems(samples { if $1 == 1 { $0.residentBytes = 1 << 30 } }) == [])
    let growing: [(inout SoakSample, Int) -> Void] = [
      { $0.residentBytes += UInt64($1) << 26 }, { $0.heapBytes += UInt64($1) << 22 },
      { $0.descriptors += $1 }, { $0.streams = $1 == 5 ? 1 : 0 }, { $0.connections = $1 == 2 ? 3 : 0 },
    ]
    for change in growing { #expect(SoakSample.problems(samples(change)).count == 1) }
  }

  @Test("knows requests by their numbers alone, and each kind has its own")
  func requests() {
    for number: UInt64 in [1, 2, 77, 1_000_003] {
      #expect(SoakRequests.append(number) == SoakRequests.append(number))
      #expect(SoakRequests.append(number) != SoakRequests.append(number + 1))
      #expect(SoakRequests.number(of: SoakRequests.vote(number).header) == number)
    }
  }

  @Test("a ledger notices what is lost, doubled, changed or settled too early")
  func ledger() {
    let ledger = SoakLedger()
    let lost = ledger.begin()
    ledger.answered(lost, by: SoakRequests.vote(lost).header)
    let doubled = ledger.begin()
    ledger.saw(doubled, isRight: true)
    ledger.saw(doubled, isRight: true)
    let changed = ledger.begin()
    ledger.saw(changed, isRight: false)
    let denied = ledger.begin()
    ledger.failed(denied, TransportError(.unreachable, "", delivery: .notDelivered))
    ledger.saw(denied, isRight: true)
    let exchanged = ledger.begin()
    ledger.saw(exchanged, isRight: true)
    ledger.processed(exchanged)
    ledger.answered(exchanged, by: SoakRequests.vote(doubled).header)
    #expect(ledger.problems.count == 5)
  }

  @Test("a ledger is content with what may happen, and holds nothing of it")
  func contentLedger() {
    let ledger = SoakLedger()
    let good = ledger.begin()
    ledger.saw(good, isRight: true)
    ledger.processed(good)
    ledger.answered(good, by: SoakRequests.append(good).header)
    let late = ledger.begin()
    ledger.failed(late, TransportError(.connectionLost, "", delivery: .unknown))
    #expect(ledger.openEntries == 1)
    ledger.saw(late, isRight: true)
    let refused = ledger.begin()
    ledger.failed(refused, TransportError(.unreachable, "", delivery: .notDelivered))
    #expect(ledger.openEntries == 0)
    #expect(ledger.problems.isEmpty)
  }
}
