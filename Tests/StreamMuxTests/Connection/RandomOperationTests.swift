import Foundation
import NIOCore
import Testing

@testable import StreamMux

/// Random operations on two engines, watched by a model: the main test of the engine.
///
/// `RAFT_MUX_SEEDS=5000` runs more seeds, `RAFT_MUX_SEED=17` one of them.
@Suite("Random operations on two engines")
struct RandomOperationTests {
  static let seeds: [UInt64] = {
    let environment = ProcessInfo.processInfo.environment
    if let one = environment["RAFT_MUX_SEED"].flatMap(UInt64.init) { return [one] }
    return Array(1...(environment["RAFT_MUX_SEEDS"].flatMap(UInt64.init) ?? 200))
  }()

  // R-STR-20, R-STR-21, R-FLW-1, R-LIM-5
  @Test("no byte is lost, repeated or reordered, and every stream ends", arguments: seeds)
  func everythingArrives(seed: UInt64) throws {
    var run = try RandomRun(seed: seed)
    run.operate(steps: 150)
    run.quiesce()
    #expect(run.problems.isEmpty, "seed \(seed): \(run.problems.prefix(5))")
  }

  @Test("the same seed gives the same run", arguments: [3, 4, 5] as [UInt64])
  func repeats(seed: UInt64) throws {
    let first = try digest(seed: seed)
    #expect(try digest(seed: seed) == first, "seed \(seed)")
    #expect(try digest(seed: seed + 100) != first, "seeds \(seed) and \(seed + 100)")
  }

  private func digest(seed: UInt64) throws -> Trace? {
    var run = try RandomRun(seed: seed)
    run.pair.trace = Trace()
    run.operate(steps: 40)
    run.quiesce()
    return run.pair.trace
  }
}

/// One run: operations by chance, and the model of what must come of them.
struct RandomRun {
  typealias Side = PairOfEngines.Side

  /// One end of a stream, as its owner sees it.
  struct End {
    let stream: Int
    let key: StreamKey
    var isReleased = false
    var hasFinished = false
    var hasEndedSending = false
    var hasEndedReceiving = false
    /// Delivered and not consumed: a slow consumer.
    var unconsumed = 0
    var absorbed = 0
  }

  /// A stream as nobody sees it: both directions. 0 is the opener's.
  struct Model {
    let opener: Side
    let opening: StreamOpening
    var directions: [DirectionModel]
    var isRejected = false
    var hasArrived = false
    /// The opener let go before it heard what became of the stream: the peer may have refused it unheard.
    var wasLetGo = false
  }

  var pair: PairOfEngines
  var generator: SplitMix64
  var models: [Model] = []
  var ends = PairOfEngines.Sided<[StreamKey: End]>([:])
  /// Streams of a side whose OPEN has not arrived, by class, in the order of their opening.
  var unseen = PairOfEngines.Sided<[Int]>([])
  var problems: [String] = []
  let streamBudget: PairOfEngines.Sided<Int>

  init(seed: UInt64, recordsBytes: Bool = false) throws {
    var generator = SplitMix64(seed: seed &* 0x1_0001 &+ 7)
    var options = PairOfEngines.Options()
    options.features = Bool.random(using: &generator) ? [.crc32] : []
    options.link.delay = .microseconds(Int64.random(in: 0...50_000, using: &generator))
    options.link.rate = [nil, 100_000, 5_000_000].randomElement(using: &generator) ?? nil
    options.link.buffer = Int.random(in: 2_000...300_000, using: &generator)
    options.link.segment = 1...Int.random(in: 1...20_000, using: &generator)
    options.transmissionLimit = Int.random(in: 1...100_000, using: &generator)
    options.configuration = PairOfEngines.Sided(
      dialler: try Self.configuration(using: &generator), acceptor: try Self.configuration(using: &generator))
    pair = try PairOfEngines.established(options, seed: seed, recordsBytes: recordsBytes)
    streamBudget = PairOfEngines.Sided(
      dialler: options.configuration.dialler.limits.receiveBudget,
      acceptor: options.configuration.acceptor.limits.receiveBudget)
    self.generator = generator
  }

  static func configuration(using generator: inout SplitMix64) throws -> MuxConfiguration {
    let window = Int.random(in: 16_384...100_000, using: &generator)
    return MuxConfiguration(
      limits: try MuxLimits(
        maximumFramePayload: Int.random(in: 4_096...65_536, using: &generator),
        initialWindow: window,
        streamCredit: StreamCredit(
          election: .random(in: 1...8, using: &generator), append: .random(in: 1...16, using: &generator),
          snapshot: .random(in: 1...3, using: &generator)),
        receiveBudget: window * Int.random(in: 4...60, using: &generator),
        assemblyBudget: 1_048_576,
        maximumPendingOpens: Int.random(in: 1...40, using: &generator)),
      scheduling: try SchedulingLimits(
        bulkFrame: Int.random(in: 1_024...16_384, using: &generator),
        quantum: Int.random(in: 1_024...32_768, using: &generator)))
  }

  // MARK: Operations

  mutating func operate(steps: Int) {
    for _ in 0..<steps {
      let side: Side = Bool.random(using: &generator) ? .dialler : .acceptor
      switch Int.random(in: 0..<100, using: &generator) {
      case 0..<18: open(side)
      case 18..<50: write(side)
      case 50..<62: finish(side)
      case 62..<65: reset(side)
      case 65..<68: stop(side)
      case 68..<80: consume(side)
      case 80..<85: release(side)
      case 85..<87: _ = pair.engines[side].ping(now: pair.now)
      case 87..<89: toggleBlock(side)
      default:
        pair.pass(.microseconds(Int64.random(in: 0...20_000, using: &generator)))
      }
      settle()
    }
  }

  private mutating func toggleBlock(_ side: Side) {
    if pair.blocked.remove(side) == nil { pair.blocked.insert(side) }
  }

  /// A group names the stream to the model, so that the other side finds it.
  private mutating func open(_ side: Side) {
    let trafficClass = TrafficClass.allCases.randomElement(using: &generator) ?? .append
    let encoding: StreamEncoding =
      trafficClass == .snapshot && Bool.random(using: &generator) ? .chunked : .plain
    let opening = StreamOpening(trafficClass: trafficClass, encoding: encoding, group: UInt64(models.count))
    do {
      let key = try pair.engines[side].open(opening, now: pair.now)
      ends[side][key] = End(stream: models.count, key: key)
      let seed = UInt64(models.count)
      models.append(
        Model(
          opener: side, opening: opening,
          directions: [DirectionModel(seed: seed * 2), DirectionModel(seed: seed * 2 + 1)]))
      if Bool.random(using: &generator) { write(side, key) }
    } catch {
      if error != .tooManyPending { problems.append("open threw \(error)") }
    }
  }

  private mutating func randomEnd(_ side: Side) -> StreamKey? {
    let candidates = ends[side].values.filter { !$0.isReleased }.map(\.key).sorted {
      ($0.slot, $0.generation) < ($1.slot, $1.generation)
    }
    return candidates.randomElement(using: &generator)
  }

  /// The direction in which `side` writes.
  private func outgoing(_ side: Side, _ end: End) -> Int { models[end.stream].opener == side ? 0 : 1 }

  private mutating func write(_ side: Side, _ chosen: StreamKey? = nil) {
    guard let key = chosen ?? randomEnd(side), let end = ends[side][key], !end.hasEndedSending else { return }
    let direction = outgoing(side, end)
    let count = [1, 10, 100, 1_000, 5_000, 20_000, 150_000].randomElement(using: &generator) ?? 1
    let model = models[end.stream].directions[direction]
    let length = Int.random(in: 1...count, using: &generator)
    pair.engines[side].write(model.source.bytes(from: model.written, count: length), to: key)
    models[end.stream].directions[direction].written += UInt64(length)
  }

  private mutating func finish(_ side: Side) {
    guard let key = randomEnd(side), let end = ends[side][key], !end.hasEndedSending else { return }
    finish(side, key)
  }

  private mutating func finish(_ side: Side, _ key: StreamKey) {
    guard let end = ends[side][key] else { return }
    pair.engines[side].finish(key)
    ends[side][key]?.hasEndedSending = true
    ends[side][key]?.hasFinished = true
    models[end.stream].directions[outgoing(side, end)].isFinished = true
  }

  private mutating func reset(_ side: Side) {
    guard let key = randomEnd(side), let end = ends[side][key] else { return }
    pair.engines[side].reset(key, code: .cancelled)
    ends[side][key]?.hasEndedSending = true
    breakDirection(end.stream, outgoing(side, end))
    if !pair.engines[side].hasReachedWire(key) {
      // The peer will never hear of it, so nothing comes from there either.
      vanish(end.stream)
      ends[side][key]?.hasEndedReceiving = true
    }
  }

  private mutating func stop(_ side: Side) {
    guard let key = randomEnd(side), let end = ends[side][key] else { return }
    pair.engines[side].stop(key, code: .notNeeded)
    if models[end.stream].opener == side { models[end.stream].wasLetGo = true }
    ends[side][key]?.hasEndedReceiving = true
    breakDirection(end.stream, 1 - outgoing(side, end))
  }

  private mutating func release(_ side: Side) {
    guard let key = randomEnd(side) else { return }
    release(side, key)
  }

  private mutating func release(_ side: Side, _ key: StreamKey) {
    guard let end = ends[side][key], !end.isReleased else { return }
    let hadReachedWire = pair.engines[side].hasReachedWire(key)
    if !hadReachedWire { vanish(end.stream) }
    if !end.hasFinished { breakDirection(end.stream, outgoing(side, end)) }
    if !end.hasEndedReceiving {
      breakDirection(end.stream, 1 - outgoing(side, end))
      if models[end.stream].opener == side { models[end.stream].wasLetGo = true }
    }
    pair.engines[side].release(key)
    ends[side][key]?.isReleased = true
  }

  private mutating func consume(_ side: Side) {
    guard let key = randomEnd(side), let end = ends[side][key], end.unconsumed > 0 else { return }
    // Either the bytes are done with, or they are held in a message that is not complete.
    let count = Int.random(in: 1...end.unconsumed, using: &generator)
    if Int.random(in: 0..<3, using: &generator) == 0, end.unconsumed > end.absorbed {
      let more = Int.random(in: 1...(end.unconsumed - end.absorbed), using: &generator)
      pair.engines[side].absorb(more, of: key)
      ends[side][key]?.absorbed += more
    } else {
      consume(side, key, count)
    }
  }

  private mutating func consume(_ side: Side, _ key: StreamKey, _ count: Int) {
    pair.engines[side].assembled(key)
    pair.engines[side].consume(count, of: key)
    ends[side][key]?.unconsumed -= count
    ends[side][key]?.absorbed = 0
  }

  private mutating func breakDirection(_ stream: Int, _ direction: Int) {
    models[stream].directions[direction].isBroken = true
  }

  private mutating func vanish(_ stream: Int) {
    models[stream].isRejected = true
    breakDirection(stream, 0)
    breakDirection(stream, 1)
  }

  // MARK: Events

  private mutating func settle() {
    for side in Side.allCases {
      for event in pair.take(side) { handle(event, side) }
      checkMemory(side)
    }
  }

  private mutating func handle(_ event: MuxEvent, _ side: Side) {
    switch event {
    case .opened(let key, let opening):
      let stream = Int(opening.group)
      guard stream < models.count, models[stream].opening == opening, models[stream].opener == side.other
      else {
        problems.append("an opening that nobody made: \(opening)")
        return
      }
      models[stream].hasArrived = true
      ends[side][key] = End(stream: stream, key: key)
    case .data(let key, let bytes):
      guard let end = ends[side][key] else { return problems.append("data for nobody") }
      if end.isReleased || end.hasEndedReceiving { problems.append("data behind stop or release") }
      if let problem = models[end.stream].directions[1 - outgoing(side, end)].deliver(bytes) {
        problems.append("stream \(end.stream): \(problem)")
      }
      ends[side][key]?.unconsumed += bytes.readableBytes
    case .finished(let key):
      guard let end = ends[side][key] else { return problems.append("finish for nobody") }
      let direction = models[end.stream].directions[1 - outgoing(side, end)]
      if direction.delivered != direction.written || !direction.isFinished {
        problems.append("stream \(end.stream) finished at \(direction.delivered) of \(direction.written)")
      }
      models[end.stream].directions[1 - outgoing(side, end)].hasArrivedFinish = true
      ends[side][key]?.hasEndedReceiving = true
    case .reset(let key, _):
      guard let end = ends[side][key] else { return problems.append("reset for nobody") }
      if !models[end.stream].directions[1 - outgoing(side, end)].isBroken {
        problems.append("stream \(end.stream): a reset that nobody asked for")
      }
      models[end.stream].directions[1 - outgoing(side, end)].hasArrivedReset = true
      ends[side][key]?.hasEndedReceiving = true
    case .stopped(let key, _):
      guard let end = ends[side][key] else { return problems.append("stop for nobody") }
      breakDirection(end.stream, outgoing(side, end))
      ends[side][key]?.hasEndedSending = true
    case .rejected(let key, _):
      guard let end = ends[side][key] else { return problems.append("rejection for nobody") }
      vanish(end.stream)
      release(side, key)
    case .writable, .pong:
      break
    case .proofNeeded, .proofReceived, .peerAuthenticated, .established, .refused, .draining, .ending,
      .shouldCloseOutput, .closed:
      problems.append("unexpected \(summary(event))")
    }
  }

  /// What a side holds must stay within what it promised.
  private mutating func checkMemory(_ side: Side) {
    let figures = pair.engines[side].figures
    let held = ends[side].values.filter { !$0.isReleased }.reduce(0) { $0 + $1.unconsumed }
    let limits = pair.options.configuration[side].limits
    let elections = figures.streams.election * limits.initialWindow
    if held > limits.receiveBudget + elections + limits.assemblyBudget {
      problems.append("too much held: \(held)")
    }
    if figures.reservedWindows > limits.receiveBudget { problems.append("more promised than there is") }
  }

  // MARK: Quiescence

  /// Lets everything come to its end: consumers read all, writers finish. Then nothing may be left over.
  mutating func quiesce() {
    pair.blocked = []
    for _ in 0..<2_000 {
      var isBusy = false
      for side in Side.allCases {
        for key in sortedKeys(side) {
          guard let end = ends[side][key], !end.isReleased else { continue }
          isBusy = true
          if end.unconsumed > 0 { consume(side, key, end.unconsumed) }
          if !end.hasEndedSending { finish(side, key) }
        }
      }
      pair.run()
      settle()
      for side in Side.allCases {
        for key in sortedKeys(side) {
          guard let end = ends[side][key], !end.isReleased, end.unconsumed == 0 else { continue }
          let hasSent = pair.engines[side].queuedBytes(key) == 0
          if end.hasEndedReceiving && end.hasEndedSending && hasSent { release(side, key) }
        }
      }
      if !isBusy { break }
    }
    pair.run()
    settle()
    check()
  }

  private func sortedKeys(_ side: Side) -> [StreamKey] {
    ends[side].keys.sorted { ($0.slot, $0.generation) < ($1.slot, $1.generation) }
  }

  private mutating func check() {
    for side in Side.allCases {
      let figures = pair.engines[side].figures
      if pair.engines[side].phase != .running { problems.append("\(side) is \(pair.engines[side].phase)") }
      if figures.streams.total != 0 { problems.append("\(side) keeps \(figures.streams) streams") }
      if figures.assembling != 0 {
        problems.append("\(side) assembles \(figures.assembling) bytes of nothing")
      }
      if figures.reservedWindows != 0 { problems.append("\(side) reserves \(figures.reservedWindows) bytes") }
      if figures.pendingOpens != 0 { problems.append("\(side) has \(figures.pendingOpens) opens left") }
      if pair.engines[side].hasTransmission { problems.append("\(side) has something to send") }
    }
    for (index, model) in models.enumerated() where !model.isRejected {
      if model.wasLetGo && !model.hasArrived { continue }
      for direction in model.directions where !direction.isBroken {
        if !direction.hasArrivedFinish || direction.delivered != direction.written {
          problems.append("stream \(index): \(direction.delivered) of \(direction.written) arrived")
        }
      }
    }
  }
}
