internal import DequeModule
internal import NIOCore

/// Moves the bytes of one direction of a relayed connection. Confined to the link's event loop.
final class LinkDirection {
  /// Beyond so many held bytes the sender feels back-pressure, as on a real path.
  private static let mostHeldBytes = 256 << 10
  /// The largest piece that goes on at once while the rate is limited.
  private static let throttledPiece = 4096

  var faults: LinkFaults {
    didSet { self.pump() }
  }

  private let source: any Channel
  private let destination: any Channel
  private let onForward: (Int) -> Void
  private let onEnd: () -> Void

  private var held = Deque<(bytes: ByteBuffer, due: NIODeadline)>()
  private var heldBytes = 0
  private var offset: UInt64 = 0
  private var nextWrite = NIODeadline.uptimeNanoseconds(0)
  private var wakeUp: Scheduled<Void>?
  private var isReading = false
  private var inputEnded = false
  private var isEnded = false
  private var isSevered = false

  /// - Parameters:
  ///   - onForward: Gets the number of bytes that went on.
  ///   - onEnd: Called once, after the source's end was passed on.
  init(
    from source: any Channel, to destination: any Channel, faults: LinkFaults,
    onForward: @escaping (Int) -> Void, onEnd: @escaping () -> Void
  ) {
    self.source = source
    self.destination = destination
    self.faults = faults
    self.onForward = onForward
    self.onEnd = onEnd
  }

  func start() {
    self.readIfRoom()
  }

  func received(_ bytes: ByteBuffer) {
    let start = self.offset
    self.offset += UInt64(bytes.readableBytes)
    guard !self.isSevered, !self.faults.isSwallowing else { return }
    let bytes = self.faults.applyCorruptions(to: bytes, at: start)
    self.held.append((bytes, NIODeadline.now() + self.faults.delay))
    self.heldBytes += bytes.readableBytes
  }

  func readCompleted() {
    self.isReading = false
    self.pump()
  }

  /// The source has sent its FIN, or is gone.
  func receivedEnd() {
    self.inputEnded = true
    self.pump()
  }

  /// The destination can take bytes again.
  func becameWritable() {
    self.pump()
  }

  /// Drops what is held and sends a FIN now; what still comes from the source is read and thrown away.
  func sever() {
    guard !self.isSevered, !self.isEnded else { return }
    self.isSevered = true
    self.held.removeAll()
    self.heldBytes = 0
    self.destination.close(mode: .output, promise: nil)
    self.pump()
  }

  /// Ends the direction's timers.
  func stop() {
    self.isEnded = true
    self.wakeUp?.cancel()
    self.wakeUp = nil
  }

  private func pump() {
    guard !self.isEnded else { return }
    var hasWritten = false
    while let piece = self.nextPiece() {
      hasWritten = true
      self.onForward(piece.readableBytes)
      self.destination.write(piece, promise: nil)
    }
    if hasWritten { self.destination.flush() }
    if self.inputEnded && self.held.isEmpty && (self.isSevered || !self.faults.isStalled) {
      self.stop()
      if !self.isSevered { self.destination.close(mode: .output, promise: nil) }
      self.onEnd()
    } else {
      self.readIfRoom()
    }
  }

  /// The bytes that may go on now.
  private func nextPiece() -> ByteBuffer? {
    guard !self.faults.isStalled, self.destination.isWritable, var first = self.held.first else { return nil }
    let now = NIODeadline.now()
    let due = self.faults.bytesPerSecond == nil ? first.due : max(first.due, self.nextWrite)
    guard due <= now else {
      self.wake(at: due)
      return nil
    }
    let limit = self.faults.bytesPerSecond == nil ? Int.max : Self.throttledPiece
    guard let piece = first.bytes.readSlice(length: min(limit, first.bytes.readableBytes)) else { return nil }
    if let rate = self.faults.bytesPerSecond {
      let nanoseconds = Int64(Double(piece.readableBytes) / Double(rate) * 1e9)
      self.nextWrite = max(now, self.nextWrite) + .nanoseconds(nanoseconds)
    }
    if first.bytes.readableBytes == 0 {
      self.held.removeFirst()
    } else {
      self.held[0] = first
    }
    self.heldBytes -= piece.readableBytes
    return piece
  }

  private func wake(at deadline: NIODeadline) {
    self.wakeUp?.cancel()
    self.wakeUp = self.destination.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      self.wakeUp = nil
      self.pump()
    }
  }

  private func readIfRoom() {
    guard !self.isReading, !self.inputEnded, self.heldBytes < Self.mostHeldBytes else { return }
    self.isReading = true
    self.source.read()
  }
}
