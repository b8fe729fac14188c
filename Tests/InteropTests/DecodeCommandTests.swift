import Foundation
import Testing

@testable import raft_mux

/// `raft-mux decode` as its users call it, on what was recorded of servers of hashicorp/raft and on the bytes of the
/// specification.
@Suite("raft-mux decode")
struct DecodeCommandTests {
  private struct Recording: Decodable {
    struct Transcript: Decodable {
      struct Connection: Decodable {
        struct Event: Decodable {
          let dir: String
          let hex: String?
        }
        let events: [Event]
      }
      let name: String
      let connections: [Connection]
    }
    let transcripts: [Transcript]
  }

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Where the tool lies that the tests are built with: beside the tests.
  private static var tool: String {
    let tests = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
    return tests.deletingLastPathComponent().appending(path: "raft-mux").path
  }

  /// Runs the program on a dump, and gives its lines and its exit status.
  private func decode(_ dump: String, _ options: String...) async throws -> (lines: [String], status: String)
  {
    let file = FileManager.default.temporaryDirectory.appending(path: "decode-\(UUID().uuidString)")
    try dump.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let (lines, sink) = AsyncStream.makeStream(of: String.self)
    let shell = try ChildProcess(
      program: "/bin/sh",
      arguments: ["-c", "\"$@\" 2>&1; echo \"status $?\"", "sh", Self.tool, "decode", file.path] + options,
      onLine: { sink.yield($0) }, onEnd: { sink.finish() })
    var all: [String] = []
    for await line in lines { all.append(line) }
    await shell.end()
    return (all.dropLast(), all.last ?? "")
  }

  private func objects(_ lines: [String]) throws -> [[String: Any]] {
    try lines.map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }
  }

  @Test("the example of a handshake, in words and as JSON")
  func handshake() async throws {
    let page = try String(contentsOf: Self.root.appending(path: "Spec/examples.md"), encoding: .utf8)
    let block = try #require(page.firstMatch(of: /<!-- example: handshake -->\n```\n([^`]*)```/)?.1)
    let words = try await decode(String(block))
    #expect(words.status == "status 0", "\(words)")
    #expect(words.lines.first == "> preface")
    #expect(words.lines.contains { $0.hasPrefix("> HELLO 'n1' to 'n2' of cluster 'blue'") }, "\(words.lines)")
    let json = try await decode(String(block), "--json")
    #expect(json.status == "status 0")
    #expect(json.lines.count == words.lines.count)
    let frames = try objects(json.lines).compactMap { $0["frame"] as? String }
    #expect(frames.prefix(2) == ["preface", "HELLO"] && frames.contains("WELCOME"), "\(frames)")
  }

  @Test("what is captured from the middle of a connection on, and says so")
  func middle() async throws {
    let frames =
      "ffff 20000000 00000008 0000000000000000 0102030405060708 22000000 0000000e 0000000000000000 "
      + "0000000000000001 0000000c 0000"
    let result = try await decode(frames, "--json")
    #expect(result.status == "status 0", "\(result)")
    let objects = try objects(result.lines)
    #expect(objects.compactMap { $0["frame"] as? String } == ["none", "PING", "GOAWAY"])
    #expect(objects.compactMap { $0["offset"] as? Int } == [0, 2, 26])
    #expect(
      (objects.first?["text"] as? String)?.contains("2 bytes in front of the first whole frame") == true)
    #expect(objects.last?["codeName"] as? String == "shutdown" && objects.last?["length"] as? Int == 14)
  }

  @Test("what is no frame, with the exit status 1")
  func nonsense() async throws {
    let result = try await decode("474554202f20485454502f312e310d0a")
    #expect(result.status == "status 1")
    #expect(result.lines.count == 1)
  }

  @Test(
    "every recorded conversation of hashicorp/raft, each request with its answer",
    arguments: ["public-1.1.2.json", "public-1.7-newtime.json"])
  func classic(file: String) async throws {
    let url = Self.root.appending(path: "Spec/vectors/raft-wire/transcripts/\(file)")
    let recording = try JSONDecoder().decode(Recording.self, from: Data(contentsOf: url))
    var connections = 0
    for transcript in recording.transcripts {
      for connection in transcript.connections {
        let dump = connection.events.compactMap { event in
          event.hex.map { "\(event.dir == "c2s" ? ">" : "<") \($0)\n" }
        }
        guard dump.contains(where: { $0.hasPrefix(">") }), dump.contains(where: { $0.hasPrefix("<") }) else {
          continue
        }
        let objects = try objects(try await decode(dump.joined(), "--json").lines)
        func messages(_ direction: String, _ kind: String) -> [String?] {
          objects.filter { $0["direction"] as? String == direction }
            .flatMap { $0["messages"] as? [[String: Any]] ?? [] }
            .filter { $0["kind"] as? String == kind }.map { $0["rpc"] as? String }
        }
        let (requests, answers) = (messages(">", "request"), messages("<", "answer"))
        #expect(!answers.isEmpty && answers == Array(requests.prefix(answers.count)), "\(transcript.name)")
        connections += 1
      }
    }
    #expect(connections >= 10)
  }
}
