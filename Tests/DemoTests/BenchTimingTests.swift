import Testing

@testable import raft_mux

@Suite("How the benchmark times calls")
struct BenchTimingTests {
  @Test(
    "At a rate there are as many calls as fall into the duration, or as many as are wanted",
    arguments: [10, 700])
  func scheduleCounts(leastCalls: Int) async throws {
    let schedule = CallSchedule(
      Effort(
        duration: .milliseconds(5),
        asking: Effort.Asking(askers: 1, rate: 100_000, leastCalls: leastCalls)))
    var count = 0
    while try await schedule.next() != nil { count += 1 }
    #expect(count == max(500, leastCalls))
  }

  @Test("A call that comes late counts from the moment when it was due")
  func lateCallsCountFromTheirTime() async throws {
    let schedule = CallSchedule(
      Effort(duration: .zero, asking: Effort.Asking(askers: 1, rate: 1_000, leastCalls: 3)))
    // The first asker is held up until all calls are overdue.
    while ContinuousClock.now < schedule.start + .milliseconds(20) { await Task.yield() }
    for number in 0..<3 {
      #expect(try await schedule.next() == schedule.start + .milliseconds(number))
    }
    #expect(try await schedule.next() == nil)
  }

  @Test("Goodput beside calls is what was read between the first answer and the last")
  func goodput() {
    var recorder = LatencyRecorder()
    // The second answer comes first; the last to begin is not the last to be answered.
    recorder.record(start: .milliseconds(0), time: .milliseconds(900), snapshotBytes: 5_000)
    recorder.record(start: .milliseconds(100), time: .milliseconds(100), snapshotBytes: 1_000)
    recorder.record(start: .milliseconds(200), time: .milliseconds(1_000), snapshotBytes: 9_000)
    recorder.record(start: .milliseconds(300), time: .milliseconds(100), snapshotBytes: 2_000)
    #expect(abs(recorder.snapshotBytesPerSecond - 8_000) < 1)
    #expect(recorder.count == 4)
  }

  @Test("Percentiles are those of the calls, to three digits")
  func percentiles() throws {
    var recorder = LatencyRecorder()
    var other = LatencyRecorder()
    for number in 1...1_000 {
      if number.isMultiple(of: 2) {
        recorder.record(nanoseconds: UInt64(number) * 1_000)
      } else {
        other.record(nanoseconds: UInt64(number) * 1_000)
      }
    }
    recorder.add(other)
    let latency = try #require(recorder.latency)
    #expect(abs(latency.p50 - 500) < 1)
    #expect(abs(latency.p99 - 990) < 1)
    #expect(abs(latency.p999 - 999) < 1)
    let curve = try #require(latency.curve)
    #expect(curve.count == Sample.Latency.curvePercentiles.count)
    #expect(curve == curve.sorted())
    #expect(LatencyRecorder().latency == nil)
  }

  @Test("A timeline keeps the worst and the mean of each interval")
  func timeline() {
    var timeline = Timeline(interval: 0.5)
    timeline.add(at: 0.1, microseconds: 10, snapshotBytes: 5)
    timeline.add(at: 0.4, microseconds: 30, snapshotBytes: 3)
    timeline.add(at: 1.2, microseconds: 7, snapshotBytes: 9)
    #expect(
      timeline.moments == [
        Sample.Moment(seconds: 0, mean: 20, worst: 30, snapshotBytes: 5),
        Sample.Moment(seconds: 1, mean: 7, worst: 7, snapshotBytes: 9),
      ])
  }

  @Test("Allocations are counted while they are asked to be, and only then")
  func allocations() throws {
    guard Allocations.count != nil else { return }
    Allocations.count(true)
    let before = try #require(Allocations.count)
    var kept: [AnyObject] = []
    for _ in 0..<1_000 { kept.append(StopSign()) }
    let after = try #require(Allocations.count)
    Allocations.count(false)
    #expect(after - before >= 1_000)
    #expect(kept.count == 1_000)
  }
}
