import StreamMux
import Synchronization

/// A bound on the weight of requests that handlers have at once, and the streams that wait for room below it: who
/// waits first goes first, and nobody passes those who wait.
///
/// Handlers begin on the event loop of the transport's connections and end on any thread.
final class HandlerLane: Sendable {
  /// A stream that has requests which no handler may have yet.
  struct Waiting: Sendable, Hashable {
    let link: Link
    let stream: StreamKey

    static func == (left: Waiting, right: Waiting) -> Bool {
      left.link === right.link && left.stream == right.stream
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(ObjectIdentifier(link))
      hasher.combine(stream)
    }
  }

  /// The weight with which no further handler begins.
  private let limit: Int
  /// The weight of all requests that handlers have.
  private let running = Atomic(0)
  private let waitingCount = Atomic(0)
  private let line = Mutex(WaitingLine<Waiting>())

  init(limit: Int) {
    self.limit = limit
  }

  /// Whether a handler may begin for a stream. If not, the stream stands in line, and is called when it should ask
  /// again.
  func admits(_ stream: () -> Waiting) -> Bool {
    if waitingCount.load(ordering: .sequentiallyConsistent) == 0, hasRoom { return true }
    let stream = stream()
    return line.withLock { line in
      line.enter(stream)
      waitingCount.store(line.count, ordering: .sequentiallyConsistent)
      // Handlers that have ended before this look may have found nobody in line.
      return line.isTurn(of: stream) && hasRoom
    }
  }

  /// Puts a stream in line that was admitted here and has to wait elsewhere: until then nobody of this lane passes it.
  func hold(_ stream: Waiting) {
    line.withLock { line in
      line.enter(stream)
      waitingCount.store(line.count, ordering: .sequentiallyConsistent)
    }
  }

  /// A stream waits no more, because its handler begins or because it is over; the next one may have room, too.
  func leave(_ stream: () -> Waiting) {
    guard waitingCount.load(ordering: .sequentiallyConsistent) > 0 else { return }
    let stream = stream()
    let next = line.withLock { line -> Waiting? in
      guard line.leave(stream) else { return nil }
      waitingCount.store(line.count, ordering: .sequentiallyConsistent)
      return line.callFirst()
    }
    next?.call()
  }

  func begin(_ weight: Int) {
    running.add(weight, ordering: .sequentiallyConsistent)
  }

  /// A handler has answered; from any thread.
  func end(_ weight: Int) {
    let left = running.subtract(weight, ordering: .sequentiallyConsistent).newValue
    guard left < limit, waitingCount.load(ordering: .sequentiallyConsistent) > 0 else { return }
    line.withLock { $0.callFirst() }?.call()
  }

  private var hasRoom: Bool { running.load(ordering: .sequentiallyConsistent) < limit }

  /// How many streams wait, for tests.
  var waiting: Int { line.withLock { $0.count } }

  /// The weight of the handlers that work now, for tests.
  var weight: Int { running.load(ordering: .sequentiallyConsistent) }
}

extension HandlerLane.Waiting {
  /// Has the stream ask again, later on its event loop.
  fileprivate func call() {
    link.send(.perform { [stream] driver in driver.readOn(stream) })
  }
}
