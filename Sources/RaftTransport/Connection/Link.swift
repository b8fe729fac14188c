import DequeModule
import NIOCore
import StreamMux

/// The handle of one connection: what other threads hold of it.
///
/// Everything that it is told goes through the mailbox to the driver on the connection's event loop, in order.
final class Link: Sendable {
  /// The memory of a longer batch is given back instead of being kept for the next one.
  private static let longestKeptBatch = 1_024

  let id: LinkID
  let eventLoop: any EventLoop
  /// What snapshots on this connection have learned, for the next one.
  let compressionMemory = CompressionMemory()
  private let mailbox = Mailbox<LinkCommand>()
  private let driver: NIOLoopBoundBox<ConnectionDriver?>

  init(id: LinkID, eventLoop: any EventLoop) {
    self.id = id
    self.eventLoop = eventLoop
    self.driver = .makeEmptyBox(valueType: ConnectionDriver.self, eventLoop: eventLoop)
  }

  /// Joins the handle and the driver; on the event loop, before anybody else has the handle's connection.
  func attach(_ driver: ConnectionDriver) {
    self.driver.value = driver
    // What came before the connection stood is still in the box.
    eventLoop.execute { self.deliver() }
  }

  /// Sends a command to the driver.
  ///
  /// - Returns: `false` if the connection is gone; the command was dropped then.
  @discardableResult
  func send(_ command: LinkCommand) -> Bool {
    switch mailbox.add(command) {
    case .accepted:
      return true
    case .rejected:
      return false
    case .wakeLoop:
      eventLoop.execute { self.deliver() }
      return true
    }
  }

  /// Refuses further commands; on the event loop, by the driver when its connection is over.
  func closeMailbox() {
    let driver = self.driver.value
    for command in mailbox.close() {
      if let driver { command.run(on: driver) }
    }
    self.driver.value = nil
  }

  private func deliver() {
    guard let driver = driver.value else { return }
    driver.perform {
      var batch = Deque<LinkCommand>()
      swap(&batch, &driver.spareBatch)
      mailbox.takeAll(leaving: &batch)
      let isBurst = batch.count > Self.longestKeptBatch
      if driver.services.environment.has(.reversesCommands) { batch.reverse() }
      while let command = batch.popFirst() { command.run(on: driver) }
      if !isBurst { swap(&batch, &driver.spareBatch) }
    }
  }
}

/// What other threads tell a connection. The frequent ones are cases of their own, so that they cost no closure.
enum LinkCommand: Sendable {
  /// An incoming RPC was answered.
  case answer(StreamKey, request: UInt64, ByteBuffer)
  /// Requests of a pipeline.
  case append(LoopHandle<AppendStream>, ByteBuffer)
  /// Bytes of a stream left the transport for good.
  case consumed(StreamKey, Int)
  /// Anything else.
  case perform(@Sendable (ConnectionDriver) -> Void)

  func run(on driver: ConnectionDriver) {
    switch self {
    case .answer(let stream, let request, let bytes): driver.answer(stream, request: request, bytes)
    case .append(let stream, let bytes): stream.value?.send(bytes, driver)
    case .consumed(let stream, let count):
      if !driver.services.environment.has(.losesConsumption) { driver.engine.consume(count, of: stream) }
    case .perform(let body): body(driver)
    }
  }
}
