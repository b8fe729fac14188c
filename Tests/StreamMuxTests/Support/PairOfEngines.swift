import DequeModule
import NIOCore

@testable import StreamMux

/// Two connections, a simulated path between them and a virtual clock.
///
/// Nothing happens by itself: `run` moves bytes and time until nothing moves any more, or until a limit.
/// The same seed gives the same run.
struct PairOfEngines {
  enum Side: CaseIterable, Sendable {
    case dialler
    case acceptor

    var other: Side { self == .dialler ? .acceptor : .dialler }
    var role: Role { self == .dialler ? .dialler : .acceptor }
  }

  struct Options {
    var configuration = PairOfEngines.Sided(MuxConfiguration.defaults)
    var features: Features = []
    var link = SimulatedLink.Shape()
    var methods: AuthenticationMethods = .none
    var expectedServerID: String?
    /// Accept the peer as soon as it is authenticated.
    var acceptsAtOnce = true
    /// What one call of `nextTransmission` is allowed.
    var transmissionLimit = 64 * 1_024
  }

  /// A value for each side.
  struct Sided<Value> {
    var dialler: Value
    var acceptor: Value

    init(_ value: Value) {
      dialler = value
      acceptor = value
    }

    init(dialler: Value, acceptor: Value) {
      self.dialler = dialler
      self.acceptor = acceptor
    }

    subscript(side: Side) -> Value {
      get { side == .dialler ? dialler : acceptor }
      set { if side == .dialler { dialler = newValue } else { acceptor = newValue } }
    }
  }

  static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  let options: Options
  var engines: Sided<MuxConnection>
  /// The path away from each side.
  var links: Sided<SimulatedLink>
  var now = Self.start
  var generator: SplitMix64
  /// Events that a test has not taken yet.
  var events = Sided<Deque<MuxEvent>>([])
  /// All bytes that each side ever sent.
  var sent = Sided(ByteBuffer())
  var recordsBytes = false
  /// Sides whose socket takes nothing.
  var blocked: Set<Side> = []
  /// Sides whose owner consumes bytes in the moment when they arrive; their events are not kept.
  var consumers: Set<Side> = []
  /// A digest of everything that happened, if asked for: equal for equal runs.
  var trace: Trace?

  init(_ options: Options = Options(), seed: UInt64 = 1) throws {
    self.options = options
    var generator = SplitMix64(seed: seed)
    engines = Sided(
      dialler: try Self.makeEngine(.dialler, options, using: &generator),
      acceptor: try Self.makeEngine(.acceptor, options, using: &generator))
    links = Sided(SimulatedLink(shape: options.link, now: Self.start))
    self.generator = generator
  }

  /// A pair behind the handshake, with its events taken.
  static func established(
    _ options: Options = Options(), seed: UInt64 = 1, recordsBytes: Bool = false
  ) throws -> PairOfEngines {
    var pair = try PairOfEngines(options, seed: seed)
    pair.recordsBytes = recordsBytes
    pair.run()
    precondition(pair.engines.dialler.phase == .running && pair.engines.acceptor.phase == .running)
    pair.events = Sided([])
    return pair
  }

  static func makeHello(
    _ side: Side, _ options: Options, using generator: inout SplitMix64
  ) throws -> Hello {
    let limits = options.configuration[side].limits
    return try Hello(
      features: options.features, methods: options.methods,
      maximumFramePayload: UInt32(limits.maximumFramePayload), initialWindow: UInt32(limits.initialWindow),
      streamCredit: limits.streamCredit, incarnation: 1, nonce: .random(using: &generator),
      clusterID: "cluster", serverID: side == .dialler ? "a" : "b",
      targetServerID: side == .dialler ? "b" : "")
  }

  private static func makeEngine(
    _ side: Side, _ options: Options, using generator: inout SplitMix64
  ) throws -> MuxConnection {
    MuxConnection(
      role: side.role, hello: try makeHello(side, options, using: &generator),
      expectedServerID: side == .dialler ? options.expectedServerID : nil,
      configuration: options.configuration[side], seed: generator.next(), now: start)
  }

  // MARK: Moving

  /// Moves bytes and time until both sides are at rest or `limit` has passed. Timeouts that only serve
  /// liveness do not count as unrest.
  mutating func run(for limit: TimeAmount = .seconds(60)) {
    let end = now + limit
    repeat {
      while moveBytes() {}
    } while advance(until: end)
  }

  /// Lets time pass, with timeouts, whatever happens.
  mutating func pass(_ amount: TimeAmount) {
    let end = now + amount
    while true {
      while moveBytes() {}
      let next = [nextArrival, engines.dialler.nextDeadline, engines.acceptor.nextDeadline]
        .compactMap { $0 }.min()
      guard let next, next <= end else { break }
      now = max(now, next)
      for side in Side.allCases {
        if let deadline = engines[side].nextDeadline, deadline <= now {
          engines[side].handleTimeout(now: now)
        }
      }
    }
    now = end
    while moveBytes() {}
  }

  private var nextArrival: NIODeadline? {
    [links.dialler.nextArrival, links.acceptor.nextArrival].compactMap { $0 }.min()
  }

  /// Goes to the next arrival. False: nothing is on the way, or it comes too late.
  private mutating func advance(until end: NIODeadline) -> Bool {
    guard let next = nextArrival, next <= end else { return false }
    now = max(now, next)
    return true
  }

  /// Everything that happens without time passing. True if anything did.
  private mutating func moveBytes() -> Bool {
    var hasMoved = false
    for side in Side.allCases {
      while let bytes = links[side.other].receive(now: now) {
        engines[side].receive(bytes, now: now)
        takeEvents(side)
        hasMoved = true
      }
      if links[side.other].receiveEnd(now: now) {
        engines[side].receiveEndOfInput(now: now)
        hasMoved = true
      }
      takeEvents(side)
      hasMoved = transmit(side) || hasMoved
      takeEvents(side)
    }
    return hasMoved
  }

  private mutating func transmit(_ side: Side) -> Bool {
    var hasMoved = false
    while !blocked.contains(side), links[side].capacity > 0 {
      let limit = min(options.transmissionLimit, links[side].capacity)
      guard let bytes = engines[side].nextTransmission(limit: limit, now: now) else { break }
      trace?.add(side, bytes, now)
      if recordsBytes { sent[side].writeImmutableBuffer(bytes) }
      links[side].send(bytes, now: now, using: &generator)
      hasMoved = true
    }
    return hasMoved
  }

  private mutating func takeEvents(_ side: Side) {
    while let event = engines[side].nextEvent() {
      trace?.add(side, event)
      switch event {
      case .peerAuthenticated where options.acceptsAtOnce:
        engines[side].accept(grantsRoute: true, now: now)
      case .data(let key, let bytes) where consumers.contains(side):
        engines[side].consume(bytes.readableBytes, of: key)
      case .shouldCloseOutput:
        links[side].close(now: now)
        events[side].append(event)
      default:
        events[side].append(event)
      }
    }
  }

  /// Takes the events of a side.
  mutating func take(_ side: Side) -> [MuxEvent] {
    defer { events[side] = [] }
    return Array(events[side])
  }
}

/// A digest of what happened. Not for secrets: FNV-1a, so that it is the same in every process.
struct Trace: Hashable {
  private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ value: UInt64) {
    digest = (digest ^ value) &* 0x100_0000_01B3
  }

  mutating func add(_ side: PairOfEngines.Side, _ bytes: ByteBuffer, _ now: NIODeadline) {
    add(side == .dialler ? 1 : 2)
    add(now.uptimeNanoseconds)
    for byte in bytes.readableBytesView { add(UInt64(byte)) }
  }

  mutating func add(_ side: PairOfEngines.Side, _ event: MuxEvent) {
    add(side == .dialler ? 3 : 4)
    for byte in summary(event).utf8 { add(UInt64(byte)) }
  }
}

/// An event in words, without the bytes that it carries: two that read the same are the same.
func summary(_ event: MuxEvent) -> String {
  switch event {
  case .data(let key, let bytes): "data \(key) \(bytes.readableBytes)"
  case .peerAuthenticated(let hello, let agreement): "peerAuthenticated \(hello.serverID) \(agreement)"
  default: "\(event)"
  }
}
