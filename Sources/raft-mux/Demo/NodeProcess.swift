import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A follower in a process of its own: this executable once more, which takes orders on its standard input.
final class NodeProcess: FollowerNode {
  let peer: Peer
  private let process: ChildProcess
  private let answers: PendingAnswers

  /// Starts the process and waits until its node listens.
  ///
  /// - Throws: ``DemoError`` where the process cannot be started or its node cannot listen.
  static func start(id: String, settings: NodeSettings) async throws -> NodeProcess {
    let answers = PendingAnswers()
    async let listening = answers.answer(to: 0)
    let process: ChildProcess
    do {
      process = try ChildProcess(
        arguments: [
          "node", "--id", id, "--cluster", settings.clusterID,
          "--compression", settings.compression.rawValue, "--depth", "\(settings.depth)",
        ] + settings.security.arguments,
        onLine: { answers.take(line: $0) },
        onEnd: { answers.end() }
      )
    } catch {
      answers.end()
      _ = await listening
      throw DemoError("\(id): the process cannot be started: \(error)")
    }
    switch await listening {
    case .listening(let address):
      return NodeProcess(peer: Peer(id: id, address: address), process: process, answers: answers)
    case .failed(let text):
      await process.end()
      throw DemoError("\(id): \(text)")
    default:
      await process.end()
      throw DemoError("\(id): the process did not say where it listens")
    }
  }

  private init(peer: Peer, process: ChildProcess, answers: PendingAnswers) {
    self.peer = peer
    self.process = process
    self.answers = answers
  }

  var processID: Int32? { self.process.id }

  func askForPreVotes(of peers: [Peer]) async throws {
    guard case .done = try await self.order(.ask(peers: peers)) else { throw self.surprise("ask") }
  }

  func observe() async throws -> NodeObservation {
    guard case .observation(let observation) = try await self.order(.observe) else {
      throw self.surprise("observe")
    }
    return observation
  }

  func finish() async throws -> NodeObservation {
    guard case .observation(let observation) = try await self.order(.finish) else {
      throw self.surprise("finish")
    }
    return observation
  }

  func close() async throws -> [String]? {
    let result: NodeAnswer.Result
    do {
      result = try await self.order(.close)
    } catch {
      await self.process.end()
      throw error
    }
    await self.process.end()
    guard case .closed(let leftOver) = result else { throw self.surprise("close") }
    return leftOver
  }

  private func order(_ order: NodeRequest.Order) async throws -> NodeAnswer.Result {
    let number = self.answers.nextNumber()
    async let answer = self.answers.answer(to: number)
    do {
      try self.process.write(NodeLine.encode(NodeRequest(number: number, order: order)))
    } catch {
      self.answers.give(PendingAnswers.gone, to: number)
    }
    let result = await answer
    if case .failed(let text) = result { throw DemoError("\(self.peer.id): \(text)") }
    return result
  }

  private func surprise(_ order: String) -> DemoError {
    DemoError("\(self.peer.id): the answer to '\(order)' is not one")
  }
}

/// Brings the answers of a node's process to those who wait for them.
final class PendingAnswers: Sendable {
  private struct State {
    var lastNumber = 0
    var isEnded = false
    var waiting: [Int: CheckedContinuation<NodeAnswer.Result, Never>] = [:]
    // An answer may come before anyone waits for it.
    var early: [Int: NodeAnswer.Result] = [:]
  }

  private let state = Mutex(State())
  static let gone = NodeAnswer.Result.failed("the process has ended")

  /// A number for the next request.
  func nextNumber() -> Int {
    self.state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
  }

  /// Waits for an answer; a process that ends answers everything with a failure.
  func answer(to number: Int) async -> NodeAnswer.Result {
    await withCheckedContinuation { continuation in
      let ready: NodeAnswer.Result? = self.state.withLock { state in
        if let early = state.early.removeValue(forKey: number) { return early }
        if state.isEnded { return Self.gone }
        state.waiting[number] = continuation
        return nil
      }
      if let ready { continuation.resume(returning: ready) }
    }
  }

  /// Takes a line of the process's output; a line that is no answer is left out.
  func take(line: String) {
    guard let answer = try? NodeLine.decode(NodeAnswer.self, from: line) else { return }
    self.give(answer.result, to: answer.number)
  }

  /// Gives an answer to whoever waits for it.
  func give(_ result: NodeAnswer.Result, to number: Int) {
    let waiting = self.state.withLock { state in
      let waiting = state.waiting.removeValue(forKey: number)
      if waiting == nil { state.early[number] = result }
      return waiting
    }
    waiting?.resume(returning: result)
  }

  /// No more answers will come.
  func end() {
    let waiting = self.state.withLock { state in
      state.isEnded = true
      defer { state.waiting = [:] }
      return state.waiting.values
    }
    for continuation in waiting { continuation.resume(returning: Self.gone) }
  }
}
