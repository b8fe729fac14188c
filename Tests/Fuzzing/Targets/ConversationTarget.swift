import NIOCore
import RaftWire

/// What a requester writes on one stream, or on one connection of the old protocol: requests one after another, and raw
/// bytes behind each InstallSnapshot. However it is cut, the same requests and the same bodies come out.
enum ConversationTarget {
  private struct Outcome: Equatable {
    var commands: [WireCommand] = []
    var bodies: [ByteBuffer] = []
    var hasFailed = false
    var pending = 0
  }

  @Sendable
  static func run(_ bytes: ByteBuffer) throws {
    var input = FuzzInput(bytes)
    let pieceSize = 1 + Int(input.choice())
    let whole = try read([input.rest])
    let pieces = try read(input.rest.pieces(of: pieceSize))
    try require(whole.commands == pieces.commands, "other requests in pieces of \(pieceSize)")
    try require(whole.bodies == pieces.bodies, "other bodies in pieces of \(pieceSize)")
    try require(whole.hasFailed || !pieces.hasFailed, "refused in pieces, and not whole")
    try require(
      whole.hasFailed || whole.pending == pieces.pending, "\(whole.pending) or \(pieces.pending) pending")
  }

  private static func read(_ pieces: [ByteBuffer]) throws -> Outcome {
    var assembler = MessageAssembler()
    var outcome = Outcome()
    var missing: Int64 = 0
    for piece in pieces {
      assembler.append(piece)
      do throws(WireError) {
        while true {
          if missing > 0 {
            guard let body = assembler.nextRawBytes(atMost: Int(clamping: missing)) else { break }
            missing -= Int64(body.readableBytes)
            outcome.bodies[outcome.bodies.count - 1].writeImmutableBuffer(body)
          } else {
            guard let command = try assembler.nextCommand() else { break }
            outcome.commands.append(command)
            guard case .installSnapshot(let request) = command else { continue }
            missing = max(0, request.size)
            outcome.bodies.append(ByteBuffer())
          }
        }
      } catch {
        outcome.hasFailed = true
        break
      }
    }
    outcome.pending = assembler.pendingBytes
    let taken = outcome.bodies.reduce(0) { $0 + $1.readableBytes }
    let given = pieces.reduce(0) { $0 + $1.readableBytes }
    try require(taken + outcome.pending <= given, "more bytes than there were")
    return outcome
  }
}
