import DequeModule
import NIOCore

@testable import StreamMux

/// Two engines at the ends of a simulated TCP connection, with a virtual clock: what a driver, a socket and a path do,
/// without any of them.
///
/// The dialler sends bulk and votes, the acceptor consumes what comes at once, or as fast as it is told to, and answers
/// votes. The same seed gives the same run.
final class EnginesOnPath {
  /// What the engines are told about their sockets.
  enum Knowledge: String, Sendable {
    case figures
    /// The system does not tell: PINGs have to do.
    case none
    /// Nobody asks, and nothing is held back.
    case unasked
  }

  struct Options {
    var there = SimulatedPath.Shape()
    /// The way back; nil: as the way there.
    var back: SimulatedPath.Shape?
    var configuration = MuxConfiguration.defaults
    var knowledge = Knowledge.figures
    /// Bytes per second that the acceptor's consumer takes; nil: all that comes.
    var consumer: Int?
  }

  final class End {
    var engine: MuxConnection
    /// The way from this end to the other.
    var path: SimulatedPath
    let knowledge: Knowledge
    var burst = 128 * 1_024
    fileprivate(set) var samples = 0
    fileprivate(set) var wakeUps = 0

    init(engine: consuming MuxConnection, path: SimulatedPath, knowledge: Knowledge) {
      self.engine = engine
      self.path = path
      self.knowledge = knowledge
    }
  }

  static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  let dialler: End
  let acceptor: End
  let options: Options
  private(set) var now = EnginesOnPath.start
  /// Bytes of bulk that were consumed, by class.
  private(set) var consumed: [TrafficClass: Int] = [:]
  private(set) var consumedOf: [StreamKey: Int] = [:]
  /// Round trips of votes, with the time at which they were asked.
  private(set) var votes: [(asked: NIODeadline, roundTrip: TimeAmount)] = []

  private var bulk: [StreamKey] = []
  private var asked: [StreamKey: NIODeadline] = [:]
  private var opened: [StreamKey: TrafficClass] = [:]
  private var waiting: Deque<(StreamKey, Int)> = []
  private var consumerIsFree = EnginesOnPath.start
  private let chunk = ByteBuffer(repeating: 7, count: 256 * 1_024)
  /// Bytes of bulk that may still be written, or nil for no end.
  var supply: Int?

  init(_ options: Options, seed: UInt64) throws {
    self.options = options
    var generator = SplitMix64(seed: seed)
    var pairOptions = PairOfEngines.Options()
    pairOptions.configuration = .init(options.configuration)
    func end(_ side: PairOfEngines.Side, _ shape: SimulatedPath.Shape) throws -> End {
      let hello = try PairOfEngines.makeHello(side, pairOptions, using: &generator)
      let engine = MuxConnection(
        role: side.role, hello: hello, expectedServerID: nil, configuration: options.configuration,
        seed: generator.next(), now: Self.start)
      return End(
        engine: engine, path: SimulatedPath(shape: shape, seed: generator.next(), now: Self.start),
        knowledge: options.knowledge)
    }
    dialler = try end(.dialler, options.there)
    acceptor = try end(.acceptor, options.back ?? options.there)
    settle()
    pass(options.there.delay + options.there.delay + options.there.delay)
    pass(options.there.delay + options.there.delay + options.there.delay)
    precondition(dialler.engine.phase == .running && acceptor.engine.phase == .running)
  }

  // MARK: What the owner does

  /// Opens a stream on which bulk is sent from now on.
  @discardableResult
  func startBulk(_ trafficClass: TrafficClass) throws -> StreamKey {
    let key = try dialler.engine.open(StreamOpening(trafficClass: trafficClass), now: now)
    bulk.append(key)
    settle()
    return key
  }

  func endBulk(_ key: StreamKey) {
    bulk.removeAll { $0 == key }
    dialler.engine.finish(key)
    settle()
  }

  /// Asks for a vote: 64 bytes, answered by 16.
  func vote() throws {
    let key = try dialler.engine.open(StreamOpening(trafficClass: .election), now: now)
    asked[key] = now
    dialler.engine.write(ByteBuffer(repeating: 1, count: 64), to: key)
    dialler.engine.finish(key)
    settle()
  }

  // MARK: Time

  func pass(_ amount: TimeAmount) {
    let end = now + amount
    while let next = nextEvent, next <= end {
      now = max(now, next)
      settle()
    }
    now = end
    settle()
  }

  private var nextEvent: NIODeadline? {
    var next = [dialler.path.nextEvent, acceptor.path.nextEvent].compactMap { $0 }.min()
    for end in [dialler, acceptor] {
      if let deadline = end.engine.nextDeadline { next = min(next ?? deadline, deadline) }
    }
    if let first = waiting.first, first.1 > 0, options.consumer != nil {
      next = min(next ?? consumerIsFree, consumerIsFree)
    }
    // What is due was tried already: time has to go on.
    return next.map { max($0, now + .nanoseconds(1)) }
  }

  /// Everything that happens at this moment.
  private func settle() {
    for end in [dialler, acceptor] {
      if let deadline = end.engine.nextDeadline, deadline <= now {
        end.wakeUps += 1
        end.engine.handleTimeout(now: now)
      }
    }
    consume()
    for _ in 0..<1_000 {
      var hasMoved = move(from: dialler, to: acceptor)
      hasMoved = move(from: acceptor, to: dialler) || hasMoved
      if !hasMoved { break }
    }
  }

  private func move(from sender: End, to receiver: End) -> Bool {
    var hasMoved = false
    for bytes in sender.path.advance(to: now) {
      receiver.engine.receive(bytes, now: now)
      hasMoved = true
    }
    takeEvents(receiver)
    feed(sender)
    return transmit(sender) || hasMoved
  }

  private func feed(_ end: End) {
    guard end === dialler else { return }
    for key in bulk {
      while dialler.engine.queuedBytes(key) < 1 << 20, supply ?? 1 > 0 {
        let count = min(chunk.readableBytes, supply ?? .max)
        guard let piece = chunk.getSlice(at: 0, length: count) else { return }
        supply = supply.map { $0 - count }
        dialler.engine.write(piece, to: key)
      }
    }
  }

  private func transmit(_ end: End) -> Bool {
    if end.knowledge != .unasked, end.engine.wantsFigures(now: now) {
      end.samples += 1
      end.engine.take(end.knowledge == .figures ? end.path.figures : nil, now: now)
    }
    end.burst = end.engine.burst
    end.path.shape.unsentLowWater = end.burst
    var hasMoved = false
    while end.path.capacity > 0,
      let bytes = end.engine.nextTransmission(limit: min(65_536, end.burst), now: now)
    {
      end.path.write(bytes, now: now)
      hasMoved = true
    }
    takeEvents(end)
    return hasMoved
  }

  private func takeEvents(_ end: End) {
    while let event = end.engine.nextEvent() {
      switch event {
      case .peerAuthenticated:
        end.engine.accept(grantsRoute: true, now: now)
      case .opened(let key, let opening):
        if end === acceptor { opened[key] = opening.trafficClass }
      case .data(let key, let bytes):
        if end === acceptor, opened[key] != .election {
          waiting.append((key, bytes.readableBytes))
          consume()
        } else {
          end.engine.consume(bytes.readableBytes, of: key)
        }
      case .finished(let key):
        finished(key, at: end)
      default:
        break
      }
    }
  }

  private func finished(_ key: StreamKey, at end: End) {
    if end === acceptor {
      end.engine.write(ByteBuffer(repeating: 2, count: 16), to: key)
      end.engine.finish(key)
    } else if let time = asked.removeValue(forKey: key) {
      votes.append((time, now - time))
    }
    end.engine.release(key)
  }

  private func consume() {
    while let (key, count) = waiting.first {
      if let consumer = options.consumer {
        guard consumerIsFree <= now else { return }
        consumerIsFree =
          max(consumerIsFree, now)
          + .nanoseconds(Int64(Double(count) / Double(max(consumer, 1)) * 1e9))
      }
      waiting.removeFirst()
      consumed[opened[key] ?? .snapshot, default: 0] += count
      consumedOf[key, default: 0] += count
      acceptor.engine.consume(count, of: key)
    }
  }
}
