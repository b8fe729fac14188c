import Foundation
import NIOCore
import Testing

@testable import raft_mux

@Suite("The log's file")
struct LogFileTests {
  private func entries(of text: String, batch: Int) throws -> [[String]] {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    var file = try LogFile(path: path)
    var batches: [[String]] = []
    while true {
      let lines = try file.nextLines(batch)
      if lines.isEmpty { return batches }
      batches.append(lines.map { String(buffer: $0) })
    }
  }

  @Test func `Lines keep their ends and come in batches`() throws {
    #expect(try self.entries(of: "a\n\nbc\nd", batch: 2) == [["a\n", "\n"], ["bc\n", "d"]])
  }

  @Test func `An empty file has no lines`() throws {
    #expect(try self.entries(of: "", batch: 64).isEmpty)
  }

  @Test(arguments: [1, 64, 5000])
  func `Entries put together are the file, across pieces and through lines that are too long`(
    batch: Int
  ) throws {
    let text =
      GeneratedText.lines(8000) + String(repeating: "x", count: 200_000) + "\n" + GeneratedText.lines(9)
    let batches = try self.entries(of: text, batch: batch)
    #expect(batches.flatMap(\.self).joined() == text)
    #expect(
      batches.allSatisfy { $0.count <= batch && $0.allSatisfy { $0.utf8.count <= LogFile.longestLine } })
  }
}

@Suite("Parts of the demo")
struct DemoPartsTests {
  @Test func `Generated text is the same every time and has the lines asked for`() {
    let text = GeneratedText.lines(100)
    #expect(text == GeneratedText.lines(100))
    #expect(text.split(separator: "\n").count == 100)
    #expect(text.hasSuffix("\n"))
  }

  @Test(arguments: [
    ("0", 0), ("4096", 4096), ("512K", 512 << 10), ("64M", 64 << 20), ("64MiB", 64 << 20), ("1g", 1 << 30),
    ("2MB", 2 << 20), ("1024G", 1 << 40),
  ])
  func `Sizes are read with and without a unit`(text: String, count: Int) {
    #expect(ByteSize(argument: text)?.count == count)
  }

  @Test(arguments: ["", "M", "-1", "1.5M", "12Q", "1025G", "99999999999999999999"])
  func `What is no size is refused`(text: String) {
    #expect(ByteSize(argument: text) == nil)
  }

  @Test(arguments: [0, 1, 1000, 1024, 64 << 20, 3 << 30])
  func `A size reads back from its own text`(count: Int) {
    #expect(ByteSize(argument: ByteSize(count: count).description)?.count == count)
  }

  @Test(
    arguments: [
      .ask(peers: [Peer(id: "leader", address: "127.0.0.1:1")]), .observe, .finish, .close,
    ] as [NodeRequest.Order])
  func `An order to a process is one line and reads back`(order: NodeRequest.Order) throws {
    let request = NodeRequest(number: 7, order: order)
    let line = String(decoding: try NodeLine.encode(request), as: UTF8.self)
    #expect(line.hasSuffix("\n"))
    #expect(line.count { $0 == "\n" } == 1)
    #expect(try NodeLine.decode(NodeRequest.self, from: String(line.dropLast())) == request)
  }

  @Test func `Answers reach whoever waits, early or late, and the end answers the rest`() async {
    let answers = PendingAnswers()
    answers.take(line: #"{"number":3,"result":{"done":{}}}"#)
    answers.take(line: "no answer at all")
    #expect(await answers.answer(to: 3) == .done)
    answers.end()
    #expect(await answers.answer(to: 4) == .failed("the process has ended"))
  }

  @Test func `Surplus descriptors are named by kind`() {
    let before = [0: "/dev/null", 1: "pipe:[1]", 2: "pipe:[2]"]
    var after = before
    #expect(OpenDescriptors.surplus(before: before, after: after).isEmpty)
    after[3] = "socket:[3]"
    after[4] = "socket:[4]"
    after[5] = "anon_inode:[eventpoll]"
    #expect(
      OpenDescriptors.surplus(before: before, after: after) == [
        "anon_inode:[eventpoll]: 1 more", "socket: 2 more",
      ])
  }

  @Test func `An interruption runs what was registered, before and after it, once`() async {
    await confirmation(expectedCount: 2) { ran in
      let pace = Pace(duration: .seconds(1000))
      #expect(pace.hasTimeLeft)
      pace.onInterrupt { ran() }
      pace.interrupt()
      pace.interrupt()
      pace.onInterrupt { ran() }
      #expect(!pace.hasTimeLeft)
    }
  }

  @Test func `A peer's port is the last part of its address`() {
    #expect(Peer(id: "a", address: "127.0.0.1:4711").port == 4711)
    #expect(Peer(id: "a", address: "[::1]:80").port == 80)
    #expect(Peer(id: "a", address: "nowhere").port == nil)
  }
}
