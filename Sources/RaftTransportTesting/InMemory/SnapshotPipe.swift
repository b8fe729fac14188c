internal import NIOCore
internal import RaftTransport
internal import Synchronization

/// Carries a snapshot's bytes from the task that reads the source to the one that reads the body.
///
/// It holds one piece at a time: the writer waits until its last piece was taken.
final class SnapshotPipe: Sendable {
  private enum Content {
    case empty
    case piece(ByteBuffer)
    case ended
    case cut(String)
  }

  private struct State {
    var content: Content
    var reader: CheckedContinuation<Content, Never>?
    var writer: CheckedContinuation<Bool, Never>?
  }

  private let state: Mutex<State>

  /// - Parameter isEmpty: Whether no byte will come.
  init(isEmpty: Bool) {
    self.state = Mutex(State(content: isEmpty ? .ended : .empty))
  }

  /// Hands over a piece once the one before was taken; `false` if the pipe was cut.
  func write(_ piece: ByteBuffer) async -> Bool {
    guard await self.waitUntilTaken() else { return false }
    let (reader, isAccepted) = self.state.withLock {
      state -> (CheckedContinuation<Content, Never>?, Bool) in
      guard case .empty = state.content else { return (nil, false) }
      if let reader = state.reader {
        state.reader = nil
        return (reader, true)
      }
      state.content = .piece(piece)
      return (nil, true)
    }
    reader?.resume(returning: .piece(piece))
    return isAccepted
  }

  /// Ends the pipe after its last piece was taken.
  func end() async {
    guard await self.waitUntilTaken() else { return }
    let reader = self.state.withLock { state -> CheckedContinuation<Content, Never>? in
      guard case .empty = state.content else { return nil }
      state.content = .ended
      let reader = state.reader
      state.reader = nil
      return reader
    }
    reader?.resume(returning: .ended)
  }

  /// Breaks the pipe, unless it has ended: the body throws, the writer stops.
  func cut(_ reason: String) {
    let (reader, writer) = self.state.withLock {
      state -> (CheckedContinuation<Content, Never>?, CheckedContinuation<Bool, Never>?) in
      switch state.content {
      case .ended, .cut:
        return (nil, nil)
      case .empty, .piece:
        state.content = .cut(reason)
        defer { (state.reader, state.writer) = (nil, nil) }
        return (state.reader, state.writer)
      }
    }
    reader?.resume(returning: .cut(reason))
    writer?.resume(returning: false)
  }

  /// What the receiving handler gets.
  var body: SnapshotBody {
    SnapshotBody { try await self.read() }
  }

  private func waitUntilTaken() async -> Bool {
    await withCheckedContinuation { continuation in
      let ready: Bool? = self.state.withLock { state in
        switch state.content {
        case .empty:
          return true
        case .ended, .cut:
          return false
        case .piece:
          state.writer = continuation
          return nil
        }
      }
      if let ready { continuation.resume(returning: ready) }
    }
  }

  private func read() async throws -> ByteBuffer? {
    let content = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Content, Never>) in
        let (ready, writer) = self.state.withLock {
          state -> (Content?, CheckedContinuation<Bool, Never>?) in
          switch state.content {
          case .piece(let piece):
            state.content = .empty
            defer { state.writer = nil }
            return (.piece(piece), state.writer)
          case .ended, .cut:
            return (state.content, nil)
          case .empty:
            // One reader at a time; a cancelled one is not put to sleep.
            guard state.reader == nil, !Task.isCancelled else { return (.empty, nil) }
            state.reader = continuation
            return (nil, nil)
          }
        }
        if let ready { continuation.resume(returning: ready) }
        writer?.resume(returning: true)
      }
    } onCancel: {
      let reader = self.state.withLock { state in
        defer { state.reader = nil }
        return state.reader
      }
      reader?.resume(returning: .empty)
    }
    switch content {
    case .piece(let piece):
      return piece
    case .ended:
      return nil
    case .cut(let reason):
      throw TransportError(.snapshotCut, reason, delivery: .unknown)
    case .empty:
      throw TransportError(.cancelled, "the task that reads the snapshot was cancelled", delivery: .unknown)
    }
  }
}
