internal import DequeModule
internal import NIOCore

/// Moves the bytes of one direction of a relayed connection. Confined to the link's event loop.
final class LinkDirection {
  /// Smaller reads are put together, since each would hold a whole read's memory.
  private static let wholeRead = 16 << 10

  private let source: any Channel
  private let destination: any Channel
  private let path: LinkPath
  private let onEnd: () -> Void
  private var key = 0

  /// What is on the path and what has come out and was not taken, in order.
  private var held: Deque<ByteBuffer> = []
  /// How many of those bytes have come out.
  private var arrivedBytes = 0
  private var hasEndArrived = false
  private var isEndUnderWay = false
  private var offset: UInt64 = 0
  private var isReading = false
  private var isWaitingForRoom = false
  private var inputEnded = false
  private var isEnded = false
  private var isSevered = false

  /// - Parameter onEnd: Called once, after the source's end was passed on.
  init(
    from source: any Channel, to destination: any Channel, path: LinkPath, onEnd: @escaping () -> Void
  ) {
    self.source = source
    self.destination = destination
    self.path = path
    self.onEnd = onEnd
  }

  func start() {
    self.key = self.path.add(self)
    self.requestRead()
    self.path.pump()
  }

  // MARK: The source

  func received(_ bytes: ByteBuffer) {
    let start = self.offset
    self.offset += UInt64(bytes.readableBytes)
    guard !self.isEnded, !self.isSevered, !self.path.faults.isSwallowing else { return }
    let count = bytes.readableBytes
    self.hold(self.path.faults.applyCorruptions(to: bytes, at: start))
    self.path.offer(count, of: self.key)
  }

  func readCompleted() {
    self.isReading = false
    self.requestRead()
    self.path.pump()
  }

  /// The source has sent its FIN, or is gone.
  func receivedEnd() {
    guard !self.inputEnded else { return }
    self.inputEnded = true
    guard !self.isEnded else { return }
    if self.isSevered {
      self.end()
    } else {
      self.path.offer(0, of: self.key)
      self.path.pump()
    }
  }

  /// There is room on the path. False: nothing is to be read just now.
  func read() -> Bool {
    self.isWaitingForRoom = false
    guard self.wantsToRead else { return false }
    self.isReading = true
    self.source.read()
    return true
  }

  private var wantsToRead: Bool {
    // A destination that takes nothing stops its own source, as its window would, and nobody else.
    !self.isReading && !self.inputEnded && !self.isEnded && self.arrivedBytes == 0
  }

  private func requestRead() {
    guard self.wantsToRead, !self.isWaitingForRoom else { return }
    self.isWaitingForRoom = true
    self.path.requestRead(self.key)
  }

  private func hold(_ bytes: ByteBuffer) {
    if bytes.readableBytes < Self.wholeRead, let last = self.held.indices.last,
      self.held[last].readableBytes < Self.wholeRead
    {
      self.held[last].writeImmutableBuffer(bytes)
    } else {
      self.held.append(bytes)
    }
  }

  // MARK: The destination

  /// Bytes came out of the path, or the end; ``deliver()`` passes them on.
  func arrived(_ count: Int) {
    guard !self.isSevered else { return }
    if count == 0 { self.hasEndArrived = true } else { self.arrivedBytes += count }
  }

  /// The destination can take bytes again.
  func becameWritable() {
    self.deliver()
    self.path.pump()
  }

  /// Passes on what has come out, as far as the destination takes it.
  func deliver() {
    guard !self.isEnded, !self.isSevered else { return }
    var hasWritten = false
    while self.arrivedBytes > 0 {
      let isGone = !self.destination.isActive
      guard isGone || self.destination.isWritable, let piece = self.takeArrived() else { break }
      // Nobody is there any more to whom this could be given.
      if isGone { continue }
      hasWritten = true
      self.path.countForwarded(piece.readableBytes)
      self.destination.write(piece, promise: nil)
    }
    if hasWritten { self.destination.flush() }
    if self.arrivedBytes == 0 {
      if self.hasEndArrived {
        self.passOnEnd()
      } else {
        self.requestRead()
      }
    }
  }

  /// A FIN, once the socket has taken everything: closing a channel whose input has ended drops what it has
  /// not written.
  private func passOnEnd() {
    guard !self.isEndUnderWay else { return }
    self.isEndUnderWay = true
    let destination = self.destination
    let direction = NIOLoopBound(self, eventLoop: destination.eventLoop)
    destination.writeAndFlush(ByteBuffer()).whenComplete { _ in
      guard !direction.value.isEnded else { return }
      destination.close(mode: .output, promise: nil)
      direction.value.end()
    }
  }

  private func takeArrived() -> ByteBuffer? {
    guard !self.held.isEmpty else { return nil }
    let count = min(self.arrivedBytes, self.held[0].readableBytes)
    let piece = self.held[0].readSlice(length: count)
    if self.held[0].readableBytes == 0 { self.held.removeFirst() }
    self.arrivedBytes -= count
    return piece
  }

  // MARK: Ends

  /// Drops what is held and sends a FIN now; what still comes from the source is read and thrown away.
  func sever() {
    guard !self.isSevered, !self.isEnded else { return }
    self.isSevered = true
    self.held.removeAll()
    self.arrivedBytes = 0
    self.destination.close(mode: .output, promise: nil)
    if self.inputEnded {
      self.end()
    } else {
      self.requestRead()
      self.path.pump()
    }
  }

  /// Nothing goes on from here.
  func stop() {
    self.isEnded = true
    self.held.removeAll()
    self.path.remove(self.key)
  }

  private func end() {
    guard !self.isEnded else { return }
    self.stop()
    self.onEnd()
  }
}
