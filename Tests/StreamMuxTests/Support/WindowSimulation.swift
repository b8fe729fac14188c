import DequeModule
import NIOCore
import Testing

@testable import StreamMux

/// Streams that send without end over a path with TCP on it: two engines, a virtual clock, and consumers of any speed.
struct WindowSimulation {
  /// How the receiver's windows behave.
  enum Windows: Sendable {
    /// By the formula.
    case growing
    /// Always so many bytes. 64 MiB stand for no window at all: what is seen then is TCP's own doing.
    case fixed(Int)
  }

  struct Consumer: Sendable {
    /// Bytes per second; nil: all that comes, when it comes.
    var rate: Int?
    /// It takes nothing for this long and then what it missed, again and again.
    var pause = TimeAmount.zero
  }

  struct Change: Sendable {
    let time: TimeAmount
    var rate: Int?
    var roundTrip: TimeAmount?
    var consumer: Consumer?
  }

  struct Setting: Sendable {
    var rate = 12_500_000
    var roundTrip = TimeAmount.milliseconds(80)
    /// The queue, in percent of a bandwidth-delay product.
    var queue = 100
    var lossPerMillion = 0
    var congestion = CongestionModel.Kind.cubic
    var trafficClass = TrafficClass.snapshot
    /// One stream for each.
    var consumers = [Consumer()]
    var changes: [Change] = []
    var length = TimeAmount.seconds(20)

    var product: Int { Int(Double(rate) * Double(roundTrip.nanoseconds) / 1e9) }
  }

  /// What was so at one time.
  struct Sample: Sendable {
    let time: TimeAmount
    /// Bytes consumed up to then, by stream.
    let consumed: [UInt64]
    let windows: [Int]
    /// Bytes that were received and not consumed, of all streams.
    let held: Int
    let reserved: Int
    /// The path's queue, as time.
    let roundTripOfTCP: TimeAmount
  }

  private struct Way {
    var delay: TimeAmount
    private var bytes: Deque<(bytes: ByteBuffer, arrival: NIODeadline)> = []
    private var last = PairOfEngines.start

    init(delay: TimeAmount) { self.delay = delay }

    var nextArrival: NIODeadline? { bytes.first?.arrival }

    mutating func send(_ more: ByteBuffer, now: NIODeadline) {
      last = max(last, now + delay)
      bytes.append((more, last))
    }

    mutating func receive(now: NIODeadline) -> ByteBuffer? {
      guard let first = bytes.first, first.arrival <= now else { return nil }
      bytes.removeFirst()
      return first.bytes
    }
  }

  let setting: Setting
  private var sender: MuxConnection
  private var receiver: MuxConnection
  private var path: SimulatedPath
  private var back: Way
  private var now = PairOfEngines.start
  private var own: [StreamKey] = []
  private var peers: [StreamKey] = []
  private var consumers: [Consumer]
  private var debts: [Double]
  private let chunk = ByteBuffer(repeating: 7, count: 256 * 1_024)

  init(_ setting: Setting, windows: Windows, seed: UInt64) throws {
    self.setting = setting
    consumers = setting.consumers
    debts = consumers.map { _ in 0 }
    var options = PairOfEngines.Options()
    if case .fixed(let size) = windows {
      options.configuration.acceptor.limits = try MuxLimits(
        initialWindow: size, receiveBudget: 1 << 30, maximumAppendWindow: size, maximumSnapshotWindow: size)
    }
    var generator = SplitMix64(seed: seed)
    func engine(_ side: PairOfEngines.Side) throws -> MuxConnection {
      MuxConnection(
        role: side.role, hello: try PairOfEngines.makeHello(side, options, using: &generator),
        expectedServerID: nil,
        configuration: options.configuration[side], seed: generator.next(), now: PairOfEngines.start)
    }
    sender = try engine(.dialler)
    receiver = try engine(.acceptor)
    var shape = SimulatedPath.Shape()
    shape.rate = setting.rate
    shape.delay = .nanoseconds(setting.roundTrip.nanoseconds / 2)
    shape.queue = max(16_384, setting.product * setting.queue / 100)
    shape.lossPerMillion = setting.lossPerMillion
    shape.congestion = setting.congestion
    shape.sendBuffer = 4 * (setting.product + shape.queue) + (4 << 20)
    // About three thousand packets a second are enough to show what windows do.
    shape.segment = max(1_448, min(setting.rate / 3_000, 16_384))
    path = SimulatedPath(shape: shape, seed: generator.next(), now: PairOfEngines.start)
    back = Way(delay: shape.delay)
  }

  /// Runs to the end and tells what was so about twenty times in each round trip.
  mutating func run() throws -> [Sample] {
    let step = TimeAmount.nanoseconds(max(1_000_000, setting.roundTrip.nanoseconds / 20))
    while receiver.phase != .running || sender.phase != .running { pass(step) }
    for _ in consumers {
      let key = try sender.open(StreamOpening(trafficClass: setting.trafficClass), now: now)
      own.append(key)
    }
    let start = now
    var changes = setting.changes[...]
    var samples: [Sample] = []
    while now - start < setting.length {
      if let change = changes.first, now - start >= change.time {
        changes.removeFirst()
        apply(change)
      }
      refill()
      pass(step)
      consume(step)
      guard peers.count == consumers.count else { continue }
      let figures = try peers.map { try #require(receiver.streamFigures($0)) }
      samples.append(
        Sample(
          time: now - start, consumed: figures.map(\.consumed),
          windows: figures.map { Int($0.receiveWindow) },
          held: figures.reduce(0) { $0 + Int($1.received - $1.consumed) },
          reserved: receiver.figures.reservedWindows, roundTripOfTCP: path.smoothedRoundTrip))
      try #require(receiver.phase == .running && sender.phase == .running)
    }
    return samples
  }

  private mutating func apply(_ change: Change) {
    if let rate = change.rate { path.shape.rate = rate }
    if let roundTrip = change.roundTrip {
      path.shape.delay = .nanoseconds(roundTrip.nanoseconds / 2)
      back.delay = path.shape.delay
    }
    if let consumer = change.consumer { consumers[0] = consumer }
  }

  private mutating func refill() {
    for key in own {
      while sender.queuedBytes(key) < max(2 * setting.product / own.count, 1 << 20) {
        sender.write(chunk, to: key)
      }
    }
  }

  /// Lets the consumers that have a speed take what they can.
  private mutating func consume(_ step: TimeAmount) {
    for (index, key) in peers.enumerated() {
      let consumer = consumers[index]
      guard consumer.rate != nil || consumer.pause > .zero else { continue }
      let figures = receiver.streamFigures(key)
      let held = Int((figures?.received ?? 0) - (figures?.consumed ?? 0))
      var count = held
      if let rate = consumer.rate {
        // What it could have taken before and was not there is lost, but for a tenth of a second's worth.
        debts[index] += Double(rate) * Double(step.nanoseconds) / 1e9
        if consumer.pause == .zero { debts[index] = min(debts[index], max(Double(rate) / 10, 1)) }
        count = min(held, Int(debts[index]))
      }
      if consumer.pause > .zero {
        let half = consumer.pause.nanoseconds
        guard (now - PairOfEngines.start).nanoseconds % (2 * half) >= half else { continue }
      }
      receiver.consume(count, of: key)
      debts[index] = max(0, debts[index] - Double(count))
    }
  }

  private mutating func pass(_ amount: TimeAmount) {
    let end = now + amount
    while true {
      moveBytes()
      let next = [
        path.nextEvent, back.nextArrival, sender.nextDeadline, receiver.nextDeadline,
      ].compactMap { $0 }.min()
      guard let next, next <= end else { break }
      // Events closer together than this are taken together.
      now = min(end, max(now + .microseconds(100), next))
      if let deadline = sender.nextDeadline, deadline <= now { sender.handleTimeout(now: now) }
      if let deadline = receiver.nextDeadline, deadline <= now { receiver.handleTimeout(now: now) }
    }
    now = end
    moveBytes()
  }

  private mutating func moveBytes() {
    for bytes in path.advance(to: now) { receiver.receive(bytes, now: now) }
    takeReceiverEvents()
    while let bytes = receiver.nextTransmission(limit: 64 * 1_024, now: now) { back.send(bytes, now: now) }
    while let bytes = back.receive(now: now) { sender.receive(bytes, now: now) }
    takeSenderEvents()
    if sender.wantsFigures(now: now) { sender.take(path.figures, now: now) }
    while path.capacity > 0,
      let bytes = sender.nextTransmission(limit: min(64 * 1_024, path.capacity), now: now)
    {
      path.write(bytes, now: now)
    }
  }

  private mutating func takeSenderEvents() {
    while let event = sender.nextEvent() {
      if case .peerAuthenticated = event { sender.accept(grantsRoute: true, now: now) }
    }
  }

  private mutating func takeReceiverEvents() {
    while let event = receiver.nextEvent() {
      switch event {
      case .peerAuthenticated:
        receiver.accept(grantsRoute: true, now: now)
      case .opened(let key, _):
        peers.append(key)
      case .data(let key, let bytes):
        guard let index = peers.firstIndex(of: key) else { continue }
        if consumers[index].rate == nil, consumers[index].pause == .zero {
          receiver.consume(bytes.readableBytes, of: key)
        }
      default:
        break
      }
    }
  }
}
