import Foundation
import Synchronization

@testable import raft_mux

/// What went wrong at a Go peer, in its own words.
struct GoPeerError: Error, CustomStringConvertible {
  let text: String
  var description: String { text }
}

/// One server of hashicorp/raft in a process of its own, driven by lines of JSON.
final class GoPeer: Sendable {
  private let process: ChildProcess
  private let pending: Pending
  private let output: Task<Void, Never>

  /// Starts the program.
  ///
  /// - Parameter onReceipt: Gets the receipts that it writes if it listens with ``GoListening/report``, each before
  ///   the answer to its request can arrive anywhere.
  init(onReceipt: @escaping @Sendable (GoReceipt) -> Void = { _ in }) async throws {
    let pending = Pending()
    self.pending = pending
    let (lines, sink) = AsyncStream.makeStream(of: Never.self)
    output = Task { for await _ in lines {} }
    process = try ChildProcess(
      program: try await GoProgram.path(), arguments: [],
      onLine: { line in
        if let receipt = GoReceipt(line: line) { onReceipt(receipt) } else { pending.take(line) }
      },
      onEnd: {
        pending.end()
        sink.finish()
      })
  }

  /// Does one command and waits for its result.
  ///
  /// - Throws: ``GoPeerError`` with the error that the program reports.
  func perform<Result: Decodable & Sendable>(
    _ action: String, _ options: some Encodable, giving: Result.Type = Result.self
  ) async throws -> Result {
    let answer: Answer<Result> = try await answer(to: action, options)
    guard let result = answer.result else { throw GoPeerError(text: answer.error ?? "no result") }
    return result
  }

  /// Does one command that has no result.
  func perform(_ action: String, _ options: some Encodable = [String: String]()) async throws {
    let answer: Answer<Nothing> = try await answer(to: action, options)
    if let error = answer.error { throw GoPeerError(text: error) }
  }

  /// Closes its input, which ends it, and waits until all that it wrote is read.
  func end() async {
    await process.end()
    await output.value
  }

  /// Ends it as a loss of power would.
  func kill() async {
    process.endAbruptly()
    await end()
  }

  private func answer<Result: Decodable>(
    to action: String, _ options: some Encodable
  ) async throws -> Answer<Result> {
    let line = try await withCheckedThrowingContinuation { continuation in
      guard let id = pending.add(continuation) else {
        continuation.resume(throwing: GoPeerError(text: "the Go peer has ended"))
        return
      }
      do {
        var line = try JSONEncoder().encode(Command(id: id, action: action, options: options))
        line.append(UInt8(ascii: "\n"))
        try process.write(line)
      } catch {
        pending.remove(id)?.resume(throwing: error)
      }
    }
    let decoder = JSONDecoder()
    // Go's names start with a capital letter; its decoder takes either.
    decoder.keyDecodingStrategy = .custom { path in
      let name = path[path.count - 1].stringValue
      return GoKey(name.prefix(1).lowercased() + name.dropFirst())
    }
    return try decoder.decode(Answer<Result>.self, from: Data(line.utf8))
  }
}

/// What a Go peer says of an AppendEntries that came.
struct GoReceipt: Decodable, Sendable {
  var term: UInt64
  var prevLogEntry: UInt64

  /// Reads a line of the program's output; `nil` if it is the answer to a command.
  fileprivate init?(line: String) {
    struct Line: Decodable { let received: GoReceipt }
    guard line.hasPrefix(#"{"received":"#) else { return nil }
    guard let line = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)) else { return nil }
    self = line.received
  }
}

/// A command's line: the options stand beside the id and the name.
private struct Command<Options: Encodable>: Encodable {
  let id: Int
  let action: String
  let options: Options

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: GoKey.self)
    try fields.encode(id, forKey: GoKey("id"))
    try fields.encode(action, forKey: GoKey("do"))
    try options.encode(to: encoder)
  }
}

private struct Answer<Result: Decodable>: Decodable {
  let result: Result?
  let error: String?
}

private struct Nothing: Decodable {}

private struct GoKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) { stringValue = name }
  init(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}

/// Whoever waits for an answer, by the command's number.
private final class Pending: Sendable {
  private typealias Waiter = CheckedContinuation<String, any Error>

  private struct State {
    var last = 0
    var waiters: [Int: Waiter] = [:]
    var hasEnded = false
  }

  private let state = Mutex(State())

  /// The number for a new command; `nil` when the program has ended.
  func add(_ waiter: CheckedContinuation<String, any Error>) -> Int? {
    state.withLock { state in
      guard !state.hasEnded else { return nil }
      state.last += 1
      state.waiters[state.last] = waiter
      return state.last
    }
  }

  func remove(_ id: Int) -> CheckedContinuation<String, any Error>? {
    state.withLock { $0.waiters.removeValue(forKey: id) }
  }

  func take(_ line: String) {
    struct Number: Decodable { let id: Int }
    guard let number = try? JSONDecoder().decode(Number.self, from: Data(line.utf8)) else { return }
    remove(number.id)?.resume(returning: line)
  }

  func end() {
    let waiters = state.withLock { state in
      state.hasEnded = true
      defer { state.waiters = [:] }
      return state.waiters
    }
    for waiter in waiters.values { waiter.resume(throwing: GoPeerError(text: "the Go peer has ended")) }
  }
}
