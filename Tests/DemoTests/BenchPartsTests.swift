import NIOCore
import Testing

@testable import raft_mux

@Suite("The parts of the benchmark")
struct BenchPartsTests {
  @Test("The checksum is the same however the bytes are cut", arguments: [1, 3, 7, 8, 9, 64])
  func checksumIgnoresCuts(pieceSize: Int) {
    let bytes = (0..<1_003).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var whole = WordSum()
    whole.update(ByteBuffer(bytes: bytes))
    var cut = WordSum()
    for start in stride(from: 0, to: bytes.count, by: pieceSize) {
      cut.update(ByteBuffer(bytes: bytes[start..<min(start + pieceSize, bytes.count)]))
    }
    #expect(cut.value == whole.value)
  }

  @Test("The checksum sees that words changed places")
  func checksumSeesOrder() {
    var forwards = WordSum()
    forwards.update(ByteBuffer(bytes: [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]))
    var backwards = WordSum()
    backwards.update(ByteBuffer(bytes: [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]))
    #expect(forwards.value != backwards.value)
  }

  @Test("The checksum of known words is what its definition says")
  func checksumOfKnownWords() {
    var sum = WordSum()
    // The words 1 and 2, the second one incomplete: sums 3, sums of sums 1 + 3.
    sum.update(ByteBuffer(bytes: [1, 0, 0, 0, 0, 0, 0, 0, 2]))
    #expect(sum.value == 3 ^ (4 << 32))
  }

  @Test("A spread is the middle and the ends, whatever the order")
  func spread() throws {
    let odd = try #require(Spread([5, 1, 3]))
    #expect((odd.least, odd.median, odd.greatest) == (1, 3, 5))
    let even = try #require(Spread([4, 1, 3, 2]))
    #expect((even.least, even.median, even.greatest) == (1, 2.5, 4))
    #expect(Spread([]) == nil)
  }

  @Test("A name means itself and what goes on from it with a hyphen")
  func choice() throws {
    #expect(try WorkloadChoice.workloads(named: []).count == Workload.all.count)
    #expect(try WorkloadChoice.workloads(named: ["unary-8"]).map(\.name) == ["unary-8"])
    #expect(
      try WorkloadChoice.workloads(named: ["vote"]).map(\.name) == [
        "vote-idle", "vote-snapshot", "vote-busy",
      ])
    #expect(throws: BenchError.self) { try WorkloadChoice.workloads(named: ["unar"]) }
  }

  @Test("No two workloads have the same name")
  func names() {
    #expect(Set(Workload.all.map(\.name)).count == Workload.all.count)
  }

  @Test("Ratios are taken within a round and are greater than 1 for what is better than the reference")
  func ratios() throws {
    let workload = try #require(Workload.all.first { $0.name == "vote-idle" })
    func measurement(_ system: String, round: Int, p50: Double) -> Measurement {
      Measurement(
        workload: workload.name, system: system, round: round,
        sample: Sample(
          operations: 100, payloadBytes: 0, seconds: 1,
          latency: Sample.Latency(p50: p50, p99: p50 * 2, p999: p50 * 3)),
        usage: Usage(clientCPUSeconds: 0.001, serverCPUSeconds: 0.002, wireBytes: 1_000))
    }
    // A slow second round slows both down; only pairs of one round show the factor of two.
    let measurements = [
      measurement("ours", round: 1, p50: 100), measurement("theirs", round: 1, p50: 50),
      measurement("ours", round: 2, p50: 900), measurement("theirs", round: 2, p50: 450),
    ]
    let lines = BenchTable(reference: "ours").lines(
      BenchRun.Results(measurements: measurements), workloads: [workload])
    let theirs = try #require(lines.first { $0.contains("theirs") })
    #expect(theirs.hasSuffix("  2.00"))
    #expect(theirs.contains("10.0 + 20.0"))
  }

  @Test("What was not measured is named with the reason")
  func gaps() throws {
    let workload = try #require(Workload.all.first)
    let gap = BenchRun.Gap(workload: workload.name, system: "theirs", reason: "it broke")
    let lines = BenchTable(reference: "ours").lines(
      BenchRun.Results(gaps: [gap]), workloads: [workload])
    #expect(lines.contains { $0.contains("theirs") && $0.contains("it broke") })
  }
}
