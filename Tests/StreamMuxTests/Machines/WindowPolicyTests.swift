import NIOCore
import Testing

@testable import StreamMux

@Suite("The size of a window")
struct WindowPolicyTests {
  private let policy = WindowPolicy(limits: .defaults)
  private let kibibyte = 1_024

  // R-FLW-36
  // R-FLW-31: computed by hand: 2 x rate x round trip, within half and double of the window before.
  @Test(
    "is two bandwidth-delay products, within half and double of what it was",
    arguments: [
      // window, bytes per second, round trip in milliseconds, class, expected; windows in KiB.
      (256, 10_240_000, 20, TrafficClass.append, 400),
      (256, 102_400_000, 20, .append, 512),
      (256, 1_024_000, 20, .append, 128),
      (128, 0, 20, .append, 64),
      (64, 0, 20, .append, 64),
      (256, 819_200_000, 0, .append, 400),
      (16_000, 1_024_000_000, 100, .append, 16_384),
      (16_000, 1_024_000_000, 100, .snapshot, 32_000),
      (60_000, 1_024_000_000, 100, .snapshot, 65_536),
      (256, 1_024_000_000, 100, .election, 256),
    ])
  func formula(window: Int, rate: Int, milliseconds: Int, trafficClass: TrafficClass, expected: Int) {
    let next = policy.nextWindow(
      current: UInt32(window * kibibyte), rate: Double(rate), roundTrip: .milliseconds(Int64(milliseconds)),
      trafficClass: trafficClass)
    #expect(Int(next) == expected * kibibyte)
  }

  @Test(
    "is finite whatever was measured", arguments: [0, 1, .greatestFiniteMagnitude, .infinity] as [Double])
  func extremes(rate: Double) {
    for roundTrip in [TimeAmount.zero, .nanoseconds(.max)] {
      let next = policy.nextWindow(
        current: 64 << 20, rate: rate, roundTrip: roundTrip, trafficClass: .snapshot)
      #expect((64 * kibibyte...64 << 20).contains(Int(next)))
    }
  }

  @Test("of a new stream takes no more than a quarter of what windows may still grow by")
  func first() {
    let window = policy.firstWindow(
      rate: 1e9, roundTrip: .milliseconds(100), room: 1 << 20, trafficClass: .snapshot)
    #expect(window == 512 * 1_024)
    let small = policy.firstWindow(
      rate: 10, roundTrip: .milliseconds(100), room: 1 << 20, trafficClass: .snapshot)
    #expect(small == 256 * 1_024)
  }

  @Test("never grows where its most is the initial window, nor is a most below that an error")
  func fixed() throws {
    let limits = try MuxLimits(
      initialWindow: 1 << 20, maximumAppendWindow: 65_536, maximumSnapshotWindow: 1 << 20)
    let policy = WindowPolicy(limits: limits)
    for trafficClass in TrafficClass.allCases {
      let next = policy.nextWindow(
        current: 1 << 20, rate: 1e10, roundTrip: .seconds(1), trafficClass: trafficClass)
      #expect(next == 1 << 20)
    }
  }
}

@Suite("Measuring consumption")
struct ConsumptionMeterTests {
  private func time(_ milliseconds: Int64) -> NIODeadline {
    .uptimeNanoseconds(1_000_000_000) + .milliseconds(milliseconds)
  }

  private func receive(
    _ meter: inout ConsumptionMeter, more: Bool = true, consumed: UInt64, at milliseconds: Int64
  ) -> Double? {
    meter.received(
      hasMore: more, consumed: consumed, window: 1_000, shortest: .milliseconds(10), now: time(milliseconds))
  }

  @Test("an epoch takes half a window and a round trip")
  func epoch() {
    var meter = ConsumptionMeter()
    let results = [
      receive(&meter, consumed: 0, at: 0), receive(&meter, consumed: 400, at: 20),
      receive(&meter, consumed: 500, at: 20), receive(&meter, consumed: 1_500, at: 25),
      receive(&meter, consumed: 1_500, at: 30),
    ]
    #expect(results == [nil, nil, 25_000, nil, 100_000])
    #expect(meter.highestRate == 100_000)
  }

  @Test("a frame without MORE ends an epoch without a result")
  func pause() {
    var meter = ConsumptionMeter()
    _ = receive(&meter, consumed: 0, at: 0)
    _ = receive(&meter, more: false, consumed: 600, at: 5)
    let early = receive(&meter, consumed: 600, at: 5_000)
    #expect(early == nil)
    let rate = receive(&meter, consumed: 1_600, at: 5_020)
    #expect(rate == 50_000)
  }

  @Test("the highest of the last eight counts, and older ones are forgotten")
  func history() {
    var rates = RateHistory()
    rates.append(100)
    for rate in 1...7 { rates.append(Double(rate)) }
    #expect(rates.highest == 100)
    rates.append(8)
    #expect(rates.highest == 8)
  }

  @Test("the path's recent least round trip forgets an old route, the least of all does not")
  func recentMinimum() {
    var path = PathModel()
    path.measured(.milliseconds(10))
    for _ in 1..<PathModel.recentMeasurements { path.measured(.milliseconds(100)) }
    #expect(path.recentMinimum == .milliseconds(10))
    path.measured(.milliseconds(100))
    #expect(path.recentMinimum == .milliseconds(100) && path.minimumRoundTrip == .milliseconds(10))
  }
}

@Suite("Memory for windows that grow")
struct GrownWindowTests {
  // R-FLW-34
  @Test("a window that shrinks takes back no credit, and holds its memory until that is used up")
  func shrinking() {
    var window = ReceiveWindow(initial: 100_000)
    window.resize(to: 200_000)
    #expect(window.takeCredit() == 200_000)
    window.resize(to: 50_000)
    #expect(window.advertised == 200_000 && window.promised == 200_000)
    #expect(!window.isCreditDue && window.takeCredit() == 200_000)
    let fits = window.receive(200_000)
    #expect(fits)
    _ = window.consume(120_000)
    #expect(window.promised == 80_000 && !window.isCreditDue)
    _ = window.consume(80_000)
    #expect(window.promised == 50_000 && window.takeCredit() == 250_000)
  }

  // R-FLW-28, R-FLW-33
  @Test("grown windows take half of the budget at most, and leave the rest for new streams")
  func half() {
    var budget = ReceiveBudget(limit: 1_000)
    let isReserved = budget.reserve(100, for: .snapshot)
    #expect(isReserved)
    let granted = [budget.grow(by: 400), budget.grow(by: 400), budget.grow(by: -5)]
    #expect(granted == [400, 100, 0])
    #expect(budget.roomToGrow == 0 && budget.reserved == 600)
    #expect(budget.hasRoom(for: 400, .append) && !budget.hasRoom(for: 401, .append))
    budget.shrink(by: 450)
    #expect(budget.roomToGrow == 450 && budget.reserved == 150)
  }

  // R-FLW-28, R-FLW-33, R-FLW-35
  @Test("many streams on a fast path stay within the budget, and a new one starts from what was learned")
  func manyStreams() throws {
    var options = PairOfEngines.Options()
    options.link.rate = 125_000_000
    options.link.delay = .milliseconds(50)
    options.link.buffer = 25_000_000
    let limits = try MuxLimits(receiveBudget: 16 << 20)
    options.configuration.acceptor.limits = limits
    var pair = try PairOfEngines.established(options)
    pair.consumers = [.acceptor]
    let chunk = ByteBuffer(repeating: 1, count: 24 << 20)
    let bulk = try (0..<4).map { _ in
      try pair.engines.dialler.open(StreamOpening(trafficClass: .snapshot), now: pair.now)
    }
    for key in bulk { pair.engines.dialler.write(chunk, to: key) }
    var most = 0
    var windows: [Int] = []
    for _ in 0..<30 {
      pair.pass(.milliseconds(50))
      let figures = pair.engines.acceptor.figures
      most = max(most, figures.reservedWindows)
      windows += pair.engines.acceptor.streams.keys.map {
        Int(pair.engines.acceptor.streams[$0].receiveWindow.window)
      }
    }
    #expect(most <= limits.receiveBudget / 2 + 4 * limits.initialWindow)
    #expect(windows.max() ?? 0 > 4 * limits.initialWindow)
    // The others are gone; what they have taught is not.
    for key in bulk { pair.engines.dialler.release(key) }
    pair.run()
    for event in pair.take(.acceptor) {
      if case .opened(let key, _) = event { pair.engines.acceptor.release(key) }
    }
    pair.run()
    #expect(pair.engines.acceptor.figures.reservedWindows == 0)
    let late = try pair.engines.dialler.open(StreamOpening(trafficClass: .snapshot), now: pair.now)
    pair.engines.dialler.write(chunk, to: late)
    pair.pass(.milliseconds(60))
    let key = try #require(pair.engines.acceptor.streams.keys.first)
    let window = pair.engines.acceptor.streams[key].receiveWindow.window
    #expect(Int(window) > 4 * limits.initialWindow)
    #expect(Int(window) <= limits.initialWindow + limits.receiveBudget / 8)
  }
}
