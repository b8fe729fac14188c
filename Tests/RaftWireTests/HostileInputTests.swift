import Foundation
import NIOCore
import Testing

@testable import RaftWire

@Suite("Input that means harm")
struct HostileInputTests {
  // R-PAY-39
  @Test("A message of 14 bytes that declares 2^32 - 1 of anything is refused at once, however it comes")
  func bombs() throws {
    let entries = "0081a7456e7472696573"
    for declared in ["ddffffffff", "dfffffffff"] {
      let bytes = try ByteBuffer(hex: entries + declared)
      for pieces in [[bytes], bytes.pieces(of: 1)] {
        var assembler = MessageAssembler()
        pieces.forEach { assembler.append($0) }
        let error = #expect(throws: WireError.self) { try assembler.nextCommand() }
        #expect(error?.code == .tooManyElements)
      }
    }
    for text in ["dbffffffff", "c6ffffffff"] {
      var assembler = MessageAssembler()
      assembler.append(try ByteBuffer(hex: "0081a64c6561646572" + text))
      let error = #expect(throws: WireError.self) { try assembler.nextCommand() }
      #expect(error?.code == .messageTooLarge)
    }
  }

  #if os(Linux)
    // R-PAY-41, R-SEC-5
    @Test(
      "What is declared within the limits takes no memory before it comes",
      arguments: ["db03c00000", "c603c00000", "dd00040000", "df00020000"])
    func declaredAlone(declared: String) throws {
      /// Pages of address space, whether touched or not.
      func addressSpace() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return try #require(fields.first.flatMap { Int($0) })
      }
      let field = declared.hasPrefix("dd") || declared.hasPrefix("df") ? "a7456e7472696573" : "a64c6561646572"
      let bytes = try ByteBuffer(hex: "0081" + field + declared)
      let before = try addressSpace()
      // 2,000 times 60 MiB, or the memory of 262,144 entries, would be far more than other tests take meanwhile.
      var assemblers: [MessageAssembler] = []
      for _ in 0..<2_000 {
        var assembler = MessageAssembler()
        assembler.append(bytes)
        #expect(try assembler.nextCommand() == nil)
        assemblers.append(assembler)
      }
      let grown = try addressSpace() - before
      #expect(grown < (8 << 30) / 4_096, "\(grown) pages for \(assemblers.count) messages")
    }
  #endif

  // R-PAY-39
  @Test("Counts that could only fit into a larger message are refused when declared")
  func sums() throws {
    // 200 elements of which each declares 200 more; the limit is reached long before the bytes are.
    var bytes = try ByteBuffer(hex: "0081a15a" + "dc00c8")
    for _ in 0..<60 { bytes.writeBytes([0xdc, 0x00, 0xc8]) }
    var assembler = MessageAssembler(limits: MessageLimits(maximumMessageBytes: 10_000))
    assembler.append(bytes)
    let error = #expect(throws: WireError.self) { try assembler.nextCommand() }
    #expect(error?.code == .messageTooLarge)
    #expect((error?.offset ?? 0) < 200)
  }

  // R-PAY-39
  @Test("A message of exactly the limit passes and one of a byte more does not", arguments: [true, false])
  func sizeLimit(inPieces: Bool) throws {
    let request = RequestVoteRequest(candidate: ByteBuffer(repeating: 1, count: 5_000))
    var bytes = ByteBuffer()
    try WireEncoder().encode(request: request, into: &bytes)
    for excess in [0, 1] {
      let limits = MessageLimits(maximumMessageBytes: bytes.readableBytes - excess)
      var assembler = MessageAssembler(limits: limits)
      for piece in inPieces ? bytes.pieces(of: 100) : [bytes] { assembler.append(piece) }
      if excess == 0 {
        #expect(try assembler.nextCommand() == .requestVote(request))
      } else {
        let error = #expect(throws: WireError.self) { try assembler.nextCommand() }
        #expect(error?.code == .messageTooLarge)
        #expect(throws: WireError.self, "the error stays") { try assembler.nextCommand() }
        var rest = bytes
        let direct = #expect(throws: WireError.self) {
          try WireDecoder(limits: limits).decodeCommand(from: &rest)
        }
        #expect(direct?.code == .messageTooLarge)
      }
    }
  }

  // R-PAY-38
  @Test("1,022 levels inside an unknown field pass and 1,023 do not", arguments: [0x91, 0x81] as [UInt8])
  func depth(container: UInt8) throws {
    for (levels, passes) in [(1, true), (1_020, true), (1_022, true), (1_023, false), (1_000_000, false)] {
      var bytes = try ByteBuffer(hex: "0081a15a")
      for _ in 0..<levels {
        bytes.writeInteger(container)
        if container == 0x81 { bytes.writeInteger(1 as UInt8) }
      }
      bytes.writeInteger(0xc0 as UInt8)
      for pieces in [[bytes], bytes.pieces(of: 1_000)] {
        var assembler = MessageAssembler()
        pieces.forEach { assembler.append($0) }
        if passes {
          #expect(try assembler.nextCommand() == .appendEntries(AppendEntriesRequest()))
        } else {
          let error = #expect(throws: WireError.self) { try assembler.nextCommand() }
          #expect(error?.code == .tooDeep)
        }
      }
    }
  }

  // R-PAY-40
  @Test("An array with more elements than the limit is refused", arguments: [9, 10, 11])
  func elements(count: Int) throws {
    let request = AppendEntriesRequest(entries: Array(repeating: nil, count: count))
    var bytes = ByteBuffer()
    try WireEncoder().encode(request: request, into: &bytes)
    var assembler = MessageAssembler(limits: MessageLimits(maximumElements: 20))
    assembler.append(bytes)
    #expect(try assembler.nextCommand() == .appendEntries(request))
    assembler = MessageAssembler(limits: MessageLimits(maximumElements: 18))
    let ten = AppendEntriesRequest(entries: Array(repeating: nil, count: count + 9))
    bytes.clear()
    try WireEncoder().encode(request: ten, into: &bytes)
    assembler.append(bytes)
    if count <= 9 {
      #expect(try assembler.nextCommand() == .appendEntries(ten))
    } else {
      let error = #expect(throws: WireError.self) { try assembler.nextCommand() }
      #expect(error?.code == .tooManyElements)
    }
  }

  // R-PAY-2
  @Test(
    "A type byte that names no RPC is refused as soon as it is there",
    arguments: [5, 0x16, 0x4d, 0x80, 0xac, 0xff])
  func unknownType(byte: UInt8) throws {
    var assembler = MessageAssembler()
    assembler.append(ByteBuffer(integer: byte))
    let error = #expect(throws: WireError.self) { try assembler.nextCommand() }
    #expect(error?.code == .unknownRPCType)
  }

  @Test("What can be no object or text any more is refused at its first byte")
  func wrongBeginnings() throws {
    for hex in ["00a5", "00c4", "00cf", "00da", "00d8", "00c1", "0005"] {
      for pieces in [[try ByteBuffer(hex: hex)], try ByteBuffer(hex: hex).pieces(of: 1)] {
        var assembler = MessageAssembler()
        pieces.forEach { assembler.append($0) }
        #expect(throws: WireError.self, "\(hex)") { try assembler.nextCommand() }
      }
    }
    for hex in ["81", "05", "cf", "c7", "a0a1"] {
      var assembler = MessageAssembler()
      assembler.append(try ByteBuffer(hex: hex))
      #expect(throws: WireError.self, "\(hex)") { try assembler.nextAnswer(TimeoutNowResponse.self) }
    }
  }

  @Test("A decoded entry costs no more memory than the limits' documentation says")
  func entrySize() {
    #expect(MemoryLayout<LogEntry?>.stride <= 120)
  }

  @Test("Random bytes never crash, and are judged the same whole and in pieces", arguments: 0..<8)
  func noise(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<2_000 {
      let count = Int.random(in: 1...120, using: &generator)
      var bytes = ByteBuffer(integer: UInt8.random(in: 0...4, using: &generator))
      bytes.writeBytes((0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
      check(bytes, seed)
    }
  }

  @Test("Damaged messages never crash, and are judged the same whole and in pieces", arguments: 0..<8)
  func damage(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed &+ 1_000)
    for _ in 0..<500 {
      var bytes = ByteBuffer()
      try WireEncoder().encode(command: .random(using: &generator), into: &bytes)
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let index = Int.random(in: 0..<bytes.readableBytes, using: &generator)
        bytes.setInteger(UInt8(truncatingIfNeeded: generator.next()), at: index)
      }
      check(bytes, seed)
    }
  }

  /// A verdict reached on a part of the bytes cannot change with more of them, so both ways must agree,
  /// except
  /// that the whole may be refused for something that pieces have not come to judge for lack of their end.
  private func check(_ bytes: ByteBuffer, _ seed: UInt64) {
    let whole = Result { () throws -> WireCommand? in
      var assembler = MessageAssembler()
      assembler.append(bytes)
      return try assembler.nextCommand()
    }
    let pieces = Result { () throws -> WireCommand? in
      var assembler = MessageAssembler()
      for piece in bytes.pieces(of: 7) {
        assembler.append(piece)
        if let command = try assembler.nextCommand() { return command }
      }
      return nil
    }
    switch (whole, pieces) {
    case (.success(let one), .success(let other)): #expect(one == other, "seed \(seed): \(bytes.hex)")
    case (.failure, .failure), (.failure, .success(nil)): break
    default: Issue.record("seed \(seed): \(bytes.hex): \(whole) and \(pieces)")
    }
  }
}
