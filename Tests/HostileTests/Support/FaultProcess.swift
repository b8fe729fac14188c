import Foundation
import RaftTransport
import StreamMux

@testable import raft_mux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A server in a process of its own, which a test may kill, stop and starve.
final class FaultProcess: Sendable {
  let address: ServerAddress
  private let process: ChildProcess
  private let lines: AsyncQueue<String>

  /// Where the tool lies that the tests are built with: beside the tests.
  private static var tool: String {
    let tests = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    return tests.deletingLastPathComponent().appendingPathComponent("raft-mux").path
  }

  /// Whether a process can be looked at and starved here.
  static let isAvailable =
    FileManager.default.isExecutableFile(atPath: tool)
    && FileManager.default.fileExists(atPath: "/proc/self/status")

  private init(_ address: ServerAddress, _ process: ChildProcess, _ lines: AsyncQueue<String>) {
    self.address = address
    self.process = process
    self.lines = lines
  }

  /// Runs a body with a server and ends it behind it, whatever happens.
  static func with<Value>(
    _ arguments: String..., isolation: isolated (any Actor)? = #isolation,
    _ body: (FaultProcess) async throws -> Value
  ) async throws -> Value {
    let lines = AsyncQueue<String>()
    let process = try ChildProcess(
      program: tool, arguments: ["fault-node"] + arguments, onLine: { lines.push($0) },
      onEnd: { lines.finish() })
    let outcome: Result<Value, any Error>
    do {
      guard let first = await lines.next(), first.hasPrefix("listening ") else {
        throw NeverHappened(description: "a server that listens")
      }
      let address = ServerAddress(String(first.dropFirst("listening ".count)))
      outcome = .success(try await body(FaultProcess(address, process, lines)))
    } catch {
      outcome = .failure(error)
    }
    // A process that is stopped does not even see that its input has ended.
    send(SIGCONT, to: process.id)
    await process.end()
    return try outcome.get()
  }

  // MARK: Orders

  func order(_ words: String) throws {
    try process.write(Data((words + "\n").utf8))
  }

  /// The next line that it says; lines that begin otherwise are passed over.
  func line(beginning prefix: String) async throws -> String {
    while let line = await lines.next() {
      if line.hasPrefix(prefix) { return line }
    }
    throw NeverHappened(description: "a line that begins with '\(prefix)'")
  }

  /// An order that is answered by a line.
  func ask(_ words: String, for prefix: String) async throws -> String {
    try order(words)
    return try await line(beginning: prefix)
  }

  // MARK: What is done to it

  func kill() { send(SIGKILL, to: process.id) }

  /// Stops the process, and returns when none of its threads runs any more.
  func stop() async throws {
    send(SIGSTOP, to: process.id)
    try await eventually("all threads are stopped") {
      let folder = "/proc/\(process.id)/task"
      return try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { thread in
        // One that has ended does not run any more.
        let status = try? String(contentsOfFile: "\(folder)/\(thread)/status", encoding: .utf8)
        return status?.contains("State:\tT") ?? true
      }
    }
  }

  func goOn() { send(SIGCONT, to: process.id) }

  // MARK: What the system says of it

  /// Resident memory in bytes, and the most that it ever was.
  var memory: (now: Int, most: Int) {
    let text = (try? String(contentsOfFile: "/proc/\(process.id)/status", encoding: .utf8)) ?? ""
    func kilobytes(_ name: String) -> Int {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
      return line?.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first ?? 0
    }
    return (kilobytes("VmRSS:") << 10, kilobytes("VmHWM:") << 10)
  }

  var descriptorCount: Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.id)/fd").count) ?? 0
  }
}

/// Free of the methods of the same name.
private func send(_ signal: Int32, to process: Int32) { _ = kill(process, signal) }
