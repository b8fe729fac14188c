import ConformanceSuite
import Foundation
import Testing

@Suite("Captures are decoded")
struct DecodeTests {
  private func conversation(checksums: Bool) -> [CaptureFormat.Run] {
    var hello = ProbeHello(clusterID: "c", serverID: "a", target: "b")
    hello.features = checksums ? ProbeHello.crc32 : 0
    var other = ProbeHello(clusterID: "c", serverID: "b")
    other.features = hello.features
    let vote: [UInt8] = [0x01, 0x81, 0xA4, 0x54, 0x65, 0x72, 0x6D, 0x07]
    let answer: [UInt8] =
      [0xA0, 0x82, 0xA7] + Array("Granted".utf8) + [0xC3, 0xA4, 0x54, 0x65, 0x72, 0x6D, 0x07]
    func encoded(_ frames: [ProbeFrame]) -> [UInt8] { frames.flatMap { $0.encoded(checksummed: checksums) } }
    return [
      .init(direction: .first, bytes: FrameReader.preface + encoded([.hello(hello)])),
      .init(
        direction: .second,
        bytes: FrameReader.preface + encoded([.hello(other), .authentication()])),
      .init(
        direction: .first,
        bytes: encoded([.authentication(), .welcome(), .open(1, StreamClass.election, vote, fin: true)])),
      .init(
        direction: .second, bytes: encoded([.welcome(), .data(1, answer, fin: true), .goAway(last: 1, 0x0C)])),
    ]
  }

  @Test("with requests, their answers and the rest in words", arguments: [false, true])
  func words(checksums: Bool) {
    let entries = CaptureDecoder.entries(of: conversation(checksums: checksums))
    #expect(
      entries.map(\.frame) == [
        "preface", "HELLO", "preface", "HELLO", "AUTH", "AUTH", "WELCOME", "DATA", "WELCOME", "DATA",
        "GOAWAY",
      ])
    #expect(
      entries.flatMap(\.messages).map(\.text) == [
        "RequestVote term 7 last 0/0", "answer to requestVote: term 7 granted true",
      ])
    let hasFaults = entries.contains { $0.isFault }
    #expect(!hasFaults)
    #expect(entries.last?.text == "GOAWAY last 1 shutdown “”")
  }

  @Test("as JSON with the fields of frames and messages", arguments: [false, true])
  func fields(checksums: Bool) throws {
    let entries = CaptureDecoder.entries(of: conversation(checksums: checksums))
    let encoder = JSONEncoder()
    let lines = try entries.map { entry in
      try #require(try JSONSerialization.jsonObject(with: try encoder.encode(entry)) as? [String: Any])
    }
    let request = try #require(lines.first { $0["flags"] as? [String] == ["OPEN", "FIN"] })
    #expect(request["type"] as? Int == 0x10 && request["frame"] as? String == "DATA")
    #expect(request["class"] as? String == "election" && request["encoding"] as? Int == 0)
    #expect(
      request["stream"] as? Int == 1 && request["length"] as? Int == 16 && request["group"] as? Int == 0)
    #expect(request["checksum"] as? Bool == (checksums ? true : nil))
    let asked = try #require((request["messages"] as? [[String: Any]])?.first)
    #expect(asked["kind"] as? String == "request" && asked["rpc"] as? String == "RequestVote")
    let vote = try #require(asked["fields"] as? [String: Any])
    #expect(vote["Term"] as? Int == 7 && vote["LeadershipTransfer"] as? Bool == false)

    let answered = try #require(lines.first { $0["flags"] as? [String] == ["FIN"] })
    let answer = try #require((answered["messages"] as? [[String: Any]])?.first)
    #expect(answer["kind"] as? String == "answer" && answer["rpc"] as? String == "RequestVote")
    #expect((answer["fields"] as? [String: Any])?["Granted"] as? Bool == true)

    let hello = try #require(lines.first { $0["frame"] as? String == "HELLO" }?["hello"] as? [String: Any])
    #expect(hello["serverID"] as? String == "a" && hello["streamCredit"] as? [Int] == [64, 256, 8])
    let goAway = try #require(lines.last)
    #expect(goAway["codeName"] as? String == "shutdown" && goAway["code"] as? Int == 12)
    #expect(goAway["number"] as? Int == 1)
  }

  @Test("and a message that cannot be read is a fault")
  func unreadable() {
    let frames: [ProbeFrame] = [
      .hello(ProbeHello(clusterID: "c", serverID: "a")), .open(1, StreamClass.append, [0x63, 0x80]),
    ]
    let bytes = FrameReader.preface + frames.flatMap { $0.encoded(checksummed: false) }
    let entries = CaptureDecoder.entries(of: [.init(direction: .first, bytes: bytes)])
    #expect(entries.last?.messages.map(\.kind) == [.unreadable])
    #expect(entries.map(\.isFault) == [false, false, true])
  }

  @Test("and HELLO behind anything but the preface is a fault, too")
  func wrongPreface() throws {
    var bytes = FrameReader.preface
    // What a transfer as text makes of it.
    let lineEnd = try #require(bytes.firstIndex(of: 0x0A))
    bytes.insert(0x0D, at: lineEnd)
    let frames: [ProbeFrame] = [.hello(ProbeHello(clusterID: "c", serverID: "a")), .authentication()]
    bytes += frames.flatMap { $0.encoded(checksummed: false) }
    let entries = CaptureDecoder.entries(of: [.init(direction: .first, bytes: bytes)])
    #expect(entries.map(\.frame) == ["none", "HELLO", "AUTH"])
    #expect(entries.map(\.isFault) == [true, false, false])
  }

  @Test("and a dump may leave out much, but not gigabytes")
  func leftOutBytes() {
    let line = "00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f"
    func byteCount(_ last: String) -> Int {
      CaptureFormat.read(Array("\(line)\n*\n\(last)\n".utf8)).reduce(0) { $0 + $1.bytes.count }
    }
    #expect(byteCount("00010000") == 65_536)
    // Then it is no dump, and its own bytes are looked at.
    #expect(byteCount("fffffff0") < 100)
  }

  /// What is captured from some bytes on: the first `count` bytes of each direction are not there.
  private func lateCapture(_ count: Int, checksums: Bool) -> [CaptureFormat.Run] {
    var left: [CaptureFormat.Direction: Int] = [.first: count, .second: count]
    return conversation(checksums: checksums).map { run in
      let dropped = min(left[run.direction, default: 0], run.bytes.count)
      left[run.direction, default: 0] -= dropped
      return .init(direction: run.direction, bytes: Array(run.bytes.dropFirst(dropped)))
    }
  }

  @Test("from the middle of a connection on, wherever that is", arguments: [false, true])
  func midConnection(checksums: Bool) {
    let whole = CaptureDecoder.entries(of: conversation(checksums: checksums))
    let shortest =
      conversation(checksums: checksums).reduce(into: [CaptureFormat.Direction: Int]()) {
        $0[$1.direction, default: 0] += $1.bytes.count
      }.values.min() ?? 0
    var found = 0
    for count in 1..<shortest {
      let entries = CaptureDecoder.entries(of: lateCapture(count, checksums: checksums))
      for direction in [CaptureFormat.Direction.first, .second] {
        let got = entries.filter { $0.direction == direction }
        // A single frame that is left is no proof, unless it is all that there is.
        guard got.first?.text.hasPrefix("the capture begins inside a connection") == true else { continue }
        let rest = whole.filter { $0.direction == direction && $0.offset >= count }
        #expect(got.dropFirst().map(\.offset) == rest.map { $0.offset - count }, "\(count) \(direction)")
        #expect(got.dropFirst().map(\.frame) == rest.map(\.frame), "\(count) \(direction)")
        #expect(got.allSatisfy { !$0.isFault })
        found += 1
      }
    }
    #expect(found > shortest, "in most places of both directions")
  }

  @Test("without a guess at what a stream says that began before the capture")
  func streamFromBefore() {
    let frames: [ProbeFrame] = [
      .data(1, [0x01, 0x81, 0xA4], fin: false), .data(1, [1, 2, 3], fin: true),
      .open(3, StreamClass.election, [0x01, 0x81, 0xA4, 0x54, 0x65, 0x72, 0x6D, 0x07], fin: true),
    ]
    let bytes: [UInt8] = frames.reduce([0x07, 0x07]) { $0 + $1.encoded() }
    let entries = CaptureDecoder.entries(of: [.init(direction: .first, bytes: bytes)])
    #expect(entries.map(\.offset) == [0, 2, 21, 40])
    #expect(
      entries.map(\.text).first
        == "the capture begins inside a connection: 2 bytes in front of the first whole frame, checksums: no")
    #expect(
      entries.flatMap(\.messages).map(\.kind) == [.unknown, .unknown, .request])
  }

  @Test("but not by force: what frames do not follow each other in is no capture of RMUX")
  func noFrames() {
    let noise = (0..<5_000).map { UInt8(truncatingIfNeeded: ($0 &* 167 &+ 90) ^ ($0 >> 3)) }
    let entries = CaptureDecoder.entries(of: [.init(direction: .first, bytes: noise)])
    #expect(entries.count == 1 && entries.first?.isFault == true)
  }

  @Test("of the classic protocol, requests and answers, in whatever order the directions are")
  func classic() {
    let vote: [UInt8] = [0x01, 0x81, 0xA4, 0x54, 0x65, 0x72, 0x6D, 0x07]
    let granted: [UInt8] = [0xA0, 0x81, 0xA7] + Array("Granted".utf8) + [0xC3]
    let size: [UInt8] = [0x02, 0x81, 0xA4] + Array("Size".utf8) + [0x05]
    let failure: [UInt8] = [0xA4] + Array("full".utf8) + [0xC0]
    let asked = CaptureFormat.Run(direction: .second, bytes: vote + size + [1, 2, 3])
    let answered = CaptureFormat.Run(direction: .first, bytes: granted + failure)
    let more = CaptureFormat.Run(direction: .second, bytes: [4, 5] + vote + [0x01])
    for runs in [[asked, answered, more], [answered, asked, more], [asked, more, answered]] {
      let entries = CaptureDecoder.entries(of: runs)
      let requests = entries.filter { $0.direction == .second }
      #expect(
        requests.map(\.text) == [
          "RequestVote term 7 last 0/0", "InstallSnapshot term 0 last 0/0, 5 bytes",
          "3 bytes of a body, 2 to come", "2 bytes of a body, 0 to come", "RequestVote term 7 last 0/0",
          "1 bytes of a message that goes on",
        ])
      #expect(requests.map(\.offset) == [0, 8, 16, 19, 21, 29])
      let answers = entries.filter { $0.direction == .first }
      #expect(
        answers.map(\.text) == [
          "answer to requestVote: term 0 granted true", "answer to installSnapshot: error “full”, nothing",
        ])
      #expect(answers.flatMap(\.messages).last?.fields["error"] == .text("full"))
      #expect(entries.allSatisfy { !$0.isFault && $0.type == nil })
    }
  }

  @Test("of the classic protocol up to what cannot be read")
  func brokenClassic() {
    let bytes: [UInt8] = [0x01, 0x80, 0x63, 0x00, 0x01, 0x80]
    let entries = CaptureDecoder.entries(of: [.init(direction: .first, bytes: bytes)])
    #expect(entries.map(\.isFault) == [false, true])
    #expect(entries.last?.offset == 2)
  }

  @Test("where only one direction is there, with checksums found by themselves")
  func oneDirection() {
    let runs = conversation(checksums: true).filter { $0.direction == .first }
    let entries = CaptureDecoder.entries(of: runs)
    #expect(entries.map(\.frame) == ["preface", "HELLO", "AUTH", "WELCOME", "DATA"])
    #expect(entries.last?.messages.map(\.text) == ["RequestVote term 7 last 0/0"])
  }

  @Test("up to what is no frame")
  func nonsense() {
    let entries = CaptureDecoder.entries(
      of: [.init(direction: .first, bytes: Array("GET / HTTP/1.1\r\n".utf8))])
    #expect(entries.count == 1)
    #expect(entries.first?.isFault == true)
  }

  @Test("and say how much is missing at the end")
  func cutOff() {
    let entries = CaptureDecoder.entries(
      of: [.init(direction: .first, bytes: FrameReader.preface + [0x20, 0, 0])])
    #expect(entries.last?.text == "3 bytes of a frame that goes on")
  }

  @Test(
    "from each kind of dump",
    arguments: [
      "ac524d580d0a1a0a", "ac 52 4d 58\n0d 0a 1a 0a\n", "# a comment\n> ac524d58 0d0a1a0a # the preface\n",
      "00000000: ac52 4d58 0d0a 1a0a                      .RMX....\n",
      "00000000  ac 52 4d 58 0d 0a 1a 0a                           |.RMX....|\n00000008\n",
    ])
  func dumps(text: String) {
    let runs = CaptureFormat.read(Array(text.utf8))
    #expect(runs.flatMap(\.bytes) == FrameReader.preface)
    #expect(runs.allSatisfy { $0.direction == .first })
  }

  @Test("from a dump that leaves out lines that are like the one before")
  func leftOut() {
    let line = "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00"
    let text = "00000000  \(line)  |................|\n*\n00000030  ac 52     |.R|\n00000032\n"
    let bytes = CaptureFormat.read(Array(text.utf8)).flatMap(\.bytes)
    #expect(bytes == Array(repeating: 0, count: 48) + [0xAC, 0x52])
  }

  @Test("with both directions in one dump")
  func directions() {
    let runs = CaptureFormat.read(Array("> 01 02\n03\n< 04\n".utf8))
    #expect(
      runs == [
        .init(direction: .first, bytes: [1, 2]), .init(direction: .first, bytes: [3]),
        .init(direction: .second, bytes: [4]),
      ])
  }

  @Test("with both directions as the examples of the specification name them")
  func speakers() {
    let runs = CaptureFormat.read(Array("dialler:\n  01 02  | two bytes\n\nacceptor:\n  03\n".utf8))
    #expect(runs == [.init(direction: .first, bytes: [1, 2]), .init(direction: .second, bytes: [3])])
  }

  @Test("raw bytes are themselves")
  func raw() {
    #expect(CaptureFormat.read([0xAC, 0x52]) == [.init(direction: .first, bytes: [0xAC, 0x52])])
  }
}
