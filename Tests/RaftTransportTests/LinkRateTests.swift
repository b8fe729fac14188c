import Testing

@testable import RaftTransport

@Suite("The rate of a path, and what waits for it")
struct LinkRateTests {
  @Test("While the queue is never empty, its emptying is the rate", arguments: [125e3, 12.5e6, 3e9])
  func limitedPath(rate: Double) throws {
    var meter = LinkRateMeter()
    for step in 0...200 {
      let time = Double(step) * 0.01 * max(1, 12.5e6 / rate)
      meter.observe(framed: UInt64(rate * time), queued: 1_000, now: time)
    }
    let value = try #require(meter.value)
    #expect(value.isLimit)
    #expect(abs(value.bytesPerSecond / rate - 1) < 0.05)
  }

  @Test("What the buffers take at once does not count once the path itself was seen")
  func buffersAreDiscounted() throws {
    var meter = LinkRateMeter()
    meter.observe(framed: 0, queued: 0, now: 0)
    // 384 KiB at once, then 1 MB/s.
    for step in 1...10 {
      let time = Double(step) * 0.1
      meter.observe(framed: 393_216 + UInt64(time * 1e6), queued: 10_000, now: time)
    }
    let value = try #require(meter.value)
    #expect(abs(value.bytesPerSecond - 1e6) < 0.05e6)
  }

  @Test("A sender that is slower than the path shows a lower bound, and no measurement")
  func slowSender() throws {
    var meter = LinkRateMeter()
    for step in 0...100 {
      meter.observe(framed: UInt64(step) * 100_000, queued: 0, now: Double(step) * 0.01)
    }
    let value = try #require(meter.value)
    #expect(!value.isLimit)
    #expect(value.measurements == 0)
    #expect(abs(value.bytesPerSecond / 1e7 - 1) < 0.01)
  }

  @Test("A slow sender does not lower what is known of the path, a slower path does")
  func changes() throws {
    var meter = LinkRateMeter(known: LinkRate(bytesPerSecond: 1e8, measurements: 3))
    var framed: UInt64 = 0
    var time = 0.0
    for _ in 0...100 {
      meter.observe(framed: framed, queued: 0, now: time)
      framed += 10_000
      time += 0.01
    }
    #expect(meter.value?.bytesPerSecond == 1e8)
    for _ in 0...100 {
      meter.observe(framed: framed, queued: 1, now: time)
      framed += 10_000
      time += 0.01
    }
    let value = try #require(meter.value)
    #expect(value.isLimit)
    #expect(abs(value.bytesPerSecond / 1e6 - 1) < 0.2)
  }

  @Test(
    "The queue is short until the path was seen, and then bridges a hundredth of a second",
    arguments: [1e5, 5e7, 3e9])
  func queueLength(rate: Double) {
    var pace = UploadPace()
    #expect(pace.highWater == UploadPace.bounds.lowerBound)
    // The first bytes run through at once, and show nothing.
    pace.observe(framed: 300_000, queued: 0, now: 0)
    #expect(pace.highWater == UploadPace.bounds.lowerBound)
    for step in 1...100 {
      let time = Double(step) * 0.01 * max(1, 1e7 / rate)
      pace.observe(framed: 300_000 + UInt64(rate * time), queued: 1, now: time)
    }
    let wanted = Int(rate * 0.01)
    let bounds = UploadPace.bounds
    #expect(abs(pace.highWater - min(max(wanted, bounds.lowerBound), bounds.upperBound)) <= wanted / 10)
    #expect(pace.lowWater > 0 && pace.lowWater < pace.highWater)
  }

  @Test("A path that turns out slow after it seemed fast makes the queue short again")
  func queueShrinks() {
    var pace = UploadPace()
    for step in 1...1_000 {
      pace.observe(framed: UInt64(step) * 100_000, queued: 0, now: Double(step) * 0.0001)
    }
    for step in 1...20 {
      pace.observe(
        framed: 100_000_000 + UInt64(step) * 100_000, queued: 1_000_000, now: 0.1 + Double(step) * 0.1)
    }
    #expect(pace.highWater == UploadPace.bounds.lowerBound)
  }

  @Test("A queue that runs dry again and again becomes longer, up to its bound")
  func queueGrows() {
    var pace = UploadPace()
    for step in 1...1_000 {
      pace.observe(framed: UInt64(step) * 100_000, queued: 0, now: Double(step) * 0.0001)
    }
    #expect(pace.highWater == UploadPace.bounds.upperBound)
  }
}
