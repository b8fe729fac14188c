import ConformanceSuite
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
      entries.map(\.messages).flatMap(\.self) == [
        "RequestVote term 7 last 0/0", "answer to requestVote: term 7 granted true",
      ])
    let hasFaults = entries.contains { $0.isFault }
    #expect(!hasFaults)
    #expect(entries.last?.text == "GOAWAY last 1 shutdown “”")
  }

  @Test("where only one direction is there, with checksums found by themselves")
  func oneDirection() {
    let runs = conversation(checksums: true).filter { $0.direction == .first }
    let entries = CaptureDecoder.entries(of: runs)
    #expect(entries.map(\.frame) == ["preface", "HELLO", "AUTH", "WELCOME", "DATA"])
    #expect(entries.last?.messages == ["RequestVote term 7 last 0/0"])
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
