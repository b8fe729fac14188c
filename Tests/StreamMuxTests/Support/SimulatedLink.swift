import DequeModule
import NIOCore

@testable import StreamMux

/// One direction of a path: bytes arrive in order, after a delay, at a rate, in segments of any size.
///
/// Everything that looks like chance comes from the generator that is handed in.
struct SimulatedLink {
  struct Shape {
    /// Time in flight.
    var delay = TimeAmount.milliseconds(1)
    /// Bytes per second; nil: no limit.
    var rate: Int?
    /// Bytes that the sender may have on the way: a socket buffer. Above it `capacity` is 0.
    var buffer = 256 * 1_024
    /// How many of a thousand segments are lost. A lost one is repeated a round trip later, and what was sent
    /// behind it waits for it, as with TCP.
    var lossPerMille = 0
    /// Sizes of the segments that arrive.
    var segment = 1...65_536
  }

  private struct Segment {
    let bytes: ByteBuffer
    let arrival: NIODeadline
  }

  let shape: Shape
  private var segments: Deque<Segment> = []
  private var inFlight = 0
  private var lastArrival: NIODeadline
  /// When the last byte was put on the wire.
  private var busyUntil: NIODeadline
  /// The sender closed its direction; arrives behind everything else.
  private var closing: NIODeadline?
  private(set) var isClosed = false

  init(shape: Shape, now: NIODeadline) {
    self.shape = shape
    busyUntil = now
    lastArrival = now
  }

  /// Bytes that the socket takes now.
  var capacity: Int { closing == nil && !isClosed ? max(0, shape.buffer - inFlight) : 0 }

  mutating func send(_ bytes: ByteBuffer, now: NIODeadline, using generator: inout some RandomNumberGenerator)
  {
    var bytes = bytes
    while bytes.readableBytes > 0 {
      let size = min(bytes.readableBytes, Int.random(in: shape.segment, using: &generator))
      guard let piece = bytes.readSlice(length: size) else { return }
      busyUntil = max(busyUntil, now)
      if let rate = shape.rate {
        busyUntil = busyUntil + .nanoseconds(Int64(size) * 1_000_000_000 / Int64(rate))
      }
      inFlight += size
      var arrival = busyUntil + shape.delay
      if shape.lossPerMille > 0, Int.random(in: 0..<1_000, using: &generator) < shape.lossPerMille {
        arrival = arrival + shape.delay + shape.delay
      }
      lastArrival = max(lastArrival, arrival)
      segments.append(Segment(bytes: piece, arrival: lastArrival))
    }
  }

  mutating func close(now: NIODeadline) {
    guard closing == nil else { return }
    closing = max(max(busyUntil, now) + shape.delay, lastArrival)
  }

  /// When something arrives next.
  var nextArrival: NIODeadline? { segments.first?.arrival ?? (isClosed ? nil : closing) }

  /// The next segment that has arrived.
  mutating func receive(now: NIODeadline) -> ByteBuffer? {
    guard let first = segments.first, first.arrival <= now else { return nil }
    segments.removeFirst()
    inFlight -= first.bytes.readableBytes
    return first.bytes
  }

  /// True once, when the end of the input has arrived.
  mutating func receiveEnd(now: NIODeadline) -> Bool {
    guard segments.isEmpty, !isClosed, let closing, closing <= now else { return false }
    isClosed = true
    return true
  }
}
