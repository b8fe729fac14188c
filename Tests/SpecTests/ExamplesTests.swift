import Foundation
import NIOCore
import Testing

@testable import StreamMux

/// `vectors/examples.json`
struct Examples: Decodable {
  struct Step: Decodable, Equatable {
    let from: String
    let hex: String
  }
  struct Example: Decodable {
    let name: String
    let crc32: Bool
    let steps: [Step]
  }
  let examples: [Example]

  static func load() throws -> [Example] {
    try SpecFolder.json("vectors/examples.json", as: Self.self).examples
  }
}

@Suite("The examples")
struct ExamplesTests {
  @Test("Page and JSON hold the same bytes")
  func pageAndVectorsAgree() throws {
    let text = try SpecFolder.page("examples.md").text
    let examples = try Examples.load()
    var seen: [String] = []
    for block in text.matches(of: /<!-- example: ([a-z0-9-]+) -->\n```\n([^`]*)```/) {
      seen.append(String(block.1))
      let example = try #require(examples.first { $0.name == block.1 })
      #expect(Self.steps(in: String(block.2)) == example.steps, "\(block.1)")
    }
    #expect(seen == examples.map(\.name))
  }

  /// The bytes in front of the bar of each line, joined per speaker.
  private static func steps(in block: String) -> [Examples.Step] {
    var steps: [Examples.Step] = []
    for line in block.split(separator: "\n") {
      if let speaker = line.wholeMatch(of: /([a-z]+):/) {
        steps.append(.init(from: String(speaker.1), hex: ""))
      } else if let bytes = line.split(separator: "|").first, let last = steps.popLast() {
        steps.append(.init(from: last.from, hex: last.hex + bytes.filter(\.isHexDigit).lowercased()))
      }
    }
    return steps
  }

  @Test("Every frame of the examples keeps the table of frame types")
  func framesFollowTheTable() throws {
    let table = try FrameTypesTable.load()
    for example in try Examples.load() {
      for step in example.steps {
        var bytes = try ByteBuffer(hex: step.hex)
        if bytes.getBytes(at: bytes.readerIndex, length: 8) == ProtocolConstants.preface {
          bytes.moveReaderIndex(forwardBy: 8)
        }
        while bytes.readableBytes > 0 {
          let rest = bytes
          let fields = bytes.readMultipleIntegers(as: (UInt8, UInt8, UInt8, UInt8, UInt32, UInt64).self)
          let (type, _, _, _, length, stream) = try #require(fields)
          let payload = bytes.readSlice(length: Int(length))
          try #require(payload != nil, "\(example.name)")
          if example.crc32 {
            let frame = try #require(rest.getBytes(at: rest.readerIndex, length: 16 + Int(length)))
            let trailer = bytes.readInteger(as: UInt32.self)
            #expect(trailer == Self.crc32(frame), "\(example.name)")
          }
          guard let row = table.frameTypes.first(where: { $0.value == Int(type) }) else {
            #expect(type >= 0x80, "\(example.name)")
            continue
          }
          #expect(Int(length) >= row.leastLength, "\(example.name)")
          #expect(Int(length) <= row.greatestLength ?? 65_536, "\(example.name)")
          #expect((stream != 0) == row.onStream, "\(example.name)")
        }
      }
    }
  }

  @Test("The decoder reads every example, in one piece and byte by byte")
  func decoderReadsThem() throws {
    for example in try Examples.load() {
      for step in example.steps {
        var bytes = try ByteBuffer(hex: step.hex)
        if bytes.getBytes(at: bytes.readerIndex, length: 8) == ProtocolConstants.preface {
          bytes.moveReaderIndex(forwardBy: 8)
        }
        let whole = try Self.frames(in: [bytes], isChecksummed: example.crc32)
        let pieces = bytes.readableBytesView.map { ByteBuffer(bytes: [$0]) }
        #expect(try Self.frames(in: pieces, isChecksummed: example.crc32) == whole, "\(example.name)")
        #expect(!whole.isEmpty, "\(example.name)")
      }
    }
  }

  /// What the decoder finds, stream bytes joined.
  private static func frames(in pieces: [ByteBuffer], isChecksummed: Bool) throws -> [FrameEvent] {
    var decoder = FrameDecoder(maximumFramePayload: ProtocolConstants.largestFramePayload)
    if isChecksummed { decoder.endHandshake(isChecksummed: true) }
    var events: [FrameEvent] = []
    for piece in pieces {
      decoder.append(piece)
      while let event = try decoder.next() {
        if case .payload(let bytes, let isLast) = event, case .payload(let before, false)? = events.last {
          events[events.count - 1] = .payload(
            ByteBuffer(bytes: Array(before.readableBytesView) + Array(bytes.readableBytesView)),
            isLast: isLast)
        } else {
          events.append(event)
        }
      }
    }
    #expect(decoder.isBetweenFrames)
    return events
  }

  /// The checksum bit by bit, so that the page is checked against something that is not the code.
  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { checksum, byte in
      (0..<8).reduce(checksum ^ UInt32(byte)) { value, _ in
        value & 1 == 1 ? (value >> 1) ^ 0xEDB8_8320 : value >> 1
      }
    }
  }

  @Test("The checksum of the nine digits is the one that the text states")
  func checksumCheckValue() throws {
    #expect(Self.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(try SpecFolder.page("framing.md").text.contains("0xCBF43926"))
  }

  @Test("The HELLOs of the handshake say what the page says of them")
  func helloOfTheHandshake() throws {
    let example = try #require(try Examples.load().first { $0.name == "handshake" })
    let servers = try example.steps.prefix(2).map { step in
      var bytes = try ByteBuffer(hex: step.hex)
      bytes.moveReaderIndex(forwardBy: 8 + 4)
      let length = bytes.readInteger(as: UInt32.self) ?? 0
      bytes.moveReaderIndex(forwardBy: 8)
      let slice = bytes.readSlice(length: Int(length))
      let payload = try #require(slice)
      let hello = try Hello(decoding: payload)
      var encoded = ByteBuffer()
      hello.encode(into: &encoded)
      #expect(encoded == payload)
      #expect(hello.clusterID == "blue")
      return hello.serverID
    }
    #expect(servers == ["n1", "n2"])
  }
}

extension ByteBuffer {
  init(hex: String) throws {
    self.init()
    var rest = Substring(hex)
    while !rest.isEmpty {
      let byte = try #require(UInt8(rest.prefix(2), radix: 16))
      writeInteger(byte)
      rest = rest.dropFirst(2)
    }
  }
}
