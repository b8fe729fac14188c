internal import NIOCore

/// Connections that clients have made and no case has taken yet.
actor ConnectionQueue {
  private var waiting: [ProbeChannel] = []
  private var taker: (ticket: Int, continuation: CheckedContinuation<Void, Never>)?
  private var nextTicket = 0

  func push(_ connection: ProbeChannel) {
    waiting.append(connection)
    taker?.continuation.resume()
    taker = nil
  }

  /// The next connection that is still open; `nil` if none comes in time. One caller at a time.
  func next(until deadline: NIODeadline, on loop: any EventLoop) async -> ProbeChannel? {
    while true {
      while !waiting.isEmpty {
        let connection = waiting.removeFirst()
        if connection.channel.isActive, !connection.ending.hasCome { return connection }
        connection.channel.close(promise: nil)
      }
      guard NIODeadline.now() < deadline else { return nil }
      nextTicket += 1
      let ticket = nextTicket
      let timer = loop.scheduleTask(deadline: deadline) { Task { await self.expire(ticket) } }
      await withCheckedContinuation { taker = (ticket, $0) }
      timer.cancel()
    }
  }

  private func expire(_ ticket: Int) {
    guard let taker, taker.ticket == ticket else { return }
    self.taker = nil
    taker.continuation.resume()
  }
}
