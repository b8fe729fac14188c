import NIOCore
import Testing

@testable import StreamMux

@Suite("The scheduler")
struct SchedulerTests {
  static let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

  private func key(_ slot: UInt32) -> StreamKey { StreamKey(slot: slot, generation: 0) }

  private func makeScheduler() -> Scheduler { Scheduler(limits: .defaults, now: Self.now) }

  // R-SCH-4
  @Test("streams of a class take turns")
  func roundRobin() {
    var scheduler = makeScheduler()
    for slot in 0..<3 { scheduler.enqueue(key(UInt32(slot)), in: .append) }
    var order: [UInt32] = []
    for _ in 0..<9 {
      guard let pick = scheduler.next(now: Self.now) else { break }
      order.append(pick.key.slot)
      scheduler.charge(16_400, to: pick.ring)
      scheduler.enqueue(pick.key, in: .append)
    }
    #expect(order == [0, 1, 2, 0, 1, 2, 0, 1, 2])
  }

  // R-SCH-3
  @Test("appends and snapshots share 8 to 1 by bytes, whatever the frames", arguments: [500, 16_400, 65_552])
  func weights(frame: Int) {
    var scheduler = makeScheduler()
    scheduler.enqueue(key(0), in: .append)
    scheduler.enqueue(key(1), in: .snapshot)
    var bytes: [TrafficClass: Int] = [:]
    for _ in 0..<40_000 {
      guard let pick = scheduler.next(now: Self.now) else { break }
      // Appends come in frames of 16 KiB, snapshots in any.
      let size = pick.ring == .append ? 16_400 : frame
      bytes[pick.ring, default: 0] += size
      scheduler.charge(size, to: pick.ring)
      scheduler.enqueue(pick.key, in: pick.ring)
    }
    let ratio = Double(bytes[.append] ?? 0) / Double(bytes[.snapshot] ?? 1)
    #expect(ratio > 7.5 && ratio < 8.5, "\(bytes)")
  }

  @Test("a class that is alone takes all, and owes little for it")
  func alone() {
    var scheduler = makeScheduler()
    scheduler.enqueue(key(1), in: .snapshot)
    for _ in 0..<1_000 {
      guard let pick = scheduler.next(now: Self.now) else { break }
      scheduler.charge(65_552, to: pick.ring)
      scheduler.enqueue(pick.key, in: pick.ring)
    }
    scheduler.enqueue(key(0), in: .append)
    var snapshots = 0
    for _ in 0..<60 {
      guard let pick = scheduler.next(now: Self.now) else { break }
      if pick.ring == .snapshot { snapshots += 1 }
      scheduler.charge(16_400, to: pick.ring)
      scheduler.enqueue(pick.key, in: pick.ring)
    }
    #expect(snapshots >= 2)
  }

  // R-SCH-2, R-SCH-10
  @Test("elections go first until their allowance is used up, then take their turn, and come back with time")
  func elections() throws {
    var scheduler = makeScheduler()
    scheduler.enqueue(key(0), in: .append)
    var ahead = 0
    for slot: UInt32 in 0..<100 {
      scheduler.enqueue(key(100 + slot), in: .election)
      let pickFound = scheduler.next(now: Self.now)
      let pick = try #require(pickFound)
      scheduler.charge(4_096, to: pick.ring)
      if pick.ring != .election { break }
      ahead += 1
    }
    #expect(ahead == 16)  // 64 KiB.
    scheduler.enqueue(key(900), in: .election)
    let laterFound = scheduler.next(now: Self.now + .seconds(1))
    let later = try #require(laterFound)
    #expect(later == Scheduler.Pick(key: key(900), ring: .election))
  }

  @Test("the allowance neither overflows nor forgets fractions")
  func allowance() {
    var allowance = ElectionAllowance(burst: 1_000, bytesPerSecond: 1_000, now: Self.now)
    allowance.charge(1_000)
    var now = Self.now
    for _ in 0..<10 {
      now = now + .microseconds(100)
      _ = allowance.permits(at: now)
    }
    let hasEarned = allowance.permits(at: now)
    #expect(hasEarned)
    allowance.charge(Int.max / 2)
    let isStillUsedUp = !allowance.permits(at: now)
    #expect(isStillUsedUp)
    let isFull = allowance.permits(at: .distantFuture)
    #expect(isFull)
  }
}

@Suite("What the connection sends next")
struct TransmissionTests {
  // R-SCH-2
  @Test("an election queued behind a megabyte of bulk goes out next")
  func electionFirst() throws {
    var lone = try LoneEngine(.dialler)
    for trafficClass in [TrafficClass.append, .snapshot] {
      let key = try lone.engine.open(StreamOpening(trafficClass: trafficClass), now: lone.now)
      lone.engine.write(ByteBuffer(repeating: 1, count: 1_048_576), to: key)
    }
    _ = lone.engine.nextTransmission(limit: 16_384, now: lone.now)
    _ = lone.engine.nextTransmission(limit: 16_384, now: lone.now)
    let vote = try lone.engine.open(StreamOpening(trafficClass: .election), now: lone.now)
    lone.engine.write(ByteBuffer(string: "vote"), to: vote)
    lone.engine.finish(vote)
    let nextFound = lone.engine.nextTransmission(limit: 16_384, now: lone.now)
    let next = try #require(nextFound)
    var bytes = next
    let header = try #require(FrameHeader(readingFrom: &bytes))
    #expect(header.trafficClass == TrafficClass.election.rawValue)
    #expect(lone.engine.hasReachedWire(vote))
  }

  // R-SCH-11
  @Test("an election stream that queues too much is an append from then on")
  func demotion() throws {
    var lone = try LoneEngine(.dialler)
    let bulk = try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    lone.engine.write(ByteBuffer(repeating: 1, count: 200_000), to: bulk)
    let large = try lone.engine.open(StreamOpening(trafficClass: .election), now: lone.now)
    lone.engine.write(ByteBuffer(repeating: 2, count: 100_000), to: large)
    var order: [UInt64] = []
    for frame in try lone.sentFrames() {
      if case .data(let header) = frame { order.append(header.stream) }
    }
    // Both in turn: nothing was put ahead.
    #expect(order.prefix(4) == [1, 3, 1, 3])
  }

  // R-SCH-7
  @Test("bulk frames are short while others wait, and as long as may be when alone")
  func frameSizes() throws {
    var lone = try LoneEngine(.dialler)
    let first = try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    lone.engine.write(ByteBuffer(repeating: 1, count: 100_000), to: first)
    let second = try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    lone.engine.write(ByteBuffer(repeating: 1, count: 20_000), to: second)
    var sizes: [Int] = []
    for frame in try lone.sentFrames() {
      if case .data(let header) = frame { sizes.append(header.byteCount) }
    }
    #expect(sizes.prefix(3) == [16_384, 16_384, 16_384])
    #expect(sizes.reduce(0, +) == 120_000)
    #expect((sizes.max() ?? 0) > 16_384)
  }

  @Test("a large payload is handed out as the slice that was written")
  func slices() throws {
    var lone = try LoneEngine(.dialler)
    let key = try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    let written = ByteBuffer(repeating: 9, count: 8_192)
    lone.engine.write(written, to: key)
    let headerFound = lone.engine.nextTransmission(limit: 65_536, now: lone.now)
    let header = try #require(headerFound)
    #expect(header.readableBytes == 24)
    let payloadFound = lone.engine.nextTransmission(limit: 65_536, now: lone.now)
    let payload = try #require(payloadFound)
    #expect(payload == written)
    #expect(address(payload) == address(written))
  }

  private func address(_ buffer: ByteBuffer) -> UInt {
    buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
  }

  // R-SCH-8
  @Test("small frames are packed into one buffer")
  func packing() throws {
    var lone = try LoneEngine(.dialler)
    for _ in 0..<50 {
      let key = try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
      lone.engine.write(ByteBuffer(string: "entry"), to: key)
      lone.engine.finish(key)
    }
    let packedFound = lone.engine.nextTransmission(limit: 65_536, now: lone.now)
    let packed = try #require(packedFound)
    #expect(packed.readableBytes == 50 * (16 + 8 + 5))
    let more = lone.engine.nextTransmission(limit: 65_536, now: lone.now)
    #expect(more == nil)
  }

  // R-SCH-5
  @Test("a stream without credit holds nobody back")
  func stalled() throws {
    var lone = try LoneEngine(.dialler)
    let stuck = try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    lone.engine.write(ByteBuffer(repeating: 1, count: 1_000_000), to: stuck)
    _ = try lone.sentFrames()
    #expect(!lone.engine.hasTransmission)
    let other = try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    lone.engine.write(ByteBuffer(repeating: 1, count: 100_000), to: other)
    _ = try lone.sentFrames()
    #expect(lone.engine.queuedBytes(other) == 0)
    #expect(lone.engine.queuedBytes(stuck) == 1_000_000 - 262_144)
  }

  @Test("ten thousand idle streams cost the next frame nothing that can be counted")
  func idleStreams() throws {
    let limits = try MuxLimits(
      initialWindow: 16_384, streamCredit: StreamCredit(election: 64, append: 20_000, snapshot: 8),
      receiveBudget: 20_000 * 16_384)
    var lone = try LoneEngine(.dialler, configuration: MuxConfiguration(limits: limits))
    for _ in 0..<10_000 {
      _ = try lone.engine.open(StreamOpening(trafficClass: .append), now: lone.now)
    }
    _ = try lone.sentFrames()
    #expect(lone.engine.scheduler.isEmpty && lone.engine.control.isEmpty)
    let vote = try lone.engine.open(StreamOpening(trafficClass: .election), now: lone.now)
    lone.engine.write(ByteBuffer(string: "vote"), to: vote)
    #expect(lone.engine.scheduler.count == 1)
  }
}

@Suite("The control queue")
struct ControlQueueTests {
  // R-LIM-8, R-LIV-2
  @Test("keeps only the newest PONGs, and each mark once")
  func bounded() {
    var queue = ControlQueue(pongLimit: 3)
    for number: UInt64 in 0..<100 {
      queue.appendPong(number)
      queue.markStreams(.append)
      queue.markIgnorable()
    }
    #expect(queue.count == 5)
    var items: [ControlQueue.Item] = []
    while let item = queue.popNext() { items.append(item) }
    #expect(items == [.pong(97), .pong(98), .pong(99), .ignorable, .streams(.append)])
    #expect(queue.isEmpty)
  }

  @Test("a PING behind a GOAWAY does not overtake it")
  func order() {
    var queue = ControlQueue(pongLimit: 3)
    let goAway = GoAway(lastStream: ProtocolConstants.soon, code: .shutdown)
    queue.append(goAway)
    queue.appendPing(1)
    let items = [queue.popNext(), queue.popNext()]
    #expect(items == [.goAway(goAway), .ping(1)])
  }
}
