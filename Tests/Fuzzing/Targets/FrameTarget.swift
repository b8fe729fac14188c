import NIOCore
import StreamMux

/// The frame decoder: any bytes, cut anyhow, with and without checksums; what it reads can be written again.
enum FrameTarget {
  fileprivate struct Outcome: Equatable {
    /// Stream bytes joined to their frame.
    var events: [FrameEvent] = []
    var violation: Violation?
    var isBetweenFrames = true
  }

  @Sendable
  static func run(_ bytes: ByteBuffer) throws {
    var input = FuzzInput(bytes)
    let mode = input.choice()
    let pieceSize = input.length(upTo: 512)
    let isChecksummed = mode & 1 == 1
    let limit = mode & 2 == 0 ? 65_536 : 4_096
    let frames = mode & 4 == 0 ? input.rest : sealed(&input, isChecksummed: isChecksummed)
    let isHandshake = mode & 8 == 8
    let whole = try decode([frames], limit, isChecksummed, isHandshake)
    let pieces = try decode(frames.pieces(of: pieceSize), limit, isChecksummed, isHandshake)
    try require(whole == pieces, "whole \(whole), in pieces of \(pieceSize) \(pieces)")
    for event in whole.events {
      if case .frame(let frame) = event { try rewrite(frame) }
    }
  }

  private static func decode(
    _ pieces: [ByteBuffer], _ limit: Int, _ isChecksummed: Bool, _ isHandshake: Bool
  ) throws -> Outcome {
    var decoder = FrameDecoder(maximumFramePayload: limit)
    if !isHandshake { decoder.endHandshake(isChecksummed: isChecksummed) }
    var outcome = Outcome()
    do throws(Violation) {
      for piece in pieces {
        decoder.append(piece)
        while let event = try decoder.next() { outcome.add(event) }
      }
      outcome.isBetweenFrames = decoder.isBetweenFrames
    } catch {
      outcome.violation = error
      let again = Result { () throws(Violation) in try decoder.next() }
      guard case .failure(error) = again else {
        throw FuzzFinding(description: "a violation was forgotten: \(error)")
      }
    }
    return outcome
  }

  /// Frames whose headers come from the input, with right lengths and right checksums: what lies deeper is reached.
  private static func sealed(_ input: inout FuzzInput, isChecksummed: Bool) -> ByteBuffer {
    var frames = ByteBuffer()
    while !input.isEmpty {
      HandMadeFrame(&input).write(into: &frames, isChecksummed: isChecksummed)
    }
    return frames
  }

  /// What was read is written and read again. A text that was cut in writing must be no longer than what is allowed.
  private static func rewrite(_ frame: Frame) throws {
    var bytes = ByteBuffer()
    if case .welcome(.refused(let refusal)) = frame, refusal.code == .none { return }
    FrameEncoder().write(frame, into: &bytes)
    var decoder = FrameDecoder(maximumFramePayload: 65_536)
    decoder.endHandshake(isChecksummed: false)
    decoder.append(bytes)
    let again = try decoder.next()
    try require(again == .frame(frame), "\(frame) was read again as \(String(describing: again))")
    try require(decoder.isBetweenFrames, "bytes behind \(frame)")
    guard case .hello(let payload) = frame, let hello = try? Hello(decoding: payload) else { return }
    var encoded = ByteBuffer()
    hello.encode(into: &encoded)
    try require(encoded == payload, "HELLO was written otherwise than it was read")
  }
}

extension FrameTarget.Outcome {
  fileprivate mutating func add(_ event: FrameEvent) {
    // How the stream bytes of a frame are cut carries no meaning.
    if case .payload(let bytes, let isLast) = event, case .payload(var before, false)? = events.last {
      before.writeImmutableBuffer(bytes)
      events[events.count - 1] = .payload(before, isLast: isLast)
    } else {
      events.append(event)
    }
  }
}
