internal import DequeModule
internal import NIOCore
internal import StreamMux

/// What one direction of the path between two machines is like.
struct PathConditions: Sendable {
  /// The one-way delay, in nanoseconds.
  var delay: Int64
  /// How much longer a packet may take, in nanoseconds; connections overtake each other by it.
  var jitter: Int64
  /// Bytes per second.
  var rate: Int64
  /// Whether nothing gets through. What was sent comes when that is over, as TCP repeats it.
  var isBlocked = false
}

/// One direction of one TCP connection: bytes arrive in order, after a while, and each arrival makes room for more.
final class SimulatedDirection {
  /// Bytes that the sender's kernel and the path hold.
  static let capacity = 128 * 1_024

  private enum Segment {
    case bytes(ByteBuffer)
    case end
    case reset
  }

  private unowned let network: SimulatedNetwork
  let source: SimulatedMachine
  let destination: SimulatedMachine
  /// `nil` once its machine has died.
  var sender: SimulatedSocket?
  var receiver: SimulatedSocket?
  /// Whether nothing of this connection gets through any more, in this direction.
  var isCut = false
  private var segments = Deque<(arrival: Int64, Segment)>()
  private var lineFreeAt: Int64 = 0
  private var lastArrival: Int64 = 0
  private var inFlight = 0
  /// Arrived, and the sender has not heard of it since the way back is blocked.
  private var unacknowledged = 0
  private var hasEnded = false
  /// The other direction of the same connection.
  weak var back: SimulatedDirection?
  private(set) var byteCount: UInt64 = 0
  /// Flips a bit of what comes at or behind this place of the direction, once.
  var corruption: UInt64?

  init(network: SimulatedNetwork, from source: SimulatedMachine, to destination: SimulatedMachine) {
    self.network = network
    self.source = source
    self.destination = destination
  }

  var room: Int { Self.capacity - inFlight }
  /// Whether nothing is under way.
  var isIdle: Bool { segments.isEmpty }

  private var conditions: PathConditions { network.conditions(from: source, to: destination) }
  private var isBlocked: Bool { isCut || conditions.isBlocked }

  func send(_ bytes: ByteBuffer) {
    var rest = bytes
    while rest.readableBytes > 0 {
      let length = min(rest.readableBytes, network.random.next(in: 1...network.largestSegment))
      guard let piece = rest.readSlice(length: length) else { return }
      inFlight += length
      put(.bytes(piece), length: length)
    }
  }

  func sendEnd() {
    guard !hasEnded else { return }
    hasEnded = true
    put(.end, length: 0)
  }

  /// Says that there is no such connection; what is under way is lost.
  func sendReset() {
    hasEnded = true
    segments = []
    put(.reset, length: 0)
  }

  private func put(_ segment: Segment, length: Int) {
    let conditions = conditions
    let now = network.time.now
    lineFreeAt = max(lineFreeAt, now) + Int64(length) * 1_000_000_000 / max(conditions.rate, 1)
    let jitter = conditions.jitter > 0 ? network.random.next(in: 0...conditions.jitter) : 0
    lastArrival = max(lastArrival, lineFreeAt + conditions.delay + jitter)
    segments.append((lastArrival, segment))
    destination.loop.at(lastArrival) { self.deliverDue() }
  }

  /// Delivers what has arrived; also when a block is over.
  func deliverDue() {
    guard !isBlocked else { return }
    while let first = segments.first, first.arrival <= network.time.now {
      segments.removeFirst()
      switch first.1 {
      case .bytes(let bytes): deliver(bytes)
      case .end: receiver?.deliverEnd()
      case .reset: receiver?.deliverReset()
      }
    }
  }

  private func deliver(_ bytes: ByteBuffer) {
    guard let receiver, receiver.isOpen else {
      // A machine that is up says that it does not know the connection.
      if network.answers(at: destination) { back?.sendReset() }
      return
    }
    let begin = byteCount
    byteCount += UInt64(bytes.readableBytes)
    var bytes = bytes
    if let place = corruption, place < byteCount {
      corruption = nil
      let index = bytes.readerIndex + Int(place > begin ? place - begin : 0)
      if let byte: UInt8 = bytes.getInteger(at: index) {
        bytes.setInteger(byte ^ UInt8(1 << network.random.next(in: 0...7)), at: index)
        network.trace.note { "the network flips a bit from \(source.name) to \(destination.name)" }
      }
    }
    unacknowledged += bytes.readableBytes
    acknowledge()
    receiver.deliver(bytes)
  }

  /// Tells the sender what has arrived, if the way back is open.
  func acknowledge() {
    let count = unacknowledged
    guard count > 0, let back, !back.isBlocked else { return }
    unacknowledged = 0
    let conditions = back.conditions
    source.loop.at(network.time.now + conditions.delay) {
      self.inFlight -= count
      self.sender?.pump()
    }
  }
}
