import DequeModule
import NIOCore

@testable import StreamMux

/// One direction of a TCP connection over a wide-area path: a sender with a send buffer and a congestion window, a
/// bottleneck with a rate and a drop-tail queue, a delay, losses, and acknowledgements that come back after the same
/// delay.
///
/// It makes the figures that a system would tell about such a socket. Its way back carries acknowledgements only and
/// has no queue. Order is kept on the path, so what was sent before an acknowledged packet and is not acknowledged
/// itself is lost.
struct SimulatedPath {
  struct Shape {
    /// Bytes per second.
    var rate = 12_500_000
    /// One way.
    var delay = TimeAmount.milliseconds(40)
    /// Bytes that the bottleneck's queue holds.
    var queue = 1_000_000
    /// Packets lost of a million, apart from those that the queue drops.
    var lossPerMillion = 0
    /// Delay that is added, different from packet to packet, without changing their order.
    var jitter = TimeAmount.zero
    var congestion = CongestionModel.Kind.cubic
    /// The socket's send buffer: bytes unsent and unacknowledged together.
    var sendBuffer = 4 << 20
    /// The system takes no more while so much is unsent, as with `TCP_NOTSENT_LOWAT`.
    var unsentLowWater = 128 * 1_024
    /// Bytes of one packet. Larger ones than a real path's make a simulation of a fast path quicker.
    var segment = 1_448
  }

  struct Packet {
    let index: UInt64
    let position: UInt64
    let length: Int
    let sent: NIODeadline
    let isRepeated: Bool
    /// What had been delivered when the packet was sent, and when that was.
    let delivered: UInt64
    let deliveredAt: NIODeadline
    /// The sender had no more to send then.
    let isApplicationLimited: Bool
  }

  private struct Arrival {
    let packet: Packet
    let time: NIODeadline
  }

  private struct Acknowledgement {
    let packet: Packet
    let upTo: UInt64
    let time: NIODeadline
  }

  /// May be changed while the simulation runs: rate, delay, queue, losses.
  var shape: Shape
  private var generator: SplitMix64
  private var congestion: CongestionModel

  // The sender.
  /// Written and not yet delivered in order.
  private var payload: Deque<ByteBuffer> = []
  private var written: UInt64 = 0
  private var nextToSend: UInt64 = 0
  private var nextIndex: UInt64 = 0
  private var underWay: Deque<Packet> = []
  private var bytesUnderWay = 0
  private var lost: Deque<(position: UInt64, length: Int)> = []
  private var mayNotWrite = false
  private var lastProgress: NIODeadline
  private var nextRelease: NIODeadline
  private(set) var acknowledged: UInt64 = 0
  private(set) var delivered: UInt64 = 0
  private var deliveredAt: NIODeadline
  private(set) var smoothedRoundTrip: TimeAmount
  private var variation: TimeAmount
  private(set) var minimumRoundTrip: TimeAmount
  private(set) var retransmissions = 0

  // The path.
  private var busyUntil: NIODeadline
  private var lastArrival: NIODeadline
  private var arrivals: Deque<Arrival> = []
  private var acknowledgements: Deque<Acknowledgement> = []
  private(set) var droppedByQueue = 0
  private(set) var longestQueue = TimeAmount.zero

  // The receiver.
  private var received: UInt64 = 0
  private var outOfOrder: [UInt64: Int] = [:]

  init(shape: Shape, seed: UInt64, now: NIODeadline) {
    self.shape = shape
    generator = SplitMix64(seed: seed)
    congestion = CongestionModel(shape.congestion, segment: shape.segment, now: now)
    let roundTrip = shape.delay + shape.delay
    smoothedRoundTrip = roundTrip
    minimumRoundTrip = roundTrip
    variation = .nanoseconds(roundTrip.nanoseconds / 8)
    lastProgress = now
    nextRelease = now
    deliveredAt = now
    busyUntil = now
    lastArrival = now
  }

  // MARK: The socket

  private var unsent: Int { Int(written - nextToSend) }
  private var buffered: Int { Int(written - acknowledged) }

  /// Bytes that the socket takes now. As with a real one, what is taken at once may go beyond the low-water mark, and
  /// a socket that took no more takes more only once half of the mark has been sent.
  var capacity: Int {
    mayNotWrite ? 0 : max(0, shape.sendBuffer - buffered)
  }

  mutating func write(_ bytes: ByteBuffer, now: NIODeadline) {
    payload.append(bytes)
    written += UInt64(bytes.readableBytes)
    mayNotWrite = unsent >= shape.unsentLowWater || buffered >= shape.sendBuffer
    transmit(now: now)
    reviewCapacity()
  }

  private mutating func reviewCapacity() {
    guard mayNotWrite else { return }
    mayNotWrite = unsent * 2 >= shape.unsentLowWater || buffered * 3 >= shape.sendBuffer * 2
  }

  /// What the system would tell of the socket.
  var figures: SocketFigures {
    SocketFigures(
      acknowledged: delivered, unacknowledged: Int(nextToSend - delivered), unsent: unsent,
      roundTrip: smoothedRoundTrip, roundTripVariation: variation, minimumRoundTrip: minimumRoundTrip,
      slowStartWindow: congestion.slowStartWindow)
  }

  var congestionWindow: Int { congestion.window }

  // MARK: Time

  /// When something happens next.
  var nextEvent: NIODeadline? {
    var next = [arrivals.first?.time, acknowledgements.first?.time].compactMap { $0 }.min()
    if !underWay.isEmpty { next = min(next ?? timeout, timeout) }
    if hasToSend, congestion.isPaced, bytesUnderWay < congestion.window {
      next = min(next ?? nextRelease, nextRelease)
    }
    return next
  }

  private var timeout: NIODeadline {
    lastProgress + smoothedRoundTrip + .nanoseconds(4 * variation.nanoseconds) + .milliseconds(200)
  }

  /// Lets everything happen that is due. What has arrived in order is returned.
  mutating func advance(to now: NIODeadline) -> [ByteBuffer] {
    var output: [ByteBuffer] = []
    while true {
      let arrival = arrivals.first?.time
      let acknowledgement = acknowledgements.first?.time
      if let arrival, arrival <= now, arrival <= acknowledgement ?? arrival {
        receive(arrivals.removeFirst(), into: &output)
      } else if let acknowledgement, acknowledgement <= now {
        let first = acknowledgements.removeFirst()
        take(first)
        transmit(now: acknowledgement)
      } else {
        break
      }
    }
    if !underWay.isEmpty, timeout <= now { retransmitAll(now: now) }
    transmit(now: now)
    reviewCapacity()
    return output
  }

  // MARK: The sender

  private var hasToSend: Bool { !lost.isEmpty || unsent > 0 }

  private mutating func transmit(now: NIODeadline) {
    while hasToSend {
      guard bytesUnderWay < congestion.window else {
        congestion.isLimiting = true
        return
      }
      if congestion.isPaced, nextRelease > now { return }
      let (position, length, isRepeated): (UInt64, Int, Bool)
      if let first = lost.popFirst() {
        (position, length, isRepeated) = (first.position, first.length, true)
        retransmissions += 1
      } else {
        (position, length, isRepeated) = (nextToSend, min(unsent, shape.segment), false)
        nextToSend += UInt64(length)
      }
      if bytesUnderWay == 0 {
        lastProgress = now
        deliveredAt = now
      }
      let packet = Packet(
        index: nextIndex, position: position, length: length, sent: now, isRepeated: isRepeated,
        delivered: delivered, deliveredAt: deliveredAt,
        isApplicationLimited: lost.isEmpty && unsent < shape.segment)
      nextIndex += 1
      underWay.append(packet)
      bytesUnderWay += length
      if congestion.isPaced {
        let pause = TimeAmount.nanoseconds(Int64(Double(length) / congestion.pacingRate * 1e9))
        nextRelease = max(nextRelease, now - .milliseconds(1)) + pause
      }
      put(packet, now: now)
    }
  }

  private mutating func put(_ packet: Packet, now: NIODeadline) {
    let isLost = shape.lossPerMillion > 0 && Int(generator.next() % 1_000_000) < shape.lossPerMillion
    busyUntil = max(busyUntil, now)
    let wait = busyUntil - now
    longestQueue = max(longestQueue, wait)
    if Double(wait.nanoseconds) / 1e9 * Double(shape.rate) > Double(shape.queue) {
      droppedByQueue += 1
      return
    }
    busyUntil = busyUntil + .nanoseconds(Int64(Double(packet.length + 52) / Double(shape.rate) * 1e9))
    if isLost { return }
    var arrival = busyUntil + shape.delay
    if shape.jitter > .zero {
      arrival = arrival + .nanoseconds(Int64(generator.next() % UInt64(shape.jitter.nanoseconds)))
    }
    lastArrival = max(lastArrival, arrival)
    arrivals.append(Arrival(packet: packet, time: lastArrival))
  }

  private mutating func take(_ acknowledgement: Acknowledgement) {
    let (packet, now) = (acknowledgement.packet, acknowledgement.time)
    acknowledged = max(acknowledged, acknowledgement.upTo)
    while let first = underWay.first, first.index < packet.index {
      underWay.removeFirst()
      bytesUnderWay -= first.length
      lost.append((first.position, first.length))
      congestion.lost(first, nextIndex: nextIndex, underWay: bytesUnderWay, now: now)
    }
    guard let first = underWay.first, first.index == packet.index else { return }
    underWay.removeFirst()
    bytesUnderWay -= packet.length
    delivered += UInt64(packet.length)
    deliveredAt = now
    lastProgress = now
    let roundTrip = now - packet.sent
    if !packet.isRepeated {
      minimumRoundTrip = min(minimumRoundTrip, roundTrip)
      let error = roundTrip.nanoseconds - smoothedRoundTrip.nanoseconds
      smoothedRoundTrip = .nanoseconds(smoothedRoundTrip.nanoseconds + error / 8)
      variation = .nanoseconds(variation.nanoseconds + (abs(error) - variation.nanoseconds) / 4)
    }
    let elapsed = Double((now - packet.deliveredAt).nanoseconds) / 1e9
    congestion.acknowledged(
      packet, roundTrip: roundTrip, least: minimumRoundTrip,
      rate: elapsed > 0 ? Double(delivered - packet.delivered) / elapsed : 0, delivered: delivered,
      underWay: bytesUnderWay, now: now)
  }

  private mutating func retransmitAll(now: NIODeadline) {
    while let first = underWay.popFirst() { lost.append((first.position, first.length)) }
    bytesUnderWay = 0
    lastProgress = now
    congestion.timedOut(nextIndex: nextIndex, now: now)
  }

  // MARK: The receiver

  private mutating func receive(_ arrival: Arrival, into output: inout [ByteBuffer]) {
    let packet = arrival.packet
    if packet.position == received {
      var end = received + UInt64(packet.length)
      while let length = outOfOrder.removeValue(forKey: end) { end += UInt64(length) }
      deliver(Int(end - received), into: &output)
      received = end
    } else if packet.position > received {
      outOfOrder[packet.position] = packet.length
    }
    acknowledgements.append(
      Acknowledgement(packet: packet, upTo: received, time: arrival.time + shape.delay))
  }

  private mutating func deliver(_ count: Int, into output: inout [ByteBuffer]) {
    var remaining = count
    while remaining > 0, !payload.isEmpty {
      if payload[0].readableBytes <= remaining {
        let whole = payload.removeFirst()
        remaining -= whole.readableBytes
        output.append(whole)
      } else if let slice = payload[0].readSlice(length: remaining) {
        output.append(slice)
        remaining = 0
      }
    }
  }
}
